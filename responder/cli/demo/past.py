"""The demo's past: some weeks of made-up troubles, played through the same flows as real ones by a clock of its own.

No host, no mailbox and no channel is touched: what answers is made up, and each ticket says so.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from responder.app import work_for
from responder.cli.demo.articles import ARTICLES, DRAFT
from responder.cli.demo.past_troubles import DAYS, Ending, Trouble, troubles
from responder.cli.demo.past_world import MadeUpHosts, MadeUpWeb, MovedClock, Nobody
from responder.clock import MICROSECOND
from responder.config.configuration import Configuration, read
from responder.domain.rota import Override
from responder.errors import Refused
from responder.flows import knowledge
from responder.flows.calendars import add_absence
from responder.flows.desk import Desk
from responder.flows.duty import on_duty
from responder.flows.handle import do
from responder.flows.overrides import add_override
from responder.flows.receive import Post, receipt, receive
from responder.flows.watch import look_at_clocks
from responder.intake.alertmanager import parse
from responder.store import schema
from responder.store.at_once import AtOnce
from responder.store.database import Database
from responder.store.reports import Body
from responder.worker.local import LocalWorker

SOURCE = "made-up"
ROTA, DEPUTIES = "ops-first", "ops-second"
_SAYS = "Made up for the demo: this never happened, and no host was touched."
# So long ago that no cooldown, no budget and no storm of the story sees it.
_OVER_FOR = timedelta(hours=6)
_CLEARS = timedelta(seconds=40)
_DAY = timedelta(days=1)
_Act = Callable[[], Awaitable[None]]


async def play_past(main_file: Path) -> int:
    """Fills the new database of a demo; how many tickets that gave. Raises Refused for any other database."""
    configuration = read(main_file)
    url = configuration.database_url
    if not url.startswith(f"sqlite:///{main_file.parent.resolve()}/"):
        raise Refused("A made-up past goes only into the demo's own file.")
    database = AtOnce(url)
    try:
        database.lock_file()
        schema.upgrade(database)
        with database.whole():
            return await _Past(database, configuration).play()
    finally:
        database.close()


class _Past:
    """What happens when, in order, and in between what the service has promised."""

    def __init__(self, database: Database, configuration: Configuration) -> None:
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._clock = MovedClock(at=self._now - 2 * DAYS * _DAY)
        self._hosts = MadeUpHosts(clock=self._clock)
        self._desk = Desk(
            store=database,
            clock=self._clock,
            configuration=configuration,
            hosts=self._hosts,
            web=MadeUpWeb(),
            notifier=Nobody(),
        )
        self._worker = LocalWorker(database, work_for(self._desk), self._clock)
        self._agenda: list[tuple[datetime, int, _Act]] = []
        self._entries = count()
        self._tickets: dict[Trouble, str] = {}

    async def play(self) -> int:
        """Everything until some hours ago; how many tickets that gave. Raises Refused if there are tickets already."""
        if await self._desk.store.read(lambda tx: tx.tickets.listed(limit=1)):
            raise Refused("There are tickets already, and a made-up past does not go beside them.")
        ends_at = self._now - _OVER_FOR
        self._plan(ends_at - (DAYS + 1) * _DAY, self._write_articles)
        for one in troubles(ends_at):
            self._plan_trouble(one)
        while self._agenda:
            at, _, act = heapq.heappop(self._agenda)
            await self._until(at)
            await act()
        await self._until(ends_at)
        await self._change_rotas()
        await self._until(ends_at + timedelta(hours=1))
        return len(self._tickets)

    def _plan(self, at: datetime, act: _Act) -> None:
        heapq.heappush(self._agenda, (at, next(self._entries), act))

    def _plan_trouble(self, one: Trouble) -> None:
        self._plan(one.at, partial(self._fires, one))
        if one.ending is Ending.MACHINE:
            self._plan(one.at + _CLEARS + one.over_after, partial(self._clears, one))
            return
        answered_at = one.at + one.answered_after
        over_at = answered_at
        if one.ending is not Ending.ITSELF:
            over_at += one.over_after
            self._plan(answered_at, partial(self._acknowledged, one))
            self._plan(over_at, partial(self._ended, one))
        self._plan(over_at + _CLEARS, partial(self._clears, one))
        for number in range(1, (over_at - one.at) // one.sort.looks_every + 1):
            self._plan(one.at + number * one.sort.looks_every, self._looked)

    async def _until(self, at: datetime) -> None:
        """Does what was promised until an instant, each at its own."""
        while (due_at := await self._due_at()) is not None and due_at <= at:
            self._clock.at = max(due_at, self._clock.at)
            await self._worker.run_until_idle()
        self._clock.at = max(at, self._clock.at)

    async def _due_at(self) -> datetime | None:
        before = self._clock.at - MICROSECOND
        return await self._desk.store.read(lambda tx: tx.local_jobs.next_due_at(before))

    # --- what happens ------------------------------------------------------------------------------------------

    async def _fires(self, one: Trouble) -> None:
        (self._hosts.broken.discard if one.ending is Ending.MACHINE else self._hosts.broken.add)(one.host)
        await self._post(one, "firing")
        newest = await self._desk.store.read(lambda tx: tx.tickets.listed(limit=1))
        self._tickets[one] = newest[0].number
        self._clock.at += one.looked_after
        await self._worker.run_until_idle()

    async def _clears(self, one: Trouble) -> None:
        await self._post(one, "resolved")

    async def _acknowledged(self, one: Trouble) -> None:
        await self._do(one, "acknowledge")

    async def _ended(self, one: Trouble) -> None:
        if one.ending is Ending.NOTHING:
            await self._do(one, "dismiss", **{"as": "false_alarm", "reason": "The probe was moved, nothing was wrong."})
            return
        await self._do(one, "solve", text=one.solution)
        await self._do(one, "restore", reason=one.solution)

    async def _looked(self) -> None:
        await look_at_clocks(self._desk)

    async def _post(self, one: Trouble, status: str) -> None:
        now = self._clock.at
        alert = {
            "status": status,
            "labels": one.labels,
            "annotations": {"summary": one.summary, "description": _SAYS},
        }
        body, name = orjson.dumps({"version": "4", "status": status, "alerts": [alert]}), receipt(now)
        reports = parse(body, source=SOURCE, received_at=now, receipt=name).reports
        await receive(
            self._desk, [Post(body=Body(id=name, source=SOURCE, received_at=now, body=body), reports=reports)]
        )

    async def _do(self, one: Trouble, verb: str, **content: Any) -> None:
        """By whoever is on call then."""
        now = self._clock.at
        duty = await self._desk.store.read(lambda tx: on_duty(self._desk, tx, ROTA, now))
        await do(self._desk, verb, self._tickets[one], actor=duty.people[0], content=content)

    # --- what people write -------------------------------------------------------------------------------------

    async def _write_articles(self) -> None:
        for words, labels in ARTICLES:
            written = await knowledge.write(self._desk, words, "ana", labels)
            await knowledge.publish(self._desk, written.id, "mei")
        words, labels = DRAFT
        await knowledge.write(self._desk, words, "tom", labels)

    async def _change_rotas(self) -> None:
        """Mei has something to do on the day after tomorrow; Tom is away for two days, and one of them nobody has."""
        midnight = self._clock.at.replace(hour=0, minute=0, second=0)
        evening = midnight + timedelta(days=2, hours=17)
        await self._stands_in("ana", "mei", (evening, evening + timedelta(hours=5)), "a concert of her daughter")
        first = midnight + 7 * _DAY
        await self._stands_in("ana", "tom", (first, first + _DAY), "for Tom, who is at a training")
        away = Override(
            rota="",
            person="",
            instead_of="tom",
            start=first,
            until=first + 2 * _DAY,
            reason="training",
            actor="tom",
            made_at=self._clock.at,
        )
        await add_absence(self._desk, away)

    async def _stands_in(self, who: str, instead_of: str, when: tuple[datetime, datetime], reason: str) -> None:
        wanted = Override(
            rota=ROTA,
            person=who,
            instead_of=instead_of,
            start=when[0],
            until=when[1],
            reason=reason,
            actor=instead_of,
            made_at=self._clock.at,
        )
        await add_override(self._desk, wanted)
