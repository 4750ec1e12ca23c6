"""`mail:` in responder.yml: the desk's address, where its mails come from, and by which server its letters go."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, IPvAnyNetwork, StringConstraints, model_validator

from responder.adapters.mail_servers import ImapAccount, MailDoor, Security, SmtpServer, is_address
from responder.adapters.notifier import Secret
from responder.adapters.yaml_file import Place
from responder.config.mail_rules import read_mail_rules
from responder.config.model import Duration, Model, Size
from responder.domain.mail_rule import MailRule

Word = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Port = Annotated[int, Field(ge=1, le=65535)]
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+):[0-9]{1,5}")
_LONGEST_SOCKET = 107
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_IMAP_PORTS: dict[Security, int] = {"tls": 993, "starttls": 143, "none": 143}
_SMTP_PORTS: dict[Security, int] = {"tls": 465, "starttls": 587, "none": 25}


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError(f"{text!r} is no mail address; write it like desk@example.org")
    return text


def _listen(text: str) -> str:
    if text.startswith("/"):
        if len(text.encode()) > _LONGEST_SOCKET:
            raise ValueError(f"the name of a socket file has at most {_LONGEST_SOCKET} bytes")
        return text
    if not _HOST_AND_PORT.fullmatch(text) or not 0 < int(text.rpartition(":")[2]) < 65536:
        raise ValueError(f"{text!r} is no place to listen; write it like 127.0.0.1:2424 or /run/responder/lmtp")
    return text


MailAddress = Annotated[str, AfterValidator(_address)]


class _Server(Model):
    """A server that is reached over the network: nothing secret goes there in the clear."""

    host: Word
    port: Port | None = None
    security: Security
    user: Annotated[str, Field(max_length=255)] = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(minutes=5))] = timedelta(seconds=30)

    @model_validator(mode="after")
    def _keeps_its_password(self) -> _Server:
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("give user: and password_file: together")
        if self.security == "none" and self.user and self.host not in _LOOPBACK:
            raise ValueError("security: none would send the password in the clear; it is for a server on this machine")
        return self


class Imap(_Server):
    """The mailbox. What was taken is moved to `done_folder`, or only marked if that is empty."""

    security: Security = "tls"
    user: Word
    folder: Word = "INBOX"
    done_folder: Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    idle: Annotated[Duration, Field(ge=timedelta(seconds=10), le=timedelta(minutes=28))] = timedelta(minutes=9)
    poll: Annotated[Duration, Field(ge=timedelta(seconds=5), le=timedelta(hours=1))] = timedelta(minutes=1)

    @model_validator(mode="after")
    def _ends_somewhere_else(self) -> Imap:
        if self.done_folder and self.done_folder.casefold() == self.folder.casefold():
            raise ValueError("done_folder: is the folder itself, so every mail would come again and again")
        return self


class Smtp(_Server):
    security: Security = "starttls"

    @model_validator(mode="after")
    def _keeps_its_letters(self) -> Smtp:
        if self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError("security: none would send letters in the clear; it is for a server on this machine")
        return self


class Listener(Model):
    """Where mail servers hand mails in, and how much of that is borne. Only mails to the desk are taken."""

    protocol: Literal["lmtp", "smtp"] = "lmtp"
    listen: Annotated[str, AfterValidator(_listen)]
    mode: Annotated[str, Field(pattern=r"^0[0-7]{3}$")] = "0660"
    """Of the socket file, in quotes: who may use it."""
    networks: tuple[IPvAnyNetwork, ...] = ()
    """Who may connect to a port beside this machine."""
    connections: Annotated[int, Field(ge=1, le=1000)] = 50
    recipients: Annotated[int, Field(ge=1, le=1000)] = 100
    timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(hours=1))] = timedelta(minutes=5)

    @model_validator(mode="after")
    def _says_who_may_come(self) -> Listener:
        if self.socket and self.networks:
            raise ValueError("networks: are for a port; mode: says who may use a socket file")
        if not self.socket and self.host not in _LOOPBACK and not self.networks:
            raise ValueError("name the networks: of the mail servers; whoever may connect is believed as they are")
        return self

    @property
    def socket(self) -> Path | None:
        return Path(self.listen) if self.listen.startswith("/") else None

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")


class MailLimitsFile(Model):
    size: Annotated[Size, Field(ge=64 * 1024, le=256 * 1024 * 1024)] = 30 * 1024 * 1024
    file_size: Annotated[Size, Field(ge=1024)] = 10 * 1024 * 1024
    files: Annotated[int, Field(ge=0, le=1000)] = 50


def _sender(text: str) -> str:
    if not is_address(f"monitor{text}" if text.startswith("@") else text):
        raise ValueError(f"{text!r} is no sender; write it like monitor@example.org, or @example.org for all of them")
    return text.casefold()


class MonitoringFile(Model):
    """Mails of monitoring systems: a recovery counts from the sender of its problem. These speak for each other."""

    senders: tuple[Annotated[str, AfterValidator(_sender)], ...] = ()


class AnswersFile(Model):
    """How many answers go out in 24 hours: to one address, to one domain, and in all to senders that nothing proves."""

    per_sender: Annotated[int, Field(ge=1)] = 10
    per_domain: Annotated[int, Field(ge=1)] = 200
    in_all: Annotated[int, Field(ge=1)] = 1000


class MailFile(Model):
    """The desk. Mails come by IMAP, or from a mail server by LMTP, SMTP or HTTP; letters go by SMTP."""

    address: MailAddress
    name: Annotated[str, Field(max_length=100)] = ""
    aliases: tuple[MailAddress, ...] = ()
    plus: bool = True
    """Whether desk+anything@ reaches the desk, too: then answers go to an address of their ticket."""
    imap: Imap | None = None
    listener: Listener | None = None
    smtp: Smtp | None = None
    trusted_authserv_ids: tuple[Word, ...] = ()
    """Whose Authentication-Results are believed (RFC 8601): the own mail server's names."""
    contact_forms: tuple[Annotated[MailAddress, AfterValidator(str.casefold)], ...] = ()
    """From which contact forms write: their mails are of who stands in Reply-To."""
    rules: tuple[Path, ...] = ()
    monitoring: MonitoringFile = MonitoringFile()
    answers: AnswersFile = AnswersFile()
    limits: MailLimitsFile = MailLimitsFile()

    def as_account(self, read_secret: Callable[[Path], str], folder: Path) -> ImapAccount | None:
        """The mailbox with its password read; None if there is none. Relative paths start at `folder`."""
        one = self.imap
        if one is None or one.password_file is None:
            return None
        return ImapAccount(
            host=one.host,
            port=one.port or _IMAP_PORTS[one.security],
            user=one.user,
            password=Secret(read_secret(one.password_file)),
            security=one.security,
            ca_file=folder / one.ca_file if one.ca_file else None,
            folder=one.folder,
            done_folder=one.done_folder,
            largest=self.limits.size,
            timeout=one.timeout,
            idle=one.idle,
            poll=one.poll,
        )

    def as_server(self, read_secret: Callable[[Path], str], folder: Path) -> SmtpServer | None:
        """Where letters go, with the password read; None if there is no such server."""
        one = self.smtp
        if one is None:
            return None
        return SmtpServer(
            host=one.host,
            port=one.port or _SMTP_PORTS[one.security],
            security=one.security,
            user=one.user,
            password=Secret(read_secret(one.password_file)) if one.password_file else None,
            ca_file=folder / one.ca_file if one.ca_file else None,
            timeout=one.timeout,
        )

    def as_door(self) -> MailDoor | None:
        """Where mails are handed in; None if nowhere."""
        one = self.listener
        if one is None:
            return None
        return MailDoor(
            protocol=one.protocol,
            name=self.address.rpartition("@")[2],
            socket=one.socket,
            mode=int(one.mode, 8),
            host=one.host,
            port=0 if one.socket else int(one.listen.rpartition(":")[2]),
            networks=tuple(ip_network(str(network)) for network in one.networks),
            connections=one.connections,
            recipients=one.recipients,
            timeout=one.timeout,
        )


