"""Verbs about who has a ticket: taking it over, calling others in, saying that one is still on it."""

from __future__ import annotations

from responder.domain import handling, lifecycle
from responder.domain.access import Scope, Via
from responder.domain.accounts import User
from responder.domain.escalation import Callees
from responder.domain.gates import gate_for
from responder.domain.help import purpose_of
from responder.domain.oncall import addressed
from responder.domain.requirements import missing_sentence
from responder.domain.ticket import Action, EventKind, Ticket, refusal
from responder.flows.calling import who_is
from responder.flows.moves import Move, Verb, case_of, own_name
from responder.flows.telling import spoken_recipients, write_notice

_LONGEST_NAME = 80


def holder(move: Move, name: str) -> tuple[str, str | None]:
    """How somebody writes their own name, and why they cannot have the ticket; None if they can.

    That is whoever is in the people file, and whose account may touch the ticket. Whoever has signed in, and a token
    in its own name, are known by that; where no people are known at all, every name will do.
    """
    people, who, ticket = move.desk.configuration.people, move.acting.who, move.change.after
    if len(name) > _LONGEST_NAME:
        return name, f"no name is longer than {_LONGEST_NAME} letters"
    known = own_name(move.desk, move.tx, name, who)
    if not people or known in people or (who is not None and who.name == known):
        return known, None
    account = move.tx.accounts.named(known)
    if account is None or account.disabled_at is not None:
        return name, handling.stranger(name, people)
    return known, _objection(account, ticket)


def _objection(account: User, ticket: Ticket) -> str | None:
    """Why an account cannot have the ticket. All who read the ticket read it, so neither role nor teams are named."""
    known = account.identity(Via.SESSION)
    if not known.may(Scope.ACT):
        return f"{account.name} may not act on tickets, so {ticket.number} cannot be theirs"
    if known.objection_to_team(ticket.team):
        return f"{account.name} does not act for the team {ticket.team}, so {ticket.number} cannot be theirs"
    return None


def acknowledge(move: Move) -> str | None:
    _, why = holder(move, move.acting.actor)
    return why or _taken(move)


def _taken(move: Move) -> str | None:
    acting = move.acting
    reason = move.form.optional("reason") or f"{acting.actor} has taken it."
    return lifecycle.acknowledge(move.change, acting.policy, now=acting.now, actor=acting.actor, reason=reason)


def _take_over(move: Move) -> str | None:
    actor, why = holder(move, move.acting.actor)
    if why:
        return why
    if move.change.after.acknowledged_by:
        return assign(move, actor, move.form.optional("reason"))
    return _take(move)


def _take(move: Move) -> str | None:
    """Acknowledges what nobody has; what stands before an acknowledgement stands before this."""
    ticket, acting = move.change.after, move.acting
    if refused := refusal(ticket, Action.ACKNOWLEDGE):
        return refused
    if lacking := missing_sentence(acting.policy.needs, Action.ACKNOWLEDGE, case_of(move.tx, move.change)):
        return lacking
    if gate := gate_for(acting.policy.gates, Action.ACKNOWLEDGE, ticket):
        return f"nobody has {ticket.number}; acknowledge it, since “{gate.name}” is asked about that"
    return _taken(move)


def assign(move: Move, to: str, reason: str = "") -> str | None:
    """Gives the ticket to a person; whoever loses it by another hand than their own is told."""
    had = move.change.after.acknowledged_by
    if refused := handling.assign(move.change, move.acting, to, reason):
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
    Verb(name="take-over", run=_take_over, perhaps=("reason",), text="You have it from now on, whoever had it."),
    Verb(name="still-on-it", run=_still_on_it, text="You are asked, and you are.", to_do_so="say to be still on it"),
    Verb(name="pull-in", run=_pull_in, fields=("whom", "text"), text="Call a person, a tier or a role to help."),
)
