"""Helpers of the model of handling: its world, the alerts of that world, and a greedy way out of every ticket."""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from responder.config.configuration import Configuration, read
from responder.domain.approval import Approval, ApprovalKind, able
from responder.domain.dossier import Dossier
from responder.domain.matching import parse_matcher
from responder.domain.parts import Part, summed
from responder.domain.policy import CorrelationRule
from responder.domain.review import ReviewForm
from responder.domain.sla import Clock
from responder.domain.ticket import Event, Status, Ticket
from responder.errors import Refused
from responder.flows.desk import Desk
from responder.flows.handle import do
from responder.flows.parts import add_part
from responder.flows.review import write_review
from responder.flows.watch import look_at_clocks
from responder.intake.alertmanager import parse
from responder.store import schema
from responder.store.database import Database
from responder.store.transaction import Transaction
from tests.databases import opened_as
from tests.fakes import NOW, FakeClock
from tests.flows.handling_rules import PLAN, Rules
from tests.flows.handling_watch import Watched
from tests.flows.people import Team
from tests.servers.postgres import Postgres
from tests.world import alert

BY_HOST = CorrelationRule(name="host", when=(parse_matcher('alertname="ServiceDown"'),), by=("instance",))
REVIEW = ReviewForm(root_cause="no limits", cause_class="environment", whys=("why?",), improvements="limits")
ON_POSTGRESQL = os.environ.get("MODEL_ON") == "postgresql"
_KEPT: dict[str, Any] = {}
"""What is the same for all runs, and costs more than most of them: the server and the configuration."""


def empty_database(folder: Path) -> Watched:
    """A fresh one, copied. It need not survive a power cut."""
    if ON_POSTGRESQL:
        return _empty_on_the_server()
    return opened_as(Watched, folder / "model.db")


def _empty_on_the_server() -> Watched:
    if "server" not in _KEPT:
        server = _KEPT["server"] = Postgres().__enter__()
        atexit.register(server.__exit__, None, None, None)
        made = Database(server.url(server.create("template_of_the_model")))
        schema.upgrade(made)
        made.close()
    server = _KEPT["server"]
    return Watched(server.url(server.create(template="template_of_the_model")))


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """All that is stored about a ticket."""

    ticket: Ticket
    clocks: Mapping[str, Clock]
    dossier: Dossier
    events: tuple[Event, ...]
    approvals: tuple[Approval, ...]
    held: Mapping[str, int]

    @property
    def waiting(self) -> list[Approval]:
        return [one for one in self.approvals if one.is_waiting and one.kind is ApprovalKind.GATE]


class ModelWorld(Team):
    """A team that plays by random rules. `firing` is what really fires: alert → since when."""

    database: Watched

    def __init__(self, folder: Path, database: Watched, rules: Rules, *, is_correlated: bool) -> None:
        super().__init__(folder, database)
        if not database.is_cluster:
            # The server's own clock may be past a day of ours: then what is not due yet would be done.
            self.clock = FakeClock(NOW)
        self.desk = self.another_desk()
        self.firing: dict[tuple[str, str], datetime] = {}
        self.profile = replace(self.desk.policy, correlation=(BY_HOST,) if is_correlated else ())
        self.play_by(rules)
        database.watch.desk = self.desk

    def another_desk(self) -> Desk:
        if "configuration" not in _KEPT:
            _KEPT["configuration"] = read(self.path)
        return Desk(
            store=self.database,
            clock=self.clock,
            configuration=_KEPT["configuration"],
            hosts=self.fleet,
            web=self.web,
            notifier=self.sender,
        )

    def play_by(self, rules: Rules) -> None:
        configuration: Configuration = self.desk.configuration
        self.desk.take_over(replace(configuration, policy=rules.applied_to(self.profile)))

    async def stock_up(self) -> None:
        await add_part(self.desk, Part(number="disk", name="a disk", stock=9000, minimum=0, changed_at=NOW), "mei")

    # --- what happens -----------------------------------------------------------------------------------

    async def shows(self, host: str, severity: str, *, is_firing: bool) -> None:
        """Alertmanager sends an alert, perhaps once more, or its end."""
        since = self.firing.setdefault((host, severity), self.clock.now())
        if not is_firing:
            del self.firing[host, severity]
        await self.post(self._sent(host, severity, since, is_firing=is_firing))

    def _sent(self, host: str, severity: str, since: datetime, *, is_firing: bool) -> dict[str, Any]:
        ended = {} if is_firing else {"endsAt": self.clock.now().isoformat()}
        made = alert(status="firing" if is_firing else "resolved", severity=severity, instance=f"{host}:9100")
        return {**made, "startsAt": since.isoformat(), **ended}

    def key(self, host: str, severity: str) -> str:
        """Under which name a ticket knows this alert."""
        sent = self._sent(host, severity, self.clock.now(), is_firing=True)
        body = orjson.dumps({"version": "4", "status": "firing", "alerts": [sent]})
        parsed = parse(body, source="main", received_at=self.clock.now(), receipt="r")
        return parsed.reports[0].alert

    async def look(self) -> None:
        """The watch looks until there is nothing to see."""
        for _ in range(200):
            if not await look_at_clocks(self.desk):
                return
        raise AssertionError("the watch finds the same clocks again and again")

    async def later(self, minutes: float, *, looks: int) -> None:
        """Time passes, and the watch looks so often as it goes: once is like after an outage, 0 like in one."""
        for _ in range(looks):
            self.clock.advance(timedelta(minutes=minutes / looks))
            await self.look()
            await self.work()
        if not looks:
            self.clock.advance(timedelta(minutes=minutes))

    # --- what is stored ---------------------------------------------------------------------------------

    async def all_seen(self) -> dict[int, Seen]:
        return dict(await self.read(lambda tx: {one.id: _seen(tx, one.id) for one in tx.tickets.listed(limit=500)}))

    async def failed_jobs(self) -> list[tuple[str, str]]:
        on_the_server = "SELECT task_name, status::text, attempts, args::text FROM procrastinate_jobs "
        on_the_server += "WHERE attempts > 1 OR status = 'failed'"
        query = text(on_the_server if self.database.is_cluster else "SELECT kind, error FROM jobs WHERE attempts > 0")
        return list(await self.read(lambda tx: [tuple(row) for row in tx.connection.execute(query)]))

    async def seen(self, key: int) -> Seen:
        found: Seen = await self.read(lambda tx: _seen(tx, key))
        return found


