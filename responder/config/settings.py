"""responder.yml: where the service listens, what it stores where, and who may send."""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, IPvAnyNetwork, model_validator

from responder.config.mail import MailFile
from responder.config.model import Duration, Model, Name, Size
from responder.config.sign_in import ProxyNetwork, SignIn


def _host_and_port(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is no address to listen on; write it like 127.0.0.1:9180 or [::]:9180")
    return text


def _database(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")):
        raise ValueError("the database is sqlite:///FILE or postgresql://user:password@host/name")
    return text


def _base_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("base_url must begin with http:// or https://")
    return text.rstrip("/")


_MEGA = 1024 * 1024
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Basic(Model):
    """A user name and a password for HTTP basic authentication."""

    user: Annotated[str, Field(min_length=1)]
    password_file: Path | None = None
    password_sha256: Digest | None = None

    @model_validator(mode="after")
    def _has_one_password(self) -> Basic:
        if (self.password_file is None) == (self.password_sha256 is None):
            raise ValueError("give one of password_file: and password_sha256:")
        return self


class Source(Model):
    """A sender of reports, with its credential."""

    name: Name
    kind: Literal["alertmanager"] = "alertmanager"
    bearer_file: Path | None = None
    bearer_sha256: Digest | None = None
    basic: Basic | None = None
    open: bool = False

    @model_validator(mode="after")
    def _has_a_credential(self) -> Source:
        given = [self.bearer_file, self.bearer_sha256, self.basic]
        if sum(one is not None for one in given) + self.open != 1:
            raise ValueError("give one of bearer_file:, bearer_sha256:, basic: or open: true")
        return self


class Prometheus(Model):
    url: Annotated[str, AfterValidator(_base_url)]


class Intake(Model):
    """Limits that keep one sender from stopping all."""

    max_body: Annotated[Size, Field(ge=1024)] = 4 * 1024 * 1024
    max_waiting: Annotated[int, Field(ge=1)] = 2000


class Ssh(Model):
    connect_timeout: Duration = timedelta(seconds=10)
    idle: Duration = timedelta(minutes=10)
    max_output: Annotated[Size, Field(ge=1024)] = 64 * 1024


class Reporters(Model):
    """The way to people who report: an apprise URL with {contact} where their address goes."""

    url_file: Path


class DeadMan(Model):
    """Somebody outside who calls people when our beats stop: an http(s) URL, asked `every` so often."""

    url_file: Path
    every: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=1)
    method: Literal["GET", "POST"] = "POST"


class Feedback(Model):
    """The form for people who report: for everybody, or only for who shows a token; without either there is none.

    The limits of files hold for `POST /api/v1/reports`, too. `per_address` and `in_all` are reports in an hour.
    """

    open: bool = False
    behind: Literal["token"] | None = None
    max_files: Annotated[int, Field(ge=0, le=20)] = 5
    max_file: Annotated[Size, Field(ge=1024, le=100 * _MEGA)] = 5 * _MEGA
    max_sum: Annotated[Size, Field(ge=1024, le=200 * _MEGA)] = 10 * _MEGA
    per_address: Annotated[int, Field(ge=1)] = 20
    in_all: Annotated[int, Field(ge=1)] = 200
    proxies: tuple[ProxyNetwork, ...] = ()

    @model_validator(mode="after")
    def _is_open_or_not(self) -> Feedback:
        if self.open and self.behind:
            raise ValueError("give one of open: true and behind: token")
        return self

    @property
    def is_on(self) -> bool:
        return self.open or self.behind is not None


class Monitoring(Model):
    """Who reads `/metrics`, and why it is not ready, without a token: these networks, by the address of the peer."""

    open_to: tuple[IPvAnyNetwork, ...] = ()

    def is_open_to(self, address: str) -> bool:
        try:
            return any(ipaddress.ip_address(address) in network for network in self.open_to)
        except ValueError:
            return False


class Settings(Model):
    """The main file. Relative paths start at its folder."""

    listen: Annotated[str, AfterValidator(_host_and_port)] = "127.0.0.1:9180"
    base_url: Annotated[str, AfterValidator(_base_url)] = "http://127.0.0.1:9180"
    database: Annotated[str, AfterValidator(_database)] = "sqlite:///responder.db"
    secret_file: Path = Path("secret.key")
    policy: Path = Path("policy.yml")
    inventory: Path = Path("inventory.yml")
    people: Path = Path("people.yml")
    runbooks: tuple[Path, ...] = ()
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    prometheus: Prometheus | None = None
    kill_switch_file: Path | None = None
    retention: Duration = timedelta(days=30)
    console: Literal["open", "token"] = "token"
    intake: Intake = Intake()
    ssh: Ssh = Ssh()
    reporters: Reporters | None = None
    dead_man: DeadMan | None = None
    feedback: Feedback = Feedback()
    sign_in: SignIn = SignIn()
    mail: MailFile | None = None
    monitoring: Monitoring = Monitoring()

    @model_validator(mode="after")
    def _is_open_only_at_home(self) -> Settings:
        if not self.is_loopback and (self.console == "open" or any(source.open for source in self.sources)):
            raise ValueError("open: true and console: open are for a loopback address only, such as 127.0.0.1")
        names = [source.name for source in self.sources]
        if len(names) != len(set(names)):
            raise ValueError("two sources have the same name")
        return self

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """True for what only this machine can mean by it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def digest(secret: str) -> str:
    """What is kept of a token or password: SHA-256, enough for secrets that are random and long."""
    return hashlib.sha256(secret.encode()).hexdigest()
