"""An inventory host that runbooks may act on."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a host is, how to get in, and what it fails together with.

    `host_key` is the pinned public key as in known_hosts (`ssh-ed25519 AAAA…`); without one nothing is sent.
    `become` is put before commands that need other rights, such as `sudo -n`. `depends_on` names the targets without
    which it cannot be reached, or cannot work.
    """

    name: str
    address: str
    port: int = 22
    user: str = "root"
    key_file: Path | None = None
    host_key: str = ""
    aliases: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    failure_domain: str = ""
    become: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()


def find(targets: Iterable[Target], wanted: str) -> Target | None:
    """The target that a label value such as `web-1:9100` means: by name or alias, else without the port."""
    by_name = {name: target for target in targets for name in (target.name, *target.aliases)}
    if wanted in by_name:
        return by_name[wanted]
    host, separator, port = wanted.rpartition(":")
    return by_name.get(host) if separator and port.isdigit() else None


def fingerprint(host_key: str) -> str:
    """A pinned key as `ssh-keygen -l` shows it (`SHA256:…`); empty for none, or for what is no key."""
    try:
        key = b64decode(host_key.split()[1], validate=True)
    except (IndexError, ValueError):
        return ""
    return "SHA256:" + b64encode(sha256(key).digest()).decode().rstrip("=")
