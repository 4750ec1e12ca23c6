"""Hold-off: whose patience counts, and that the most urgent grade has none unless a rule names it."""

from __future__ import annotations

from responder.domain.hold_off import HoldOffRule, Patience, patience
from responder.domain.matching import parse_matcher
from tests.fakes import MINUTE, NOW

GRADES = ("P1", "P2", "P3")
DISK, PING = {"alertname": "Disk"}, {"alertname": "Ping"}


def rule(name: str, *, minutes: int = 2, grades: tuple[str, ...] = ()) -> HoldOffRule:
    when = (parse_matcher(f'alertname="{name}"'),)
    return HoldOffRule(name=name, when=when, lasting=minutes * MINUTE, grades=grades)


def waits(rules: list[HoldOffRule], *alerts: dict[str, str], grade: str = "P2") -> Patience | None:
    return patience(rules, alerts, grade=grade, grades=GRADES, since=NOW)


def test_without_grades_all_but_the_most_urgent_one_wait() -> None:
    assert [bool(waits([rule("Disk")], DISK, grade=grade)) for grade in GRADES] == [False, True, True]


def test_a_rule_that_names_the_most_urgent_grade_holds_it_and_no_other() -> None:
    assert [bool(waits([rule("Disk", grades=("P1",))], DISK, grade=grade)) for grade in GRADES] == [True, False, False]


def test_the_first_rule_that_applies_counts() -> None:
    found = waits([rule("Disk", minutes=5), rule("Disk", minutes=1)], DISK)
    assert found is not None
    assert found.until == NOW + 5 * MINUTE


def test_a_ticket_waits_only_as_long_as_its_most_impatient_alert() -> None:
    found = waits([rule("Disk", minutes=5), rule("Ping", minutes=1)], DISK, PING)
    assert found is not None
    assert (found.until, len(found.rules)) == (NOW + MINUTE, 2)
    assert waits([rule("Disk")], DISK, PING) is None


def test_a_ticket_without_an_alert_does_not_wait() -> None:
    assert waits([rule("Disk")]) is None
