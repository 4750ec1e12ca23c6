"""Which rule gives the grade, and why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.adapters.yaml_file import load
from responder.config.policy import PolicyFile, shipped_profile
from responder.domain.grading import Bound, DurationBound, GradeRule, affected_users, fact, grade, predicted_duration
from responder.domain.matching import parse_matcher
from responder.domain.policy import Policy
from tests.fakes import HOUR, MINUTE, a_report

CRITICAL = GradeRule(name="critical", grade="P1", when=(parse_matcher('severity="critical"'),), because="it says so")
MANY = GradeRule(name="many", grade="P2", affected_users=Bound(operator=">=", number=100))
REVENUE = GradeRule(name="revenue", grade="P1", impact=("revenue", "safety"))


def test_the_first_rule_that_holds_wins_even_if_a_later_one_is_graver() -> None:
    graded = grade((MANY, CRITICAL), "P3", {"severity": "critical", "affected_users": "500"}, {})
    assert (graded.grade, graded.rule) == ("P2", "many")


def test_the_reason_names_what_the_alert_says_and_why_the_rule_is_there() -> None:
    graded = grade((CRITICAL,), "P3", {"severity": "critical"}, {})
    assert graded.reason == "it says so (severity=critical)"


def test_without_a_because_the_reason_is_the_condition() -> None:
    graded = grade((MANY,), "P3", {}, {"affected_users": "100"})
    assert graded.reason == "affected users 100 >= 100"


def test_no_rule_gives_the_default_grade_and_says_so() -> None:
    graded = grade((CRITICAL, MANY), "P3", {"severity": "odd"}, {})
    assert (graded.grade, graded.rule) == ("P3", "default")
    assert "no grade rule matched" in graded.reason


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        (">=", 100, True),
        (">=", 99, False),
        (">", 100, False),
        (">", 101, True),
        ("<", 100, False),
        ("<", 99, True),
        ("<=", 100, True),
        ("<=", 101, False),
        ("<", None, False),
        (">=", None, False),
    ],
)
def test_a_bound_holds_only_for_a_known_number_on_its_side(operator: str, value: int | None, holds: bool) -> None:
    assert Bound(operator=operator, number=100).holds(value) is holds


@pytest.mark.parametrize("text", ["", "many", "-5", "1.5", "1e3", "²", "١٠", "9" * 16, "100 users"])
def test_what_is_no_whole_number_says_nothing_about_users(text: str) -> None:
    assert affected_users({}, {"affected_users": text}) is None
    assert not MANY.holds({}, {"affected_users": text})


def test_affected_users_may_have_blanks_around_it() -> None:
    assert affected_users({}, {"affected_users": " 250 "}) == 250


def test_no_affected_users_at_all_is_not_zero() -> None:
    below = GradeRule(name="few", grade="P4", affected_users=Bound(operator="<", number=10))
    assert not below.holds({}, {})
    assert below.holds({"affected_users": "0"}, {})


def test_a_label_wins_over_an_annotation() -> None:
    assert fact({"impact": "revenue"}, {"impact": "none"}, "impact") == "revenue"
    assert fact({}, {"impact": "none"}, "impact") == "none"
    assert fact({}, {}, "impact") == ""


def test_the_impact_must_be_one_of_those_listed() -> None:
    assert REVENUE.holds({}, {"impact": "safety"})
    assert not REVENUE.holds({}, {"impact": "comfort"})
    assert not REVENUE.holds({}, {})
    assert grade((REVENUE,), "P3", {"impact": "revenue"}, {}).reason == "impact revenue"


def test_all_conditions_of_a_rule_must_hold() -> None:
    both = GradeRule(
        name="both",
        grade="P1",
        when=(parse_matcher('severity="critical"'),),
        affected_users=Bound(operator=">", number=10),
        impact=("revenue",),
    )
    facts = {"severity": "critical", "affected_users": "11", "impact": "revenue"}
    assert both.holds(facts, {})
    for name in facts:
        assert not both.holds({key: value for key, value in facts.items() if key != name}, {})


@given(st.text(max_size=30), st.sampled_from([">", ">=", "<", "<="]), st.integers(0, 10**9))
def test_no_text_breaks_a_bound(text: str, operator: str, number: int) -> None:
    rule = GradeRule(name="any", grade="P1", affected_users=Bound(operator=operator, number=number))
    assert rule.holds({}, {"affected_users": text}) in (True, False)


# --- facts and predicted durations ------------------------------------------------------------------

WHOLE = GradeRule(name="whole", grade="P1", facts={"scope": ("whole system", "all"), "revenue": ("yes",)})
LONG = GradeRule(name="long", grade="P1", predicted_duration=DurationBound(operator=">", duration=4 * HOUR))


@pytest.mark.parametrize("scope", ["whole system", "Whole System", " ALL "])
def test_a_fact_is_one_of_the_words_in_capitals_or_not(scope: str) -> None:
    assert WHOLE.holds({}, {"scope": scope, "revenue": "YES"})
    assert WHOLE.holds({"scope": scope}, {"scope": "part", "revenue": "yes"})


@pytest.mark.parametrize("facts", [{}, {"scope": "all"}, {"scope": "whole", "revenue": "yes"}, {"revenue": "yes"}])
def test_every_fact_must_be_there_and_be_one_of_its_words(facts: dict[str, str]) -> None:
    assert not WHOLE.holds({}, facts)


def test_the_reason_says_what_the_report_says_of_the_facts() -> None:
    graded = grade((WHOLE,), "P3", {}, {"scope": "All", "revenue": "yes"})
    assert graded.reason == "scope All and revenue yes"


@pytest.mark.parametrize(
    ("text", "duration"),
    [("4h", 4 * HOUR), (" 1h 30m ", 90 * MINUTE), ("2d", 48 * HOUR), ("", None), ("4 hours", None), ("long", None)],
)
def test_a_predicted_duration_is_read_as_durations_are_written(text: str, duration: timedelta | None) -> None:
    assert predicted_duration({}, {"predicted_duration": text}) == duration


@pytest.mark.parametrize(
    ("operator", "text", "holds"),
    [
        (">", "4h", False),
        (">", "4h1s", True),
        (">=", "4h", True),
        (">=", "239m", False),
        ("<", "4h", False),
        ("<", "239m", True),
        ("<=", "4h", True),
        ("<=", "5h", False),
        ("<=", "", False),
    ],
)
def test_a_predicted_duration_is_held_against_its_bound(operator: str, text: str, holds: bool) -> None:
    rule = GradeRule(name="x", grade="P1", predicted_duration=DurationBound(operator=operator, duration=4 * HOUR))
    assert rule.holds({}, {"predicted_duration": text}) is holds


def test_the_reason_names_the_predicted_duration_and_its_bound() -> None:
    assert grade((LONG,), "P3", {"predicted_duration": "6h"}, {}).reason == "predicted duration 6h > 4h"


@given(st.text(max_size=30))
def test_no_text_breaks_a_predicted_duration(text: str) -> None:
    assert LONG.holds({}, {"predicted_duration": text}) in (True, False)


# --- the shipped profile ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> Policy:
    path = shipped_profile("p1-p4")
    assert isinstance(path, Path)
    return load(path).parsed(PolicyFile).as_policy()


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        ("critical", "P1"),
        ("CRITICAL", "P1"),
        ("page", "P1"),
        ("disaster", "P1"),
        ("sev-1", "P1"),
        ("SEV1", "P1"),
        ("error", "P2"),
        ("high", "P2"),
        ("major", "P2"),
        ("p2", "P2"),
        ("warning", "P3"),
        ("average", "P3"),
        ("info", "P4"),
        ("none", "P4"),
        ("notice", "P4"),
        ("criticality", "P3"),
        ("", "P3"),
    ],
)
def test_the_shipped_profile_grades_by_severity_and_gives_what_it_does_not_know_p3(
    shipped: Policy, severity: str, expected: str
) -> None:
    assert shipped.grade(a_report({"alertname": "X", "severity": severity})).grade == expected


@pytest.mark.parametrize(("users", "expected"), [("1001", "P1"), ("1000", "P2"), ("100", "P2"), ("99", "P4")])
def test_the_shipped_profile_raises_the_grade_by_affected_users(shipped: Policy, users: str, expected: str) -> None:
    report = a_report({"severity": "info"}, annotations={"affected_users": users})
    assert shipped.grade(report).grade == expected


def test_the_shipped_profile_names_the_rule_that_won(shipped: Policy) -> None:
    graded = shipped.grade(a_report({"severity": "Critical"}))
    assert graded.rule == "core business is interrupted"
    assert graded.reason == "the alert says that core business is interrupted (severity=Critical)"


def test_the_shipped_profile_promises_less_time_for_graver_grades(shipped: Policy) -> None:
    for clock in ("respond", "restore", "resolve"):
        found = [grade.targets[clock] for grade in shipped.grades.values() if clock in grade.targets]
        targets = [target for target in found if isinstance(target, timedelta)]
        assert found == sorted(targets)
    assert shipped.grades["P1"].targets["respond"] == 15 * MINUTE
    assert shipped.grades["P4"].targets["resolve"] == 72 * HOUR


def test_the_shipped_profile_calls_the_escalation_chain_for_p1_and_p2_and_wakes_nobody_for_p4(shipped: Policy) -> None:
    assert {name: grade.tiers for name, grade in shipped.grades.items()} == {
        "P1": (1, 2),
        "P2": (1, 2),
        "P3": (1,),
        "P4": (),
    }


def test_the_shipped_profile_takes_the_watchdog_as_a_heartbeat_and_nothing_else(shipped: Policy) -> None:
    rule = shipped.heartbeat_for({"alertname": "Watchdog"})
    assert rule is not None
    assert rule.within == 10 * MINUTE
    assert shipped.heartbeat_for({"alertname": "WatchdogDown"}) is None
