"""Rules that can never win: whether one rule takes all that a later one would take, or contradicts itself.

Only what is certain is said: where nobody can tell, the answer is no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

from responder.domain.grading import IMPACT, Bound, DurationBound, GradeRule, says
from responder.domain.matching import Matcher

Number = TypeVar("Number", int, timedelta)
_ANY_CASE = "(?i)"
_GROUP = re.compile(r"\((?:\?:)?([^()]*)\)")
_LITERALS = re.compile(r"(?:[\w\s:@/,|-]|\\[^\w\s])*")


def takes_all(first: GradeRule, later: GradeRule) -> bool:
    """Whether every report that the later rule would take is taken by the first one."""
    return (
        all_follow(first.when, later.when)
        and _bound_follows(first.affected_users, later.affected_users)
        and _duration_follows(first.predicted_duration, later.predicted_duration)
        and (not first.impact or _is_within(_said(later, IMPACT, exactly=True), first.impact))
        and all(_speaks(_said(later, name), words) for name, words in first.facts.items())
        and (not first.words or (bool(later.words) and set(later.words) <= set(first.words)))
        and (not first.senders or (bool(later.senders) and set(later.senders) <= set(first.senders)))
    )


def all_follow(matchers: Iterable[Matcher], given: Sequence[Matcher]) -> bool:
    """Whether labels for which all of `given` hold make all of `matchers` hold."""
    return all(any(_follows(one, other) for other in given) for one in matchers)


def contradiction(rule: GradeRule) -> str:
    """Why the rule can never hold, as the end of a sentence; empty if it may."""
    for matcher in rule.when:
        values = _values(matcher)
        others = [other for other in rule.when if other.label == matcher.label]
        if values and not any(all(other.matches({matcher.label: value}) for other in others) for value in values):
            return f"{' and '.join(map(str, others))} exclude each other"
    for name, bound in (("affected_users", rule.affected_users), ("predicted_duration", rule.predicted_duration)):
        if bound is not None and _is_empty(bound):
            return f"{name} is never {bound}"
    for name in (*rule.facts, IMPACT):
        found = _said(rule, name)
        if found and not any(_takes(rule, name, word) for word in found):
            return f"{name} cannot be {' or '.join(found)} here"
    return ""


def _takes(rule: GradeRule, name: str, word: str) -> bool:
    if name == IMPACT and rule.impact and word not in rule.impact:
        return False
    return name not in rule.facts or says(word, rule.facts[name])


# --- labels --------------------------------------------------------------------------------------------------


def _follows(wanted: Matcher, given: Matcher) -> bool:
    """Whether `wanted` holds for all labels for which `given` does."""
    if wanted.label != given.label:
        return False
    if wanted == given:
        return True
    values, ignored = _values(given), _values(given, any_case=True)
    if values:
        return all(wanted.matches({wanted.label: value}) for value in values)
    return bool(ignored) and _ignores_case(wanted, ignored) and all(wanted.matches({wanted.label: v}) for v in ignored)


def _ignores_case(matcher: Matcher, values: Iterable[str]) -> bool:
    if matcher.operator in ("=~", "!~"):
        return matcher.value.startswith(_ANY_CASE)
    return matcher.operator == "!=" and not says(matcher.value, tuple(values))


def _values(matcher: Matcher, *, any_case: bool = False) -> tuple[str, ...]:
    """All values that the matcher lets a label have, if they are written out; none if nobody can tell.

    With `any_case` those of an expression that begins with `(?i)`, in one of the ways to write them.
    """
    if matcher.operator == "=" and not any_case:
        return (matcher.value,)
    if matcher.operator != "=~" or matcher.value.startswith(_ANY_CASE) is not any_case:
        return ()
    text = matcher.value.removeprefix(_ANY_CASE)
    group = _GROUP.fullmatch(text)
    inner = group[1] if group else text
    if not _LITERALS.fullmatch(inner):
        return ()
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)\|", inner))


# --- facts ---------------------------------------------------------------------------------------------------


def _said(rule: GradeRule, name: str, *, exactly: bool = False) -> tuple[str, ...]:
    """All that a report which the rule takes can say of a fact; none if nobody can tell.

    A label comes before everything else. `exactly`: with capitals as they are.
    """
    for matcher in rule.when:
        values = _values(matcher) if matcher.label == name else ()
        if values and all(values):
            return values
    if name == IMPACT and rule.impact:
        return rule.impact
    return () if exactly else tuple(rule.facts.get(name, ()))


def _is_within(found: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return bool(found) and set(found) <= set(words)


def _speaks(found: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return bool(found) and all(says(word, words) for word in found)


# --- numbers -------------------------------------------------------------------------------------------------


class _Limit(Protocol):
    @property
    def operator(self) -> str: ...


def _bound_follows(wanted: Bound | None, given: Bound | None) -> bool:
    if wanted is None or given is None:
        return wanted is None
    return _lies_within(_range(given, given.number, 1), _range(wanted, wanted.number, 1))


def _duration_follows(wanted: DurationBound | None, given: DurationBound | None) -> bool:
    if wanted is None or given is None:
        return wanted is None
    step = timedelta.resolution
    return _lies_within(_range(given, given.duration, step), _range(wanted, wanted.duration, step))


def _is_empty(bound: Bound | DurationBound) -> bool:
    """Whether no number can be within it: neither people nor times are fewer than none."""
    return bound.operator == "<" and not (bound.number if isinstance(bound, Bound) else bound.duration)


def _range(bound: _Limit, limit: Number, step: Number) -> tuple[Number | None, Number | None]:
    """The lowest and the highest number within a bound; None where it is open."""
    if bound.operator.startswith(">"):
        return (limit if bound.operator == ">=" else limit + step), None
    return None, (limit if bound.operator == "<=" else limit - step)


def _lies_within(inner: tuple[Number | None, Number | None], outer: tuple[Number | None, Number | None]) -> bool:
    low = outer[0] is None or (inner[0] is not None and inner[0] >= outer[0])
    return low and (outer[1] is None or (inner[1] is not None and inner[1] <= outer[1]))
