"""How a run reaches its targets and the world: commands over SSH, questions and requests over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from responder.domain.acts import Command, CommandResult, Fetch, Page, Query, Request, Sample
from responder.domain.target import Target, find
from responder.errors import Refused
from responder.flows.desk import Hosts, Web


@dataclass(kw_only=True)
class TargetHands:
    """The hands of one run. `targets` is the inventory; `target` the run's own host."""

    hosts: Hosts
    web: Web
    target: Target
    targets: Sequence[Target] = ()
    before_first: Callable[[], None] | None = None

    async def run(self, host: str, command: Command) -> CommandResult:
        target = self._target(command.on or host)
        if self.before_first is not None:
            self.before_first()
            self.before_first = None
        argv = (*target.become, *command.argv) if command.become else command.argv
        return await self.hosts.run(target, argv, timeout=command.timeout, stdin=command.stdin)

    async def query(self, query: Query) -> tuple[Sample, ...]:
        return await self.web.query(query)

    async def fetch(self, fetch: Fetch) -> Page:
        return await self.web.fetch(fetch)

    async def send(self, request: Request) -> Page:
        return await self.web.send(request)

    def _target(self, name: str) -> Target:
        if not name or name == self.target.name:
            return self.target
        target = find(self.targets, name)
        if target is None:
            raise Refused(f"{name} is no target in the inventory.")
        return target
