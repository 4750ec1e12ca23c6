"""Rules that can never win."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.domain.grading import Bound, DurationBound, GradeRule
from responder.domain.matching import parse_matcher
from responder.domain.subsumption import contradiction, takes_all
from tests.fakes import HOUR


def bound(text: str) -> Bound | None:
    operator, _, number = text.partition(" ")
    return Bound(operator=operator, number=int(number)) if text else None


def hours(text: str) -> DurationBound | None:
    found = bound(text)
    return DurationBound(operator=found.operator, duration=found.number * HOUR) if found else None


def rule(*when: str, users: str = "", lasts: str = "", impact: tuple[str, ...] = (), **facts: str) -> GradeRule:
    return GradeRule(
        name="rule",
        grade="P1",
        when=tuple(parse_matcher(text) for text in when),
        affected_users=bound(users),
        predicted_duration=hours(lasts),
        impact=impact,
        facts={name: tuple(words.split()) for name, words in facts.items()},
    )


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (rule("a=x"), rule("a=x")),
        (rule("a=x"), rule("b=y", "a=x")),
        (rule("a=~x|y"), rule("a=x")),
        (rule("a=~x|y|z"), rule('a=~"(?:z|x)"')),
        (rule("a=~x.*"), rule("a=x1")),
        (rule("a=~x.*"), rule("a=~x.*", "b=y")),
        (rule('a=~"(?i)x|y"'), rule("a=X")),
        (rule('a=~"(?i)x|y"'), rule('a=~"(?i)Y"')),
        (rule("a!=x"), rule("a=y")),
        (rule('a!=""'), rule("a=~x|y")),
        (rule("a!=x"), rule('a=~"(?i)y"')),
        (rule('a=""'), rule('a=""', "b=y")),
        (rule("a=~x|1\\.2"), rule("a=~1\\.2")),
        (rule(users="> 10"), rule(users="> 100")),
        (rule(users=">= 11"), rule(users="> 10")),
        (rule(users="<= 10"), rule(users="< 11")),
        (rule(lasts=">= 4"), rule("a=x", lasts="> 4")),
        (rule(lasts="< 4"), rule(lasts="< 4")),
        (rule(impact=("revenue", "safety")), rule(impact=("safety",))),
        (rule(impact=("revenue",)), rule("impact=revenue")),
        (rule(scope="whole part"), rule(scope="PART")),
        (rule(scope="whole"), rule("scope=Whole")),
        (rule(impact=()), rule("a=x")),
    ],
    ids=str,
)
def test_a_rule_that_comes_after_one_that_takes_all_of_it_never_wins(first: GradeRule, later: GradeRule) -> None:
    assert takes_all(first, later)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (rule("a=x"), rule("a=y")),
        (rule("a=x"), rule("b=x")),
        (rule("a=x", "b=y"), rule("a=x")),
        (rule("a=x"), rule("a=~x|y")),
        (rule("a=~x|y"), rule('a=~"(?i)x"')),
        (rule("a=~x"), rule("a=~x.?")),
        (rule("a!=x"), rule('a=~"(?i)X"')),
        (rule("a=~.*"), rule("b=y")),
        (rule(users="> 100"), rule(users="> 10")),
        (rule(users="> 10"), rule(users=">= 10")),
        (rule(users="> 10"), rule(users="< 100")),
        (rule(users="> 10"), rule("a=x")),
        (rule(lasts="> 4"), rule(lasts=">= 4")),
        (rule(lasts="> 4"), rule(users="> 4")),
        (rule(impact=("revenue",)), rule(impact=("revenue", "safety"))),
        (rule(impact=("revenue",)), GradeRule(name="x", grade="P1", facts={"impact": ("revenue",)})),
        (rule(scope="whole"), rule(scope="whole part")),
        (rule(scope="whole"), rule(place="whole")),
        (rule(scope="whole"), rule('scope=""')),
    ],
    ids=str,
)
def test_a_rule_that_can_still_win_is_left_alone(first: GradeRule, later: GradeRule) -> None:
    assert not takes_all(first, later)


@pytest.mark.parametrize(
    ("contrary", "why"),
    [
        (rule("a=x", "a=y"), 'a="x" and a="y" exclude each other'),
        (rule("a=x", 'a!="x"'), "exclude each other"),
        (rule("a=~x|y", "a=z"), "exclude each other"),
        (rule("a=x", "a!~x|y"), "exclude each other"),
        (rule(users="< 0"), "affected_users is never < 0"),
        (rule(lasts="< 0"), "predicted_duration is never < 0s"),
        (rule("impact=none", impact=("revenue",)), "impact cannot be none here"),
        (rule("scope=part", scope="whole"), "scope cannot be part here"),
    ],
)
def test_a_rule_that_contradicts_itself_is_explained(contrary: GradeRule, why: str) -> None:
    assert why in contradiction(contrary)


def test_impact_and_a_fact_of_that_name_may_exclude_each_other() -> None:
    made = GradeRule(name="x", grade="P1", impact=("revenue",), facts={"impact": ("none",)})
    assert contradiction(made) == "impact cannot be revenue here"


@pytest.mark.parametrize("sound", [rule("a=x", "b=y"), rule("a=~x|y", "a=y"), rule(users="<= 0"), rule(scope="whole")])
def test_a_rule_that_may_hold_is_left_alone(sound: GradeRule) -> None:
    assert contradiction(sound) == ""


# --- against trying it out -------------------------------------------------------------------------

_VALUES = ("", "x", "X", "y", "xy")
_MATCHERS = st.builds(
    lambda label, operator, value: f'{label}{operator}"{value}"',
    st.sampled_from(["a", "impact"]),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from(["", "x", "y", "x|y", "(?i)x", "(?i)x|Y", "x.*", "(?:x|xy)", ".+"]),
)
_NUMBERS = st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">="]), st.integers(0, 2)) | st.just("")
_WORDS = st.lists(st.sampled_from(["x", "X", "y"]), max_size=2)
_RULES = st.builds(
    lambda when, users, lasts, impact, a: rule(
        *when, users=users, lasts=lasts, impact=tuple(impact), **({"a": " ".join(a)} if a else {})
    ),
    st.lists(_MATCHERS, max_size=2),
    _NUMBERS,
    _NUMBERS,
    _WORDS,
    _WORDS,
)
_WORLD = [
    ({"a": a, "impact": label}, {"a": said, "impact": impact, "affected_users": users, "predicted_duration": lasts})
    for a, label, said, impact, users, lasts in product(
        _VALUES, ("", "x", "y"), ("", "y"), ("", "x", "X"), ("", "0", "1", "2", "3"), ("", "0s", "1h", "2h", "2h1s")
    )
]


@settings(max_examples=150, deadline=None)
@given(_RULES, _RULES)
def test_what_is_said_to_take_everything_does_and_what_is_said_never_to_hold_does_not(
    first: GradeRule, later: GradeRule
) -> None:
    taken = [report for report in _WORLD if later.holds(*report)]
    if takes_all(first, later):
        assert all(first.holds(*report) for report in taken)
    if contradiction(later):
        assert taken == []


def test_a_bound_on_a_duration_says_itself() -> None:
    assert str(DurationBound(operator=">", duration=timedelta(hours=4))) == "> 4h"
