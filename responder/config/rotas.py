"""The part of people.yml that says who is on call: rotas of layers, turns and windows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from responder.adapters.yaml_file import Place
from responder.config.model import Model, Name
from responder.domain.rota import Layer, Rota
from responder.domain.rota_checks import overlapping
from responder.domain.rotation import Rotation, Unit
from responder.domain.wall import is_repeated, is_skipped, shown
from responder.domain.windows import DAYS, Window
from responder.firstaid.window_file import Clock, Day, Zone, as_time

Complaints = Iterator[tuple[Place, str]]
_RANGE = re.compile(r"\s*([A-Za-z]+)\s*(?:-\s*([A-Za-z]+))?\s*")
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_DATE = len("2026-01-05")


def _moment(value: object) -> datetime:
    """A date and time on the wall, without a zone."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 the rota's zone says which instant it is
    try:
        found = (
            value if isinstance(value, datetime) else datetime.fromisoformat(value if isinstance(value, str) else "")
        )
    except ValueError:
        raise ValueError(f"{str(value)!r} is no date and time; write it like '2026-01-05 09:00'") from None
    if found.tzinfo is not None:
        raise ValueError(f"{str(value)!r} names an offset; write it without one, in the rota's zone")
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"{str(value)!r} is not between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    return found


def _days(value: object) -> object:
    """`mon-fri` or `sat` as a list of days; what is a list already stays."""
    found = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    first, last = (str(word).lower()[:3] for word in (found[1], found[2] or found[1]))
    if first not in DAYS or last not in DAYS:
        return [found[1], found[2] or found[1]]
    begin, count = DAYS.index(first), (DAYS.index(last) - DAYS.index(first)) % 7 + 1
    return [DAYS[(begin + step) % 7] for step in range(count)]


def _turn(value: object) -> object:
    """One name as a list of one: several names in a list are on call together."""
    return [value] if isinstance(value, str) else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Turn = Annotated[tuple[Name, ...], BeforeValidator(_turn), Field(min_length=1)]


class DutyWindowFile(Model):
    """When a layer counts, by the wall's clock. An end that is not after the start is one of the next day."""

    days: Annotated[tuple[Day, ...], BeforeValidator(_days), Field(min_length=1)] = DAYS
    start: Annotated[Clock, Field(alias="from")] = "00:00"
    end: Annotated[Clock, Field(alias="to")] = "24:00"

    def as_window(self, zone: ZoneInfo) -> Window:
        """The window as the domain knows it."""
        return Window(days=self.days, start=as_time(self.start), end=as_time(self.end), zone=zone)


class LayerFile(Model):
    """People who take turns of `length` times an hour, day, week or month, from `start` on."""

    name: Name | None = None
    people: Annotated[tuple[Turn, ...], Field(min_length=1)]
    start: Moment
    rotation: Unit = Unit.WEEKLY
    length: Annotated[int, Field(ge=1, le=1000)] = 1
    until: Moment | None = None
    zone: Zone | None = None
    windows: tuple[DutyWindowFile, ...] = ()

    def as_layer(self, name: str, zone: ZoneInfo) -> Layer:
        """The layer as the domain knows it, in its own zone or in that of the rota."""
        zone = ZoneInfo(self.zone) if self.zone else zone
        return Layer(
            name=self.name or name,
            turns=self.people,
            rotation=Rotation(start=self.start, zone=zone, unit=self.rotation, length=self.length),
            windows=tuple(window.as_window(zone) for window in self.windows),
            until=shown(zone, self.until) if self.until else None,
        )


class RotaFile(Model):
    """Layers of which a later one wins where it has somebody."""

    name: Name
    layers: Annotated[tuple[LayerFile, ...], Field(min_length=1, max_length=20)]
    zone: Zone = "UTC"
    may_be_empty: bool = False

    def as_rota(self) -> Rota:
        """The rota as the domain knows it; a layer without a name has its number."""
        zone = ZoneInfo(self.zone)
        layers = tuple(layer.as_layer(str(number), zone) for number, layer in enumerate(self.layers, start=1))
        return Rota(name=self.name, layers=layers, zone=zone, may_be_empty=self.may_be_empty)


def as_rotas(written: Sequence[RotaFile]) -> dict[str, Rota]:
    """All rotas by name."""
    return {rota.name: rota.as_rota() for rota in written}


def complaints(written: Sequence[RotaFile], people: Collection[str]) -> Complaints:
    """What no rota may be, each with its place."""
    for index, rota in enumerate(written):
        place: Place = ("rotas", index)
        if rota.name in {other.name for other in written[:index]}:
            yield (*place, "name"), f"there are two rotas called {rota.name}"
        made = rota.as_rota()
        names = [layer.name for layer in made.layers]
        for number, layer in enumerate(rota.layers):
            at: Place = (*place, "layers", number)
            if made.layers[number].name in names[:number]:
                yield (*at, "name"), f"rota {rota.name} has two layers called {made.layers[number].name}"
            for where, text in _about_layer(layer, made.layers[number], people):
                yield (*at, *where), f"rota {rota.name}, layer {made.layers[number].name}: {text}"


def _about_layer(written: LayerFile, made: Layer, people: Collection[str]) -> Complaints:
    for position, turn in enumerate(written.people):
        for name in turn:
            if name not in people:
                yield ("people", position), f"nobody is called {name}"
        if len(set(turn)) < len(turn):
            yield ("people", position), "the same person is in one turn twice"
    if made.until and made.until <= made.rotation.begins(0):
        yield ("until",), "it ends before it begins"
    if pair := overlapping(made):
        one, other = (made.windows[number] for number in pair)
        yield ("windows", pair[1]), f"the windows {one} and {other} overlap; write them as one"


def as_instant(text: str, zone: ZoneInfo) -> datetime:
    """The instant that people write as a date, or a date and time, in this zone; with an offset it is taken as it is.

    Raises ValueError for what is no such thing, and for a time that the clocks leave out or show twice: its two
    readings are named, since nobody can tell which one is meant. A date begins with its first instant.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"“{text[:60]}” is no date and time; write it like 2026-01-05T09:00, or with an offset, or tomorrow "
            "09:00, monday 09:00, +8h"
        ) from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"“{text[:60]}” is not between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    if found.tzinfo:
        return found.astimezone(UTC)
    if len(text.strip()) > _DATE and (why := _two_readings(found, zone)):
        raise ValueError(why)
    return shown(zone, found)


def _two_readings(local: datetime, zone: ZoneInfo) -> str:
    """What a time on the wall may mean if it is not there, or there twice; empty for every other time."""
    readings = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone) for fold in (0, 1)]
    if is_repeated(zone, local):
        first, second = (f"{one.isoformat(timespec='minutes')} ({one:%Z})" for one in readings)
        return f"the clocks in {zone.key} show {local:%Y-%m-%d %H:%M} twice; write {first} or {second}"
    if is_skipped(zone, local):
        before, after = (f"{one.isoformat(timespec='minutes')} ({one:%Z})" for one in reversed(readings))
        return f"the clocks in {zone.key} leave out {local:%Y-%m-%d %H:%M}; write {before} or {after}"
    return ""
