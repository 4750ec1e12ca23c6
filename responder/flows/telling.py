"""Telling: messages to people as rows, each promised to be delivered, in the transaction that has the reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from responder.adapters.notifier import scheme_of
from responder.clock import microseconds
from responder.domain.acts import Tell
from responder.domain.delivery import delay_of
from responder.domain.local_time import UTC
from responder.domain.masking import masked
from responder.domain.message import Message, is_page
from responder.domain.oncall import Recipient, Tier, addressed, recipients
from responder.domain.reporter import REPORTER
from responder.domain.runbook import Run
from responder.domain.ticket import Change, EventKind, Promise, Ticket
from responder.firstaid.plan import PlannedStep
from responder.flows.desk import Desk
from responder.flows.duty import called_on_duty
from responder.flows.texts import Headline, notice_body, short_text, subject
from responder.store.transaction import Transaction

_FIRST_TIER = (1,)


def team_of(
    desk: Desk, tx: Transaction, ticket: Ticket, tiers: Iterable[int] = _FIRST_TIER, *, at: datetime | None = None
) -> tuple[tuple[Recipient, ...], str]:
    """Who of the ticket's team is told when these tiers are called, now or at an instant, and why."""
    known = tiers_of(desk, ticket)
    on_duty = called_on_duty(desk, tx, known, at or desk.clock.now())
    return recipients(known, tiers, desk.configuration.people, on_duty)


def tiers_of(desk: Desk, ticket: Ticket) -> tuple[Tier, ...]:
    """The tiers of the ticket's team, or of the default team if it has none."""
    configuration = desk.configuration
    return configuration.tiers.get(ticket.team) or configuration.tiers.get(configuration.policy.default_team, ())


def highest_tier(desk: Desk, ticket: Ticket) -> int:
    """The last tier that the ticket's team has: from there it goes no higher."""
    return max((tier.number for tier in tiers_of(desk, ticket)), default=1)


def tiers_from(desk: Desk, team: str, first: int) -> list[Tier]:
    """All tiers of a team, or of the default team if there is no such team: from this one up, then those below it."""
    configuration = desk.configuration
    tiers = configuration.tiers.get(team) or configuration.tiers.get(configuration.policy.default_team, ())
    return sorted(tiers, key=lambda tier: (tier.number < first, tier.number))


def reachable(desk: Desk, tx: Transaction, team: str, tier: Tier) -> tuple[tuple[Recipient, ...], str]:
    """Who of one tier of a team can be reached now, and why them."""
    known = desk.configuration.tiers.get(team, ())
    on_duty = called_on_duty(desk, tx, known, desk.clock.now())
    return recipients(known, (tier.number,), desk.configuration.people, on_duty)


def meant_by(desk: Desk, tx: Transaction, ticket: Ticket, tell: Tell) -> tuple[tuple[Recipient, ...], str]:
    """Whom an act wants to be told, and why them."""
    named, why_named = addressed(tell.people, tell.roles, desk.configuration.people)
    tiers = tell.tiers if tell.tiers or tell.people or tell.roles else _FIRST_TIER
    called, why_called = team_of(desk, tx, ticket, tiers)
    told = tuple(dict.fromkeys((*named, *called)))
    return told, "; ".join(why for why in (why_named, why_called) if why)


def tell_in_step(desk: Desk, tx: Transaction, run: Run, step: PlannedStep, tell: Tell) -> None:
    """Tells people what a step has to say, once, however often the step is come to."""
    known = tx.tickets.one(run.ticket_id, locked=True)
    change, now = Change.of(known.ticket, known.clocks), desk.clock.now()
    mark: dict[str, Any] = {"told_by": run.id, "step": step.index}
    if any(mark.items() <= event.data.items() for event in tx.tickets.events(run.ticket_id)):
        return
    told, why = meant_by(desk, tx, change.after, tell)
    text = masked(tell.text, desk.configuration.secrets)
    purpose = f"run-{run.id}-step-{step.index}"
    write_notice(desk, tx, change, told, purpose=purpose, text=text)
    change.note(now, EventKind.MESSAGE, f"To tell: {spoken_recipients(told)} ({why}): {text}", **mark)
    tx.apply([change], now)


