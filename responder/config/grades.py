"""The parts of policy.yml that say what a ticket is: its grade, what that promises, and its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import time, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from responder.adapters.yaml_file import Place
from responder.config.model import Duration, Matchers, Model, Name, SomeMatchers
from responder.domain import numbering
from responder.domain.durations import parse_duration
from responder.domain.grading import Bound, DurationBound, GradeRule
from responder.domain.kinds import Kind
from responder.domain.policy import GradePolicy
from responder.domain.sla import Daily, Target
from responder.domain.subsumption import all_follow, contradiction, takes_all

T = TypeVar("T")
_BOUND = re.compile(r"\s*(>=|<=|>|<)\s*(\d{1,15})\s*", re.ASCII)
_DURATION_BOUND = re.compile(r"\s*(>=|<=|>|<)\s*(\w+)\s*", re.ASCII)
_DAILY = re.compile(r"daily at ([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def as_list(value: object) -> object:
    """What is written as one value is a list of one."""
    return value if isinstance(value, list | tuple) else (value,)


OneOrMore = Annotated[tuple[T, ...], BeforeValidator(as_list)]
"""A list, or a single value that stands for a list of one."""


def _bound(value: object) -> Bound:
    found = _BOUND.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is no bound; write it like '>= 100'")
    return Bound(operator=found.group(1), number=int(found.group(2)))


def _duration_bound(value: object) -> DurationBound:
    found = _DURATION_BOUND.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is no bound; write it like '> 4h'")
    return DurationBound(operator=found.group(1), duration=parse_duration(found.group(2)))


def _target(value: object) -> Target:
    if isinstance(value, timedelta | Daily):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a duration; write it like 30s, 5m or 1h30m, or 'daily at 17:00'")
    if value.startswith("daily"):
        if not (found := _DAILY.fullmatch(value)):
            raise ValueError(f"{value!r} is no time of day; write it like 'daily at 17:00'")
        return Daily(at=time(int(found[1]), int(found[2])))
    return parse_duration(value)


TargetField = Annotated[timedelta | Daily, PlainValidator(_target, json_schema_input_type=str)]
Word = Annotated[str, Field(min_length=1)]


class GradeFile(Model):
    """What a grade promises. A target of null takes an inherited one away."""

    targets: dict[Name, TargetField | None]
    tiers: tuple[Annotated[int, Field(ge=1, le=9)], ...] = (1,)
    roles: OneOrMore[Name] = ()
    quiet: Duration = timedelta(minutes=5)
    close_after: Duration | None = timedelta(hours=24)
    text: str = ""

    def as_grade(self, name: str, clocks: Sequence[str]) -> GradePolicy:
        """The grade as the domain knows it, with targets for these clocks."""
        targets = {clock: target for clock, target in self.targets.items() if target is not None and clock in clocks}
        return GradePolicy(
            name=name,
            targets=targets,
            tiers=self.tiers,
            roles=self.roles,
            quiet=self.quiet,
            close_after=self.close_after,
            text=self.text,
        )


class GradeRuleFile(Model):
    """If all of it holds, a report has this grade."""

    name: Word
    grade: str
    when: Matchers = ()
    affected_users: Annotated[Bound, PlainValidator(_bound, json_schema_input_type=str)] | None = None
    impact: OneOrMore[Word] = ()
    facts: dict[Name, Annotated[OneOrMore[Word], Field(min_length=1)]] = Field(default_factory=dict)
    predicted_duration: Annotated[DurationBound, PlainValidator(_duration_bound, json_schema_input_type=str)] | None = (
        None
    )
    words: OneOrMore[Word] = ()
    senders: OneOrMore[Word] = ()
    because: str = ""

    @model_validator(mode="after")
    def _asks_something(self) -> GradeRuleFile:
        asked = (self.when, self.affected_users, self.impact, self.facts, self.predicted_duration)
        if not any((*asked, self.words, self.senders)):
            raise ValueError(
                "a rule without when:, affected_users: or impact: would take everything; ask for one of these, for "
                "facts:, predicted_duration:, words: or senders:, or use default_grade"
            )
        return self

    def as_rule(self) -> GradeRule:
        """The rule as the domain knows it."""
        return GradeRule(**dict(self))


class KindFile(Model):
    """A kind of trouble: its number in ticket numbers, and the team that handles it."""

    code: Annotated[int, Field(ge=1, le=999_999)] | None = None
    team: Name | None = None
    text: str = ""

    def as_kind(self, name: str) -> Kind:
        """The kind as the domain knows it."""
        return Kind(name=name, code=self.code or 0, team=self.team or "", text=self.text)


class KindRuleFile(Model):
    """Reports that match are of this kind."""

    kind: Name
    when: SomeMatchers


# --- what cannot be meant ------------------------------------------------------------------------------------


def about_grade_rules(rules: Sequence[GradeRuleFile]) -> Iterator[tuple[Place, str]]:
    """Rules that can never win, each with its place: those that contradict themselves, and those that come too late."""
    made = [rule.as_rule() for rule in rules]
    for index, rule in enumerate(made):
        place: tuple[Any, ...] = ("grade_rules", index)
        if why := contradiction(rule):
            yield place, f"rule {rule.name!r} can never hold: {why}"
            continue
        if first := next((one for one in made[:index] if takes_all(one, rule)), None):
            yield place, f"rule {rule.name!r} can never win: {first.name!r} before it takes all that it would take"


def about_kinds(
    kinds: Mapping[str, KindFile | None], rules: Sequence[KindRuleFile], default: str, number: str
) -> Iterator[tuple[Place, str]]:
    """What cannot be meant of kinds and their codes, each with its place."""
    known = [name for name, kind in kinds.items() if kind is not None]
    yield from _about_codes({name: kind.code for name, kind in kinds.items() if kind is not None}, number)
    if default and default not in known:
        yield ("default_kind",), no_kind(default, known)
    for index, rule in enumerate(rules):
        place: tuple[Any, ...] = ("kind_rules", index)
        if rule.kind not in known:
            yield (*place, "kind"), no_kind(rule.kind, known)
        before = (position for position, one in enumerate(rules[:index], 1) if all_follow(one.when, rule.when))
        if (first := next(before, None)) is not None:
            yield place, f"this rule can never win: rule {first} before it takes all that it would take"


def no_kind(name: str, known: Sequence[str]) -> str:
    """The complaint about a kind that is not there."""
    return f"there is no kind {name}; there are {', '.join(known) or 'none'}"


def _about_codes(codes: Mapping[str, int | None], number: str) -> Iterator[tuple[Place, str]]:
    if not numbering.says(number, "kind"):
        return
    if not codes:
        yield ("number",), "the number names the kind, but there are no kinds"
    largest = numbering.largest_code(number)
    owner: dict[int, str] = {}
    for name, code in codes.items():
        if code is None:
            yield ("kinds", name), f"kind {name} has no code, and the number names the kind"
        elif code in owner:
            yield ("kinds", name, "code"), f"{code} is already the code of {owner[code]}, and the number names the kind"
        elif largest is not None and code > largest:
            yield ("kinds", name, "code"), f"the number has room for codes up to {largest}, and {code} is larger"
        else:
            owner[code] = name
