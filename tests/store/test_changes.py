"""What a commit tells of: what it touched, after it is durable, and nothing that was undone."""

from __future__ import annotations

import asyncio
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.switches import Switch
from responder.domain.topics import EVERYTHING, concerning, is_topic
from responder.errors import Refused
from responder.store.database import Database
from responder.store.transaction import Transaction
from tests.servers.postgres import Postgres
from tests.world import World

FIRING = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "instance": "web-1"},
    "startsAt": "2026-01-01T00:00:00Z",
}


class Heard:
    """What was told, commit by commit."""

    def __init__(self) -> None:
        self.commits: list[frozenset[str]] = []
        self._something = threading.Condition()

    def __call__(self, topics: frozenset[str]) -> None:
        with self._something:
            self.commits.append(topics)
            self._something.notify_all()

    @property
    def topics(self) -> set[str]:
        return set().union(*self.commits)

    def until(self, topic: str) -> bool:
        """Waits for a topic; False if it does not come."""
        with self._something:
            return self._something.wait_for(lambda: topic in self.topics, timeout=10)


@contextmanager
def heard_of(database: Database) -> Iterator[Heard]:
    heard = Heard()
    forget = database.changes.follow(heard)
    yield heard
    forget()


@contextmanager
def many_files_open() -> Iterator[None]:
    """What is opened inside has a descriptor above 1023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(2048, hard)), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1024)]
    yield
    for one in held:
        os.close(one)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database)


def _turn_on(world: World, name: str = "automation") -> Switch:
    return Switch(name=name, reason="work on it", actor="mei", at=world.clock.now(), until=None)


async def test_a_report_tells_of_its_ticket_and_of_the_list(world: World) -> None:
    with heard_of(world.database) as heard:
        await world.post(FIRING)
    assert {"tickets", "ticket:1"} <= heard.topics


async def test_a_repeated_report_tells_of_its_ticket_alone(world: World) -> None:
    await world.post(FIRING)
    with heard_of(world.database) as heard:
        await world.post(FIRING)
    assert heard.topics == {"ticket:1"}


async def test_first_aid_tells_of_its_run_and_the_page_of_its_message(world: World) -> None:
    world.fleet.broken.add("web-1")
    with heard_of(world.database) as heard:
        await world.post(
            {**FIRING, "labels": {"alertname": "ServiceDown", "instance": "web-1", "severity": "critical"}}
        )
        await world.work()
    assert {"tickets", "ticket:1", "runs", "run:1", "messages"} <= heard.topics


async def test_what_only_reads_tells_nothing(world: World) -> None:
    await world.post(FIRING)
    with heard_of(world.database) as heard:
        await world.database.read(lambda tx: tx.tickets.listed())
        await world.database.write(lambda tx: tx.tickets.listed())
    assert heard.topics == set()


async def test_what_was_rolled_back_tells_nothing(world: World) -> None:
    def changed_its_mind(tx: Transaction) -> None:
        tx.switchboard.turn_on(_turn_on(world))
        raise Refused("No.")

    with heard_of(world.database) as heard, pytest.raises(Refused):
        await world.database.write(changed_its_mind)
    assert heard.topics == set()


async def test_a_body_that_failed_tells_nothing_beside_others_in_the_same_commit(world: World) -> None:
    held, failing = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        # Those that follow wait together, and are one commit on SQLite.
        held.wait(10)

    def fail(tx: Transaction) -> None:
        tx.approvals.tickets_that_wait()
        tx.overrides.end(1, world.clock.now(), "mei")
        failing.set()
        raise Refused("No.")

    with heard_of(world.database) as heard:
        first = asyncio.ensure_future(world.database.write(hold))
        refused = asyncio.ensure_future(world.database.write(fail))
        kept = asyncio.ensure_future(world.database.write(lambda tx: tx.switchboard.turn_on(_turn_on(world))))
        await asyncio.sleep(0)
        held.set()
        await asyncio.gather(first, kept)
        with pytest.raises(Refused):
            await refused
        assert heard.until("switches")
    assert failing.is_set()
    assert heard.topics == {"switches"}


async def test_it_is_told_after_the_commit(world: World) -> None:
    found: list[int] = []
    told = threading.Event()

    def look(topics: frozenset[str]) -> None:
        # On a connection of its own, as the page that is told would.
        with world.database.engine.connect() as connection:
            found.append(len(connection.exec_driver_sql("SELECT 1 FROM tickets").all()))
        told.set()

    forget = world.database.changes.follow(look)
    await world.post(FIRING)
    await asyncio.to_thread(told.wait, 10)
    forget()
    assert found[0] == 1


async def test_very_many_tickets_are_told_as_all_of_them(world: World) -> None:
    alerts = [{**FIRING, "labels": {"alertname": "DiskFull", "instance": f"web-{number}"}} for number in range(60)]
    with heard_of(world.database) as heard:
        await world.post(*alerts)
    assert {"tickets", "ticket:*"} <= heard.topics
    assert not any(one.startswith("ticket:") and one != "ticket:*" for one in heard.topics)


async def test_a_switch_and_a_silence_have_topics_of_their_own(world: World) -> None:
    now = world.clock.now()
    with heard_of(world.database) as heard:
        await world.database.write(lambda tx: tx.switchboard.turn_on(_turn_on(world)))
        await world.database.write(lambda tx: tx.switchboard.mark_silent("main", "watchdog", now))
        await world.database.write(lambda tx: tx.rounds.keep("audit", now - timedelta(1), {}))
    assert heard.topics == {"switches", "health"}


@pytest.mark.needs("postgresql")
class TestReplicas:
    """Two processes on one PostgreSQL."""

    @pytest.fixture
    def both(self, postgres: Postgres) -> Iterator[tuple[Database, Database]]:
        name = postgres.create(template="template_of_ours")
        here, there = Database(postgres.url(name)), Database(postgres.url(name))
        yield here, there
        here.close()
        there.close()
        postgres.drop(name)

    async def test_a_replica_hears_what_another_one_commits(
        self, both: tuple[Database, Database], tmp_path: Path
    ) -> None:
        here, there = both
        world = World(tmp_path, there)
        with heard_of(here) as heard:
            replicas = here.hear_replicas()
            assert replicas is not None
            assert replicas.is_listening.wait(10)
            await world.post(FIRING)
            assert heard.until("ticket:1")
        assert {"tickets", "ticket:1"} <= heard.topics

    async def test_a_replica_with_very_many_connections_hears_the_others_too(
        self, both: tuple[Database, Database], tmp_path: Path
    ) -> None:
        here, there = both
        world = World(tmp_path, there)
        with many_files_open(), heard_of(here) as heard:
            replicas = here.hear_replicas()
            assert replicas is not None
            assert replicas.is_listening.wait(10)
            await world.post(FIRING)
            assert heard.until("ticket:1")

    async def test_what_another_one_rolled_back_is_not_heard(
        self, both: tuple[Database, Database], tmp_path: Path
    ) -> None:
        here, there = both
        world = World(tmp_path, there)

        def changed_its_mind(tx: Transaction) -> None:
            tx.switchboard.turn_on(_turn_on(world))
            raise Refused("No.")

        with heard_of(here) as heard:
            replicas = here.hear_replicas()
            assert replicas is not None
            assert replicas.is_listening.wait(10)
            with pytest.raises(Refused):
                await there.write(changed_its_mind)
            await there.write(lambda tx: tx.overrides.end(1, world.clock.now(), "mei"))
            assert heard.until("rotas")
        assert "switches" not in heard.topics

    async def test_a_replica_hears_its_own_commits_once(self, both: tuple[Database, Database], tmp_path: Path) -> None:
        here, there = both
        world = World(tmp_path, here)
        with heard_of(here) as heard:
            replicas = here.hear_replicas()
            assert replicas is not None
            assert replicas.is_listening.wait(10)
            await here.write(lambda tx: tx.switchboard.turn_on(_turn_on(world)))
            await there.write(lambda tx: tx.overrides.end(1, world.clock.now(), "mei"))
            assert heard.until("rotas")
        assert [one for one in heard.commits if "switches" in one] == [frozenset({"switches"})]

    async def test_after_a_lost_connection_everything_may_have_changed(
        self, both: tuple[Database, Database], tmp_path: Path
    ) -> None:
        here, there = both
        replicas = here.hear_replicas()
        assert replicas is not None
        assert replicas.is_listening.wait(10)
        ours = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' OR query = 'SELECT 1'"
        )
        with heard_of(here) as heard:
            with there.engine.begin() as connection:
                connection.exec_driver_sql(ours)
            assert heard.until(EVERYTHING)
            await there.write(lambda tx: tx.overrides.end(1, World(tmp_path, there).clock.now(), "mei"))
            assert heard.until("rotas")


@pytest.mark.parametrize(
    ("touched", "wanted", "told"),
    [
        ({"tickets", "ticket:7"}, set(), {"tickets", "ticket:7"}),
        ({"tickets", "ticket:7"}, {"ticket:7", "runs"}, {"ticket:7"}),
        ({"ticket:7"}, {"ticket:70"}, set()),
        ({"ticket:*"}, {"ticket:7"}, {"ticket:*"}),
        ({"ticket:*"}, {"run:7"}, set()),
        ({"run:7"}, {"run:*"}, {"run:7"}),
        ({EVERYTHING}, {"rotas"}, {EVERYTHING}),
    ],
)
def test_who_wants_only_some_topics_is_told_of_those(touched: set[str], wanted: set[str], told: set[str]) -> None:
    assert concerning(touched, wanted) == told


def test_only_what_there_is_can_be_asked_for() -> None:
    assert all(map(is_topic, ("tickets", "ticket:12", "run:*", "health")))
    assert not any(map(is_topic, ("", "ticket", "ticket:", "ticket:x", "switches:1", "ticket:٣", "cats", EVERYTHING)))
