"""Calendars: shifts and absences from files of other programs, and shifts as feeds for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from responder.adapters.calendar_file import FeedEntry, Occurrence, feed
from responder.adapters.calendar_reader import read_calendar
from responder.adapters.links import CalendarClaim
from responder.clock import microseconds
from responder.domain.override_rules import refusal_of_absence
from responder.domain.rota import Override, Rota, Shift, shifts
from responder.errors import NotFound, Refused
from responder.flows.desk import Desk
from responder.flows.duty import rota_of
from responder.flows.duty_news import Act, Outcome, outcome, written_down
from responder.flows.overrides import add_checked, locked
from responder.store.transaction import Transaction

LOOKED_AHEAD = timedelta(days=370)
_FEED_BACK, _FEED_AHEAD = timedelta(days=31), timedelta(days=184)


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """A calendar as it was given, with who gave it and the name under which it is known when it comes again."""

    content: bytes
    source: str
    actor: str


async def import_shifts(desk: Desk, rota: str, calendar: Calendar) -> Outcome:
    """Makes the events of a calendar overrides of a rota: an event names who is on call instead of everybody. What the
    same source said before and does not say any more is ended. Gives what is new and what has ended.

    Raises NotFound for a rota that is not there, and Refused with the event that cannot be meant; then nothing has
    changed.
    """
    now, zone = desk.clock.now(), rota_of(desk, rota).zone
    events = await read_calendar(calendar.content, now, now + LOOKED_AHEAD, zone)
    blank = _blank(calendar, now, f"rota {rota}")
    wanted = [replace(_cut(blank, one, now), rota=rota, person=_person(desk, one)) for one in events]

    def body(tx: Transaction) -> Outcome:
        before = tx.overrides.since(now)
        new, ended = _end_the_others(tx, wanted, blank)
        known = locked(desk, tx, rota, now)
        for one in new:
            known.append(add_checked(desk, tx, one, known))
        made = known[len(known) - len(new) :]
        return outcome(desk, tx, before, [*made, *ended], _act(blank))

    return written_down(desk, await desk.store.write(body))


async def import_absences(desk: Desk, person: str, calendar: Calendar) -> Outcome:
    """Every event of a calendar is a time in which the person is away, in all rotas. What the same source said before
    and does not say any more is ended. Gives what is new and what has ended. Raises NotFound and Refused."""
    now, zone = desk.clock.now(), _zone_of(desk, person)
    events = await read_calendar(calendar.content, now, now + LOOKED_AHEAD, zone)
    blank = replace(_blank(calendar, now, f"person {person}"), instead_of=person)
    wanted = [_cut(blank, one, now) for one in events]

    def body(tx: Transaction) -> Outcome:
        before = tx.overrides.since(now)
        new, ended = _end_the_others(tx, wanted, blank)
        made = [_added_absence(desk, tx, one) for one in new]
        return outcome(desk, tx, before, [*made, *ended], _act(blank))

    return written_down(desk, await desk.store.write(body))


async def add_absence(desk: Desk, absence: Override) -> Outcome:
    """Writes down that somebody is away in all rotas, and tells those concerned. Raises Refused for what cannot be
    meant."""

    def body(tx: Transaction) -> Outcome:
        before = tx.overrides.since(desk.clock.now())
        made = _added_absence(desk, tx, absence)
        return outcome(desk, tx, before, [made], Act(actor=absence.actor, reason=absence.reason))

    return written_down(desk, await desk.store.write(body))


def zones_of(desk: Desk, person: str) -> tuple[ZoneInfo, ...]:
    """The zones in which a person's times are meant: those of their rotas, else the person's own; at least one."""
    found = {rota.zone.key: rota.zone for rota in desk.configuration.rotas.values() if person in rota.people}
    known = desk.configuration.people.get(person)
    return tuple(found.values()) or (ZoneInfo(known.zone) if known else desk.policy.zone,)


def feed_link(desk: Desk, claim: CalendarClaim) -> str:
    """The address of a feed. Raises NotFound for a rota or a person that is not there."""
    if claim.rota:
        rota_of(desk, claim.rota)
    else:
        _zone_of(desk, claim.person)
    return desk.links.calendar(claim)


async def feed_of(desk: Desk, claim: CalendarClaim) -> bytes:
    """The shifts of a rota, or of a person in all rotas, of the last month and the next six."""
    now = desk.clock.now()
    rotas = [rota_of(desk, claim.rota)] if claim.rota else list(desk.configuration.rotas.values())
    start, until = now - _FEED_BACK, now + _FEED_AHEAD
    overrides = await desk.store.read(lambda tx: tx.overrides.since(start))
    found = [
        _entry(rota, shift, claim)
        for rota in rotas
        for shift in shifts(rota, overrides, start, until)
        if (claim.person in shift.people if claim.person else shift.people)
    ]
    name = f"On call: {claim.rota}" if claim.rota else f"On call: {claim.person}"
    return feed(name, found, now)


def _entry(rota: Rota, shift: Shift, claim: CalendarClaim) -> FeedEntry:
    whose = claim.person or ", ".join(shift.people)
    summary = f"On call: {rota.name}" if claim.person else f"On call: {whose} ({rota.name})"
    uid = f"{rota.name}-{whose.replace(', ', '-')}-{microseconds(shift.start)}@responder"
    return FeedEntry(uid=uid, summary=summary, description=shift.why, start=shift.start, until=shift.until)


def _blank(calendar: Calendar, now: datetime, whose: str) -> Override:
    """What all overrides of one calendar have in common."""
    return Override(
        rota="",
        person="",
        start=now,
        until=now,
        reason=f"calendar {calendar.source}",
        actor=calendar.actor,
        made_at=now,
        source=f"{calendar.source} for {whose}",
    )


def _cut(blank: Override, event: Occurrence, now: datetime) -> Override:
    reason = f"{event.summary} ({blank.reason})" if event.summary else blank.reason
    return replace(blank, start=max(event.start, now), until=event.until, reason=reason[:500])


def _person(desk: Desk, event: Occurrence) -> str:
    """Whom an event names, by name or by full name. Raises Refused."""
    wanted = event.summary.casefold()
    for person in desk.configuration.people.values():
        if wanted in (person.name.casefold(), person.full_name.casefold()) and wanted:
            return person.name
    names = ", ".join(desk.configuration.people)
    raise Refused(
        f"The event “{event.summary[:80]}” at {event.start:%Y-%m-%d %H:%M} UTC names nobody; there are {names}."
    )


def _zone_of(desk: Desk, person: str) -> ZoneInfo:
    found = desk.configuration.people.get(person)
    if found is None:
        raise NotFound(f"Nobody is called {person[:80]}.")
    return ZoneInfo(found.zone)


def _end_the_others(
    tx: Transaction, wanted: Sequence[Override], blank: Override
) -> tuple[list[Override], list[Override]]:
    """Ends what a source said before and does not say any more; gives what it says now and did not before, and what has
    ended."""
    now, ended = blank.made_at, []
    known = [one for one in tx.overrides.of_source(blank.source) if one.holds_after(now)]
    told_before, told_now = ({_what(one, now) for one in some} for some in (known, wanted))
    for one in known:
        if _what(one, now) not in told_now:
            tx.overrides.end(one.id, now, blank.actor)
            ended.append(replace(one, ended_at=now, ended_by=blank.actor))
    return [one for one in wanted if _what(one, now) not in told_before], ended


def _act(blank: Override) -> Act:
    return Act(actor=blank.actor, reason=blank.reason)


def _what(override: Override, now: datetime) -> tuple[object, ...]:
    """What makes two overrides the same; one that has begun began when it was first told of."""
    return override.rota, override.person, override.instead_of, max(override.start, now), override.until


def _added_absence(desk: Desk, tx: Transaction, absence: Override) -> Override:
    if why := refusal_of_absence(absence, desk.configuration.people, desk.clock.now()):
        raise Refused(why)
    return replace(absence, id=tx.overrides.add(absence))