def write_notice(
    desk: Desk, tx: Transaction, change: Change, told: Collection[Recipient], *, purpose: str, text: str
) -> list[Recipient]:
    """As `write_messages`, of a text that needs no more than its ticket around it."""
    ticket, link = change.after, desk.links.ticket(change.after.number)

    def body(recipient: Recipient) -> str:
        return notice_body(ticket, text, link, language_of(desk, recipient))

    return write_messages(desk, tx, change, told, purpose=purpose, text=Text(subject=subject(ticket, text), body=body))


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """What a message says to each reader. A short channel takes only the subject and `link`, without which it is the
    link to the ticket."""

    subject: Headline
    body: Callable[[Recipient], str]
    link: Callable[[Recipient], str] | None = None


def write_messages(
    desk: Desk, tx: Transaction, change: Change, told: Collection[Recipient], *, purpose: str, text: Text
) -> list[Recipient]:
    """Puts a message for each of them into the outbox; gives those who had not got it yet."""
    ticket, new = change.after, []
    for recipient in told:
        is_brief = is_short(desk, recipient)
        message = Message(
            ticket_id=ticket.id,
            episode=ticket.episode,
            purpose=purpose,
            person=recipient.person,
            channel=recipient.channel,
            subject="" if is_brief else text.subject.in_language(language_of(desk, recipient)),
            body=_brief(desk, ticket, recipient, text, purpose) if is_brief else text.body(recipient),
            created_at=desk.clock.now(),
        )
        if put_out(desk, tx, change, message):
            new.append(recipient)
    return new


def _brief(desk: Desk, ticket: Ticket, recipient: Recipient, text: Text, purpose: str) -> str:
    ticket_link, language = desk.links.ticket(ticket.number), language_of(desk, recipient)
    line = text.subject.in_language(language)
    if text.link is None:
        return short_text(line, ticket_link, ticket_link, language)
    link = text.link(recipient)
    return short_text(line, link, ticket_link, language, acknowledges=is_page(purpose))


def is_short(desk: Desk, recipient: Recipient) -> bool:
    """Whether the channel takes no more than a text message."""
    person = desk.configuration.people.get(recipient.person)
    return any(one.is_short for one in person.channels if one.name == recipient.channel) if person else False


def put_out(desk: Desk, tx: Transaction, change: Change, message: Message) -> bool:
    """Puts one message into the outbox, to leave when its reader's contact order says; False if it is there already."""
    person = desk.configuration.people.get(message.person)
    delay = delay_of(person.contact if person else (), message.channel)
    due_at = message.created_at + delay if delay else None
    message_id = tx.messages.write(replace(message, due_at=due_at))
    if message_id is None:
        return False
    # A lock of its own: a channel that hangs must not hold up the ticket. What waits for its time holds none.
    lock = "" if due_at else f"message:{message_id}"
    args = delivery_args(message_id, due_at)
    change.promises.append(Promise(kind=delivery_kind(desk, change.after.grade), due_at=due_at, args=args, lock=lock))
    return True


def delivery_kind(desk: Desk, grade: str) -> str:
    """The kind of job that sends messages of a grade: those of the fast lane wait behind no others."""
    return "deliver_first" if grade in desk.policy.delivery.lane else "deliver"


def delivery_args(message_id: int, due_at: datetime | None) -> dict[str, object]:
    """What a job is told of its message; `at` tells the job that counts from those promised for another time."""
    return {"message": message_id, **({"at": microseconds(due_at)} if due_at else {})}


def channel_kind(desk: Desk, message: Message) -> str:
    """The channel's kind: few values, while the names of channels are people's own."""
    if message.person == REPORTER:
        url = desk.configuration.reporter_url
        return scheme_of(url.value) if url else "gone"
    person = desk.configuration.people.get(message.person)
    schemes = {channel.name: channel.scheme for channel in person.channels} if person else {}
    return schemes.get(message.channel, "gone")


def spoken_recipients(told: Iterable[Recipient]) -> str:
    """Who is told, for the ticket's history."""
    return ", ".join(f"{one.person} by {one.channel}" for one in told) or "nobody"


def zone_of(desk: Desk, person: str) -> ZoneInfo:
    """In which zone a person reads times."""
    known = desk.configuration.people.get(person)
    return ZoneInfo(known.zone) if known else UTC


def language_of(desk: Desk, recipient: Recipient) -> str:
    person = desk.configuration.people.get(recipient.person)
    return person.language if person else "en"
