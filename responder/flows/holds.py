"""Holds: what keeps a ticket from automation and from people for a while. A hold that is over lets it go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from responder.clock import microseconds
from responder.domain import lifecycle
from responder.domain.holds import Held, due_at, is_said, may_wait, was_held_otherwise
from responder.domain.message import Purpose
from responder.domain.ticket import Change, Disposition, Event, EventKind, Status, Ticket
from responder.flows.around import Around
from responder.flows.desk import Desk
from responder.flows.hold_dependency import hold_dependency
from responder.flows.hold_flapping import hold_flapping
from responder.flows.hold_maintenance import hold_maintenance
from responder.flows.hold_off import hold_off
from responder.flows.hold_storm import hold_storm
from responder.flows.receive import file_reports
from responder.store.holds import KeptHold, job_args
from responder.store.jobs import Job
from responder.store.transaction import Transaction

Hold = Callable[[Around, Ticket], Held | None]

HOLDS: tuple[Hold, ...] = (hold_maintenance, hold_dependency, hold_flapping, hold_off, hold_storm)
"""Asked in this order; the first one that objects counts. One file per hold."""
_OF_THE_HOLD = ("ticket", "held", "episode", "due")


def hold_of(desk: Desk, tx: Transaction, ticket: Ticket, now: datetime) -> Held | None:
    """What holds the ticket now. Of a ticket that came back to people without a word to them in this episode, too."""
    return what_holds(Around(desk, tx, now), ticket)


def what_holds(around: Around, ticket: Ticket) -> Held | None:
    """The same for one ticket of several."""
    if not may_wait(ticket) or (ticket.status is Status.HANDED_OVER and _is_told(around.tx, ticket)):
        return None
    return next((held for hold in HOLDS if (held := hold(around, ticket))), None)


def held_back(desk: Desk, tx: Transaction, change: Change, job: Job) -> bool:
    """Whether the ticket has to wait: then the job is promised again for the hold's end, and the ticket says why.

    True also for a job that waited until its ticket had begun another episode, or whose ticket has been promised
    another one since: those have a job of their own.
    """
    now, ticket = desk.clock.now(), change.after
    if job.args.get("episode", ticket.episode) != ticket.episode or _is_overtaken(tx, ticket, job):
        return True
    found = hold_of(desk, tx, ticket, now)
    if found is None:
        _let_go(tx, change, job, now)
        return False
    history = tx.tickets.events(ticket.id)
    if not is_said(found, ticket, history):
        _say(desk, tx, change, found, history)
    _wait(tx, change, job, found, due_at(found, now))
    tx.apply([change], now)
    file_reports(tx, found.reports, desk.policy, now)
    return True


def _is_overtaken(tx: Transaction, ticket: Ticket, job: Job) -> bool:
    """Whether it waited, and is not the job any more that its ticket waits for."""
    if "due" not in job.args:
        return False
    kept = tx.holds.of_ticket(ticket.id)
    return kept is None or microseconds(kept.due_at) != job.args["due"]


def _wait(tx: Transaction, change: Change, job: Job, held: Held, until: datetime) -> None:
    """The ticket waits for this job alone."""
    args = {name: value for name, value in job.args.items() if name not in _OF_THE_HOLD}
    kept = KeptHold(
        ticket_id=change.after.id,
        episode=change.after.episode,
        name=held.name,
        occasion=held.occasion,
        kind=job.kind,
        args=args,
        due_at=until,
    )
    tx.holds.keep(kept)
    change.promise(job.kind, until, **job_args(kept, until))


def _is_told(tx: Transaction, ticket: Ticket) -> bool:
    """Whether somebody was told of this episode already: then nothing is left to hold."""
    written = tx.messages.of_ticket(ticket.id)
    return any(one.episode == ticket.episode and one.purpose.startswith(Purpose.HAND_OVER) for one in written)


def _say(desk: Desk, tx: Transaction, change: Change, held: Held, history: Sequence[Event]) -> None:
    ticket, now, more = change.after, desk.clock.now(), {}
    is_inside = ticket.status is Status.NEW and not was_held_otherwise(held, ticket, history)
    if held.is_excluded and is_inside and not lifecycle.has_missed(change):
        more = {"disposition": Disposition.MAINTENANCE.value}
        change.update(**more)
    change.note(now, EventKind.HELD, held.sentence, **held.mark, episode=ticket.episode, **more)
    change.count("tickets_held_total", by=held.name)
    if held.parent_id is not None:
        text = f"{ticket.number} waits behind it: {ticket.title}"
        data = {"member": ticket.number, "member_id": ticket.id}
        # Past compare and set: it decides nothing there, and hundreds of members must not stand in people's way.
        tx.tickets.append(
            [(held.parent_id, Event(at=now, kind=EventKind.HELD, actor="responder", text=text, data=data))]
        )


def _let_go(tx: Transaction, change: Change, job: Job, now: datetime) -> None:
    """What waited goes on; what has outlived its maintenance counts like any other ticket."""
    tx.holds.let_go(change.after.id)
    was = str(job.args.get("held", ""))
    more = {"disposition": ""} if change.after.disposition == Disposition.MAINTENANCE else {}
    if was or more:
        lifecycle.out_of_maintenance(change)
        text = "Nothing holds it any more, and it still shows: it goes on."
        change.note(now, EventKind.HELD, text, held="", was=was, episode=change.after.episode, **more)
