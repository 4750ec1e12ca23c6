"""Calling: the people of one call of a chain are written to, and the next call is promised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from responder.adapters.links import AckClaim
from responder.clock import microseconds
from responder.domain.approval import ApprovalKind
from responder.domain.durations import spoken
from responder.domain.escalation import (
    Call,
    Callees,
    Chain,
    EscalationPlan,
    calls_of,
    foreseen,
    lateness,
    made,
    over,
    purpose_of,
    put_off,
    told_so_far,
)
from responder.domain.masking import masked_words
from responder.domain.message import Purpose
from responder.domain.oncall import Recipient, addressed
from responder.domain.runbook import Attempt
from responder.domain.ticket import Change, EventKind, Ticket
from responder.flows.consent import question_for
from responder.flows.desk import Desk
from responder.flows.nobody import anybody, look_again
from responder.flows.telling import Text, language_of, spoken_recipients, team_of, write_messages, zone_of
from responder.flows.texts import HandOverText, QuestionText, Tried, hand_over_body, hand_over_subject
from responder.store.transaction import Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why people are told, and under which purpose: each is told once per purpose."""

    why: str
    purpose: str
    seen: str = ""


def begin_chain(desk: Desk, tx: Transaction, change: Change, reason: Reason) -> None:
    """Calls the first people that the ticket's plan names, and keeps who comes after them."""
    ticket, now = change.after, desk.clock.now()
    plan, reason = desk.policy.escalation_of(ticket, now), _in_its_round(tx, ticket, reason)
    wanted = calls_of(plan, ticket.tier, now)
    if not wanted:
        _call_nobody(tx, change, plan, reason, now)
        return
    if _goes_on(tx, ticket, reason.purpose, plan, [callees for _, callees in wanted]):
        return
    chain = Chain(
        ticket_id=ticket.id,
        number=tx.chains.newest(ticket.id) + 1,
        episode=ticket.episode,
        plan=plan.name,
        purpose=reason.purpose,
        why=reason.why,
        calls=tuple(_call(desk, tx, ticket, at, callees) for at, callees in wanted),
        started_at=now,
    )
    tx.chains.add(chain)
    steps = [{"at": microseconds(call.at), "who": list(call.who)} for call in chain.calls]
    mark: dict[str, Any] = {"chain": chain.number, "plan": plan.name, "episode": chain.episode}
    change.note(now, EventKind.ESCALATION, foreseen(chain), **mark, steps=steps)
    make_call(desk, tx, change, chain, seen=reason.seen)


def _in_its_round(tx: Transaction, ticket: Ticket, reason: Reason) -> Reason:
    """A hand-over that is no round of its own goes on with the newest one of the episode: what was told before that
    one says nothing about who was told of it."""
    newest = tx.chains.one(ticket.id, tx.chains.newest(ticket.id))
    if reason.purpose != Purpose.HAND_OVER or newest is None or newest.episode != ticket.episode:
        return reason
    return replace(reason, purpose=newest.purpose)


def _call_nobody(tx: Transaction, change: Change, plan: EscalationPlan, reason: Reason, now: datetime) -> None:
    """Says that it waits in the list. An empty chain takes the place of one that goes on, so that nobody is woken."""
    ticket = change.after
    text = f"To tell: nobody ({ticket.grade} calls no tier: it waits in the list)."
    newest = tx.chains.one(ticket.id, tx.chains.newest(ticket.id))
    if newest is None or not newest.calls or over(newest, ticket, newest.number):
        change.note(now, EventKind.MESSAGE, text)
        return
    empty = Chain(
        ticket_id=ticket.id,
        number=newest.number + 1,
        episode=ticket.episode,
        plan=plan.name,
        purpose=reason.purpose,
        why=reason.why,
        calls=(),
        started_at=now,
    )
    tx.chains.add(empty)
    mark: dict[str, Any] = {"chain": empty.number, "plan": plan.name, "episode": empty.episode}
    change.note(now, EventKind.ESCALATION, text, **mark, steps=[])


def _goes_on(tx: Transaction, ticket: Ticket, purpose: str, plan: EscalationPlan, wanted: list[Callees]) -> bool:
    """Whether the same chain was begun already: the job is done again, or nothing that matters here has changed."""
    newest = tx.chains.one(ticket.id, tx.chains.newest(ticket.id))
    if newest is None or (newest.purpose, newest.episode, newest.plan) != (purpose, ticket.episode, plan.name):
        return False
    return [call.callees for call in newest.calls] == wanted


def _call(desk: Desk, tx: Transaction, ticket: Ticket, at: datetime, callees: Callees) -> Call:
    meant, _ = who_is(desk, tx, ticket, callees, at=at)
    return Call(at=at, callees=callees, who=_names(meant))


def who_is(
    desk: Desk, tx: Transaction, ticket: Ticket, callees: Callees, *, at: datetime | None = None
) -> tuple[tuple[Recipient, ...], str]:
    """Whom a call reaches, now or at an instant, on which channels, and why them."""
    called, why_called = team_of(desk, tx, ticket, callees.tiers, at=at) if callees.tiers else ((), "")
    named, why_named = addressed(callees.people, callees.roles, desk.configuration.people)
    return tuple(dict.fromkeys((*called, *named))), "; ".join(filter(None, (why_called, why_named)))


