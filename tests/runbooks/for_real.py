"""A shipped runbook, whole, on a real host: through the engine, as the service runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from responder.adapters.http_client import HttpClient
from responder.adapters.ssh import SshHosts
from responder.config.configuration import SHIPPED_RUNBOOKS
from responder.domain.runbook import Attempt, Runbook
from responder.domain.target import Target
from responder.firstaid.engine import Engine
from responder.firstaid.loader import load_runbook
from responder.firstaid.plan import from_snapshot, snapshot
from responder.firstaid.ports import Ended
from responder.flows.hands import TargetHands
from tests.fakes import Disk, FakeClock, MemoryJournal


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a run ended, and every act of it."""

    ended: Ended
    attempts: tuple[Attempt, ...]

    @property
    def acts(self) -> list[tuple[str, ...]]:
        """What could change something."""
        return [one.command for one in self.attempts if one.kind != "harmless"]

    def output_of(self, text: str) -> str:
        """What the act whose command contains this text printed, on whichever host."""
        return "\n".join(one.output for one in self.attempts if text in " ".join(one.command))


def shipped(name: str, **defaults: str) -> Runbook:
    """A shipped runbook; other defaults stand for what a copy of the file would say, without its bounds."""
    runbook = load_runbook(SHIPPED_RUNBOOKS / f"{name}.yml")
    parameters = (
        replace(one, default=defaults[one.name], pattern=None) if one.name in defaults else one
        for one in runbook.parameters
    )
    return replace(runbook, parameters=tuple(parameters))


async def run_for_real(
    runbook: Runbook, target: Target, labels: Mapping[str, str], inventory: Sequence[Target] = ()
) -> Ran:
    """The run to its end. Where it waits, only its clock moves on."""
    clock, disk, hosts, web = FakeClock(datetime.now(UTC)), Disk(), SshHosts(), HttpClient()
    plan = from_snapshot(snapshot(runbook, labels, target, inventory=inventory, nonce=uuid4().hex))
    engine = Engine(
        plan=plan,
        target=target.name,
        hands=TargetHands(hosts=hosts, web=web, target=target, targets=inventory),
        journal=MemoryJournal(clock, disk),
        clock=clock,
        started_at=clock.now(),
    )
    try:
        for _ in range(100):
            result = await engine.run()
            if isinstance(result, Ended):
                return Ran(ended=result, attempts=tuple(disk.attempts))
            clock.advance_to(result.until)
    finally:
        await hosts.close()
        await web.close()
    raise AssertionError("the run waits for ever")
