"""The rota: who is on call. Layers of people who take turns, windows in which a layer counts, and overrides.

A later layer wins over an earlier one for as long as it has somebody. Somebody who is away is not there, so that what
lies below takes over. The start of a shift belongs to it, its end does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from responder.domain.duty_windows import openings
from responder.domain.rotation import Rotation
from responder.domain.windows import Window

_LOOKS = (timedelta(days=8), timedelta(days=64), timedelta(days=512))
NOBODY_THERE = "no layer has anybody"


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """People who take turns from the rotation's start on; each turn is one of them, or several at once."""

    name: str
    turns: tuple[tuple[str, ...], ...]
    rotation: Rotation
    windows: tuple[Window, ...] = ()
    until: datetime | None = None

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for turn in self.turns for name in turn))


@dataclass(frozen=True, kw_only=True, slots=True)
class Rota:
    """Who is on call, in the zone in which it is shown."""

    name: str
    layers: tuple[Layer, ...]
    zone: ZoneInfo
    may_be_empty: bool = False

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.people))


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """For a while it is `person`, in place of `instead_of`, or of everybody if that is empty.

    With no `person` the other one is away. Without a `rota` it holds in all of them. `ended_at` cuts it short.
    """

    id: int = 0
    rota: str
    person: str
    instead_of: str = ""
    start: datetime
    until: datetime
    reason: str
    actor: str
    made_at: datetime
    ended_at: datetime | None = None
    ended_by: str = ""
    act: str = ""
    source: str = ""

    @property
    def ends(self) -> datetime:
        return min(self.until, max(self.ended_at, self.start)) if self.ended_at else self.until

    def holds_after(self, at: datetime) -> bool:
        """Whether it holds at some time after an instant; one that was ended before it began never does."""
        return self.ends > max(self.start, at)

    def holds(self, at: datetime) -> bool:
        return self.start <= at < self.ends

    def __str__(self) -> str:
        if not self.person:
            return f"{self.instead_of} is away ({self.reason})"
        whom = f" instead of {self.instead_of}" if self.instead_of else ""
        return f"{self.person}{whom}, by {self.actor}: {self.reason}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """A stretch of time with the people on call in it, perhaps nobody; `turn` counts from 1 in its layer."""

    start: datetime
    until: datetime
    people: tuple[str, ...] = ()
    layer: str = ""
    turn: int = 0
    overrides: tuple[Override, ...] = ()

    @property
    def why(self) -> str:
        """Where the people come from, in words."""
        parts = [f"layer {self.layer}, turn {self.turn}"] if self.layer else []
        parts += [f"override: {one}" for one in self.overrides]
        return "; ".join(parts) or NOBODY_THERE


def on_call(rota: Rota, overrides: Iterable[Override], at: datetime) -> Shift:
    """The whole shift that holds this instant. One that is longer than a year and a half is cut off far away.

    It costs the same however long ago the rota began.
    """
    known, found = _that_matter(rota, overrides), Shift(start=at, until=at)
    for reach in _LOOKS:
        start, until = at - reach, at + reach
        found = next(one for one in shifts(rota, known, start, until) if one.start <= at < one.until)
        if start < found.start and found.until < until:
            break
    return found


def is_endless(shift: Shift, at: datetime) -> bool:
    """Whether nobody could see the end of the shift that `on_call` gave."""
    return shift.until >= at + _LOOKS[-1]


def people_on_call(rota: Rota, overrides: Iterable[Override], at: datetime) -> tuple[str, ...]:
    """Who is on call at this instant."""
    return next(shifts(rota, overrides, at, at + timedelta.resolution)).people


def shifts(rota: Rota, overrides: Iterable[Override], start: datetime, until: datetime) -> Iterator[Shift]:
    """All the time between two instants as shifts in order, those without anybody too; the outer ones are cut."""
    known = _that_matter(rota, overrides)
    waiting: Shift | None = None
    for piece in _overridden(rota, known, start, until):
        if waiting and replace(piece, start=waiting.start, until=waiting.until) == waiting:
            waiting = replace(waiting, until=piece.until)
            continue
        if waiting:
            yield waiting
        waiting = piece
    if waiting:
        yield waiting


def gaps(rota: Rota, overrides: Iterable[Override], start: datetime, until: datetime) -> list[Shift]:
    """The shifts between two instants in which nobody is on call."""
    found: list[Shift] = []
    for one in shifts(rota, overrides, start, until):
        if one.people:
            continue
        if found and found[-1].until == one.start:
            found[-1] = replace(found[-1], until=one.until)
        else:
            found.append(one)
    return found


def why_nobody(rota: Rota, overrides: Iterable[Override], at: datetime) -> str:
    """Why nobody is on call at an instant: what the layers say, and who of the rota is away."""
    away = [str(one) for one in overrides if not one.person and one.instead_of in rota.people and one.holds(at)]
    return "; ".join([NOBODY_THERE, *dict.fromkeys(away)])


def next_shift(
    rota: Rota, overrides: Iterable[Override], person: str, after: datetime, *, within: timedelta = timedelta(days=366)
) -> Shift | None:
    """The shift that a person has at this instant, or else the next one; None if there is none in that time."""
    current = on_call(rota, overrides, after)
    if person in current.people:
        return current
    following = shifts(rota, overrides, after, after + within)
    found = next((one for one in following if person in one.people), None)
    return on_call(rota, overrides, found.start) if found else None


def _that_matter(rota: Rota, overrides: Iterable[Override]) -> list[Override]:
    """Those of this rota, in the order in which they were made."""
    return sorted((one for one in overrides if one.rota in ("", rota.name)), key=lambda one: one.id)


def _overridden(rota: Rota, overrides: Sequence[Override], start: datetime, until: datetime) -> Iterator[Shift]:
    """What the layers say, and over it what is instead of everybody, as long as it has somebody."""
    of_all = [one for one in overrides if one.person and not one.instead_of]
    names = {one.person for one in of_all}
    about = [*of_all, *(one for one in overrides if not one.person and one.instead_of in names)]
    at = start
    for border in _borders(about, start, until):
        held = [one for one in of_all if one.holds(at) and not _is_away(one.person, overrides, at)]
        for piece in _instead_of_all(held, overrides, at, border):
            if piece.people:
                yield piece
            else:
                yield from _layered(rota.layers, overrides, piece.start, piece.until)
        at = border


def _instead_of_all(
    held: Sequence[Override], overrides: Sequence[Override], start: datetime, until: datetime
) -> Iterator[Shift]:
    """Who stands for everybody, or those who stand for them: the last one made by hand, else all of the calendars.

    What was said of one person's seat before somebody took it by hand is over; a calendar takes no word back.
    """
    by_hand = [one for one in held if not one.source][-1:]
    seats = by_hand or sorted(held, key=lambda one: (one.start, one.person))
    people = tuple(dict.fromkeys(one.person for one in seats))
    whole = Shift(start=start, until=until, people=people, overrides=tuple(seats))
    yield from _substituted(whole, overrides, after=by_hand[0].id if by_hand else None)


def _layered(
    layers: Sequence[Layer], overrides: Sequence[Override], start: datetime, until: datetime
) -> Iterator[Shift]:
    """The last layer where it has somebody, and between that the ones below it."""
    if not layers:
        yield Shift(start=start, until=until)
        return
    at = start
    for piece in _present(layers[-1], overrides, start, until):
        if at < piece.start:
            yield from _layered(layers[:-1], overrides, at, piece.start)
        yield piece
        at = piece.until
    if at < until:
        yield from _layered(layers[:-1], overrides, at, until)


def _present(layer: Layer, overrides: Sequence[Override], start: datetime, until: datetime) -> Iterator[Shift]:
    for piece in _turns(layer, start, until):
        yield from (one for one in _substituted(piece, overrides) if one.people)


def _turns(layer: Layer, start: datetime, until: datetime) -> Iterator[Shift]:
    """The turns of a layer within its windows, cut to the time that is asked for."""
    start = max(start, layer.rotation.begins(0))
    until = min(until, layer.until) if layer.until else until
    for opening in openings(layer.windows, start, until) if start < until else ():
        at, end = max(opening.start, start), min(opening.until, until)
        while at < end:
            turn, border = _turn(layer, at, end)
            people = layer.turns[turn % len(layer.turns)]
            yield Shift(start=at, until=border, people=people, layer=layer.name, turn=turn % len(layer.turns) + 1)
            at = border


def _turn(layer: Layer, at: datetime, end: datetime) -> tuple[int, datetime]:
    """The turn at an instant and its end; one who takes turns with nobody has a single turn without end."""
    if len(layer.turns) == 1:
        return 0, end
    turn = layer.rotation.turn_at(at)
    return turn, min(end, layer.rotation.begins(turn + 1))


def _substituted(piece: Shift, overrides: Sequence[Override], after: int | None = None) -> Iterator[Shift]:
    """The piece with those who stand for its people, and without those who are away; `after` an override of this number
    was made, the ones before it count no more."""
    about = [one for one in overrides if one.instead_of and (after is None or one.id > after or not one.person)]
    at = piece.start
    for border in _borders(about, piece.start, piece.until):
        people, used = piece.people, piece.overrides
        for one in about:
            if one.person and one.holds(at) and one.instead_of in people:
                people = tuple(dict.fromkeys(one.person if name == one.instead_of else name for name in people))
                used = (*used, one)
        there = tuple(name for name in people if not _is_away(name, overrides, at))
        yield replace(piece, start=at, until=border, people=there, overrides=used)
        at = border


def _is_away(person: str, overrides: Sequence[Override], at: datetime) -> bool:
    return any(not one.person and one.instead_of == person and one.holds(at) for one in overrides)


def _borders(overrides: Iterable[Override], start: datetime, until: datetime) -> list[datetime]:
    """The instants at which overrides begin and end between two others, and the second of those."""
    found = {instant for one in overrides for instant in (one.start, one.ends) if start < instant < until}
    return [*sorted(found), until]
