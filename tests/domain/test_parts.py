"""Spare parts: what is free, and why a wish cannot be met."""

from __future__ import annotations

import pytest

from responder.domain.parts import (
    MOST,
    Part,
    Reservation,
    not_enough_to_take,
    objection_to,
    shortages,
    stock_report,
    summed,
)
from tests.fakes import NOW


def disk(stock: int = 4, reserved: int = 0, minimum: int = 0) -> Part:
    return Part(number="disk", name="4 TB disk", stock=stock, reserved=reserved, minimum=minimum, changed_at=NOW)


@pytest.mark.parametrize(
    ("stock", "reserved", "minimum", "free", "is_low"),
    [(4, 0, 0, 4, False), (4, 2, 2, 2, False), (4, 3, 2, 1, True), (0, 0, 0, 0, False), (1, 3, 0, -2, True)],
)
def test_what_is_reserved_is_not_free_and_too_few_free_is_low(
    stock: int, reserved: int, minimum: int, free: int, is_low: bool
) -> None:
    part = disk(stock, reserved, minimum)
    assert (part.free, part.is_low) == (free, is_low)


def test_a_wish_that_can_be_met_to_the_last_part_has_no_objection() -> None:
    assert shortages({"disk": 1}, {"disk": disk(4, 3)}, {}) == []
    assert shortages({}, {}, {}) == []


def test_what_the_same_ticket_holds_already_counts_as_free_for_its_new_plan() -> None:
    assert shortages({"disk": 4}, {"disk": disk(4, 3)}, {"disk": 3}) == []
    (why,) = shortages({"disk": 4}, {"disk": disk(4, 3)}, {"disk": 2})
    assert "but 3 are free: 4 in stock, 1 reserved for other tickets" in why


def test_a_shortage_says_what_is_free_and_what_could_bring_more() -> None:
    (why,) = shortages({"disk": 2}, {"disk": disk(4, 3)}, {})
    assert why == (
        "2 of disk (4 TB disk) are needed, but 1 is free: 4 in stock, 3 reserved for other tickets. A delivery brings "
        "more (`responder parts receive disk`), or another plan that gives its parts back."
    )


def test_a_count_below_what_is_reserved_leaves_nothing_free_and_no_negative_number() -> None:
    (why,) = shortages({"disk": 1}, {"disk": disk(1, 3)}, {})
    assert why.startswith("1 of disk (4 TB disk) is needed, but 0 are free: 1 in stock, 3 reserved")


def test_every_part_that_is_short_or_unknown_or_no_number_gets_a_sentence() -> None:
    wanted = {"disk": 5, "fan": 0, "psu": 1, "ram": 1}
    known = {"disk": disk(), "fan": disk(), "ram": disk()}
    short = shortages(wanted, known, {})
    assert [why.split(" ")[0] for why in short] == ["5", "0", "There"]
    assert "There is no spare part 'psu'; `responder parts list` shows what there is" in short[2]
    assert shortages({"disk": MOST + 1}, {"disk": disk()}, {})[0].startswith(f"{MOST + 1} of disk (4 TB disk) is no")


def test_what_is_reserved_cannot_be_taken_by_others() -> None:
    assert not_enough_to_take(disk(4, 3), 1) == ""
    assert "only 1 is free, 4 in stock and 3 of them reserved" in not_enough_to_take(disk(4, 3), 2)
    assert "only 0 are free" in not_enough_to_take(disk(1, 3), 1)


def test_a_report_says_how_many_are_free_and_should_be() -> None:
    assert stock_report(disk(4, 3, 2)) == (
        "Spare part disk (4 TB disk) runs low: 1 free (4 in stock, 3 reserved), at least 2 should be free."
    )
    assert "again: 4 free (4 in stock, 0 reserved)." in stock_report(disk(4, 0, 2))


@pytest.mark.parametrize("number", ["", "a b", "-rf", "disk/4", "x" * 64, "дис", "disk\n"])
def test_a_number_that_would_not_fit_a_command_or_an_address_is_refused(number: str) -> None:
    assert "is no part number" in objection_to(number, "disk")


def test_a_part_needs_a_number_and_a_name() -> None:
    assert objection_to("ST4000.v2_b-1", "4 TB disk") == ""
    assert objection_to("disk", "  ").startswith("disk has no name")


def test_reservations_of_the_same_part_add_up() -> None:
    held = [
        Reservation(ticket_id=1, part=part, count=count, actor="mei", at=NOW)
        for part, count in (("a", 1), ("b", 2), ("a", 3))
    ]
    assert summed(held) == {"a": 4, "b": 2}
