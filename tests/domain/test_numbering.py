"""Ticket numbers from a template."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.numbering import check_template, number, scope
from tests.fakes import NOW

DAILY = "INC-{date:%Y%m%d}-{seq:03d}"


def test_a_number_holds_the_day_and_the_serial() -> None:
    assert number(DAILY, NOW, 1) == "INC-20261120-001"
    assert number(DAILY, NOW, 1234) == "INC-20261120-1234"


def test_the_serial_starts_anew_each_day_with_a_daily_template() -> None:
    assert scope(DAILY, NOW) == scope(DAILY, NOW + timedelta(hours=13))
    assert scope(DAILY, NOW) != scope(DAILY, NOW + timedelta(hours=14))


def test_the_serial_starts_anew_each_year_with_a_yearly_template() -> None:
    yearly = "{date:%Y}/{seq}"
    assert scope(yearly, NOW) == scope(yearly, NOW - timedelta(days=300))
    assert scope(yearly, NOW) != scope(yearly, NOW + timedelta(days=300))


def test_without_a_date_the_serial_never_starts_anew() -> None:
    assert scope("T{seq}", NOW) == scope("T{seq}", NOW + timedelta(days=9999))


@pytest.mark.parametrize("template", [DAILY, "{seq}", "{date:%Y}-{seq:d}", "{{x}}{seq:05d}"])
def test_templates_that_give_unique_numbers_are_taken(template: str) -> None:
    check_template(template)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("INC-{date:%Y%m%d}", "needs the serial"),
        ("INC", "needs the serial"),
        ("{seq}-{name}", "unknown field {name}"),
        ("{}-{seq}", "unknown field {}"),
        ("{seq.real}", "unknown field {seq.real}"),
        ("{seq.__class__}-{seq}", "unknown field"),
        ("{seq:03q}", "the serial is written"),
        ("{seq", "expected '}'"),
    ],
)
def test_templates_that_cannot_work_are_refused_with_a_sentence(template: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("{", r"\{").replace("}", r"\}")):
        check_template(template)


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.timedeltas(timedelta(), timedelta(days=3650)))
def test_two_tickets_of_one_scope_or_of_two_never_share_a_number(one: int, two: int, later: timedelta) -> None:
    there = NOW + later
    same = (scope(DAILY, NOW), one) == (scope(DAILY, there), two)
    assert (number(DAILY, NOW, one) == number(DAILY, there, two)) is same
