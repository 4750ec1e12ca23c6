"""Mail servers as settings name them; without the libraries that reach them, which take their time to load."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from responder.adapters.notifier import Secret

Security = Literal["tls", "starttls", "none"]
_ADDRESS = re.compile(r"(?!.*=\?)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class ImapAccount:
    """An account. `folder` is looked into; what was taken goes to `done_folder`, or is only marked if that is empty."""

    host: str
    port: int
    user: str
    password: Secret
    security: Security = "tls"
    ca_file: Path | None = None
    folder: str = "INBOX"
    done_folder: str = ""
    largest: int = 30 * 1024 * 1024
    """Bytes; of a larger mail only the first so many are fetched."""
    timeout: timedelta = timedelta(seconds=30)
    idle: timedelta = timedelta(minutes=9)
    """So long a server is trusted to say by itself that a mail came."""
    poll: timedelta = timedelta(seconds=60)
    """So often a server without IDLE is asked."""


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """Where letters are handed in. `ca_file` holds the certificate of an own authority."""

    host: str
    port: int
    security: Security = "starttls"
    user: str = ""
    password: Secret | None = None
    ca_file: Path | None = None
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class MailDoor:
    """Where mail servers hand mails in: a socket file with its `mode`, or a port for `networks` and this machine."""

    protocol: Literal["lmtp", "smtp"] = "lmtp"
    name: str
    """As what we greet."""
    socket: Path | None = None
    mode: int = 0o660
    host: str = "127.0.0.1"
    port: int = 0
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    connections: int = 50
    recipients: int = 100
    timeout: timedelta = timedelta(minutes=5)
    """So long a command, or a whole mail, may take to come."""

    @property
    def address(self) -> str:
        if self.socket is not None:
            return str(self.socket)
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def hint(said: str, security: Security) -> str:
    """What to look at after an error of a connection: a sentence with a space before it, or nothing."""
    if security == "tls" and "WRONG_VERSION_NUMBER" in said:
        return " This port does not begin with TLS; is it one for security: starttls?"
    if "unable to get local issuer" in said or "self-signed" in said or "self signed" in said:
        return " If an own authority has signed its certificate, name that one in ca_file:."
    return ""


def is_address(text: str) -> bool:
    """Whether letters can go to this address; an ASCII one, without a name beside it."""
    return _ADDRESS.fullmatch(text) is not None
