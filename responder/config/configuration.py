"""All files together: read, cross-checked and given as one value, or refused with every mistake found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from responder.adapters.notifier import SHORT_SCHEMES, Secret, objection_to, scheme_of
from responder.adapters.yaml_file import Document, Place, load
from responder.clock import SystemClock
from responder.config.delivery import about_contact
from responder.config.inventory import InventoryFile, about_dependencies
from responder.config.mail import MailSetup, about_listen, about_rules, read_mail_setup
from responder.config.mail import complaints as about_mail
from responder.config.oidc import OidcSetup, read_oidc_setup
from responder.config.oidc import complaints as about_oidc
from responder.config.people import ChannelFile, PeopleFile, about_mails, as_tier
from responder.config.policy import read_policy
from responder.config.policy_checks import Others, complaints
from responder.config.reporters import objection_to_reporters
from responder.config.rotas import as_rotas
from responder.config.rotas import complaints as about_rotas
from responder.config.settings import Settings, Source, digest
from responder.domain.oncall import Channel, Person, Recipient, Tier
from responder.domain.policy import Policy
from responder.domain.rota import Rota
from responder.domain.runbook import Runbook
from responder.domain.target import Target
from responder.errors import ConfigError, Problem
from responder.firstaid.loader import load_runbooks

T = TypeVar("T")
_People = tuple[dict[str, Person], dict[str, tuple[Tier, ...]], dict[Recipient, Secret], dict[str, Rota]]
SHIPPED_RUNBOOKS = Path(__file__).parent.parent / "runbooks"


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What a source must show: a digest to compare with, never the secret."""

    user: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything the files say, checked against each other. `files` has the digest of each but the runbooks'."""

    path: Path
    settings: Settings
    policy: Policy
    targets: tuple[Target, ...]
    people: Mapping[str, Person]
    tiers: Mapping[str, tuple[Tier, ...]]
    rotas: Mapping[str, Rota]
    addresses: Mapping[Recipient, Secret]
    runbooks: Mapping[str, Runbook]
    credentials: Mapping[str, Credential | None]
    secret: Secret
    reporter_url: Secret | None = None
    dead_man_url: Secret | None = None
    mail: MailSetup | None = None
    oidc: OidcSetup | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        """Where the database is; a relative SQLite path starts at the main file's folder."""
        url = self.settings.database
        name = url.removeprefix("sqlite:///")
        if name != url and not name.startswith("/") and name:
            return f"sqlite:///{self.path.parent.resolve() / name}"
        return url

    @property
    def secrets(self) -> frozenset[str]:
        """Secrets that must never be shown, whoever prints them."""
        own = {self.secret.value, *(address.value for address in self.addresses.values())}
        mail = self.mail.secrets if self.mail else frozenset()
        client_secret = self.oidc.client.client_secret if self.oidc else None
        others = (self.reporter_url, self.dead_man_url, client_secret)
        return frozenset(own | mail | {one.value for one in others if one})

    def source(self, name: str) -> Source | None:
        return next((source for source in self.settings.sources if source.name == name), None)


def read(path: Path, *, policy: Path | None = None) -> Configuration:
    """The configuration whose main file is `path`, with another policy's file if one is given.

    Raises ConfigError with all mistakes in all files.
    """
    document = load(path)
    settings = document.parsed(Settings)
    if policy is not None:
        settings = settings.model_copy(update={"policy": policy.absolute()})
    return _Reading(document, settings).configuration()


@cache
def shipped_runbooks() -> dict[str, Runbook]:
    """Read once: they change with the package only, and that with a restart."""
    return load_runbooks([SHIPPED_RUNBOOKS])


def _short_digest(document: Document) -> str:
    return digest(document.text)[:12]


