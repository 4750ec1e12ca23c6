"""A model of first aid: fifty alerts over ten hosts in three racks, two workers, crashes, freezes and clock jumps.

Whatever happens in whatever order: no lock, cooldown or budget is broken, and nothing that runs once runs twice.
Acts are counted on the hosts, by files that the commands append to through the real marker script on a real shell.
More runs, and other ones each time: RUNS_OF_THE_MODEL=500.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from responder.app import work_for
from responder.domain.acts import CommandResult
from responder.domain.target import Target
from responder.errors import ResponderError
from responder.flows.desk import Desk
from responder.store.jobs import Job
from tests.databases import opened
from tests.fakes import MINUTE, SECOND, Crash
from tests.world import HOST_KEY, World, alert, resolved

RUNS = int(os.environ.get("RUNS_OF_THE_MODEL", "0"))
HOSTS = {f"web-{n}": f"r{n % 3}" for n in range(10)}
INVENTORY = "targets:\n" + "\n".join(
    f"  - {{name: {name}, key_file: key, host_key: {HOST_KEY}, groups: [web], failure_domain: {rack}}}"
    for name, rack in HOSTS.items()
)
COOLDOWN, WITHIN, PER_RACK, PER_HOUR = 45 * MINUTE, 30 * MINUTE, 2, 5
POLICY = f"""
extends: p1-p4
refire_window: 1h
budgets:
  - {{name: per rack, max: {PER_RACK}, per: failure_domain, within: 30m}}
first_aid:
  - {{name: mend it, when: ['alertname="ServiceDown"'], runbook: restart-app}}
"""
RUNBOOK = f"""
runbook: restart-app
summary: Two things, one after the other
cooldown: 45m
runs_per_hour: {PER_HOUR}
steps:
  - {{name: first, ssh: {{run: [/bin/sh, -c, 'echo first >> acts'], once: because}}}}
  - wait: {{for: 30s}}
  - {{name: second, ssh: {{run: [/bin/sh, -c, 'echo second >> acts'], once: because}}}}
"""


@dataclass
class ShellFleet:
    """Ten hosts, each a folder; commands run for real in it. `fate` strikes at the next command."""

    folder: Path
    fate: str = ""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    frozen: asyncio.Event = field(default_factory=asyncio.Event)
    began: list[tuple[str, str]] = field(default_factory=list)

    async def run(self, target: Target, argv: Sequence[str], *, timeout: timedelta, stdin: str = "") -> CommandResult:
        fate, self.fate = self.fate, ""
        if fate == "dies before":
            raise Crash
        if fate == "freezes before":
            await self._freeze()
        home = self.folder / target.name
        home.mkdir(exist_ok=True)
        environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
        if len(argv) > 5:  # a command under its marker; a question about one is shorter
            self.began.append((target.name, argv[4]))
        done = subprocess.run(argv, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=30)
        if fate == "dies after":
            raise Crash
        if fate == "freezes after":
            await self._freeze()
        return CommandResult(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    async def _freeze(self) -> None:
        self.frozen.set()
        await self.gate.wait()

    def acts(self) -> Counter[tuple[str, str]]:
        """How often each word stands in each host's file."""
        counted: Counter[tuple[str, str]] = Counter()
        for path in self.folder.glob("*/acts"):
            for line in path.read_text().splitlines():
                counted[path.parent.name, line] += 1
        return counted

    async def close(self) -> None: ...


