"""people.yml: who is told, on which channels, and in which tier."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from responder.adapters.yaml_file import Place
from responder.config.delivery import ContactFile, QuietHoursFile, as_several
from responder.config.mail import MailAddress, MailFile
from responder.config.model import Model, Name
from responder.config.rotas import RotaFile
from responder.domain.oncall import Tier
from responder.domain.rota import Rota
from responder.firstaid.window_file import Zone


class ChannelFile(Model):
    """A way to reach somebody: an apprise URL, here or, better, in a file of its own."""

    name: Name
    url: str | None = None
    url_file: Path | None = None
    length: Literal["short", "long"] | None = None

    @model_validator(mode="after")
    def _has_one_address(self) -> ChannelFile:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give one of url: and url_file:")
        return self


class PersonFile(Model):
    name: Name
    full_name: str = ""
    language: Literal["en", "zh"] = "en"
    zone: Zone = "UTC"
    roles: tuple[Name, ...] = ()
    channels: tuple[ChannelFile, ...] = ()
    contact: tuple[ContactFile, ...] = ()
    quiet_hours: Annotated[tuple[QuietHoursFile, ...], BeforeValidator(as_several)] = ()
    mails: tuple[MailAddress, ...] = ()


class OnRota(tuple[str, ...]):
    """A tier of whoever is on call in the rota that is its one word."""

    __slots__ = ()


def _tier(value: object, names: ValidatorFunctionWrapHandler) -> object:
    if not isinstance(value, dict):
        return names(value)
    if set(value) != {"rota"} or not isinstance(value["rota"], str):
        raise ValueError(f"{value!r} is no tier; write a list of names, or {{rota: NAME}}")
    return OnRota((value["rota"],))


TierNames = Annotated[tuple[Name, ...], Field(min_length=1), WrapValidator(_tier)]


class TeamFile(Model):
    name: Name
    tiers: dict[Annotated[int, Field(ge=1, le=9)], TierNames]


class PeopleFile(Model):
    people: tuple[PersonFile, ...] = ()
    teams: tuple[TeamFile, ...] = ()
    rotas: tuple[RotaFile, ...] = ()


def as_tier(
    number: int, names: tuple[str, ...], people: Collection[str], rotas: Mapping[str, Rota]
) -> tuple[Tier, list[str]]:
    """The tier as the domain knows it, and what is wrong with it."""
    if not isinstance(names, OnRota):
        strangers = [f"nobody is called {name}" for name in names if name not in people]
        return Tier(number=number, people=names), strangers
    (name,) = names
    if name not in rotas:
        return Tier(number=number, people=(), rota=name), [f"there is no rota {name}"]
    return Tier(number=number, people=rotas[name].people, rota=name), []


def about_mails(people: Sequence[PersonFile], mail: MailFile | None) -> Iterator[tuple[Place, str]]:
    """Addresses that two people write from, or a person and the desk: nobody could tell who it was."""
    own = (mail.address, *mail.aliases) if mail else ()
    owners = {address.casefold(): "the desk, in mail:" for address in own}
    for index, person in enumerate(people):
        for position, address in enumerate(person.mails):
            owner = owners.setdefault(address.casefold(), person.name)
            if owner != person.name:
                yield ("people", index, "mails", position), f"{address} is already an address of {owner}"
