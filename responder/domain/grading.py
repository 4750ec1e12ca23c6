"""Grading: which rule gives a report its grade, and why."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

from responder.domain.durations import parse_duration, spoken
from responder.domain.matching import Matcher, all_match
from responder.domain.said import found_words, is_from

AFFECTED_USERS = "affected_users"
IMPACT = "impact"
PREDICTED_DURATION = "predicted_duration"
BY_DEFAULT = "default"
"""The rule of a grade that no rule gave: nobody has judged yet."""
_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """A condition on a number, such as `affected_users: ">= 100"`."""

    operator: str
    number: int

    def holds(self, value: int | None) -> bool:
        return value is not None and _BOUNDS[self.operator](value, self.number)

    def __str__(self) -> str:
        return f"{self.operator} {self.number}"


@dataclass(frozen=True, kw_only=True, slots=True)
class DurationBound:
    """A condition on a duration, such as `predicted_duration: "> 4h"`."""

    operator: str
    duration: timedelta

    def holds(self, value: timedelta | None) -> bool:
        return value is not None and _BOUNDS[self.operator](value, self.duration)

    def __str__(self) -> str:
        return f"{self.operator} {spoken(self.duration)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class GradeRule:
    """If everything named here holds, the report has this grade.

    `facts` maps names to words: the report must say one of them under that name, in capitals or not. `words` are looked
    for in all that a person wrote; `senders` are patterns of addresses. No alert has either.
    """

    name: str
    grade: str
    when: tuple[Matcher, ...] = ()
    affected_users: Bound | None = None
    impact: tuple[str, ...] = ()
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    predicted_duration: DurationBound | None = None
    words: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    because: str = ""

    def holds(self, labels: Mapping[str, str], facts: Mapping[str, str]) -> bool:
        if not all_match(self.when, labels):
            return False
        if self.affected_users and not self.affected_users.holds(affected_users(labels, facts)):
            return False
        if self.predicted_duration and not self.predicted_duration.holds(predicted_duration(labels, facts)):
            return False
        if self.impact and fact(labels, facts, IMPACT) not in self.impact:
            return False
        if (self.words and not found_words(self.words, facts)) or (self.senders and not is_from(self.senders, facts)):
            return False
        return not self.facts or all(says(fact(labels, facts, name), words) for name, words in self.facts.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class Grading:
    """A grade with the rule that won and its reason."""

    grade: str
    rule: str
    reason: str


def fact(labels: Mapping[str, str], facts: Mapping[str, str], name: str) -> str:
    """A fact about the impact: from the labels, else from the annotations."""
    return labels.get(name) or facts.get(name) or ""


def affected_users(labels: Mapping[str, str], facts: Mapping[str, str]) -> int | None:
    """How many users are affected, if the report says it as a whole number."""
    text = fact(labels, facts, AFFECTED_USERS).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def predicted_duration(labels: Mapping[str, str], facts: Mapping[str, str]) -> timedelta | None:
    """How long it is thought to last, if the report says it like `4h`, `90m` or `1d 12h`."""
    text = fact(labels, facts, PREDICTED_DURATION).replace(" ", "")
    try:
        return parse_duration(text) if text else None
    except ValueError:
        return None


def says(text: str, words: tuple[str, ...]) -> bool:
    """Whether a fact is one of these words, in capitals or not."""
    return text.strip().casefold() in _folded(words)


@lru_cache(maxsize=1024)
def _folded(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)


def grade(rules: tuple[GradeRule, ...], default: str, labels: Mapping[str, str], facts: Mapping[str, str]) -> Grading:
    """The grade by the first rule that holds; rules are read from top to bottom."""
    for rule in rules:
        if rule.holds(labels, facts):
            return Grading(grade=rule.grade, rule=rule.name, reason=_reason(rule, labels, facts))
    return Grading(grade=default, rule=BY_DEFAULT, reason="no grade rule matched, so the default grade applies")


def _reason(rule: GradeRule, labels: Mapping[str, str], facts: Mapping[str, str]) -> str:
    # What the alert says, not what the rule asks: the rule is named, and regular expressions explain little at night.
    found = [f"{matcher.label}={labels.get(matcher.label) or 'none'}" for matcher in rule.when]
    if rule.affected_users:
        found.append(f"affected users {affected_users(labels, facts)} {rule.affected_users}")
    if rule.predicted_duration:
        predicted = predicted_duration(labels, facts) or timedelta()
        found.append(f"predicted duration {spoken(predicted)} {rule.predicted_duration}")
    if rule.impact:
        found.append(f"impact {fact(labels, facts, IMPACT)}")
    if rule.words:
        found.append(f"the report says {', '.join(found_words(rule.words, facts))}")
    if rule.senders:
        # The address itself is the reporter's own, and stands in their row only.
        found.append("the sender is one of the rule's")
    found += [f"{name.replace('_', ' ')} {fact(labels, facts, name)}" for name in rule.facts]
    conditions = " and ".join(found) or "always"
    return f"{rule.because} ({conditions})" if rule.because else conditions
