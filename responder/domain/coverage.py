"""What a policy would do with an alert of which only some labels are known: for sure, perhaps, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Generic, TypeVar

from responder.domain.grading import (
    AFFECTED_USERS,
    PREDICTED_DURATION,
    DurationBound,
    GradeRule,
    affected_users,
    fact,
    predicted_duration,
    says,
)
from responder.domain.matching import Matcher
from responder.domain.policy import FirstAidRule, Policy
from responder.domain.series import SeriesLabels

T = TypeVar("T")
U = TypeVar("U")
# The labels that it depends on whether a rule holds: none of them, it holds for sure; None, it never does.
Conditions = frozenset[str] | None
SURE: Conditions = frozenset()


class Answer(StrEnum):
    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticAlert:
    """What an alerting rule says of its alerts before any of them fires.

    `known` are labels with their values, `open` labels that are set but whose value a template gives. What the
    expression's series may bring besides is in `series`.
    """

    known: Mapping[str, str]
    open: frozenset[str]
    series: SeriesLabels
    annotations: Mapping[str, str]
    open_annotations: frozenset[str] = frozenset()

    def presence(self, label: str) -> Answer:
        """Can this label be there when the alert fires?"""
        if label in self.known:
            return Answer.YES
        return Answer.MAYBE if label in self.open or self.series.may_have(label) else Answer.NO


@dataclass(frozen=True, kw_only=True, slots=True)
class Option(Generic[T]):
    """A rule that could win, and the labels that it depends on."""

    rule: T
    depends_on: tuple[str, ...]

    @property
    def is_sure(self) -> bool:
        return not self.depends_on


def conditions(matchers: Iterable[Matcher], alert: StaticAlert) -> Conditions:
    """What it depends on whether all of these hold."""
    found: set[str] = set()
    for matcher in matchers:
        if alert.presence(matcher.label) is Answer.MAYBE:
            found.add(matcher.label)
        elif not matcher.matches(alert.known):
            return None
    return frozenset(found)


def options(rules: Iterable[T], ask: Callable[[T], Conditions]) -> tuple[Option[T], ...]:
    """The rules that can be the first to hold, in their order: none after one that holds for sure."""
    found: list[Option[T]] = []
    for rule in rules:
        depends_on = ask(rule)
        if depends_on is None:
            continue
        found.append(Option(rule=rule, depends_on=tuple(sorted(depends_on))))
        if not depends_on:
            break
    return tuple(found)


def answer(found: tuple[Option[U], ...]) -> Answer:
    """Does some rule take the alert?"""
    if not found:
        return Answer.NO
    return Answer.YES if found[-1].is_sure else Answer.MAYBE


def grade_options(policy: Policy, alert: StaticAlert) -> tuple[Option[GradeRule], ...]:
    return options(policy.grade_rules, lambda rule: _grade_conditions(rule, alert))


def _grade_conditions(rule: GradeRule, alert: StaticAlert) -> Conditions:
    if rule.words or rule.senders:
        # No alert says any of this.
        return None
    found = conditions(rule.when, alert)
    bound, impact = rule.affected_users, rule.impact
    if bound is not None:
        asked = _fact(alert, AFFECTED_USERS, lambda value: bound.holds(affected_users({AFFECTED_USERS: value}, {})))
        found = _both(found, asked)
    if impact:
        found = _both(found, _fact(alert, "impact", lambda value: value in impact))
    if rule.predicted_duration is not None:
        found = _both(found, _fact(alert, PREDICTED_DURATION, partial(_lasts, rule.predicted_duration)))
    for name, words in rule.facts.items():
        found = _both(found, _fact(alert, name, partial(_is_said, words)))
    return found


def _lasts(bound: DurationBound, value: str) -> bool:
    return bound.holds(predicted_duration({PREDICTED_DURATION: value}, {}))


def _is_said(words: tuple[str, ...], value: str) -> bool:
    return says(value, words)


def _fact(alert: StaticAlert, name: str, holds: Callable[[str], bool]) -> Conditions:
    # What the rule file does not name counts as not there: hardly any series has such a label, and otherwise no
    # alert at all would ever be without a grade rule.
    named = name in alert.open or name in (alert.series.possible or ())
    if named or (name in alert.open_annotations and not alert.known.get(name)):
        return frozenset({name})
    return SURE if holds(fact(alert.known, alert.annotations, name)) else None


def _both(one: Conditions, other: Conditions) -> Conditions:
    return None if one is None or other is None else one | other


def possible_grades(policy: Policy, found: tuple[Option[GradeRule], ...]) -> tuple[str, ...]:
    """The grades that the alert can get, the default last if no rule is sure to hold."""
    names = [option.rule.grade for option in found]
    if answer(found) is not Answer.YES:
        names.append(policy.default_grade)
    return tuple(dict.fromkeys(names))


def first_aid_options(
    policy: Policy, alert: StaticAlert, grades: tuple[Option[GradeRule], ...]
) -> tuple[Option[FirstAidRule], ...]:
    possible = set(possible_grades(policy, grades))
    depends_on = frozenset(label for option in grades for label in option.depends_on)

    def ask(rule: FirstAidRule) -> Conditions:
        if not rule.grades or possible <= set(rule.grades):
            return conditions(rule.when, alert)
        return _both(conditions(rule.when, alert), depends_on if possible & set(rule.grades) else None)

    return options(policy.first_aid, ask)
