"""A whole desk for tests of flows: a real database, a clock that is moved by hand, and fakes outside of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from responder.adapters.notifier import Secret
from responder.app import work_for
from responder.domain.acts import CommandResult, Fetch, Page, Query, Request, Sample
from responder.domain.target import Target
from responder.errors import SendFailed
from responder.flows.desk import Desk
from responder.flows.receive import Post, receipt, receive
from responder.flows.watch_holds import look_at_held
from responder.intake.alertmanager import parse
from responder.store.database import Database
from responder.store.reports import Body
from responder.store.transaction import Transaction
from responder.web.shapes import whole_ticket
from responder.worker.cluster import ClusterWorker
from responder.worker.handlers import Handler
from responder.worker.local import LocalWorker
from tests.configurations import as_read
from tests.fakes import FakeClock

MAIN = """
listen: 127.0.0.1:9180
base_url: https://responder.test
console: open
database: sqlite:///unused.db
runbooks: [runbooks]
kill_switch_file: automation-off
sources:
  - {name: main, open: true}
"""
# What must be there before a P1 is closed has tests of its own.
POLICY = """
extends: p1-p4
moves: []
first_aid:
  - {name: restart it, when: ['alertname="ServiceDown"'], runbook: restart-app}
"""
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
INVENTORY = f"""
targets:
  - {{name: web-1, key_file: key, host_key: {HOST_KEY}}}
  - {{name: web-2, key_file: key, host_key: {HOST_KEY}}}
"""
PEOPLE = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
teams:
  - {name: ops, tiers: {1: [mei], 2: [lars]}}
"""
RUNBOOK = """
runbook: restart-app
summary: Restart the app
parameters:
  app: {type: name, label: app, default: app}
cooldown: 15m
runs_per_hour: 4
steps:
  - name: restart
    service_restart:
      manager: commands
      status: [svc, status, "{{ app }}"]
      restart: [svc, restart, "{{ app }}"]
      grace: 0s
      stable_for: 0s
"""


def write_files(folder: Path, **changed: str) -> Path:
    """Good files, except for what is `changed` (main, policy, inventory, people, runbook)."""
    (folder / "runbooks").mkdir(exist_ok=True)
    (folder / "responder.yml").write_text(changed.get("main", MAIN))
    (folder / "policy.yml").write_text(changed.get("policy", POLICY))
    (folder / "inventory.yml").write_text(changed.get("inventory", INVENTORY))
    (folder / "people.yml").write_text(changed.get("people", PEOPLE))
    (folder / "runbooks" / "restart-app.yml").write_text(changed.get("runbook", RUNBOOK))
    (folder / "secret.key").write_text("a secret for tests, long enough to sign with")
    return folder / "responder.yml"


@dataclass
class FakeFleet:
    """Hosts with one service each. `broken` names hosts where no restart helps."""

    pids: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    commands: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    before: Callable[[str, Sequence[str]], None] | None = None

    async def run(self, target: Target, argv: Sequence[str], *, timeout: timedelta, stdin: str = "") -> CommandResult:
        if self.before is not None:
            self.before(target.name, argv)
        self.commands.append((target.name, tuple(argv)))
        if argv[1] == "restart":
            if target.name in self.broken:
                return CommandResult(exit_code=1, stderr="config is broken")
            self.pids[target.name] = self.pids.get(target.name, 100) + 1
            return CommandResult(exit_code=0)
        pid = self.pids.get(target.name, 0)
        return CommandResult(exit_code=0 if pid else 3, stdout=str(pid or ""))

    def restarts(self) -> list[str]:
        return [host for host, argv in self.commands if argv[1] == "restart"]

    async def close(self) -> None: ...


@dataclass
class FakeWeb:
    """Answers every URL with what `pages` says."""

    pages: dict[str, Page] = field(default_factory=dict)
    sent: list[Request] = field(default_factory=list)

    async def query(self, query: Query) -> tuple[Sample, ...]:
        return ()

    async def fetch(self, fetch: Fetch) -> Page:
        return self.pages.get(fetch.url, Page(status=404))

    async def send(self, request: Request) -> Page:
        self.sent.append(request)
        return self.pages.get(request.url, Page(status=404))

    async def close(self) -> None: ...


