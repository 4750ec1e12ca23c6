"""What every flow works with: the store, the clock, the configuration in use, and the ways out."""

from __future__ import annotations

from dataclasses import dataclass, field

from responder.adapters.http_client import HttpClient
from responder.adapters.links import Links
from responder.adapters.notifier import Notifier
from responder.adapters.ssh import SshHosts
from responder.clock import Clock
from responder.config.configuration import Configuration
from responder.domain.policy import Policy
from responder.store.database import Store


@dataclass(kw_only=True)
class Desk:
    """The one thing that flows are given; `configuration` is swapped whole by a reload."""

    store: Store
    clock: Clock
    configuration: Configuration
    hosts: SshHosts
    web: HttpClient
    notifier: Notifier
    links: Links = field(init=False)

    def __post_init__(self) -> None:
        self.links = Links(self.configuration.settings.base_url, self.configuration.secret)

    @property
    def policy(self) -> Policy:
        return self.configuration.policy

    def take_over(self, configuration: Configuration) -> None:
        """From now on this configuration; what is at work goes on with its snapshot."""
        self.configuration = configuration
        self.links = Links(configuration.settings.base_url, configuration.secret)