class _Reading:
    """Reads the other files, and goes on after a mistake so that all are found at once."""

    def __init__(self, document: Document, settings: Settings) -> None:
        self._document = document
        self._settings = settings
        self._folder = document.path.parent
        self._today = SystemClock().now().date()
        self._problems: list[Problem] = []
        self._files = {document.path.name: _short_digest(document)}

    def configuration(self) -> Configuration:
        runbooks = self._tried(self._runbooks)
        targets = self._tried(self._targets)
        found = self._tried(self._people)
        people, tiers, addresses, rotas = found or ({}, {}, {}, {})
        # What could not be read is not held against the policy: one mistake is one complaint.
        others = Others(
            runbooks=runbooks,
            targets=targets,
            people=people if found else None,
            teams=tiers if found else None,
            sources=[source.name for source in self._settings.sources],
        )
        policy = self._tried(lambda: self._policy(others))
        credentials = {
            source.name: self._credential(index, source) for index, source in enumerate(self._settings.sources)
        }
        secret = self._read_secret(self._settings.secret_file, ("secret_file",))
        reporter_url, dead_man_url = self._reporter_url(), self._dead_man_url()
        mail = self._tried(self._mail)
        oidc = self._oidc(tiers if found else None)
        if self._problems or policy is None:
            raise ConfigError(self._problems)
        return Configuration(
            path=self._document.path,
            settings=self._placed(),
            policy=policy,
            targets=targets or (),
            people=people,
            tiers=tiers,
            rotas=rotas,
            addresses=addresses,
            runbooks=runbooks or {},
            credentials=credentials,
            secret=Secret(secret),
            reporter_url=reporter_url,
            dead_man_url=dead_man_url,
            mail=mail,
            oidc=oidc,
            files=self._files,
        )

    def _placed(self) -> Settings:
        """The settings with the kill switch where the files are, wherever the process was started."""
        switch = self._settings.kill_switch_file
        placed = (self._folder / switch).absolute() if switch else None
        return self._settings.model_copy(update={"kill_switch_file": placed})

    def _tried(self, part: Callable[[], T]) -> T | None:
        try:
            return part()
        except ConfigError as error:
            self._problems += error.problems
            return None

    # --- the files ---------------------------------------------------------------------------------

    def _loaded(self, path: Path) -> Document:
        document = load(self._folder / path)
        self._files[path.name if path.is_absolute() else path.as_posix()] = _short_digest(document)
        return document

    def _runbooks(self) -> dict[str, Runbook]:
        folders = [self._folder / folder for folder in self._settings.runbooks]
        for index, folder in enumerate(folders):
            if not folder.is_dir():
                self._complain(self._document, ("runbooks", index), f"{folder} is no folder")
        return {**shipped_runbooks(), **load_runbooks(folders)}

    def _targets(self) -> tuple[Target, ...]:
        document = self._loaded(self._settings.inventory)
        written = document.parsed(InventoryFile)
        targets = written.as_targets(document.path.parent)
        seen: dict[str, str] = {}
        for index, target in enumerate(targets):
            for name in (target.name, *target.aliases):
                if name in seen:
                    self._complain(document, ("targets", index), f"{name} is already the name of {seen[name]}")
                seen[name] = target.name
            if target.key_file is None:
                self._complain(document, ("targets", index), f"{target.name} has no key_file, here or in defaults")
        for place, text in about_dependencies(written):
            self._complain(document, place, text)
        return targets

    def _people(self) -> _People:
        document = self._loaded(self._settings.people)
        written = document.parsed(PeopleFile)
        people: dict[str, Person] = {}
        addresses: dict[Recipient, Secret] = {}
        for index, person in enumerate(written.people):
            if person.name in people:
                self._complain(document, ("people", index, "name"), f"there are two people called {person.name}")
            channels = []
            for position, channel in enumerate(person.channels):
                place: Place = ("people", index, "channels", position)
                address = self._address(document, place, channel)
                scheme = scheme_of(address)
                is_short = channel.length == "short" if channel.length else scheme in SHORT_SCHEMES
                channels.append(Channel(name=channel.name, scheme=scheme, is_short=is_short))
                addresses[Recipient(person=person.name, channel=channel.name)] = Secret(address)
            people[person.name] = Person(
                name=person.name,
                full_name=person.full_name,
                language=person.language,
                zone=person.zone,
                channels=tuple(channels),
                roles=person.roles,
                contact=tuple(step.as_step() for step in person.contact),
                quiet_hours=tuple(one.as_quiet_hours(ZoneInfo(person.zone)) for one in person.quiet_hours),
                mails=person.mails,
            )
            for place, text in about_contact(person.name, person.contact, person.channels):
                self._complain(document, ("people", index, *place), text)
        for place, text in about_mails(written.people, self._settings.mail):
            self._complain(document, place, text)
        for place, text in about_rotas(written.rotas, people):
            self._complain(document, place, text)
        rotas = as_rotas(written.rotas)
        return people, self._tiers(document, written, people, rotas), addresses, rotas

    def _tiers(
        self, document: Document, written: PeopleFile, people: Mapping[str, Person], rotas: Mapping[str, Rota]
    ) -> dict[str, tuple[Tier, ...]]:
        teams: dict[str, tuple[Tier, ...]] = {}
        for index, team in enumerate(written.teams):
            tiers = []
            for number, names in sorted(team.tiers.items()):
                tier, mistakes = as_tier(number, names, people, rotas)
                for text in mistakes:
                    place = ("teams", index, "tiers", number)
                    self._complain(document, place, f"team {team.name}, tier {number}: {text}")
                tiers.append(tier)
            if not any(people[name].channels for tier in tiers for name in tier.people if name in people):
                self._complain(document, ("teams", index), f"team {team.name} has nobody with a channel")
            teams[team.name] = tuple(tiers)
        return teams

    def _policy(self, others: Others) -> Policy:
        document = self._loaded(self._settings.policy)
        source, written = read_policy(document)
        self._problems += [
            source.problem(place, text) for place, text in complaints(source, written, others, self._today)
        ]
        return written.as_policy(self._today)

    # --- secrets -----------------------------------------------------------------------------------

    def _address(self, document: Document, place: Place, channel: ChannelFile) -> str:
        if channel.url_file is not None:
            address = self._read_secret(channel.url_file, (*place, "url_file"), document)
        else:
            address = channel.url or ""
        if address and (objection := objection_to(address)):
            self._complain(document, (*place, "url_file" if channel.url_file else "url"), objection)
        return address

    def _reporter_url(self) -> Secret | None:
        given, place = self._settings.reporters, ("reporters", "url_file")
        if given is None:
            return None
        url = self._read_secret(given.url_file, place)
        if url and (objection := objection_to_reporters(url)):
            self._complain(self._document, place, objection)
        return Secret(url)

    def _mail(self) -> MailSetup | None:
        given = self._settings.mail
        if given is None:
            return None
        for place, text in (*about_mail(given, self._folder), *about_listen(given, self._settings.listen)):
            self._complain(self._document, ("mail", *place), text)
        setup = read_mail_setup(
            given, lambda path, place: self._read_secret(path, ("mail", *place)), self._folder.absolute()
        )
        for place, text in about_rules(setup):
            self._complain(self._document, ("mail", *place), text)
        return setup

    def _oidc(self, teams: Collection[str] | None) -> OidcSetup | None:
        given = self._settings.sign_in.oidc
        if given is None:
            return None
        for place, text in about_oidc(given, teams, self._folder):
            self._complain(self._document, ("sign_in", "oidc", *place), text)
        return read_oidc_setup(
            given,
            self._settings.base_url,
            lambda path, place: self._read_secret(path, ("sign_in", "oidc", *place)),
            self._folder.absolute(),
        )

    def _dead_man_url(self) -> Secret | None:
        given, place = self._settings.dead_man, ("dead_man", "url_file")
        if given is None:
            return None
        url = self._read_secret(given.url_file, place)
        if url and not url.startswith(("http://", "https://")):
            self._complain(
                self._document, place, f"{given.url_file} holds no address that begins with http:// or https://"
            )
        return Secret(url)

    def _credential(self, index: int, source: Source) -> Credential | None:
        place: Place = ("sources", index)
        if source.open:
            return None
        if source.basic is not None:
            known = source.basic.password_sha256
            if source.basic.password_file is not None:
                known = digest(self._read_secret(source.basic.password_file, (*place, "basic", "password_file")))
            return Credential(user=source.basic.user, digest=known or "")
        if source.bearer_file is not None:
            return Credential(user="", digest=digest(self._read_secret(source.bearer_file, (*place, "bearer_file"))))
        return Credential(user="", digest=source.bearer_sha256 or "")

    def _read_secret(self, path: Path, place: Place, document: Document | None = None) -> str:
        document = document or self._document
        try:
            secret = (document.path.parent / path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            self._complain(document, place, f"{path} cannot be read: {reason}")
            return ""
        if not secret:
            self._complain(document, place, f"{path} is empty")
        return secret

    def _complain(self, document: Document, place: Place, text: str) -> None:
        self._problems.append(document.problem(place, text))
