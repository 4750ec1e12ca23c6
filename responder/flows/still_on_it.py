"""Still on it: an acknowledgement without a sign of its person is asked about, and then given back to the team."""

from __future__ import annotations

from datetime import datetime, timedelta

from responder.adapters.links import AckClaim
from responder.clock import from_microseconds, microseconds
from responder.domain import handling
from responder.domain.durations import spoken
from responder.domain.escalation import LATE, EscalationPlan
from responder.domain.handling import Acting
from responder.domain.oncall import addressed
from responder.domain.silence import AT_WORK, last_sign, purpose_of
from responder.domain.ticket import Change, EventKind
from responder.flows.desk import Desk
from responder.flows.telling import Text, language_of, spoken_recipients, write_messages
from responder.flows.texts import still_on_it_body, subject
from responder.store.jobs import Job
from responder.store.transaction import Transaction


def watch_over(desk: Desk, change: Change) -> None:
    """Promises the question to whoever has just taken the ticket, if its plan asks at all."""
    was, ticket = change.before, change.after
    taken_by = (ticket.acknowledged_by, ticket.acknowledged_at, ticket.episode)
    if not ticket.acknowledged_by or (was and taken_by == (was.acknowledged_by, was.acknowledged_at, was.episode)):
        return
    now = desk.clock.now()
    plan = desk.policy.escalation_of(ticket, now)
    if plan.still_on_it is not None:
        change.promise("still_on_it", now + plan.still_on_it, by=ticket.acknowledged_by, episode=ticket.episode)


async def still_on_it(desk: Desk, job: Job) -> None:
    """Asks whoever has the ticket and has been silent, or gives it back if the answer did not come."""
    await desk.store.write(lambda tx: _look(desk, tx, job))


def _look(desk: Desk, tx: Transaction, job: Job) -> None:
    known = tx.tickets.one(int(job.args["ticket"]), locked=True)
    ticket, now, by = known.ticket, desk.clock.now(), str(job.args["by"])
    if ticket.acknowledged_by != by or ticket.episode != job.args["episode"]:
        return
    change = Change.of(ticket, known.clocks)
    plan = desk.policy.escalation_of(ticket, now)
    if plan.still_on_it is None or not ticket.is_open:
        return
    asked_at = from_microseconds(int(job.args["asked_at"])) if "asked_at" in job.args else None
    seen_at = last_sign(tx.tickets.events(ticket.id), by) or ticket.acknowledged_at or now
    if asked_at is not None and seen_at < asked_at and ticket.status in AT_WORK:
        _end_the_wait(desk, change, plan, job, asked_at)
    elif ticket.status not in AT_WORK or seen_at + plan.still_on_it > now:
        # What waits, or is restored, needs nobody's hands; a look later.
        due_at = max(seen_at, now - plan.still_on_it + timedelta(minutes=1)) + plan.still_on_it
        change.promise("still_on_it", due_at, by=by, episode=ticket.episode)
    else:
        _ask(desk, tx, change, plan, silent=now - seen_at)
    tx.apply([change], now)


def _ask(desk: Desk, tx: Transaction, change: Change, plan: EscalationPlan, *, silent: timedelta) -> None:
    ticket, now, by = change.after, desk.clock.now(), change.after.acknowledged_by or ""
    told, _ = addressed((by,), (), desk.configuration.people)
    text = f"{by}, are you still on it? Nothing was heard from you for {spoken(silent)}."
    link = desk.links.acknowledge(AckClaim(ticket_id=ticket.id, episode=ticket.episode, person=by))
    until = now + plan.answer_within
    new = write_messages(
        desk,
        tx,
        change,
        told,
        purpose=purpose_of(now),
        text=Text(
            subject=subject(ticket, text),
            body=lambda one: still_on_it_body(ticket, silent, until, link, language_of(desk, one)),
            link=lambda _: link,
        ),
    )
    change.note(now, EventKind.ESCALATION, f"Asked {spoken_recipients(new)}: still on it? Until {until:%H:%M} UTC.")
    _await_the_answer(change, by, asked_at=now, until=until)


def _await_the_answer(change: Change, by: str, *, asked_at: datetime, until: datetime) -> None:
    asked = {"asked_at": microseconds(asked_at), "until": microseconds(until)}
    change.promise("still_on_it", until, by=by, episode=change.after.episode, **asked)


def _end_the_wait(desk: Desk, change: Change, plan: EscalationPlan, job: Job, asked_at: datetime) -> None:
    """Gives it back; but if nobody was here when the time ended, no answer could come: then it is waited for anew."""
    now, by = desk.clock.now(), str(job.args["by"])
    if now - from_microseconds(int(job.args["until"])) <= LATE:
        _give_back(desk, change, by, now - asked_at)
        return
    until = now + plan.answer_within
    change.note(
        now, EventKind.NOTE, f"No answer of {by} could be taken in time; it is waited for until {until:%H:%M} UTC."
    )
    _await_the_answer(change, by, asked_at=asked_at, until=until)


def _give_back(desk: Desk, change: Change, by: str, waited: timedelta) -> None:
    acting = Acting(actor="responder", now=desk.clock.now(), policy=desk.policy)
    reason = f"{by} was asked {spoken(waited)} ago whether they are still on it, and has not answered."
    if refused := handling.give_back(change, acting, reason):
        change.note(acting.now, EventKind.REFUSED, f"It stays with {by}: {refused}.")