def _seen(tx: Transaction, ticket_id: int) -> Seen:
    known = tx.tickets.one(ticket_id)
    return Seen(
        ticket=known.ticket,
        clocks=known.clocks,
        dossier=tx.dossiers.of_ticket(ticket_id),
        events=tuple(tx.tickets.events(ticket_id)),
        approvals=tuple(tx.approvals.of_ticket(ticket_id)),
        held=summed(tx.parts.held_by(ticket_id)),
    )


# --- the way out ----------------------------------------------------------------------------------------

_NEXT: Mapping[Status, tuple[str, dict[str, Any]]] = {
    Status.NEW: ("acknowledge", {}),
    Status.FIRST_AID: ("acknowledge", {}),
    Status.HANDED_OVER: ("acknowledge", {}),
    Status.WAITING: ("resume", {"reason": "it is here"}),
    Status.IN_PROGRESS: ("restore", {"reason": "it works again"}),
    Status.PROPOSED: ("restore", {"reason": "it works again"}),
    Status.APPROVED: ("restore", {"reason": "it works again"}),
    Status.RESTORED: ("resolve", {"reason": "it stays away"}),
    Status.RESOLVED: ("close", {"reason": "done"}),
}
_NAMED = re.compile(r"([^()]*) \(verb: ([a-z-]+)\)")
_LOOKS = {"monitoring": "monitor", "test cases": "test", "reporter": "reporter"}


async def way_out(world: ModelWorld, ticket_id: int) -> None:
    """People bring the ticket to its end, by no more than the verbs and what the refusals tell them."""
    said: list[str] = []
    for _ in range(40):
        await world.work()
        seen = await world.seen(ticket_id)
        if not seen.ticket.is_open:
            return
        said.append(f"{seen.ticket.status}: {await one_step(world, seen)}")
    raise AssertionError(f"{seen.ticket.number} has no way out:\n" + "\n".join(said[-12:]))


async def one_step(world: ModelWorld, seen: Seen) -> str:
    """The next thing that somebody would do to get on; gives what was said."""
    if seen.waiting:
        return await _consents(world, seen)
    ticket = seen.ticket
    shown = [key for key in world.firing if world.key(*key) in ticket.firing]
    if shown and ticket.status in (Status.IN_PROGRESS, Status.APPROVED, Status.PROPOSED, Status.RESTORED):
        for host, severity in shown:
            await world.shows(host, severity, is_firing=False)
        return "the alerts clear"
    verb, form = _NEXT[ticket.status]
    return await _tries(world, ticket, verb, form)


async def _tries(world: ModelWorld, ticket: Ticket, verb: str, form: Mapping[str, Any]) -> str:
    """Does it, or brings what the refusal names."""
    try:
        await do(world.desk, verb, str(ticket.id), actor="mei", content=form)
    except Refused as refused:
        for thing, needed in _NAMED.findall(str(refused)):
            await _brings(world, ticket, thing, needed)
        return f"{verb}: {refused}"
    return verb


async def _brings(world: ModelWorld, ticket: Ticket, thing: str, verb: str) -> None:
    """What a sentence says is missing, by the verb that it names."""
    word = thing.rsplit(maxsplit=1)[-1]
    looked = next((by for words, by in _LOOKS.items() if words in thing), "")
    forms: Mapping[str, Mapping[str, Any]] = {
        "assign": {"to": "mei"},
        "classify": {"kind": "hardware"},
        "regrade": {"grade": ticket.grade, "reason": "it is as bad as that"},
        "diagnose": {"text": "the disk is full", "cause_class": "environment", "cause": "logs"},
        "propose": PLAN,
        "solve": {"text": "rotated the logs"},
        "verify": {"by": looked, "good": True},
        "satisfaction": {"score": 4},
        "follow-up": {"text": "all is well"},
        "register": {"fields": {word: "X1"}},
        "attach": {"name": word, "content": "x"},
    }
    if verb == "review":
        await write_review(world.desk, str(ticket.id), "mei", REVIEW)
    elif verb != "propose" or not (await world.seen(ticket.id)).waiting:
        await _tries(world, ticket, verb, forms.get(verb, {}))


async def _consents(world: ModelWorld, seen: Seen) -> str:
    """Everybody who may says yes to what waits, until it is decided."""
    asked = seen.waiting[0]
    for person in able(asked.roles, world.desk.configuration.people):
        await do(world.desk, "approve", str(seen.ticket.id), actor=person, content={})
        if not any(one.id == asked.id for one in (await world.seen(seen.ticket.id)).waiting):
            break
    return f"{asked.question} yes"