@dataclass
class FakeSender:
    """Keeps what was sent; fails as often as `failures` says, and waits while `gate` is shut."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    failures: deque[SendFailed] = field(default_factory=deque)
    gate: asyncio.Event | None = None

    async def send(self, address: Secret, subject: str, body: str) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            raise self.failures.popleft()
        self.sent.append((address.value.rsplit("/", 1)[-1], subject, body))

    def people(self) -> list[str]:
        return [person for person, _, _ in self.sent]

    def close(self) -> None: ...


class World:
    """Everything that a flow touches."""

    def __init__(self, folder: Path, database: Database, **changed: str) -> None:
        self.path = write_files(folder, **changed)
        self.database = database
        # Near the present: PostgreSQL's worker asks the server's own clock which jobs are due.
        self.clock = FakeClock(datetime.now(UTC).replace(microsecond=0))
        self.fleet = FakeFleet()
        self.web = FakeWeb()
        self.sender = FakeSender()
        self.desk = self.another_desk()

    def another_desk(self) -> Desk:
        """As a second replica, or the same one after a restart, would have it."""
        return Desk(
            store=self.database,
            clock=self.clock,
            configuration=as_read(self.path),
            hosts=self.fleet,
            web=self.web,
            notifier=self.sender,
        )

    async def post(self, *alerts: Mapping[str, Any], desk: Desk | None = None) -> None:
        """What Alertmanager would send."""
        body = orjson.dumps({"version": "4", "status": "firing", "alerts": alerts})
        now = self.clock.now()
        name = receipt(now)
        parsed = parse(body, source="main", received_at=now, receipt=name)
        kept = Body(id=name, source="main", received_at=now, body=body)
        await receive(desk or self.desk, [Post(body=kept, reports=parsed.reports, complaints=parsed.complaints)])

    async def work(self, **instead: Handler) -> None:
        """Does all jobs that are due now; `instead` names other handlers for some kinds."""
        work = work_for(self.desk)
        work = replace(work, handlers={**work.handlers, **instead})
        if not self.database.is_cluster:
            await LocalWorker(self.database, work, self.clock).run_until_idle()
            return
        while await self._make_due():
            await ClusterWorker(self.database, work).run_until_idle()

    async def _make_due(self) -> int:
        """PostgreSQL's own clock stands still beside ours: what is due by ours is made due by its."""
        due = text(
            "UPDATE procrastinate_jobs SET scheduled_at = now() "
            "WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= :at)"
        )
        at = self.clock.now()
        return await self.database.write(lambda tx: tx.connection.execute(due, {"at": at}).rowcount)

    async def advance(self, duration: timedelta) -> None:
        """Moves the time, and does what has become due."""
        self.clock.advance(duration)
        await look_at_held(self.desk)
        await self.work()

    async def ticket(self, key: str | int = 1) -> dict[str, Any]:
        found: dict[str, Any] = await self.read(lambda tx: whole_ticket(tx, str(key), policy=self.desk.policy))
        return found

    async def sums(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        rows = await self.read(lambda tx: tx.sums.all())
        return {tuple(sorted(labels.items())): value for key, labels, value in rows if key == name}

    async def read(self, body: Callable[[Transaction], Any]) -> Any:
        return await self.database.read(body)


def alert(name: str = "ServiceDown", *, status: str = "firing", **labels: str) -> dict[str, Any]:
    """An alert as it stands in a body; severity critical on web-1 unless said otherwise."""
    given = {"alertname": name, "severity": "critical", "instance": "web-1:9100", **labels}
    return {"status": status, "labels": given, "annotations": {"summary": f"{name} on {given['instance']}"}}


def resolved(name: str = "ServiceDown", **labels: str) -> dict[str, Any]:
    return alert(name, status="resolved", **labels)


def texts(ticket: Mapping[str, Any]) -> str:
    """All sentences of a ticket's history."""
    return "\n".join(event["text"] for event in ticket["events"])
