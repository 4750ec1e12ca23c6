"""Grading: which rule gives a report its grade, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from responder.domain.matching import Matcher, all_match

AFFECTED_USERS = "affected_users"
_BOUNDS = {">": int.__gt__, ">=": int.__ge__, "<": int.__lt__, "<=": int.__le__}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """A condition on a number, such as `affected_users: ">= 100"`."""

    operator: str
    number: int

    def holds(self, value: int | None) -> bool:
        return value is not None and bool(_BOUNDS[self.operator](value, self.number))

    def __str__(self) -> str:
        return f"{self.operator} {self.number}"


@dataclass(frozen=True, kw_only=True, slots=True)
class GradeRule:
    """If everything named here holds, the report has this grade."""

    name: str
    grade: str
    when: tuple[Matcher, ...] = ()
    affected_users: Bound | None = None
    impact: tuple[str, ...] = ()
    because: str = ""

    def holds(self, labels: Mapping[str, str], facts: Mapping[str, str]) -> bool:
        if not all_match(self.when, labels):
            return False
        if self.affected_users and not self.affected_users.holds(affected_users(labels, facts)):
            return False
        return not self.impact or fact(labels, facts, "impact") in self.impact


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


def grade(rules: tuple[GradeRule, ...], default: str, labels: Mapping[str, str], facts: Mapping[str, str]) -> Grading:
    """The grade by the first rule that holds; rules are read from top to bottom."""
    for rule in rules:
        if rule.holds(labels, facts):
            return Grading(grade=rule.grade, rule=rule.name, reason=_reason(rule, labels, facts))
    return Grading(grade=default, rule="default", reason="no grade rule matched, so the default grade applies")


def _reason(rule: GradeRule, labels: Mapping[str, str], facts: Mapping[str, str]) -> str:
    # What the alert says, not what the rule asks: the rule is named, and regular expressions explain little at night.
    found = [f"{matcher.label}={labels.get(matcher.label) or 'none'}" for matcher in rule.when]
    if rule.affected_users:
        found.append(f"affected users {affected_users(labels, facts)} {rule.affected_users}")
    if rule.impact:
        found.append(f"impact {fact(labels, facts, 'impact')}")
    conditions = " and ".join(found) or "always"
    return f"{rule.because} ({conditions})" if rule.because else conditions
