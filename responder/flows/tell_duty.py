"""Tell duty: a notice about who is on call leaves, unless it has been changed again or its reader sleeps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from responder.clock import microseconds
from responder.domain.delivery import place_in
from responder.domain.duty_news import DutyChange, Notice, still_so
from responder.domain.message import MessageState
from responder.domain.oncall import Channel, Person
from responder.flows.desk import Desk
from responder.flows.duty_news import IN_QUIET_HOURS, delivery_of, held_until
from responder.flows.reach import send_on
from responder.flows.texts import short_text
from responder.flows.texts.duty_news import duty_text
from responder.store.jobs import Job
from responder.store.transaction import Transaction

MOST_TRIES = 20
"""About an hour and a half: by then somebody has to say it."""
_FINISHED = frozenset({MessageState.SENT, MessageState.FAILED, MessageState.OVERTAKEN})
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A notice that is to be sent now, and what of it still holds."""

    notice: Notice
    changes: tuple[DutyChange, ...]


async def tell_duty(desk: Desk, job: Job) -> None:
    """Sends a notice on the reader's channels in their order, until one takes it; tries again later if none does."""
    taken = await desk.store.write(lambda tx: _take(desk, tx, job))
    if taken is None:
        return
    error = await _send(desk, taken)
    await desk.store.write(lambda tx: _write_down(desk, tx, taken.notice, error))


def _take(desk: Desk, tx: Transaction, job: Job) -> Taken | None:
    now, notice = desk.clock.now(), tx.duty_notices.one(int(job.args["notice"]))
    due_at = microseconds(notice.due_at) if notice.due_at else None
    if notice.state in _FINISHED or job.args.get("at") != due_at:
        return None
    changes = still_so(notice, desk.configuration.rotas, tx.overrides.since(now), now)
    if not changes:
        why = "It has been changed again, or is over."
        tx.duty_notices.keep(replace(notice, state=MessageState.OVERTAKEN, error=why, due_at=None))
        return None
    if (until := held_until(desk, tx, notice)) is not None:
        _later(desk, tx, replace(notice, state=MessageState.HELD, error=IN_QUIET_HOURS, due_at=until))
        return None
    taken = replace(notice, state=MessageState.SENDING, tries=notice.tries + 1)
    tx.duty_notices.keep(taken)
    return Taken(notice=taken, changes=tuple(changes))


def _later(desk: Desk, tx: Transaction, notice: Notice) -> None:
    tx.duty_notices.keep(notice)
    tx.promise([delivery_of(notice, desk.clock.now())])


async def _send(desk: Desk, taken: Taken) -> str:
    """Why no channel has taken it; empty if one has."""
    person = desk.configuration.people.get(taken.notice.person)
    if person is None or not person.channels:
        return f"{taken.notice.person} has no channel in the people file."
    refusals: list[str] = []
    for channels in _in_order(person):
        verdicts = await _sent(desk, person, channels, taken)
        if any(one for one in verdicts if not one):
            return ""
        refusals += verdicts
    return " ".join(dict.fromkeys(refusals))


def _in_order(person: Person) -> list[list[Channel]]:
    """The channels of each step of the contact order: what only tells need not wait between them."""
    places = {channel.name: place_in(person.contact, channel.name) for channel in person.channels}
    steps = sorted(set(places.values()))
    return [[channel for channel in person.channels if places[channel.name] == step] for step in steps]


async def _sent(desk: Desk, person: Person, channels: list[Channel], taken: Taken) -> list[str]:
    """What each of the channels answered; empty from one that took it."""
    zones = {name: rota.zone for name, rota in desk.configuration.rotas.items()}
    subject, body = duty_text(taken.notice, taken.changes, zones, person.language)
    console = desk.links.console()
    brief = short_text(subject, console, console, person.language)
    short = [one for one in channels if one.is_short]
    long = [one for one in channels if not one.is_short]
    verdicts = (*await send_on(desk, person, long, subject, body), *await send_on(desk, person, short, "", brief))
    return [one.sentence for one in verdicts]


def _write_down(desk: Desk, tx: Transaction, notice: Notice, error: str) -> None:
    now, latest = desk.clock.now(), tx.duty_notices.one(notice.id)
    if not error:
        tx.duty_notices.keep(replace(latest, state=MessageState.SENT, told_at=now, due_at=None, error=""))
        return
    log.warning("a notice of duty did not leave", person=notice.person, error=error, tries=notice.tries)
    if notice.tries >= MOST_TRIES:
        tx.duty_notices.keep(replace(latest, state=MessageState.FAILED, error=error, due_at=None))
        return
    pause = timedelta(seconds=min(5 * 2 ** (notice.tries - 1), 300))
    _later(desk, tx, replace(latest, state=MessageState.FAILED_FOR_NOW, error=error, due_at=now + pause))
