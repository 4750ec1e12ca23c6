"""Verbs about who has a ticket: taking it over, calling others in, saying that one is still on it."""

from __future__ import annotations

from responder.domain import handling
from responder.domain.escalation import Callees
from responder.domain.ticket import EventKind
from responder.flows.calling import who_is
from responder.flows.moves import Move, Verb
from responder.flows.telling import spoken_recipients, write_notice


def _take_over(move: Move) -> str | None:
    ticket, actor = move.change.after, move.acting.actor
    if not ticket.acknowledged_by:
        return f"nobody has {ticket.number}; acknowledge it"
    if actor not in move.desk.configuration.people:
        return f"nobody is called {actor[:80]!r} in the people file"
    return handling.assign(move.change, move.acting, actor)


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
    write_notice(desk, move.tx, change, told, purpose=f"pull-in-{change.after.version}", text=said)
    change.note(acting.now, EventKind.HANDLED, f"{said} To tell: {spoken_recipients(told)} ({why}).", acting.actor)
    return None


def _callees(who: str) -> Callees:
    """`tier 2`, `role director`, or a person's name."""
    what, _, name = who.partition(" ")
    if what == "tier" and name.isascii() and name.isdigit():
        return Callees(tiers=(int(name),))
    return Callees(roles=(name,)) if what == "role" and name else Callees(people=(who.removeprefix("person "),))


ABOUT_PEOPLE = (
    Verb(name="take-over", run=_take_over, text="You have it from now on, instead of whoever had it."),
    Verb(name="still-on-it", run=_still_on_it, text="You are asked, and you are."),
    Verb(name="pull-in", run=_pull_in, fields=("whom", "text"), text="Call a person, a tier or a role to help."),
)
