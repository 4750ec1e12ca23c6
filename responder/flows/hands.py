"""How a run reaches its target: commands over SSH, questions over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from responder.domain.runbook import Command, CommandResult, Fetch, Page, Query, Sample
from responder.domain.target import Target
from responder.flows.desk import Hosts, Web


@dataclass(kw_only=True)
class TargetHands:
    """The hands of one run on one target."""

    hosts: Hosts
    web: Web
    target: Target
    before_first: Callable[[], None] | None = None

    async def run(self, command: Command) -> CommandResult:
        if self.before_first is not None:
            self.before_first()
            self.before_first = None
        argv = (*self.target.become, *command.argv) if command.become else command.argv
        return await self.hosts.run(self.target, argv, timeout=command.timeout)

    async def query(self, query: Query) -> tuple[Sample, ...]:
        return await self.web.query(query)

    async def fetch(self, fetch: Fetch) -> Page:
        return await self.web.fetch(fetch)