@dataclass(frozen=True, kw_only=True)
class MailSetup:
    """The desk's mail with its passwords: what is needed to take mails in and to send letters."""

    settings: MailFile
    mailbox: ImapAccount | None
    server: SmtpServer | None
    rules: tuple[MailRule, ...]

    @property
    def secrets(self) -> frozenset[str]:
        """Passwords that must never be shown."""
        given = (self.mailbox and self.mailbox.password, self.server and self.server.password)
        return frozenset(one.value for one in given if one)


def read_mail_setup(mail: MailFile, read_secret: Callable[[Path, Place], str], folder: Path) -> MailSetup:
    """`read_secret` gets a file and its place below `mail`. Raises ConfigError for a rule that is wrong."""
    return MailSetup(
        settings=mail,
        mailbox=mail.as_account(lambda path: read_secret(path, ("imap", "password_file")), folder),
        server=mail.as_server(lambda path: read_secret(path, ("smtp", "password_file")), folder),
        rules=read_mail_rules([folder / one for one in mail.rules if (folder / one).is_dir()]),
    )


def about_rules(setup: MailSetup) -> Iterator[tuple[Place, str]]:
    """What is wrong between the rules and the rest of `mail:`; places start below it."""
    if setup.settings.trusted_authserv_ids:
        return
    for rule in setup.rules:
        if rule.authentic:
            yield (
                ("rules",),
                f"rule {rule.name} takes proven mails only, and without trusted_authserv_ids: nothing is ever proven",
            )


def about_listen(mail: MailFile, listen: str) -> Iterator[tuple[Place, str]]:
    """`listen` is where the service itself listens."""
    if mail.listener and mail.listener.listen == listen:
        yield ("listener", "listen"), f"the pages are already at {listen}; mails need a port of their own"


def complaints(mail: MailFile, folder: Path) -> Iterator[tuple[Place, str]]:
    """What is wrong with the files that `mail:` names; places start below `mail`."""
    for name in ("imap", "smtp"):
        server: _Server | None = getattr(mail, name)
        if server and server.ca_file and not (folder / server.ca_file).is_file():
            yield (name, "ca_file"), f"{server.ca_file} is no file"
    if mail.listener and find_spec("aiosmtpd") is None:
        yield (
            ("listener",),
            "a listener needs aiosmtpd, which is not installed: pip install '.[lmtp]' in responder's folder",
        )
    for index, rules in enumerate(mail.rules):
        if not (folder / rules).is_dir():
            yield ("rules", index), f"{folder / rules} is no folder"
    own = [address.casefold() for address in (mail.address, *mail.aliases)]
    for index, alias in enumerate(mail.aliases):
        if own.index(alias.casefold()) <= index:
            yield ("aliases", index), f"{alias} is named twice"
