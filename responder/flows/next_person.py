"""Next person: what a channel that refuses, and a person whom nothing reaches, mean for those who come after."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.delivery import in_quiet_hours, may_still_be_reached, next_tries, pages_of
from responder.domain.durations import spoken
from responder.domain.escalation import Call, Callees
from responder.domain.message import Message, MessageState, is_page
from responder.domain.oncall import Recipient
from responder.domain.ticket import Change, EventKind, Ticket
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.flows.telling import delivery_args, delivery_kind, team_of, tiers_of
from responder.store.jobs import Job
from responder.store.transaction import Transaction


def try_the_next_channel(desk: Desk, tx: Transaction, change: Change, failed: Message) -> bool:
    """Sends at once what the contact order has after a channel that refused; False if there is nothing."""
    now, person = desk.clock.now(), desk.configuration.people.get(failed.person)
    following = next_tries(tx.messages.of_ticket(failed.ticket_id), person.contact if person else (), failed)
    for message in following:
        tx.messages.mark(message.id, MessageState.WAITING, due_at=now)
        args = {"ticket": failed.ticket_id, **delivery_args(message.id, now)}
        kind = delivery_kind(desk, change.after.grade)
        tx.promise([Job(kind=kind, args=args, due_at=now, at_once=True, lock=f"message:{message.id}")])
    if following:
        names = ", ".join(message.channel for message in following)
        change.note(now, EventKind.MESSAGE, f"The next way to {failed.person} is tried at once: {names}.")
    return bool(following)


def call_the_next_if_nobody_is_left(desk: Desk, tx: Transaction, change: Change, lost: Message) -> None:
    """Calls those who come next when nobody who was called can still be reached; once for each who was called."""
    ticket, now, rule = change.after, desk.clock.now(), desk.policy.delivery
    pages = pages_of(tx.messages.of_ticket(ticket.id), ticket.episode)
    if not is_page(lost.purpose) or may_still_be_reached(pages, now, rule.next_after):
        return
    called = {page.person for page in pages}
    marks = {str(event.data["passed_by"]) for event in tx.tickets.events(ticket.id) if "passed_by" in event.data}
    mark = f"{ticket.episode}: {', '.join(sorted(called))}"
    if mark in marks:
        return
    why = _why(desk, pages)
    if _chain_goes_on(tx, ticket) or _extend_the_chain(desk, tx, ticket, called):
        change.note(now, EventKind.MESSAGE, f"{why}, so the next are called.", passed_by=mark)
        change.promise("escalate", skip=lost.person)
    elif called == in_quiet_hours(pages):
        text = f"{why}, and nobody is left to call: it waits for the end of the quiet hours."
        change.note(now, EventKind.MESSAGE, text, passed_by=mark)
    else:
        change.note(now, EventKind.MESSAGE, f"{why}, and nobody is left to call.", passed_by=mark)
        # What is still tried may get through, and a lost uplink must not make a second ticket of each.
        if all(page.state is MessageState.FAILED for page in pages):
            _report_that_nobody_is_told(desk, tx, ticket)


def _why(desk: Desk, pages: list[Message]) -> str:
    """Why none of the people who were called has been reached, as the beginning of a sentence."""
    quiet = sorted(in_quiet_hours(pages))
    others = sorted({page.person for page in pages} - set(quiet))
    parts = [f"{', '.join(quiet)} {'is' if len(quiet) == 1 else 'are'} in quiet hours"] if quiet else []
    if others:
        late = any(page.state is not MessageState.FAILED for page in pages if page.person in others)
        patience = f" within {spoken(desk.policy.delivery.next_after)}" if late else ""
        parts.append(f"no channel reaches {', '.join(others)}{patience}")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] if text.startswith("no ") else text


def _chain_goes_on(tx: Transaction, ticket: Ticket) -> bool:
    chain = tx.chains.one(ticket.id, tx.chains.newest(ticket.id))
    return chain is not None and chain.next_call is not None


def _extend_the_chain(desk: Desk, tx: Transaction, ticket: Ticket, called: set[str]) -> bool:
    """Gives the ticket's chain one more call, of the first tier in which somebody was not called yet."""
    chain = tx.chains.one(ticket.id, tx.chains.newest(ticket.id))
    if chain is None or chain.episode != ticket.episode:
        return False
    for tier in tiers_of(desk, ticket):
        told, _ = team_of(desk, tx, ticket, (tier.number,))
        if names := _new(told, called):
            call = Call(at=desk.clock.now(), callees=Callees(tiers=(tier.number,)), who=names)
            tx.chains.keep(replace(chain, calls=(*chain.calls, call), ended_at=None, ended_because=""))
            return True
    return False


def _new(told: tuple[Recipient, ...], called: set[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.person for one in told if one.person not in called))


def _report_that_nobody_is_told(desk: Desk, tx: Transaction, ticket: Ticket) -> None:
    """A page that can reach nobody is a trouble of its own, for whoever can be reached otherwise."""
    if ticket.source == "responder":
        return
    labels = {"alertname": "ResponderPageFailed", "ticket": ticket.number, "severity": "critical"}
    summary = f"Nobody could be told about {ticket.grade} {ticket.number}: no channel of anybody takes the message."
    now = desk.clock.now()
    file_reports(tx, [internal_report(labels, summary, now)], desk.policy, now)
