"""Next person: what a channel that refuses, and a person whom nothing reaches, mean for those who come after."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.delivery import in_quiet_hours, may_still_be_reached, next_tries, pages_of
from responder.domain.durations import spoken
from responder.domain.escalation import Call, Callees, Chain, is_of, over, purpose_of
from responder.domain.message import Message, MessageState, is_page
from responder.domain.oncall import not_called_yet
from responder.domain.ticket import Change, EventKind, Ticket
from responder.flows.desk import Desk
from responder.flows.duty import called_on_duty
from responder.flows.nobody import report_that_nobody_is_told
from responder.flows.telling import delivery_args, delivery_kind, tiers_from
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
    """Calls those who come next when nobody of the latest call can still be reached; once for each such call."""
    ticket, now = change.after, desk.clock.now()
    chain = tx.chains.one(ticket.id, tx.chains.newest(ticket.id))
    if chain is None or over(chain, ticket, chain.number) or not _is_latest_call(chain, lost):
        # Somebody has it by now, or those who come after it were called already.
        return
    episode = pages_of(tx.messages.of_ticket(ticket.id), ticket.episode)
    pages = [page for page in episode if page.purpose in (lost.purpose, purpose_of(chain, chain.position - 1))]
    if may_still_be_reached(pages, now, desk.policy.delivery.next_after):
        return
    mark = f"{ticket.episode}: {lost.purpose}"
    if any(event.data.get("passed_by") == mark for event in tx.tickets.events(ticket.id)):
        return
    called = {page.person for page in episode}
    goes_on = chain.next_call is not None or _extend_the_chain(desk, tx, ticket, chain, called)
    # Of those who were called earlier it matters only at the end whether they were reached.
    has_arrived = may_still_be_reached(episode, now, desk.policy.delivery.next_after)
    why = _why(desk, pages if goes_on or has_arrived else episode)
    if goes_on:
        change.note(now, EventKind.MESSAGE, f"{why}, so the next are called.", passed_by=mark)
        change.promise("escalate", chain=chain.number, step=chain.position, skip=lost.person)
    elif in_quiet_hours(episode):
        text = f"{why}, and nobody is left to call: it waits for the end of the quiet hours."
        change.note(now, EventKind.MESSAGE, text, passed_by=mark)
    else:
        change.note(now, EventKind.MESSAGE, f"{why}, and nobody is left to call.", passed_by=mark)
        # What is still tried may get through, and a lost uplink must not make a second ticket of each.
        if all(page.state is MessageState.FAILED for page in pages):
            report_that_nobody_is_told(desk, tx, ticket, "no channel of anybody takes the message")


def _is_latest_call(chain: Chain, lost: Message) -> bool:
    if not is_page(lost.purpose) or chain.episode != lost.episode or chain.position == 0:
        return False
    # A page of an older chain leaves only while nobody else was told in its place.
    return lost.purpose == purpose_of(chain, chain.position - 1) or not is_of(chain, lost.purpose)


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


def _extend_the_chain(desk: Desk, tx: Transaction, ticket: Ticket, chain: Chain, called: set[str]) -> bool:
    """Gives the ticket's chain one more call, of people of its team who were not called yet."""
    tiers, now = tiers_from(desk, ticket.team, ticket.tier), desk.clock.now()
    names = not_called_yet(tiers, desk.configuration.people, called_on_duty(desk, tx, tiers, now), called)
    if names:
        call = Call(at=now, callees=Callees(people=names), who=names)
        tx.chains.keep(replace(chain, calls=(*chain.calls, call), ended_at=None, ended_because=""))
    return bool(names)
