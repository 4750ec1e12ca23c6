"""The audit log is written with what it tells of, and nobody can change it afterwards."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DatabaseError

from responder.domain.audit import Entry, Outcome, as_cell, outcome_of
from responder.domain.switches import Switch
from responder.errors import Refused
from responder.store.audit_log import Act, AuditFilter
from responder.store.database import Database
from responder.store.tables import audit_log
from responder.store.transaction import Transaction
from responder.store.with_first_write import with_first_write

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SWITCH = Switch(name="everything", reason="storm", actor="mei", at=NOW)
EVERYTHING = AuditFilter()


def act(action: str = "turn off", actor: str = "mei") -> Act:
    return Act(entry=Entry(at=NOW, actor=actor, via="session", address="192.0.2.7", action=action))


async def actions(database: Database, wanted: AuditFilter = EVERYTHING) -> list[str]:
    return [one.action for one in await database.read(lambda tx: tx.audit_log.listed(wanted, 100))]


async def test_the_entry_of_an_act_comes_with_its_first_change_and_only_once(database: Database) -> None:
    with with_first_write(act()):
        await database.write(lambda tx: tx.switchboard.turn_on(SWITCH))
        await database.write(lambda tx: tx.switchboard.turn_off("everything"))
    await database.write(lambda tx: tx.switchboard.turn_on(SWITCH))

    assert await actions(database) == ["turn off"]


async def test_what_is_undone_leaves_no_entry(database: Database) -> None:
    def refused(tx: Transaction) -> None:
        tx.switchboard.turn_on(SWITCH)
        raise Refused("no")

    with with_first_write(act()) as doing:
        with pytest.raises(Refused):
            await database.write(refused)
        assert not doing.is_written

    assert await actions(database) == []


@pytest.mark.parametrize(
    "change", [update(audit_log).values(actor="nobody"), delete(audit_log)], ids=["changed", "removed"]
)
async def test_an_entry_can_neither_be_changed_nor_removed(database: Database, change: object) -> None:
    await database.write(lambda tx: tx.audit_log.add(act().entry))

    with pytest.raises(DatabaseError, match="append-only"), database.engine.begin() as connection:
        connection.execute(change)  # type: ignore[call-overload]

    assert await actions(database) == ["turn off"]


async def test_entries_are_found_by_who_what_and_when_newest_first(database: Database) -> None:
    for name, action in [("mei", "acknowledge"), ("lars", "resolve"), ("mei", "close")]:
        await database.write(lambda tx, name=name, action=action: tx.audit_log.add(act(action, name).entry))  # type: ignore[misc]

    assert await actions(database) == ["close", "resolve", "acknowledge"]
    assert await actions(database, AuditFilter(actor="mei")) == ["close", "acknowledge"]
    assert await actions(database, AuditFilter(action="resolve")) == ["resolve"]
    assert await actions(database, AuditFilter(outcome="refused")) == []
    assert await actions(database, AuditFilter(until=NOW)) == []
    assert await actions(database, AuditFilter(since=NOW, before=(NOW, 3))) == ["resolve", "acknowledge"]


async def test_the_log_survives_a_truncation_on_a_cluster(database: Database) -> None:
    await database.write(lambda tx: tx.audit_log.add(act().entry))
    removal = "TRUNCATE audit_log" if database.is_cluster else "DELETE FROM audit_log"

    with pytest.raises(DatabaseError), database.engine.begin() as connection:
        connection.execute(text(removal))

    assert await actions(database) == ["turn off"]


def test_a_fault_of_ours_is_no_refusal() -> None:
    assert [outcome_of(status) for status in (200, 303, 401, 409, 500, 503)] == [
        Outcome.DONE,
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.FAILED,
        Outcome.FAILED,
    ]


@pytest.mark.parametrize("text", ["=1+1", "+49", "-1", "@SUM(A1)", "\tx"])
def test_a_spreadsheet_takes_no_text_for_a_formula(text: str) -> None:
    assert as_cell(text) == f"'{text}"
    assert as_cell("plain") == "plain"
