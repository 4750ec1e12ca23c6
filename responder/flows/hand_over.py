"""Hand over: what the machine could not do goes to people, with everything that it tried."""

from __future__ import annotations

from dataclasses import dataclass

from responder.adapters.links import AckClaim
from responder.domain import lifecycle
from responder.domain.approval import ApprovalKind
from responder.domain.correlation import Known
from responder.domain.message import Message, Purpose
from responder.domain.oncall import Recipient, addressed
from responder.domain.report import Signal
from responder.domain.ticket import Action, Change, EventKind, Promise, Status, Ticket, refusal
from responder.flows.consent import question_for
from responder.flows.desk import Desk
from responder.flows.holds import held_back
from responder.flows.recognise import recognise
from responder.flows.telling import team_of
from responder.flows.texts import HandOverText, QuestionText, Tried, hand_over_body, hand_over_subject
from responder.store.jobs import Job
from responder.store.transaction import Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why people are told, and under which purpose: each is told once per purpose."""

    why: str
    purpose: str
    seen: str = ""


async def hand_over(desk: Desk, job: Job) -> None:
    """Moves the ticket to people and writes a message to each of them into the outbox."""
    await desk.store.write(lambda tx: _hand_over(desk, tx, job))


def _hand_over(desk: Desk, tx: Transaction, job: Job) -> None:
    why = str(job.args.get("why", ""))
    # A hand-over again in the same episode is a message of its own.
    purpose = f"{Purpose.HAND_OVER}-{job.args['round']}" if "round" in job.args else Purpose.HAND_OVER.value
    known = tx.tickets.one(int(job.args["ticket"]), locked=True)
    ticket, now = known.ticket, desk.clock.now()
    if ticket.signal is Signal.CLEARED or ticket.acknowledged_by:
        return
    change, seen = Change.of(ticket, known.clocks), ""
    if ticket.status is Status.NEW and held_back(desk, tx, change, job):
        return
    if ticket.status is not Status.HANDED_OVER:
        if refusal(ticket, Action.HAND_OVER):
            return
        lifecycle.hand_over(change, desk.policy, now=now, reason=why)
        if ticket.episode == 1 and ticket.handed_over_at is None:
            found = recognise(desk, tx, change, tx.dossiers.of_ticket(ticket.id))
            seen = found.sentence if found.is_recurring else ""
    _tell(
        desk,
        tx,
        Known(ticket=change.after, clocks=change.clocks),
        change,
        Reason(why=why, purpose=purpose, seen=seen),
    )
    tx.apply([change], now)


def _tell(desk: Desk, tx: Transaction, known: Known, change: Change, reason_for: Reason) -> None:
    now, ticket = desk.clock.now(), known.ticket
    told, reason = _called(desk, ticket)
    tried = [Tried(run=run, attempts=tx.runs.attempts(run.id)) for run in tx.runs.of_ticket(ticket.id)]
    suggestion = tx.approvals.of_episode(ticket.id, ticket.episode, ApprovalKind.SUGGESTION)
    suggestion = suggestion if suggestion and suggestion.is_waiting else None
    new = []
    for recipient in told:
        offer = question_for(desk, suggestion, None, ticket, recipient.person) if suggestion else None
        message_id = tx.messages.write(_message(desk, known, recipient, tried, reason=reason_for, offer=offer))
        if message_id is not None:
            new.append(recipient)
            # A lock of its own: a channel that hangs must not hold up the ticket.
            lock = f"message:{message_id}"
            change.promises.append(Promise(kind="deliver", args={"message": message_id}, lock=lock))
    if new or not told:
        names = ", ".join(f"{one.person} by {one.channel}" for one in new) or "nobody"
        why_them = reason or f"{ticket.grade} calls no tier: it waits in the list"
        change.note(now, EventKind.MESSAGE, f"To tell: {names} ({why_them}).")


def _called(desk: Desk, ticket: Ticket) -> tuple[tuple[Recipient, ...], str]:
    """The tiers and roles that the grade calls; from tier 2 on only the tier that the ticket has come to."""
    if ticket.tier > 1:
        return team_of(desk, ticket, (ticket.tier,))
    promises = desk.policy.promises_of(ticket.grade)
    called, why_called = team_of(desk, ticket, promises.tiers)
    named, why_named = addressed((), promises.roles, desk.configuration.people)
    return tuple(dict.fromkeys((*called, *named))), "; ".join(filter(None, (why_called, why_named)))


def _message(
    desk: Desk, known: Known, recipient: Recipient, tried: list[Tried], *, reason: Reason, offer: QuestionText | None
) -> Message:
    ticket = known.ticket
    claim = AckClaim(ticket_id=ticket.id, episode=ticket.episode, person=recipient.person)
    parts = HandOverText(
        ticket=ticket,
        clocks=known.clocks,
        tried=tried,
        why=reason.why,
        ack_link=desk.links.acknowledge(claim),
        ticket_link=desk.links.ticket(ticket.number),
        suggestion=offer,
        seen=reason.seen,
    )
    return Message(
        ticket_id=ticket.id,
        episode=ticket.episode,
        purpose=reason.purpose,
        person=recipient.person,
        channel=recipient.channel,
        subject=hand_over_subject(ticket),
        body=hand_over_body(parts, desk.configuration.people[recipient.person].language),
        created_at=desk.clock.now(),
    )
