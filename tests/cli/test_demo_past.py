"""The past that the demo makes up: believable, quick, told as what it is, and nowhere but in the demo's own file."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from responder.cli.demo import files
from responder.cli.demo.past import ROTA, SOURCE, play_past
from responder.cli.demo.past_troubles import DAYS, Ending, troubles
from responder.config.configuration import read
from responder.domain.article import ArticleState
from responder.domain.observed import Measure
from responder.domain.statistics import Wish
from responder.domain.ticket import Status
from responder.errors import Refused
from responder.flows.duty import shifts_of
from responder.store.database import Database
from responder.store.library import LibraryStore
from responder.store.transaction import Transaction
from tests.world import HOST_KEY

NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)


def _files(folder: Path) -> Path:
    nodes: Any = [SimpleNamespace(name=name, ssh_port=22, user="ops", host_key=HOST_KEY) for name in ("node1", "node2")]
    return files.write(folder, nodes, folder / "key", 9180, 9, 9)


@pytest.fixture(scope="module")
def main_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _files(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def played(main_file: Path) -> Iterator[Database]:
    asyncio.run(play_past(main_file))
    database = Database(read(main_file).database_url)
    yield database
    database.close()


def _read(database: Database, body: Callable[[Transaction], Any]) -> Any:
    return asyncio.run(database.read(body))


# --- what is drawn ---------------------------------------------------------------------------------------------


def test_the_same_instant_has_the_same_past() -> None:
    assert troubles(NOW) == troubles(NOW)


@pytest.mark.parametrize("hours", range(0, 7 * 24, 11))
def test_whenever_the_demo_starts_its_past_has_something_of_everything(hours: int) -> None:
    found = troubles(NOW + timedelta(hours=hours))

    assert {one.ending for one in found} >= {Ending.MACHINE, Ending.PEOPLE, Ending.ITSELF}
    assert len({one.sort.alertname for one in found}) > 4
    assert len({one.at.date() for one in found}) > DAYS / 2
    assert 35 <= len(found) <= 75


def test_what_is_made_up_is_over_before_the_story_begins() -> None:
    assert all(one.at + one.answered_after + one.over_after < NOW for one in troubles(NOW))


def test_one_host_has_one_trouble_of_a_sort_at_a_time() -> None:
    over_at: dict[tuple[str, str], datetime] = {}
    for one in troubles(NOW):
        assert over_at.get((one.sort.alertname, one.host), one.at) <= one.at
        over_at[one.sort.alertname, one.host] = one.at + one.answered_after + one.over_after


# --- what is played --------------------------------------------------------------------------------------------


def test_every_ticket_of_the_past_is_over_and_says_that_it_is_made_up(played: Database) -> None:
    found = _read(played, lambda tx: tx.tickets.listed(limit=500))

    assert found
    assert {ticket.source for ticket in found} == {SOURCE}
    assert {ticket.status for ticket in found} == {Status.CLOSED}
    assert all(ticket.labels["history"] == "made up" for ticket in found)
    assert all("Made up for the demo" in ticket.annotations["description"] for ticket in found)


def test_the_past_leaves_nothing_to_be_done_or_sent_by_the_real_service(played: Database) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=10)
    assert (
        _read(played, lambda tx: tx.local_jobs.next_due_at(soon - timedelta(days=60))) is None
        or (_read(played, lambda tx: tx.local_jobs.waiting(soon))) == []
    )


def test_the_reports_have_tickets_runs_and_durations_of_machine_and_people(played: Database) -> None:
    today = datetime.now(UTC).date()
    wish = Wish(first=today - timedelta(days=29), last=today, zone=ZoneInfo("UTC"))
    found = _read(played, lambda tx: tx.statistics.of(wish))

    kinds = Counter(kind for _, _, kind in found.opened)
    assert set(kinds) >= {"web", "storage", "network"}
    assert {who for measure, who in found.whole if measure is Measure.RESTORE} >= {"machine", "human", "itself"}
    assert set(found.runs) == {"restart-webapp", "diagnose-webapp"}
    assert found.runs["restart-webapp"].proven > found.runs["restart-webapp"].disproved > 0
    assert any(one.breached for one in found.clocks.values())


def test_the_rota_has_an_override_and_a_gap_and_mei_is_on_call_now(played: Database, main_file: Path) -> None:
    desk: Any = SimpleNamespace(configuration=read(main_file))
    now = datetime.now(UTC)
    shifts = _read(played, lambda tx: shifts_of(desk, tx, ROTA, now, now + timedelta(days=14)))

    assert shifts[0].people == ("mei",)
    assert shifts[0].until - now > timedelta(days=1)
    assert {one.people for one in shifts} >= {("mei",), ("tom",), ("ana",), ()}


def test_there_are_articles_to_be_found_and_a_draft(played: Database) -> None:
    found = _read(played, lambda tx: LibraryStore(tx.connection).articles(limit=10))

    assert Counter(one.state for one in found) == {ArticleState.PUBLISHED: 4, ArticleState.DRAFT: 1}


# --- where it may go -------------------------------------------------------------------------------------------


async def test_a_made_up_past_never_goes_into_a_database_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    main_file = _files(tmp_path / "demo")
    real = tmp_path / "real.db"
    main_file.write_text(f"{main_file.read_text()}database: sqlite:///{real}\n")

    with pytest.raises(Refused, match="only into the demo's own file"):
        await play_past(main_file)
    assert not real.exists()


async def test_a_made_up_past_never_goes_beside_tickets_that_are_there(played: Database, main_file: Path) -> None:
    before = await played.read(lambda tx: len(tx.tickets.listed(limit=500)))

    with pytest.raises(Refused, match="There are tickets already"):
        await play_past(main_file)
    assert await played.read(lambda tx: len(tx.tickets.listed(limit=500))) == before
