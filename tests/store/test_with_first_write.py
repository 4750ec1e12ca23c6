"""What a request wants written comes with the first thing that it changes, once, however it goes about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from responder.domain.audit import Entry
from responder.errors import Refused, StoreUnavailable
from responder.store.answers import Answer, Claim, KeyTaken
from responder.store.audit_log import Act, AuditFilter, names_too
from responder.store.database import Database
from responder.store.transaction import Transaction
from responder.store.with_first_write import with_first_write, written

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def act() -> Act:
    return Act(entry=Entry(at=NOW, actor="mei", via="session", address="192.0.2.7", action="turn off"))


def claim() -> Claim:
    return Claim(answer=Answer(identity="8e03", content="", at=NOW))


def nothing(tx: Transaction) -> None: ...


def refused(tx: Transaction) -> None:
    tx.refusal = "It is off already."


async def log_of(database: Database) -> list[tuple[str, str]]:
    found = await database.read(lambda tx: tx.audit_log.listed(AuditFilter(), 100))
    return [(one.outcome.value, one.object) for one in found]


async def is_taken(database: Database) -> bool:
    return await database.read(lambda tx: tx.answers.known("8e03")) is not None


async def test_twenty_changes_at_one_time_are_one_act_under_one_key(database: Database) -> None:
    with with_first_write(act()) as doing, with_first_write(claim()) as key:
        await asyncio.gather(*(database.write(nothing) for _ in range(20)))
    assert (doing.is_written, key.is_written) == (True, True)
    assert (await log_of(database), await is_taken(database)) == ([("done", "")], True)


async def test_the_second_of_two_at_one_time_brings_it_if_the_first_fails(database: Database) -> None:
    def failing(tx: Transaction) -> None:
        raise Refused("no")

    with with_first_write(act()), with_first_write(claim()):
        outcomes = await asyncio.gather(*map(database.write, (failing, nothing, nothing)), return_exceptions=True)
    assert [type(one) for one in outcomes] == [Refused, type(None), type(None)]
    assert (await log_of(database), await is_taken(database)) == ([("done", "")], True)


async def test_what_a_rule_refuses_is_in_the_log_and_leaves_the_key_free(database: Database) -> None:
    with with_first_write(act()) as doing, with_first_write(claim()) as key:
        await database.write(refused)
        assert (doing.is_refused, key.is_written) == (True, False)
        assert not await is_taken(database)
        await database.write(nothing)
    assert (await log_of(database), await is_taken(database)) == ([("refused", "")], True)


async def test_under_a_key_that_is_taken_nothing_is_changed_and_nothing_logged(database: Database) -> None:
    await database.write(lambda tx: tx.answers.add(claim().answer))
    with with_first_write(act()) as doing, with_first_write(claim()), pytest.raises(KeyTaken):
        await database.write(nothing)
    assert (await log_of(database), doing.is_written) == ([], False)


async def test_what_is_not_committed_counts_for_nothing(database: Database) -> None:
    async def lost(body: Callable[[Transaction], None]) -> None:
        await database.read(body)
        raise StoreUnavailable("away")

    with with_first_write(act()) as doing:
        with pytest.raises(StoreUnavailable):
            await written(refused, lost)
        assert (doing.is_written, doing.is_refused) == (False, False)


async def test_once_it_is_written_the_entry_changes_no_more(database: Database) -> None:
    with with_first_write(act()):
        names_too("web-1")
        await database.write(nothing)
        names_too("web-2")
    names_too("web-3")
    assert await log_of(database) == [("done", "web-1")]
