"""Hold-off in policy.yml: what it becomes, and the place of every mistake."""

from __future__ import annotations

import pytest

from responder.domain.hold_off import HoldOffRule
from responder.domain.matching import parse_matcher
from tests.config.written import mistakes, policy_of
from tests.fakes import MINUTE

BARE = "name: own\ngrades: {P1: {targets: {respond: 5m}}}\ndefault_grade: P1\nhold_off:\n"


def test_a_rule_is_taken_as_written() -> None:
    policy = policy_of(BARE + "  - {name: ping, when: [alertname=Ping], for: 2m, grades: [P1]}\n")
    when = (parse_matcher("alertname=Ping"),)
    assert policy.hold_off == (HoldOffRule(name="ping", when=when, lasting=2 * MINUTE, grades=("P1",)),)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{name: a, when: [a=b], for: 61m}", "5:28: a trouble that may wait longer than 1h"),
        ("{name: a, when: [a=b], for: 0s}", "a time within which nothing can happen"),
        ("{name: a, when: [], for: 1m}", "hold_off.0.when"),
        ("{name: a, when: [a=b], for: 1m, grades: [P1, P9]}", "5:50: there is no grade P9; there are P1"),
        ("{name: a, when: [a=b]}", "hold_off.0.for is missing"),
    ],
)
def test_what_cannot_be_meant_is_named_at_its_place(written: str, said: str) -> None:
    (found,) = mistakes(BARE + f"  - {written}\n")
    assert said in found


def test_each_rule_has_a_name_of_its_own() -> None:
    line = "  - {name: a, when: [a=b], for: 1m}\n"
    assert mistakes(BARE + line + line) == ["6:6: there is another rule called a"]