class FirstAid(RuleBasedStateMachine):
    """Rules are what may happen; invariants what must hold after each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        (self.folder / "hosts").mkdir()
        self.hung: list[asyncio.Task[None]] = []
        self.at_work: set[int] = set()
        self.fired = 0

    @initialize()
    def begin(self) -> None:
        self.database = opened(self.folder / "model.db")
        self.world = World(self.folder, self.database, policy=POLICY, inventory=INVENTORY, runbook=RUNBOOK)
        self.fleet = ShellFleet(self.folder / "hosts")
        self.world.fleet = self.fleet  # type: ignore[assignment]
        self.desks = [self.world.another_desk(), self.world.another_desk()]

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self._thaw()
            self.database.close()
        self.loop.close()
        self._folder.cleanup()

    # --- what may happen ---------------------------------------------------------------------------

    @precondition(lambda self: self.fired < 50)
    @rule(hosts=st.lists(st.sampled_from(sorted(HOSTS)), min_size=1, max_size=5), part=st.sampled_from("ab"))
    def alerts_fire(self, hosts: list[str], part: str) -> None:
        self.fired += len(hosts)
        fired = (alert(instance=f"{host}:9100", part=part) for host in hosts)
        self._do(self.world.post(*fired, desk=self.desks[0]))

    @rule(host=st.sampled_from(sorted(HOSTS)), part=st.sampled_from("ab"))
    def an_alert_clears(self, host: str, part: str) -> None:
        self._do(self.world.post(resolved(instance=f"{host}:9100", part=part), desk=self.desks[1]))

    @rule(
        worker=st.integers(0, 1),
        fate=st.sampled_from(["", "", "", "", "dies before", "dies after", "freezes before", "freezes after"]),
    )
    def a_worker_takes_a_job(self, worker: int, fate: str) -> None:
        self._do(self._take(self.desks[worker], fate))

    @rule(worker=st.integers(0, 1))
    def a_worker_does_all_that_is_due(self, worker: int) -> None:
        async def all_due() -> None:
            for _ in range(100):
                if not await self._take(self.desks[worker], ""):
                    return

        self._do(all_due())

    @precondition(lambda self: self.at_work)
    @rule(worker=st.integers(0, 1))
    def a_frozen_workers_job_is_given_to_another(self, worker: int) -> None:
        self.at_work.clear()
        self._do(self._take(self.desks[worker], ""))

    @precondition(lambda self: self.hung)
    @rule()
    def the_frozen_come_back(self) -> None:
        self._thaw()

    @rule(seconds=st.sampled_from([1, 31, 61, 700, 1900, 4000, -45]))
    def the_clock_moves(self, seconds: int) -> None:
        self.world.clock.advance(seconds * SECOND)

    # --- what must hold ----------------------------------------------------------------------------

    @invariant()
    def nothing_that_runs_once_has_run_twice(self) -> None:
        if not hasattr(self, "database"):
            return
        steps = Counter((row["target"], word) for row in self._runs() for word in ("first", "second"))
        for (host, word), times in self.fleet.acts().items():
            assert times <= steps[host, word], (host, word, times)
        assert len(self.fleet.began) == len(set(self.fleet.began)), "an attempt was sent to its host twice"

    @invariant()
    def guards_were_kept(self) -> None:
        if not hasattr(self, "database"):
            return
        runs = self._runs()
        for index, run in enumerate(runs):
            _check(run, runs[:index])

    def _runs(self) -> list[dict[str, Any]]:
        def body(tx: Any) -> list[dict[str, Any]]:
            found = [run for ticket in tx.tickets.listed(limit=500) for run in tx.runs.of_ticket(ticket.id)]
            return [
                {"id": run.id, "target": run.target, "started_at": run.started_at, "ended_at": run.ended_at}
                for run in sorted(found, key=lambda run: run.id)
            ]

        found: list[dict[str, Any]] = self.loop.run_until_complete(self.database.read(body))
        for run in found:
            known = self._seen.setdefault(run["id"], {**run, "open_before": self._open_before(found, run)})
            known["ended_at"] = run["ended_at"]
        return [self._seen[run["id"]] for run in found]

    @property
    def _seen(self) -> dict[int, dict[str, Any]]:
        seen: dict[int, dict[str, Any]] = self.__dict__.setdefault("seen", {})
        return seen

    @staticmethod
    def _open_before(found: list[dict[str, Any]], run: dict[str, Any]) -> set[int]:
        """Earlier runs that had not ended when this one began, or were seen to end in the same breath."""
        return {one["id"] for one in found if one["id"] < run["id"] and one["ended_at"] is None}

    # --- doing -------------------------------------------------------------------------------------

    def _do(self, work: Any) -> None:
        self.loop.run_until_complete(work)

    async def _take(self, desk: Desk, fate: str) -> bool:
        """Lets a worker take the job that is due the longest; True if there was one."""
        job = await self._due(desk)
        if job is None:
            return False
        self.fleet.fate = fate
        self.fleet.frozen.clear()
        self.at_work.add(job.id)
        task = asyncio.create_task(self._carry_out(desk, job))
        freezes = asyncio.create_task(self.fleet.frozen.wait())
        await asyncio.wait({task, freezes}, return_when=asyncio.FIRST_COMPLETED)
        freezes.cancel()
        if not task.done():
            self.hung.append(task)
        self.fleet.fate = ""
        return True

    async def _due(self, desk: Desk) -> Job | None:
        kinds, now = work_for(desk).handlers, desk.clock.now()

        def body(tx: Any) -> list[Job]:
            found: list[Job] = tx.local_jobs.due([(kinds, 1)], now, without=self.at_work, locked=())[0]
            return found

        found = await self.database.read(body)
        return found[0] if found else None

    async def _carry_out(self, desk: Desk, job: Job) -> None:
        try:
            await work_for(desk).handlers[job.kind](job)
        except Crash:
            # The process is gone; the job is still there for whoever comes next.
            self.at_work.discard(job.id)
            return
        except ResponderError as error:
            later, said = desk.clock.now() + 5 * SECOND, str(error)
            await self.database.write(lambda tx: tx.local_jobs.retry(job.id, later, said))
            self.at_work.discard(job.id)
            return
        await self.database.write(lambda tx: tx.local_jobs.done([job.id]))
        self.at_work.discard(job.id)

    def _thaw(self) -> None:
        hung, self.hung = self.hung, []
        self.fleet.gate.set()
        if hung:
            self.loop.run_until_complete(asyncio.wait(hung))
        self.fleet.gate = asyncio.Event()


def _check(run: dict[str, Any], earlier: list[dict[str, Any]]) -> None:
    """The run began as the guards allow, given the runs before it."""
    at = run["started_at"]
    for one in earlier:
        if one["target"] == run["target"]:
            assert one["id"] not in run["open_before"], f"run {run['id']} began while run {one['id']} was at work"
            assert one["ended_at"] is not None
            assert at >= one["ended_at"] + COOLDOWN, f"run {run['id']} began in the cooldown of run {one['id']}"
    rack = HOSTS[run["target"]]
    here = [one for one in earlier if HOSTS[one["target"]] == rack]
    touched = {one["target"] for one in here if one["started_at"] > at - WITHIN or one["id"] in run["open_before"]}
    assert len(touched | {run["target"]}) <= PER_RACK, f"run {run['id']} is beyond the budget of {rack}"
    assert sum(one["started_at"] > at - 60 * MINUTE for one in earlier) < PER_HOUR


FirstAid.TestCase.settings = settings(
    max_examples=RUNS or 40,
    derandomize=not RUNS,
    stateful_step_count=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate) if not RUNS else tuple(Phase),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestFirstAid = pytest.mark.timeout(0 if RUNS else 300)(FirstAid.TestCase)
