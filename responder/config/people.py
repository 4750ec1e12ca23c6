"""people.yml: who is told, on which channels, and in which tier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from responder.config.model import Model, Name


class ChannelFile(Model):
    """A way to reach somebody: an apprise URL, here or, better, in a file of its own."""

    name: Name
    url: str | None = None
    url_file: Path | None = None

    @model_validator(mode="after")
    def _has_one_address(self) -> ChannelFile:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give one of url: and url_file:")
        return self


class PersonFile(Model):
    name: Name
    full_name: str = ""
    language: Literal["en", "zh"] = "en"
    roles: tuple[Name, ...] = ()
    channels: tuple[ChannelFile, ...] = ()


class TeamFile(Model):
    name: Name
    tiers: dict[Annotated[int, Field(ge=1, le=9)], Annotated[tuple[Name, ...], Field(min_length=1)]]


class PeopleFile(Model):
    people: tuple[PersonFile, ...] = ()
    teams: tuple[TeamFile, ...] = ()
