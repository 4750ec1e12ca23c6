"""Steps on a real host: through the engine, or only their questions and acts."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from responder.adapters.http_client import HttpClient
from responder.adapters.ssh import SshHosts
from responder.domain.acts import Command, CommandResult, Facts
from responder.domain.runbook import StepSpec
from responder.domain.target import Target
from responder.firstaid.engine import Engine
from responder.firstaid.plan import Plan, from_snapshot, snapshot
from responder.firstaid.ports import Ended
from responder.firstaid.rehearsal import Rehearsed, rehearse
from responder.firstaid.step import Step
from responder.flows.hands import TargetHands
from tests.fakes import Disk, FakeClock, MemoryJournal, a_runbook


@dataclass
class RealHost:
    """A target behind a real sshd. `disk` is what the last run's journal has written.

    Below `directory`, `tools` comes first where its sessions look for programs, and `state` is where they keep markers.
    """

    target: Target
    hosts: SshHosts
    directory: Path
    disk: Disk = field(default_factory=Disk)

    def plan(self, kind: str, settings: Mapping[str, Any]) -> Plan:
        spec = StepSpec(name=kind, kind=kind, settings=settings)
        return from_snapshot(snapshot(a_runbook([spec]), {}, self.target, nonce=uuid4().hex))

    async def run(self, kind: str, **settings: Any) -> Ended:
        """One step to its end. Where it waits, only its clock moves on."""
        clock = FakeClock(datetime.now(UTC))
        self.disk = Disk()
        engine = Engine(
            plan=self.plan(kind, settings),
            target=self.target.name,
            hands=self._hands(),
            journal=MemoryJournal(clock, self.disk),
            clock=clock,
            started_at=clock.now(),
        )
        for _ in range(50):
            result = await engine.run()
            if isinstance(result, Ended):
                return result
            clock.advance_to(result.until)
        raise AssertionError("the run waits for ever")

    async def rehearsed(self, kind: str, **settings: Any) -> Rehearsed:
        """What a dry run of one step shows."""
        (shown,) = await rehearse(self.plan(kind, settings), self._hands(), datetime.now(UTC))
        return shown

    async def facts(self, step: Step) -> Facts:
        """What the step sees now."""
        question = step.look()
        assert isinstance(question, Command)
        return step.read(await self.send(question))

    async def send(self, command: Command) -> CommandResult:
        return await self._hands().run("", command)

    def with_become(self, *argv: str) -> RealHost:
        return replace(self, target=replace(self.target, become=argv))

    @property
    def outputs(self) -> str:
        return "\n".join(attempt.output for attempt in self.disk.attempts)

    def _hands(self) -> TargetHands:
        return TargetHands(hosts=self.hosts, web=HttpClient(), target=self.target)


def run_here(command: Command, environment: Mapping[str, str] | None = None) -> CommandResult:
    """The command's argument list on this machine, without any shell of ours around it."""
    done = subprocess.run(
        command.argv, input=command.stdin.encode(), capture_output=True, env=environment, timeout=30, check=False
    )
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return CommandResult(exit_code=done.returncode, stdout=out, stderr=err)


def a_copy_of(program: str, path: Path) -> Path:
    """The same program under a name that no other process on the machine has."""
    path.write_bytes(Path(program).resolve().read_bytes())
    path.chmod(0o755)
    return path
