"""Mails that came in: each once, found again by what it was, forgotten in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from responder.domain.mail_record import MailRecord, Taken
from responder.errors import Conflict
from responder.store.database import Database
from responder.store.mails import RefusedAddress

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def record(number: int, **more: object) -> MailRecord:
    plain = MailRecord(
        identity=f"identity-{number}",
        message_id=f"m{number}@example.org",
        digest=f"digest-{number}",
        way="imap",
        receipt=f"r{number}",
        sender="li.wei@example.org",
        taken=Taken.REPORT,
        why="It answers nothing.",
        received_at=NOW,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "known"),
    [(record(1, digest="other"), [3, 1]), (record(4, digest="digest-2"), [2]), (record(4), [])],
    ids=["by its identity", "by its bytes", "by neither"],
)
async def test_a_mail_is_found_again_the_newest_first(database: Database, wanted: MailRecord, known: list[int]) -> None:
    for row in (record(1), record(2), record(1, nth=1, digest="digest-3")):
        await database.write(lambda tx, one=row: tx.mails.add(one))  # type: ignore[misc]
    assert [one.id for one in await database.read(lambda tx: tx.mails.known(wanted))] == known


async def test_the_same_mail_is_written_down_once(database: Database) -> None:
    await database.write(lambda tx: tx.mails.add(record(1)))
    with pytest.raises(Conflict):
        await database.write(lambda tx: tx.mails.add(record(1)))
    assert len(await database.read(lambda tx: tx.mails.listed(10))) == 1


async def test_what_belongs_to_a_ticket_is_found_by_its_message_id_and_by_the_ticket(database: Database) -> None:
    for number, ticket in ((1, None), (2, 7), (3, 7)):
        await database.write(lambda tx, n=number, t=ticket: tx.mails.add(record(n, ticket_id=t)))  # type: ignore[misc]
    found = await database.read(lambda tx: tx.mails.by_message_id("m2@example.org"))
    assert found is not None
    assert found.ticket_id == 7
    assert await database.read(lambda tx: tx.mails.by_message_id("m1@example.org")) is None
    assert [one.identity for one in await database.read(lambda tx: tx.mails.of_ticket(7))] == [
        "identity-2",
        "identity-3",
    ]


async def test_answers_are_counted_by_sender_and_time(database: Database) -> None:
    rows = [
        record(1, answered=True),
        record(2, answered=True, received_at=NOW - 2 * DAY),
        record(3),
        record(4, answered=True, sender="otto@example.org"),
    ]
    for row in rows:
        await database.write(lambda tx, one=row: tx.mails.add(one))  # type: ignore[misc]
    assert await database.read(lambda tx: tx.mails.answered_since("li.wei@example.org", NOW - DAY)) == 1


async def test_what_belongs_to_no_ticket_is_forgotten_in_time(database: Database) -> None:
    for row in (record(1), record(2, ticket_id=7), record(3, received_at=NOW + DAY)):
        await database.write(lambda tx, one=row: tx.mails.add(one))  # type: ignore[misc]
    assert await database.write(lambda tx: tx.mails.forget_before(NOW + timedelta(hours=1))) == 1
    left = await database.read(lambda tx: tx.mails.listed(10))
    assert [one.identity for one in left] == ["identity-3", "identity-2"]


async def test_an_address_is_marked_and_taken_back(database: Database) -> None:
    first = RefusedAddress(address="a@example.org", refused_at=NOW, is_permanent=False, why="4.2.2 full")
    second = replace(first, is_permanent=True, why="5.1.1 unknown", refused_at=NOW + DAY)
    for one in (first, second):
        await database.write(lambda tx, mark=one: tx.mails.mark(mark))  # type: ignore[misc]
    assert await database.read(lambda tx: tx.mails.refused("a@example.org")) == second
    await database.write(lambda tx: tx.mails.take_back("a@example.org"))
    assert await database.read(lambda tx: tx.mails.refused("a@example.org")) is None
