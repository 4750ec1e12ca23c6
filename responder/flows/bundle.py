"""Bundle: what comes too fast for one person reaches them as one list, of what is still nobody's by then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from responder.clock import microseconds
from responder.domain.delivery import BundleRule, Window, admitted, after_a_bundle
from responder.domain.durations import spoken
from responder.domain.message import Message, MessageState, Purpose
from responder.domain.oncall import Recipient
from responder.domain.ticket import Change, EventKind, Promise, Ticket
from responder.flows.desk import Desk
from responder.flows.overtaking import overtaken_by
from responder.flows.telling import channel_kind, delivery_args, is_short, language_of
from responder.flows.texts import bundle_body, bundle_subject, short_text
from responder.store.jobs import Job
from responder.store.transaction import Transaction


def bundled(desk: Desk, tx: Transaction, change: Change, message: Message) -> bool:
    """Whether the page is one too many for its reader by now; then it waits for the list, and the ticket says so."""
    rule, now = desk.policy.delivery, desk.clock.now()
    if rule.bundle is None or change.after.grade in rule.lane:
        return False
    before = tx.messages.window(message.person, message.channel)
    window, leaves = admitted(before, rule.bundle, now)
    tx.messages.keep_window(message.person, message.channel, window)
    if leaves or window.bundle_at is None:
        return False
    why = _why(rule.bundle, window.bundle_at)
    tx.messages.mark(message.id, MessageState.BUNDLED, error=why, due_at=window.bundle_at)
    if before is None or before.bundle_at is None:
        _promise_the_bundle(tx, change, message, window.bundle_at)
    text = f"Bundled for {message.person} by {message.channel}: {why}"
    change.note(now, EventKind.MESSAGE, text, message=message.id)
    change.count("messages_total", channel=channel_kind(desk, message), outcome="bundled")
    return True


def _why(rule: BundleRule, at: datetime) -> str:
    return f"{rule.messages} pages in {spoken(rule.within)} are enough; it comes in a list at {at:%H:%M:%S} UTC."


def _promise_the_bundle(tx: Transaction, change: Change, message: Message, at: datetime) -> None:
    purpose = f"{Purpose.BUNDLE}-{microseconds(at)}"
    bundle = replace(message, purpose=purpose, subject="", body="", state=MessageState.WAITING, due_at=at)
    message_id = tx.messages.write(bundle)
    if message_id is not None:
        change.promises.append(Promise(kind="deliver", due_at=at, args=delivery_args(message_id, at)))


def composed(desk: Desk, tx: Transaction, bundle: Message) -> tuple[Message, tuple[int, ...]] | None:
    """The list as it has to be now, and the messages that are in it; None if nobody needs it any more."""
    # First, so that whoever bundles a page meanwhile has done so before, or begins the next list.
    window, now, needed = tx.messages.window(bundle.person, bundle.channel), desk.clock.now(), []
    for message in tx.messages.bundled(bundle.person, bundle.channel):
        known = tx.tickets.one(message.ticket_id)
        if why := overtaken_by(desk, tx, message, known):
            tx.messages.leave_bundle([message.id], MessageState.OVERTAKEN, error=why)
        else:
            needed.append((message.id, known.ticket))
    tx.messages.keep_window(bundle.person, bundle.channel, _next_window(window, bundle, now, is_sent=bool(needed)))
    if not needed:
        return None
    recipient = Recipient(person=bundle.person, channel=bundle.channel)
    tickets = sorted({ticket.id: ticket for _, ticket in needed}.values(), key=lambda one: (one.grade, one.id))
    text = _text(desk, tickets, recipient)
    tx.messages.rewrite(bundle.id, *text)
    return replace(bundle, subject=text[0], body=text[1]), tuple(message_id for message_id, _ in needed)


def _next_window(window: Window | None, bundle: Message, now: datetime, *, is_sent: bool) -> Window:
    if window is not None and window.bundle_at != bundle.due_at:
        # The list is sent again: it was counted already.
        return window
    return after_a_bundle(now) if is_sent else Window(since_at=now)


def _text(desk: Desk, tickets: list[Ticket], recipient: Recipient) -> tuple[str, str]:
    language = language_of(desk, recipient)
    lines = [(ticket, desk.links.ticket(ticket.number)) for ticket in tickets]
    subject, console = bundle_subject(tickets, language), desk.links.console()
    if is_short(desk, recipient):
        return "", short_text(subject, console, console, language)
    return subject, bundle_body(lines, console, language)


def close_bundle(desk: Desk, tx: Transaction, ids: tuple[int, ...]) -> None:
    """Those in a list that has arrived have been told."""
    now = desk.clock.now()
    tx.messages.leave_bundle(ids, MessageState.BUNDLED, error=f"Told in a list at {now:%H:%M:%S} UTC.", sent_at=now)


def lose_bundle(desk: Desk, tx: Transaction, bundle: Message, why: str) -> None:
    """A list that its channel will never take is lost for each ticket in it, and each calls who comes next."""
    now = desk.clock.now()
    for message in tx.messages.bundled(bundle.person, bundle.channel):
        tx.messages.mark(message.id, MessageState.WAITING, due_at=now)
        args = {"ticket": message.ticket_id, **delivery_args(message.id, now), "lost": why}
        tx.promise([Job(kind="deliver", args=args, due_at=now, at_once=True, lock=f"message:{message.id}")])


def report_late(desk: Desk, tx: Transaction, bundle: Message) -> None:
    """A list that does not get through for too long brings, for each ticket in it, who comes next; its tries go on."""
    now = desk.clock.now()
    for message in tx.messages.bundled(bundle.person, bundle.channel):
        if message.due_at and now - message.due_at >= desk.policy.delivery.next_after:
            # A job for each: who is next is decided under its own ticket's lock.
            args = {"ticket": message.ticket_id, "message": message.id, "late": True}
            tx.promise([Job(kind="deliver", args=args, due_at=now, at_once=True, lock=f"message:{message.id}")])
