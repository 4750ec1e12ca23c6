"""Hand over: what the machine could not do goes to people, with everything that it tried."""

from __future__ import annotations

from responder.adapters.links import AckClaim
from responder.domain import lifecycle
from responder.domain.approval import ApprovalKind
from responder.domain.correlation import Known
from responder.domain.message import Message, Purpose
from responder.domain.oncall import Recipient, recipients
from responder.domain.report import Signal
from responder.domain.ticket import Action, Change, EventKind, Promise, Status, refusal
from responder.flows.consent import question_for
from responder.flows.desk import Desk
from responder.flows.texts import HandOverText, QuestionText, Tried, hand_over_body, hand_over_subject
from responder.store.jobs import Job
from responder.store.transaction import Transaction


async def hand_over(desk: Desk, job: Job) -> None:
    """Moves the ticket to people and writes a message to each of them into the outbox."""
    ticket_id, why = int(job.args["ticket"]), str(job.args.get("why", ""))
    await desk.store.write(lambda tx: _hand_over(desk, tx, ticket_id, why))


def _hand_over(desk: Desk, tx: Transaction, ticket_id: int, why: str) -> None:
    known = tx.tickets.one(ticket_id, locked=True)
    ticket, now = known.ticket, desk.clock.now()
    if ticket.signal is Signal.CLEARED or ticket.acknowledged_by:
        return
    change = Change.of(ticket, known.clocks)
    if ticket.status is not Status.HANDED_OVER:
        if refusal(ticket, Action.HAND_OVER):
            return
        lifecycle.hand_over(change, now=now, reason=why)
    _tell(desk, tx, Known(ticket=change.after, clocks=known.clocks), change, why)
    tx.apply([change], now)


def _tell(desk: Desk, tx: Transaction, known: Known, change: Change, why: str) -> None:
    now, ticket = desk.clock.now(), known.ticket
    configuration = desk.configuration
    tiers = configuration.tiers.get(ticket.team) or configuration.tiers.get(configuration.policy.default_team, ())
    told, reason = recipients(tiers, configuration.policy.promises_of(ticket.grade).tiers, configuration.people)
    tried = [Tried(run=run, attempts=tx.runs.attempts(run.id)) for run in tx.runs.of_ticket(ticket.id)]
    suggestion = tx.approvals.of_episode(ticket.id, ticket.episode, ApprovalKind.SUGGESTION)
    suggestion = suggestion if suggestion and suggestion.is_waiting else None
    new = []
    for recipient in told:
        offer = question_for(desk, suggestion, None, ticket, recipient.person) if suggestion else None
        message_id = tx.messages.write(_message(desk, known, recipient, tried, why=why, offer=offer))
        if message_id is not None:
            new.append(recipient)
            # A lock of its own: a channel that hangs must not hold up the ticket.
            lock = f"message:{message_id}"
            change.promises.append(Promise(kind="deliver", args={"message": message_id}, lock=lock))
    if new or not told:
        names = ", ".join(f"{one.person} by {one.channel}" for one in new) or "nobody"
        why_them = reason or f"{ticket.grade} calls no tier: it waits in the list"
        change.note(now, EventKind.MESSAGE, f"To tell: {names} ({why_them}).")


def _message(
    desk: Desk, known: Known, recipient: Recipient, tried: list[Tried], *, why: str, offer: QuestionText | None
) -> Message:
    ticket = known.ticket
    claim = AckClaim(ticket_id=ticket.id, episode=ticket.episode, person=recipient.person)
    parts = HandOverText(
        ticket=ticket,
        clocks=known.clocks,
        tried=tried,
        why=why,
        ack_link=desk.links.acknowledge(claim),
        ticket_link=desk.links.ticket(ticket.number),
        suggestion=offer,
    )
    return Message(
        ticket_id=ticket.id,
        episode=ticket.episode,
        purpose=Purpose.HAND_OVER,
        person=recipient.person,
        channel=recipient.channel,
        subject=hand_over_subject(ticket),
        body=hand_over_body(parts, desk.configuration.people[recipient.person].language),
        created_at=desk.clock.now(),
    )
