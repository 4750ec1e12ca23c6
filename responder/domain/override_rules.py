"""Which overrides may be made: an override that changes nothing, or that nobody would notice, is refused in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from responder.domain.delivery import first_quiet
from responder.domain.oncall import Person
from responder.domain.rota import Override, Rota, shifts

LONGEST = timedelta(days=370)
GRACE = timedelta(minutes=10)
"""How far back an override may begin: as long as it takes to write it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What a wanted override is held against: its rota, the others, and the people there are."""

    rota: Rota
    others: Sequence[Override]
    people: Mapping[str, Person]
    now: datetime


def refusal(wanted: Override, around: Around) -> str:
    """Why an override cannot be made, as a sentence; empty if it can."""
    return (
        _about_time(wanted, around.now)
        or _about_people(wanted, around.people)
        or _about_others(wanted, around)
        or _about_effect(wanted, around)
    )


def refusal_of_absence(wanted: Override, people: Collection[str], now: datetime) -> str:
    """Why somebody cannot be away then, as a sentence; empty if it can be."""
    if wanted.instead_of not in people:
        return f"Nobody is called {wanted.instead_of[:80]}."
    return _about_time(wanted, now)


def held_pages(person: Person, wanted: Override, held: Sequence[str], zone: ZoneInfo) -> str:
    """What somebody who is put on call in their quiet hours should know; empty if nothing is held from them.

    `held` has the grades that do not go through quiet hours.
    """
    found = first_quiet(person.quiet_hours, wanted.start, wanted.until) if held else None
    if found is None:
        return ""
    start, until = (f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}" for at in found)
    return (
        f"{person.name} is in quiet hours in that time, first from {start} to {until}: "
        f"pages of {', '.join(held)} are held until they end"
    )


def _about_time(wanted: Override, now: datetime) -> str:
    if wanted.until <= wanted.start:
        return f"It would end ({_spoken(wanted.until)}) before it starts ({_spoken(wanted.start)})."
    if wanted.until <= now:
        return f"It lies in the past: it would have ended at {_spoken(wanted.until)}."
    if wanted.person and wanted.start < now - GRACE:
        return f"It would begin in the past ({_spoken(wanted.start)}); who was on call then cannot be changed any more."
    if wanted.until - wanted.start > LONGEST:
        return f"It would last longer than {LONGEST.days} days; change the rota in the people file instead."
    return ""


def _about_people(wanted: Override, people: Mapping[str, Person]) -> str:
    for name in filter(None, (wanted.person, wanted.instead_of)):
        if name not in people:
            return f"Nobody is called {name[:80]}."
    if wanted.person == wanted.instead_of:
        return f"{wanted.person} cannot stand for {wanted.person}."
    if not people[wanted.person].channels:
        return f"{wanted.person} has no channel, so a call would reach nobody."
    return ""


def _about_others(wanted: Override, around: Around) -> str:
    for other in around.others:
        if other.start >= min(wanted.until, other.ends) or wanted.start >= other.ends:
            continue
        span = f"from {_spoken(other.start)} to {_spoken(other.ends)}"
        if not other.person and other.instead_of == wanted.person:
            return f"{wanted.person} is away {span}: {other.reason}"
        is_calendar = bool(other.source or wanted.source)
        if other.person and not is_calendar and (other.rota, other.instead_of) == (wanted.rota, wanted.instead_of):
            return f"It overlaps override {other.id} ({other}), {span}; end that one first."
    return ""


def _about_effect(wanted: Override, around: Around) -> str:
    """Standing for somebody who is not on call then is a mistake in the name or in the time."""
    if not wanted.instead_of:
        return ""
    before = [one for one in around.others if one.person]
    there = shifts(around.rota, before, wanted.start, wanted.until)
    if any(wanted.instead_of in shift.people for shift in there):
        return ""
    return f"{wanted.instead_of} is not on call in rota {around.rota.name} in that time, so nothing would change."


def _spoken(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
