"""Duty news: a change by hand of who is on call is told to those concerned, in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from responder.clock import microseconds
from responder.domain.delivery import quiet_until
from responder.domain.duty_news import DutyChange, Gap, Notice, Views, changes_of, gaps_opened, news_in
from responder.domain.message import MessageState
from responder.domain.rota import Override, Rota
from responder.domain.ticket import Status
from responder.flows import deeds
from responder.flows.desk import Desk
from responder.flows.telling import tiers_of
from responder.flows.watch_rotas import LOOKED_AHEAD, rotas_that_call
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_LOOKED_AT = 200
IN_QUIET_HOURS = "in quiet hours"
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a change by hand has made: the overrides that are new or have ended, the gaps that it opens, and the
    notices to those concerned."""

    overrides: tuple[Override, ...]
    gaps: tuple[Gap, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """Who changes, and why; `has_ended` when overrides are ended, not made."""

    actor: str
    reason: str
    has_ended: bool = False


def outcome(desk: Desk, tx: Transaction, before: Sequence[Override], changed: Sequence[Override], act: Act) -> Outcome:
    """All that follows from a change which has just been written: the gaps that it opens, and a notice to each person
    whom it puts on call or takes off it, which is promised to be sent.

    Whoever made the change for themself knows it; and what nobody was told of yet need not be taken back.
    """
    _tell_the_log(desk, tx, changed, act)
    seen = list(_seen(desk, tx, before, changed))
    news: dict[str, list[DutyChange]] = {}
    for rota, views in seen:
        for name, found in changes_of(rota, views).items():
            news.setdefault(name, []).extend(found)
    blank = Notice(
        person="",
        changes=(),
        actor=act.actor,
        reason=act.reason,
        has_ended=act.has_ended,
        override_ids=tuple(one.id for one in changed),
        made_at=desk.clock.now(),
    )
    gaps = tuple(gap for rota, views in seen for gap in gaps_opened(rota, views))
    return Outcome(overrides=tuple(changed), gaps=gaps, notices=tuple(_written(desk, tx, blank, news)))


def written_down(desk: Desk, made: Outcome) -> Outcome:
    """Writes into the log what was changed, once it is, and warns of a gap that is near."""
    for one in made.overrides:
        span = {"start": one.start.isoformat(), "until": one.until.isoformat()}
        verb = "override ended" if one.ended_at else "override made"
        log.info(verb, override=one.id, rota=one.rota, actor=one.ended_by or one.actor, what=str(one), **span)
    near, calling = desk.clock.now() + LOOKED_AHEAD, rotas_that_call(desk.configuration)
    for gap in made.gaps:
        if gap.rota in calling and gap.start < near:
            span = {"start": gap.start.isoformat(), "until": gap.until.isoformat()}
            log.warning("nobody is on call", rota=gap.rota, **span)
    return made


def _tell_the_log(desk: Desk, tx: Transaction, changed: Sequence[Override], act: Act) -> None:
    said = []
    for verb, some in (
        ("made", [one for one in changed if not one.ended_at]),
        ("ended", [one for one in changed if one.ended_at]),
    ):
        if some:
            said.append(f"{verb}: {'; '.join(map(_in_short, some))}")
    about = " ".join(dict.fromkeys(one.rota or one.instead_of for one in changed))
    deeds.tell(desk, tx, f"{'; '.join(said) or 'as it was'}; {deeds.reason(desk, act.reason)}", about)


def _in_short(one: Override) -> str:
    whom = f" instead of {one.instead_of}" if one.instead_of else ""
    what = f"{one.person}{whom} in rota {one.rota}" if one.person else f"{one.instead_of} is away"
    return f"{one.id} {what}, {deeds.instant(one.start)} to {deeds.instant(one.until)} UTC"


def held_until(desk: Desk, tx: Transaction, notice: Notice) -> datetime | None:
    """When its reader's quiet hours end, if it waits for that. It waits for nothing if it holds already while a ticket
    calls people of the rota."""
    now, person = desk.clock.now(), desk.configuration.people.get(notice.person)
    until = quiet_until(person.quiet_hours, now) if person else None
    if until is None:
        return None
    at_work = {one.rota for one in notice.changes if one.start <= now < one.until}
    return None if at_work and _is_paging(desk, tx, at_work) else until


def _seen(
    desk: Desk, tx: Transaction, before: Sequence[Override], changed: Sequence[Override]
) -> Iterable[tuple[Rota, Views]]:
    """The rotas that a change may be about, each with the overrides before and after it."""
    now = desk.clock.now()
    start, until = (
        max(now, min((one.start for one in changed), default=now)),
        max((one.until for one in changed), default=now),
    )
    if start >= until:
        return
    after = tx.overrides.since(now)
    for rota in desk.configuration.rotas.values():
        if any(_is_about(one, rota, (*before, *after)) for one in changed):
            yield rota, Views(before=before, after=after, start=start, until=until)


def _is_about(changed: Override, rota: Rota, known: Iterable[Override]) -> bool:
    """Whether an override may change a rota: one for all rotas only those that its person may come to."""
    if changed.rota:
        return changed.rota == rota.name
    return changed.instead_of in rota.people or any(
        one.rota == rota.name and one.person == changed.instead_of for one in known
    )


def _written(desk: Desk, tx: Transaction, blank: Notice, news: Mapping[str, Sequence[DutyChange]]) -> Iterable[Notice]:
    for name, found in news.items():
        if name not in desk.configuration.people or name.casefold() == blank.actor.casefold():
            continue
        untold = [change for notice in tx.duty_notices.untold(name) for change in notice.changes]
        if changes := news_in(found, untold):
            notice = replace(blank, person=name, changes=tuple(changes))
            if (until := held_until(desk, tx, notice)) is not None:
                notice = replace(notice, state=MessageState.HELD, error=IN_QUIET_HOURS, due_at=until)
            notice = tx.duty_notices.add(notice)
            tx.promise([delivery_of(notice, notice.made_at)])
            yield notice


def delivery_of(notice: Notice, now: datetime) -> Job:
    """The job that sends a notice when it is due, or now."""
    args = {"notice": notice.id, "at": microseconds(notice.due_at) if notice.due_at else None}
    # A lock of its own: a channel that hangs holds up no other notice.
    lock = f"duty notice:{notice.id}"
    return Job(kind="tell_duty", args=args, due_at=notice.due_at or now, at_once=notice.due_at is None, lock=lock)


def _is_paging(desk: Desk, tx: Transaction, rotas: set[str]) -> bool:
    """Whether a ticket that nobody has taken calls people of one of these rotas."""
    waiting = tx.tickets.listed(status=Status.HANDED_OVER, limit=_LOOKED_AT)
    return any(
        not ticket.acknowledged_by and any(tier.rota in rotas for tier in tiers_of(desk, ticket)) for ticket in waiting
    )
