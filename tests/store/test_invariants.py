"""What the database itself holds, on both kinds of database."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from responder.domain.switches import Switch
from responder.domain.ticket import Change, EventKind, Sums
from responder.errors import Conflict, Refused, StoreUnavailable
from responder.flows.desk import Desk
from responder.store import schema
from responder.store.database import Database
from responder.store.jobs import Job
from responder.store.tables import metadata
from tests.servers.postgres import Postgres
from tests.world import World, alert

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database)


async def test_the_same_body_twenty_times_in_parallel_on_two_replicas_is_one_ticket_and_one_page(
    world: World, database_url: str
) -> None:
    second = Database(database_url) if world.database.is_cluster else world.database
    other = world.another_desk()
    other.store = second
    desks: list[Desk] = [world.desk, other]

    await asyncio.gather(*(world.post(alert("DiskFull", severity="warning"), desk=desks[n % 2]) for n in range(20)))
    await world.work()

    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1
    reports = {entry["outcome"]: entry["count"] for entry in (await world.ticket())["reports"]}
    assert reports == {"opened": 1, "repeated": 19}
    assert world.sender.people() == ["mei"]
    if second is not world.database:
        second.close()


async def test_numbers_are_without_gaps_and_without_doubles_when_written_in_parallel(world: World) -> None:
    await asyncio.gather(*(world.post(alert("DiskFull", instance=f"n{n}")) for n in range(30)))

    numbers = sorted(ticket.number for ticket in await world.read(lambda tx: tx.tickets.listed()))
    day = world.clock.now().strftime("%Y%m%d")
    assert numbers == [f"INC-{day}-{n:03d}" for n in range(1, 31)]


async def test_a_decision_on_an_old_version_is_refused(world: World) -> None:
    await world.post(alert("DiskFull"))
    read_before = (await world.read(lambda tx: tx.tickets.one(1))).ticket

    def change(text: str) -> Change:
        made = Change.of(read_before)
        made.note(world.clock.now(), EventKind.NOTE, text)
        return made

    await world.database.write(lambda tx: tx.apply([change("first")], NOW))
    with pytest.raises(Conflict):
        await world.database.write(lambda tx: tx.apply([change("second")], NOW))
    assert [event["text"] for event in (await world.ticket())["events"]][1:] == ["first"]


async def test_a_promise_is_taken_back_with_its_transaction(world: World) -> None:
    def promise_and_fail(tx: object) -> None:
        tx.promise([Job(kind="close", args={"ticket": 1}, due_at=world.clock.now())])  # type: ignore[attr-defined]
        raise Refused("no")

    with pytest.raises(Refused):
        await world.database.write(promise_and_fail)
    later = world.clock.now() + timedelta(days=1)
    assert await world.read(lambda tx: tx.jobs.waiting(later)) == []


async def test_a_promise_wakes_and_a_transaction_without_one_does_not(world: World) -> None:
    woken: list[bool] = []
    world.database.on_promise = lambda: woken.append(True)
    await world.database.write(
        lambda tx: tx.switchboard.turn_on(Switch(name="kill", reason="why", actor="mei", at=NOW))
    )
    assert woken == []
    await world.database.write(lambda tx: tx.promise([Job(kind="close", args={}, due_at=NOW)]))
    assert woken == [True]


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(database: Database) -> None:
    def ours(_connection: Connection) -> list[object]:
        context = MigrationContext.configure(_connection, opts={"include_name": _is_ours, "compare_type": False})
        return list(compare_metadata(context, metadata))

    with database.engine.connect() as connection:
        assert ours(connection) == []


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in metadata.tables


def test_the_newest_file_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.revisions()[-1]


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    newest = schema.revisions()[-1]
    assert schema.upgrade(database) == (newest, newest)
    assert schema.is_current(database)


def test_a_database_from_a_newer_version_is_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused, match="newer than this version"):
        schema.upgrade(database)


def test_a_second_server_on_one_sqlite_file_is_refused_by_name(tmp_path: Path) -> None:
    first, second = (Database(f"sqlite:///{tmp_path / 'one.db'}") for _ in range(2))
    first.lock_file()
    with pytest.raises(Refused, match="Another responder serves"):
        second.lock_file()
    first.close()
    second.lock_file()
    second.close()


async def test_a_database_that_is_away_is_said_to_be_away() -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        await away.read(lambda tx: tx.sums.all())
    with pytest.raises(StoreUnavailable):
        await away.write(lambda tx: tx.sums.all())
    away.close()


@pytest.mark.needs("postgresql")
async def test_a_replica_that_freezes_in_a_transaction_does_not_stop_the_intake_of_the_others(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.url(postgres.create(template="template_of_ours"))
    world = World(tmp_path, Database(url))
    await world.post(alert("First"))
    with psycopg.connect(url) as frozen:
        frozen.execute("UPDATE counters SET value = value WHERE scope = 'ticket id'")
        with pytest.raises(StoreUnavailable):
            await world.post(alert("Second"))
    await world.post(alert("Second"))
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 2
    world.database.close()


async def test_sums_never_fall_and_agree_between_replicas(world: World, database_url: str) -> None:
    second = Database(database_url)
    increments: Sums = Counter({("runs_total", (("outcome", "helped"), ("runbook", "r"))): 1})
    await asyncio.gather(
        *(
            database.write(lambda tx: tx.sums.add(increments))
            for database in (world.database, second)
            for _ in range(10)
        )
    )
    assert await world.sums("runs_total") == {(("outcome", "helped"), ("runbook", "r")): 20}
    second.close()


async def test_what_no_database_can_store_as_text_does_not_stop_a_ticket(world: World) -> None:
    await world.post(alert("DiskFull", note="\u0000 😀 ; DROP TABLE tickets; -- ' \" $(reboot)\n" + "x" * 10_000))
    labels = (await world.ticket())["labels"]
    assert labels["note"].startswith("\ufffd 😀 ; DROP TABLE tickets; -- ' \" $(reboot)\n")
    assert len(labels["note"]) > 10_000
