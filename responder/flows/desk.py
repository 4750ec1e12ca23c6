"""What every flow works with: the store, the clock, the configuration in use, and the ways out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from responder.adapters.links import Links
from responder.adapters.notifier import Secret
from responder.clock import Clock
from responder.config.configuration import Configuration
from responder.domain.acts import CommandResult, Fetch, Page, Query, Request, Sample
from responder.domain.policy import Policy
from responder.domain.target import Target
from responder.flows.password_door import PasswordDoor
from responder.store.audit_log import says
from responder.store.database import Store


class Hosts(Protocol):
    """The way to targets; `adapters.ssh.SshHosts` in earnest."""

    async def run(
        self, target: Target, argv: Sequence[str], *, timeout: timedelta, stdin: str = ""
    ) -> CommandResult: ...

    async def close(self) -> None: ...


class Web(Protocol):
    """The way to Prometheus and to URLs; `adapters.http_client.HttpClient` in earnest."""

    async def query(self, query: Query) -> tuple[Sample, ...]: ...

    async def fetch(self, fetch: Fetch) -> Page: ...

    async def send(self, request: Request) -> Page: ...

    async def close(self) -> None: ...


class Sender(Protocol):
    """The way to people; `adapters.notifier.Notifier` in earnest."""

    async def send(self, address: Secret, subject: str, body: str) -> None: ...

    def close(self) -> None: ...


@dataclass(kw_only=True)
class Desk:
    """The one thing that flows are given; `configuration` is swapped whole by a reload.

    `followed` is the policy that all deadlines follow; None while that is not known, as after a start. `planning` is
    held while they are made to follow another one, and by whoever looks whether one has passed.
    """

    store: Store
    clock: Clock
    configuration: Configuration
    hosts: Hosts
    web: Web
    notifier: Sender
    links: Links = field(init=False)
    passwords: PasswordDoor = field(default_factory=PasswordDoor)
    loaded_at: datetime = field(init=False)
    followed: Policy | None = field(default=None, init=False)
    planning: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def __post_init__(self) -> None:
        self.take_over(self.configuration)

    @property
    def policy(self) -> Policy:
        return self.configuration.policy

    def take_over(self, configuration: Configuration) -> None:
        """From now on this configuration; what is at work goes on with its snapshot."""
        if self.configuration is not configuration:
            says(_changed(self.configuration, configuration))
        self.configuration = configuration
        self.loaded_at = self.clock.now()
        self.links = Links(configuration.settings.base_url, configuration.secret)
        self.store.first_grades = configuration.policy.delivery.lane


def _changed(before: Configuration, after: Configuration) -> str:
    """Which files and runbooks are not as before, in words for the audit log."""
    then, now = (
        {**one.files, **{f"runbook {name}": book.version for name, book in one.runbooks.items()}}
        for one in (before, after)
    )
    names = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    return f"changed: {', '.join(names)}" if names else "no file has changed"