def make_call(desk: Desk, tx: Transaction, change: Change, chain: Chain, *, seen: str = "") -> Chain:
    """Writes to the people of the chain's next call and promises the one after it; gives the chain as it is then.

    Where that is nobody, the next call comes at once; after the last call it is whoever can be reached at all, and
    while there is nobody either, the call is tried again and again.
    """
    ticket, now, index = change.after, desk.clock.now(), chain.position
    told, why = who_is(desk, tx, ticket, chain.calls[index].callees)
    if not told and index == len(chain.calls) - 1:
        told, why = anybody(desk, tx, ticket)
        if not told:
            return look_again(desk, tx, change, chain)
    late = lateness(chain, now)
    chain = put_off(chain, late)
    text = _Text(desk, tx, change, chain, seen)
    words = Text(subject=hand_over_subject(ticket), body=text.body, link=text.link)
    new = write_messages(desk, tx, change, told, purpose=purpose_of(chain, index), text=words)
    mark: dict[str, Any] = {"chain": chain.number, "episode": chain.episode, "step": index}
    said = f"To tell: {spoken_recipients(new)} ({why or 'nobody can be reached'})."
    change.note(now, EventKind.ESCALATION, said, **mark, told=list(_names(new)))
    chain = made(chain, _names(told), now)
    tx.chains.keep(chain)
    if late:
        _say_that_it_is_late(change, chain, late, now)
    _promise_the_next(desk, change, chain, at_once=not told)
    return chain


def _say_that_it_is_late(change: Change, chain: Chain, late: timedelta, now: datetime) -> None:
    """Nobody was there to call, or the clock has jumped; made in a row, the next calls would wake everybody at once."""
    following = chain.next_call
    then = f" The next one is put off to {following.at:%H:%M} UTC." if following else ""
    change.note(now, EventKind.NOTE, f"Call {chain.position} came {spoken(late)} late.{then}", late=chain.position)
    change.count("escalation_calls_late_total", priority=change.after.grade, team=change.after.team)


def _promise_the_next(desk: Desk, change: Change, chain: Chain, *, at_once: bool) -> None:
    following, now = chain.next_call, desk.clock.now()
    if following is not None:
        due_at = now if at_once else max(following.at, now)
        change.promise("escalate", due_at, chain=chain.number, step=chain.position)
    elif len(chain.calls) > 1:
        # After the last of several calls somebody has to say that nobody came.
        # The one before may have come before its time, because nobody could be reached.
        pause = max(chain.calls[-1].at - chain.calls[-2].at, desk.policy.delivery.next_after)
        change.promise("escalate", now + pause, chain=chain.number, step=chain.position)


def _why(chain: Chain, zone: ZoneInfo) -> str:
    so_far = told_so_far(chain, zone)
    return f"{chain.why} Nobody has taken it yet. Called until now: {so_far}." if so_far else chain.why


def _names(told: Iterable[Recipient]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.person for one in told))


def _shown(desk: Desk, tx: Transaction, run_id: int) -> list[Attempt]:
    """What a run did, without secrets; outputs were masked when they were written down."""
    secrets = desk.configuration.secrets
    return [replace(one, command=tuple(masked_words(one.command, secrets))) for one in tx.runs.attempts(run_id)]


class _Text:
    """What the message says to each of its readers."""

    def __init__(self, desk: Desk, tx: Transaction, change: Change, chain: Chain, seen: str) -> None:
        self._desk, self._change, self._chain, self._seen = desk, change, chain, seen
        ticket = change.after
        self._tried = [Tried(run=run, attempts=_shown(desk, tx, run.id)) for run in tx.runs.of_ticket(ticket.id)]
        suggestion = tx.approvals.of_episode(ticket.id, ticket.episode, ApprovalKind.SUGGESTION)
        self._suggestion = suggestion if suggestion and suggestion.is_waiting else None

    def link(self, recipient: Recipient) -> str:
        """The link that acknowledges in the reader's name."""
        ticket = self._change.after
        claim = AckClaim(ticket_id=ticket.id, episode=ticket.episode, person=recipient.person)
        return self._desk.links.acknowledge(claim)

    def body(self, recipient: Recipient) -> str:
        ticket, links = self._change.after, self._desk.links
        zone = zone_of(self._desk, recipient.person)
        parts = HandOverText(
            ticket=ticket,
            clocks=self._change.clocks,
            tried=self._tried,
            why=_why(self._chain, zone),
            ack_link=self.link(recipient),
            ticket_link=links.ticket(ticket.number),
            suggestion=self._offer(recipient),
            seen=self._seen,
            zone=zone,
        )
        return hand_over_body(parts, language_of(self._desk, recipient))

    def _offer(self, recipient: Recipient) -> QuestionText | None:
        if self._suggestion is None:
            return None
        return question_for(self._desk, self._suggestion, None, self._change.after, recipient.person)
