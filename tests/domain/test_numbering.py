"""Ticket numbers from a template."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.domain.numbering import check_template, largest_code, number, says, scope
from tests.fakes import NOW

DAILY = "INC-{date:%Y%m%d}-{seq:03d}"


def test_a_number_holds_the_day_and_the_serial() -> None:
    assert number(DAILY, NOW, 1) == "INC-20261120-001"
    assert number(DAILY, NOW, 1234) == "INC-20261120-1234"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{date:%Y%m%d}-{seq:03d}", "20261120-007"),
        ("FB-{date:%Y%m%d}{seq:03d}", "FB-20261120007"),
        ("{date:%Y%m%d}{kind:02d}{seq:03d}", "2026112002007"),
        ("{date:%y%m%d}{kind:02d}{seq:03d}", "26112002007"),
        ("INC-{date:%Y%m%d}-{seq:03d}", "INC-20261120-007"),
        ("{date:%Y%m%d}{seq:03d}", "20261120007"),
        ("{date}{seq}", "202611207"),
        ("{grade}/{kind}-{seq:d}", "P1/2-7"),
        ("{{{seq}}}{date:%%%j}", "{7}%324"),
    ],
)
def test_a_number_says_what_its_template_asks_for(template: str, expected: str) -> None:
    check_template(template)
    assert number(template, NOW, 7, kind=2, grade="P1") == expected


def test_the_serial_starts_anew_each_day_with_a_daily_template() -> None:
    assert scope(DAILY, NOW) == scope(DAILY, NOW + timedelta(hours=13))
    assert scope(DAILY, NOW) != scope(DAILY, NOW + timedelta(hours=14))


def test_the_serial_starts_anew_each_year_with_a_yearly_template() -> None:
    yearly = "{date:%Y}/{seq}"
    assert scope(yearly, NOW) == scope(yearly, NOW - timedelta(days=300))
    assert scope(yearly, NOW) != scope(yearly, NOW + timedelta(days=300))


def test_without_a_date_the_serial_never_starts_anew() -> None:
    assert scope("T{seq}", NOW) == scope("T{seq}", NOW + timedelta(days=9999))


def test_one_instant_has_the_day_of_the_zone_in_which_it_is_said() -> None:
    late = datetime(2026, 11, 20, 20, 30, tzinfo=ZoneInfo("UTC"))
    there = late.astimezone(ZoneInfo("Asia/Shanghai"))
    assert late == there
    assert [number(DAILY, one, 1) for one in (late, there)] == ["INC-20261120-001", "INC-20261121-001"]
    assert [scope(DAILY, one) for one in (late, there)] == ["INC-20261120-", "INC-20261121-"]


def test_each_kind_and_each_grade_that_the_template_names_has_serials_of_its_own() -> None:
    by_kind, by_grade = "{kind:02d}{seq:03d}", "{grade}-{seq}"
    assert scope(by_kind, NOW, kind=1) != scope(by_kind, NOW, kind=2)
    assert scope(by_kind, NOW, kind=1, grade="P1") == scope(by_kind, NOW, kind=1, grade="P2")
    assert scope(by_grade, NOW, grade="P1") != scope(by_grade, NOW, grade="P2")
    assert scope(DAILY, NOW, kind=1, grade="P1") == scope(DAILY, NOW)


def test_a_template_tells_what_it_names_and_how_large_a_code_may_be() -> None:
    assert (says(DAILY, "date"), says(DAILY, "kind")) == (True, False)
    assert largest_code("{kind:02d}{seq}") == 99
    assert largest_code("{kind}-{kind:03d}-{seq}") == 999
    assert largest_code("{kind}-{seq}") is None
    assert largest_code(DAILY) is None


@pytest.mark.parametrize(
    "template", [DAILY, "{seq}", "{date:%Y}-{seq:d}", "{{x}}{seq:05d}", "{kind}-{seq}-{grade}", "{date:%d.%m.}{seq}"]
)
def test_templates_that_give_unique_numbers_are_taken(template: str) -> None:
    check_template(template)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("INC-{date:%Y%m%d}", "needs the serial"),
        ("INC", "needs the serial"),
        ("{seq}-{seq}", "needs the serial once"),
        ("{seq}-{name}", "unknown field {name}"),
        ("{}-{seq}", "unknown field {}"),
        ("{seq.real}", "unknown field {seq.real}"),
        ("{seq.__class__}-{seq}", "unknown field"),
        ("{seq:03q}", "the serial is written"),
        ("{seq:3d}", "the serial is written"),
        ("{seq!r}", "{seq} is written without !r"),
        ("{kind:x}-{seq}", "the kind is written {kind}"),
        ("{grade:>5}-{seq}", "the grade is written {grade}"),
        ("{date:%B}-{seq}", "a date in a number may say %Y %y %m"),
        ("{date:%Y%}{seq}", "a date in a number may say"),
        ("{date:%Y{seq}}", "holds another field"),
        ("{date:%Y-%m-%d-%H-%M-%S-%j-}{seq}", "is too long"),
        ("{seq", "expected '}'"),
        ("{kind}{seq}", "two tickets could get the same number"),
        ("{seq}{kind}", "two tickets could get the same number"),
        ("{kind}7{seq:03d}", "two tickets could get the same number"),
        ("{kind}{date:%Y}{seq}", "two tickets could get the same number"),
        ("{grade}{seq}", "two tickets could get the same number"),
        ("{seq:03d}{grade}", "two tickets could get the same number"),
        ("{grade}-{seq}-{grade}", "two tickets could get the same number"),
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


# --- the rule about ambiguous templates, against trying it out --------------------------------------

# What is beside digits in a number matters, so the codes, serials and grades are those that can run into each other.
_SERIALS = (1, 2, 7, 10, 11, 12, 17, 21, 71, 77, 107, 110, 111, 117, 171, 177, 711, 717, 771, 777, 1011, 1177)
_CODES = (1, 2, 7, 10, 11, 12, 17, 21, 71, 77)
_GRADES = ("P", "P1", "P7", "1", "11", "P-1", "1-1", "7", "17", "71", "77", "7P")
_DAYS = (NOW, NOW + timedelta(days=1), NOW + timedelta(days=10))
_LITERALS = st.sampled_from(["", "-", "A", "7", "A7", "7A"])
_FIELDS = st.tuples(
    st.sampled_from(["{seq}", "{seq:02d}"]),
    st.sampled_from(["", "{kind}", "{kind:02d}"]),
    st.sampled_from(["", "{grade}"]),
    st.sampled_from(["", "", "{date:%d}"]),
).flatmap(lambda fields: st.permutations([field for field in fields if field]))


def shares_a_number(template: str) -> bool:
    """Whether two tickets get one number, of all that the values above can make."""
    serials: dict[str, set[tuple[str, int]]] = defaultdict(set)
    codes = _CODES if says(template, "kind") else _CODES[:1]
    grades = _GRADES if says(template, "grade") else _GRADES[:1]
    days: tuple[datetime, ...] = _DAYS if says(template, "date") else _DAYS[:1]
    for day, code, grade in product(days, codes, grades):
        own = scope(template, day, kind=code, grade=grade)
        for serial in _SERIALS:
            serials[number(template, day, serial, kind=code, grade=grade)].add((own, serial))
    return any(len(found) > 1 for found in serials.values())


@settings(max_examples=100, deadline=None)
@given(_FIELDS, st.lists(_LITERALS, min_size=5, max_size=5))
def test_a_template_is_taken_exactly_if_no_two_tickets_can_share_a_number(
    fields: list[str], between: list[str]
) -> None:
    template = between[0] + "".join(field + text for field, text in zip(fields, between[1:], strict=False))
    try:
        check_template(template)
    except ValueError:
        # Years that could run into a kind are far away, so a date may be refused in vain.
        assert shares_a_number(template) or "{date" in template, template
    else:
        assert not shares_a_number(template), template
