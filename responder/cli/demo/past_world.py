"""What the demo's made-up past is played with: a clock that is moved, and hosts, pages and people that only pretend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from responder.adapters.notifier import Secret
from responder.domain.acts import CommandResult, Fetch, Page, Query, Request, Sample
from responder.domain.target import Target

_SEED = 3


@dataclass(kw_only=True)
class MovedClock:
    """A clock that stands where it was put."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass(kw_only=True)
class MadeUpHosts:
    """Services that only pretend: those of `broken` come back by no restart. A command takes its time by the clock."""

    clock: MovedClock
    broken: set[str] = field(default_factory=set)
    pids: dict[str, int] = field(default_factory=dict)
    _random: Random = field(default_factory=lambda: Random(_SEED))  # noqa: S311 nothing here is a secret

    async def run(self, target: Target, argv: Sequence[str], *, timeout: timedelta, stdin: str = "") -> CommandResult:  # noqa: ARG002
        usual = 4.0 if argv[-1] == "restart" else 0.2
        self.clock.at += timedelta(seconds=usual * self._random.lognormvariate(0, 0.5))
        if argv[-1] == "restart":
            if target.name in self.broken:
                return CommandResult(exit_code=1, stderr="webapp: config line 3: unknown option 'prot' (made up)")
            self.pids[target.name] = self.pids.get(target.name, 4000) + 7
            return CommandResult(exit_code=0)
        if argv[-1] == "status":
            pid = self.pids.get(target.name, 0)
            return CommandResult(exit_code=0 if pid else 3, stdout=str(pid or "not running"))
        return CommandResult(exit_code=0, stdout="(made up)")

    async def close(self) -> None: ...


class MadeUpWeb:
    """The service answers wherever it is asked."""

    async def query(self, query: Query) -> tuple[Sample, ...]:  # noqa: ARG002
        return ()

    async def fetch(self, fetch: Fetch) -> Page:  # noqa: ARG002
        return Page(status=200, text="webapp answers")

    async def send(self, request: Request) -> Page:  # noqa: ARG002
        return Page(status=200)

    async def close(self) -> None: ...


class Nobody:
    """Takes every message and tells nobody."""

    async def send(self, address: Secret, subject: str, body: str) -> None: ...

    def close(self) -> None: ...
