"""Verbs about who has a ticket: taking it over, calling others in, saying that one is still on it."""

from __future__ import annotations

from responder.domain import handling, lifecycle
from responder.domain.escalation import Callees
from responder.domain.gates import gate_for
from responder.domain.help import purpose_of
from responder.domain.oncall import addressed
from responder.domain.requirements import missing_sentence
from responder.domain.ticket import Action, EventKind, refusal
from responder.flows.calling import who_is
from responder.flows.moves import Move, Verb, case_of
from responder.flows.telling import spoken_recipients, write_notice


def _take_over(move: Move) -> str | None:
    actor = move.acting.actor
    if actor not in move.desk.configuration.people:
        return f"nobody is called {actor[:80]!r} in the people file"
    return assign(move, actor) if move.change.after.acknowledged_by else _take(move)


def _take(move: Move) -> str | None:
    """Acknowledges what nobody has; what stands before an acknowledgement stands before this."""
    ticket, acting = move.change.after, move.acting
    if refused := refusal(ticket, Action.ACKNOWLEDGE):
        return refused
    if lacking := missing_sentence(acting.policy.needs, Action.ACKNOWLEDGE, case_of(move.tx, move.change)):
        return lacking
    if gate := gate_for(acting.policy.gates, Action.ACKNOWLEDGE, ticket):
        return f"nobody has {ticket.number}; acknowledge it, since “{gate.name}” is asked about that"
    reason = f"{acting.actor} has taken it."
    return lifecycle.acknowledge(move.change, acting.policy, now=acting.now, actor=acting.actor, reason=reason)


def assign(move: Move, to: str) -> str | None:
    """Gives the ticket to a person; whoever loses it by another hand than their own is told."""
    had = move.change.after.acknowledged_by
    if refused := handling.assign(move.change, move.acting, to):
        return refused
    if had and had != move.acting.actor:
        tell_one(move, had, "given", move.change.events[-1].text)
    return None


def tell_one(move: Move, person: str, purpose: str, text: str) -> None:
    """Tells a person what has become of a ticket that is, or was, theirs."""
    told, _ = addressed((person,), (), move.desk.configuration.people)
    purpose = f"{purpose}-{move.change.after.version}"
    new = write_notice(move.desk, move.tx, move.change, told, purpose=purpose, text=text)
    if new:
        move.change.note(move.acting.now, EventKind.MESSAGE, f"To tell: {spoken_recipients(new)}.")


def _still_on_it(move: Move) -> str | None:
    ticket, actor = move.change.after, move.acting.actor
    if ticket.acknowledged_by != actor:
        return f"{ticket.number} is with {ticket.acknowledged_by or 'nobody'}, not with {actor}"
    move.change.note(move.acting.now, EventKind.HANDLED, f"{actor} is still on it.", actor)
    return None


def _pull_in(move: Move) -> str | None:
    desk, change, acting = move.desk, move.change, move.acting
    if not change.after.is_open:
        return f"{change.after.number} is closed; reopen it first"
    text, who = move.form.text("text"), move.form.text("whom")
    callees = _callees(who)
    told, why = who_is(desk, move.tx, change.after, callees)
    if not told:
        return f"{who[:80]} cannot be reached: {why or 'there is nobody with a channel'}"
    said = f"{acting.actor} asks for help: {text}"
    write_notice(desk, move.tx, change, told, purpose=purpose_of(change.after.version), text=said)
    change.note(acting.now, EventKind.HANDLED, f"{said} To tell: {spoken_recipients(told)} ({why}).", acting.actor)
    return None


def _callees(who: str) -> Callees:
    """`tier 2`, `role director`, or a person's name."""
    what, _, name = who.partition(" ")
    if what == "tier" and name.isascii() and name.isdigit():
        return Callees(tiers=(int(name),))
    return Callees(roles=(name,)) if what == "role" and name else Callees(people=(who.removeprefix("person "),))


ABOUT_PEOPLE = (
    Verb(name="take-over", run=_take_over, text="You have it from now on, whoever had it."),
    Verb(name="still-on-it", run=_still_on_it, text="You are asked, and you are.", to_do_so="say to be still on it"),
    Verb(name="pull-in", run=_pull_in, fields=("whom", "text"), text="Call a person, a tier or a role to help."),
)
