"""Tickets by a filter, page by page, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from responder.domain.report import Signal
from responder.domain.ticket import Status, Ticket
from responder.domain.ticket_filter import Order, Place, TicketFilter
from responder.store import ticket_search
from responder.store.database import Database
from responder.store.ticket_search import TicketSearch

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
GRADES = ("P1", "P2", "P3")


def ticket(number: int, **values: object) -> Ticket:
    made = Ticket(
        id=number,
        number=f"INC-{number:03d}",
        trouble=f"trouble {number}",
        source="main",
        title=f"ServiceDown on web-{number}",
        grade="P3",
        grade_rule="severity",
        grade_reason="it says so",
        team="ops",
        labels={"instance": f"web-{number}:9100"},
        opened_at=NOON + timedelta(hours=number),
        episode_at=NOON,
    )
    return replace(made, **values)  # type: ignore[arg-type]


KEPT = (
    ticket(1, grade="P1", status=Status.CLOSED, signal=Signal.CLEARED, team="db"),
    ticket(2, acknowledged_at=NOON, acknowledged_by="mei", status=Status.IN_PROGRESS),
    ticket(3, grade="P2", title="Disk 50% full", labels={"instance": "web-1.example.org", "note": 'say "hi"'}),
    ticket(4, grade="old", kind="hardware", assignee="mei", source="mail"),
    ticket(5, grade="P1", title="打印机 is dead", labels={"alertname": "Printer_Down"}),
)


@pytest.fixture
def kept(database: Database) -> Database:
    database.write_now(lambda tx: tx.tickets.insert(KEPT))
    return database


def found(database: Database, asked: TicketFilter, *, limit: int = 100) -> list[int]:
    """The ids of all pages."""

    def pages(after: Place | None) -> list[int]:
        page = database.write_now(lambda tx: TicketSearch(tx.connection, GRADES).page(asked, after=after, limit=limit))
        return [one.id for one in page.tickets] + (pages(page.next) if page.next else [])

    return pages(None)


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        (TicketFilter(), [5, 4, 3, 2, 1]),
        (TicketFilter(is_open=True), [5, 4, 3, 2]),
        (TicketFilter(statuses=(Status.CLOSED, Status.IN_PROGRESS)), [2, 1]),
        (TicketFilter(grades=("P1",)), [5, 1]),
        (TicketFilter(grades=("P1", "P2"), is_open=True), [5, 3]),
        (TicketFilter(signals=(Signal.CLEARED,)), [1]),
        (TicketFilter(kinds=("hardware",)), [4]),
        (TicketFilter(teams=("db",)), [1]),
        (TicketFilter(sources=("mail",)), [4]),
        (TicketFilter(who="mei"), [4, 2]),
        (TicketFilter(is_acknowledged=True), [2]),
        (TicketFilter(is_acknowledged=False, is_open=True), [5, 4, 3]),
        (TicketFilter(opened_from=NOON + timedelta(hours=2), opened_to=NOON + timedelta(hours=4)), [3, 2]),
        (TicketFilter(order=Order.URGENT), [5, 1, 3, 2, 4]),
        (TicketFilter(order=Order.URGENT, is_open=True), [5, 3, 2, 4]),
    ],
)
def test_a_filter_finds_what_it_says(kept: Database, asked: TicketFilter, ids: list[int]) -> None:
    assert found(kept, asked) == ids
    assert found(kept, asked, limit=1) == ids
    assert found(kept, asked, limit=2) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("servicedown", [4, 2, 1]),
        ("SERVICEDOWN web-2", [2]),
        ("50%", [3]),
        ("5%", []),
        ("_", [5]),
        ("打印机", [5]),
        ("inc-004", [4]),
        ('"hi"', [3]),
        ("example", [3]),
        ("' OR 1=1 --", []),
        ("\\", []),
    ],
)
def test_every_word_of_a_search_is_in_number_title_or_labels(kept: Database, text: str, ids: list[int]) -> None:
    assert found(kept, TicketFilter(text=text)) == ids
    assert found(kept, TicketFilter(text=text), limit=1) == ids


@pytest.mark.parametrize(("target", "ids"), [("web-1", [3, 1]), ("web", []), ("web-1.example.org", [3]), ("1", [])])
def test_a_target_is_what_a_label_names_with_or_without_port_and_domain(
    kept: Database, target: str, ids: list[int]
) -> None:
    assert found(kept, TicketFilter(target=target)) == ids


@pytest.mark.parametrize("order", list(Order))
def test_a_search_goes_on_where_it_has_looked(kept: Database, monkeypatch: pytest.MonkeyPatch, order: Order) -> None:
    monkeypatch.setattr(ticket_search, "LOOKED_INTO", 2)
    asked = TicketFilter(text="disk", order=order)
    first = kept.write_now(lambda tx: TicketSearch(tx.connection, GRADES).page(asked))
    assert (first.tickets, first.next is not None) == ((), True) if order is Order.NEWEST else (first.next is not None)
    assert found(kept, asked) == [3]


def test_tickets_opened_between_two_pages_move_nothing(kept: Database) -> None:
    first = kept.write_now(lambda tx: TicketSearch(tx.connection, GRADES).page(TicketFilter(), limit=2))
    kept.write_now(lambda tx: tx.tickets.insert([ticket(6), ticket(7, grade="P1")]))
    second = kept.write_now(lambda tx: TicketSearch(tx.connection, GRADES).page(TicketFilter(), after=first.next))
    assert [one.id for one in (*first.tickets, *second.tickets)] == [5, 4, 3, 2, 1]
