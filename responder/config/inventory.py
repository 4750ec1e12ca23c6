"""inventory.yml: the hosts that runbooks may act on."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from responder.adapters.yaml_file import Place
from responder.config.grades import OneOrMore
from responder.config.model import Model, Name
from responder.domain.dependencies import cycle
from responder.domain.target import Target

_HOST_KEY = re.compile(r"(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}( .*)?")
# A bare IPv6 address has two colons or more.
_WITH_PORT = re.compile(r"(?P<host>[^:]*|\[.*\]):(?P<port>\d+)")


def _host_key(text: str) -> str:
    if text and not _HOST_KEY.fullmatch(text.strip()):
        raise ValueError("a host key is written like ssh-ed25519 AAAA…; `responder hosts scan NAME` prints it")
    if text and not _says_its_own_kind(*text.split()[:2]):
        raise ValueError("this is no whole host key: what follows its kind does not begin with that kind")
    return text.strip()


def _says_its_own_kind(kind: str, blob: str) -> bool:
    try:
        return b64decode(blob, validate=True)[4 : 4 + len(kind)] == kind.encode()
    except ValueError:
        return False


def _address(text: str) -> str:
    if found := _WITH_PORT.fullmatch(text):
        host, port = found["host"], found["port"]
        raise ValueError(f"a port stands in a line of its own, port: {port}; the address is {host.strip('[]')}")
    return text


Port = Annotated[int, Field(ge=1, le=65535)]
HostKey = Annotated[str, AfterValidator(_host_key)]
Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9:.\[\]_-]+$"), AfterValidator(_address)]


class Defaults(Model):
    """What every target has that does not say otherwise."""

    user: Name = "responder"
    port: Port = 22
    key_file: Path | None = None
    become: tuple[str, ...] = ()


class TargetFile(Model):
    name: Name
    address: Address | None = None
    port: Port | None = None
    user: Name | None = None
    key_file: Path | None = None
    host_key: HostKey = ""
    aliases: tuple[str, ...] = ()
    groups: tuple[Name, ...] = ()
    failure_domain: str = ""
    become: tuple[str, ...] | None = None
    variables: dict[str, str] = Field(default_factory=dict)
    depends_on: OneOrMore[Name] = ()


class InventoryFile(Model):
    defaults: Defaults = Defaults()
    targets: tuple[TargetFile, ...] = ()

    def as_targets(self, folder: Path) -> tuple[Target, ...]:
        """The targets; relative key files start at the inventory's folder."""
        return tuple(self._target(one, folder) for one in self.targets)

    def _target(self, one: TargetFile, folder: Path) -> Target:
        key_file = one.key_file or self.defaults.key_file
        return Target(
            name=one.name,
            address=one.address or one.name,
            port=one.port or self.defaults.port,
            user=one.user or self.defaults.user,
            key_file=folder / key_file if key_file else None,
            host_key=one.host_key,
            aliases=one.aliases,
            groups=one.groups,
            failure_domain=one.failure_domain,
            become=self.defaults.become if one.become is None else one.become,
            variables=one.variables,
            depends_on=one.depends_on,
        )


def about_dependencies(written: InventoryFile) -> Iterator[tuple[Place, str]]:
    """Names that are not there, and targets that depend on themselves, each with its place."""
    known = {one.name: one.depends_on for one in written.targets}
    for index, one in enumerate(written.targets):
        for position, name in enumerate(one.depends_on):
            if name not in known:
                yield ("targets", index, "depends_on", position), f"there is no target {name} in the inventory"
        if way := cycle(known, one.name):
            yield ("targets", index, "depends_on"), f"it depends on itself: {' → '.join(way)}"
