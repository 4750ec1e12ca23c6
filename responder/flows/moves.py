"""Moves: whatever a person does to a ticket goes this way, under the same rules from everywhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from responder.domain import lifecycle
from responder.domain.access import Identity
from responder.domain.dossier import Dossier
from responder.domain.durations import spoken
from responder.domain.gates import GateRule, gate_for
from responder.domain.handling import Acting, dossier_of, keep
from responder.domain.report import Signal
from responder.domain.requirements import Case, missing, missing_sentence
from responder.domain.runbook import RunOutcome
from responder.domain.ticket import Action, Change, EventKind, Status, Ticket, refusal
from responder.errors import ConsentAsked, NotTheirs, Refused
from responder.flows import parts
from responder.flows.desk import Desk
from responder.flows.forms import Form
from responder.flows.gates import ask_gate, newest_of_gate
from responder.flows.recognise import index_closed
from responder.flows.still_on_it import watch_over
from responder.store.transaction import Transaction


@dataclass(frozen=True, kw_only=True)
class Move:
    """One person doing one thing to one ticket, inside the transaction that holds it."""

    desk: Desk
    tx: Transaction
    change: Change
    acting: Acting
    form: Form


def _nothing(_: Form, dossier: Dossier) -> Dossier:
    return dossier


def _none(*_: object) -> None:
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verb:
    """Something people do. `action` is the move of the lifecycle that it makes, for requirements and gates.

    `fields` is what it reads of a form, `perhaps` what it reads besides and no page asks for.
    `brings` is what the form itself adds to the dossier, so that requirements find it there. `to_do_so` is how a
    refusal says it, where the name is no verb. `objection` says why it is not possible now, whoever wants it and
    whatever they write: a page asks that, too, before it offers the verb.
    """

    name: str
    run: Callable[[Move], str | None]
    text: str
    action: Action | None = None
    fields: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    brings: Callable[[Form, Dossier], Dossier] = _nothing
    to_do_so: str = ""
    objection: Callable[[Desk, Transaction, Ticket], str | None] = _none


async def act(
    desk: Desk,
    verb: Verb,
    key: str,
    *,
    actor: str,
    content: Mapping[str, Any],
    version: int | None = None,
    who: Identity | None = None,
) -> Ticket:
    """Does it. Raises NotFound, BadForm, or Refused with the sentence that says what is missing and who could do it;
    ConsentAsked where those who could say yes were asked by this.

    `version` is the one that the person saw: if the ticket has changed since, nothing is done.
    """

    def body(tx: Transaction) -> Ticket | str:
        acting = Acting(actor=actor, now=desk.clock.now(), policy=desk.policy, who=who)
        return act_in(desk, tx, verb, key, acting=acting, content=content, version=version)

    outcome = await desk.store.write(body)
    if isinstance(outcome, str):
        raise (ConsentAsked if isinstance(outcome, NotYet) else Refused)(outcome)
    return outcome


class NotYet(str):
    """A refusal that asked for what is missing: those whose yes the move needs have been asked just now."""

    __slots__ = ()


def act_in(
    desk: Desk,
    tx: Transaction,
    verb: Verb,
    key: str,
    *,
    acting: Acting,
    content: Mapping[str, Any],
    version: int | None = None,
) -> Ticket | str:
    """As `act`, within a transaction. A refusal is written down, and its sentence comes back."""
    change = opened_change(tx, key)
    refuse_other_teams(acting.who, change.after)
    if version is not None and version != change.after.version:
        return changed_since(tx, change.after, version)
    # What they do later must be known as theirs: by one spelling, whichever verb it is and whatever they type.
    mine = replace(acting, actor=own_name(desk, tx, acting.actor, acting.who))
    return _act(Move(desk=desk, tx=tx, change=change, acting=mine, form=Form(content)), verb)


def own_name(desk: Desk, tx: Transaction, name: str, who: Identity | None = None) -> str:
    """How somebody writes their own name, whatever the case of the letters here: one of the people file, or the name
    of an account. `who` is known by the very name they have; a name that nobody has stays as it is."""
    people = desk.configuration.people
    if name in people or (who is not None and who.name == name):
        return name
    account = tx.accounts.named(name)
    if account is not None and account.name == name:
        return name
    return _person(name, people) or (account.name if account else name)


def _person(name: str, people: Collection[str]) -> str:
    """Who of the people file is called so, whatever the case of the letters; empty if nobody, or several are."""
    alike = [one for one in people if one.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else ""


def _act(move: Move, verb: Verb) -> Ticket | str:
    desk, tx, change, acting = move.desk, move.tx, move.change, move.acting
    if why := verb.objection(desk, tx, change.after):
        # Nobody is asked about what is not possible anyway.
        return _refused(tx, change, acting, verb, sentence(why))
    keep(change, verb.brings(move.form, dossier_of(change)))
    if why := _may_not_yet(desk, tx, change, verb.action):
        # A gate may just have asked its roles: that stays.
        return _refused(tx, change, acting, verb, why)
    if why := verb.run(move):
        return _refused(tx, opened_change(tx, str(change.after.id)), acting, verb, sentence(why))
    after_the_move(desk, tx, change)
    return (tx.apply([change], acting.now) or [change.after])[0]


def opened_change(tx: Transaction, key: str) -> Change:
    """A change of the ticket with this number or id, its row held, its dossier at hand."""
    known = tx.tickets.one(tx.tickets.find(key).ticket.id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    change.dossier = change.dossier_before = tx.dossiers.of_ticket(known.ticket.id)
    return change


def other_change(move: Move, key: str) -> Change:
    """As `opened_change`, of another ticket that a move takes to. Raises NotTheirs."""
    change = opened_change(move.tx, key)
    change.dossier = None
    refuse_other_teams(move.acting.who, change.after)
    return change


def refuse_other_teams(who: Identity | None, ticket: Ticket) -> None:
    """Raises NotTheirs for a ticket that is not of the teams which somebody acts for."""
    if who is not None and (why := who.objection_to_team(ticket.team)):
        raise NotTheirs(why)


def changed_since(tx: Transaction, ticket: Ticket, version: int) -> str:
    """What somebody who saw an older version is told."""
    events = tx.tickets.events(ticket.id)
    last = sentence(f" The last thing: {events[-1].actor}: {events[-1].text}") if events else ""
    return f"{ticket.number} has changed since you looked (version {version}, now {ticket.version}).{last}"


def _refused(tx: Transaction, change: Change, acting: Acting, verb: Verb, why: str) -> str:
    """Writes the refusal down: no silent no."""
    text = f"{acting.actor} could not {verb.to_do_so or verb.name.replace('-', ' ')}: {why}"
    change.note(acting.now, EventKind.REFUSED, text, acting.actor, verb=verb.name)
    change.dossier = None
    tx.apply([change], acting.now)
    return why


def sentence(text: str) -> str:
    """With a full stop, once."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


# --- what the policy wants first ----------------------------------------------------------------------------


def case_of(tx: Transaction, change: Change) -> Case:
    """The ticket with all that requirements may ask about."""
    ticket = change.after
    if change.dossier is None:
        change.dossier = change.dossier_before = tx.dossiers.of_ticket(ticket.id)
    return Case(
        ticket=ticket,
        dossier=dossier_of(change),
        attachments=tuple(one.name for one in tx.attachments.of_ticket(ticket.id)),
        has_reporter=tx.dossiers.has_reporter(ticket.id),
        has_article=tx.dossiers.has_article(ticket.id),
    )


_ON_THE_SIDE = {(Status.RESTORED, Action.PROPOSE), (Status.RESOLVED, Action.PROPOSE)}
"""What is possible without being a move: the plan for the root fix of what is restored already."""


def _may_not_yet(desk: Desk, tx: Transaction, change: Change, action: Action | None) -> str:
    """What the requirements or a gate say against a person's move; empty if nothing."""
    if action is None:
        return ""
    is_on_the_side = (change.after.status, action) in _ON_THE_SIDE
    if refusal(change.after, action) is not None and not is_on_the_side:
        # What the table forbids the verb itself says better.
        return ""
    return may_not_yet(desk, tx, change, action, asks_again=True)


def may_not_yet(desk: Desk, tx: Transaction, change: Change, action: Action, *, asks_again: bool = False) -> str:
    """What requirements or a gate say against a move that the table allows; a gate's roles are then asked.

    They are asked once; after a no only when a person wants the move again (`asks_again`).
    """
    if lacking := _lacking(desk, tx, change, action):
        return lacking
    gate = gate_for(desk.policy.gates, action, change.after)
    if gate is None or action is Action.APPROVE:
        return ""
    return _closed_gate(desk, tx, change, gate, asks_again=asks_again)


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """What stands before a verb: with `bar` it would be refused at once; `hint` is what whoever does it should know.
    `lacks` names what the policy wants first."""

    bar: str = ""
    hint: str = ""
    lacks: tuple[str, ...] = ()


def foreseen(desk: Desk, tx: Transaction, change: Change, verb: Verb) -> Foreseen:
    """What the verb would say, before anybody does it: nobody is asked, and nothing is written."""
    if why := verb.objection(desk, tx, change.after):
        return Foreseen(bar=sentence(why))
    if verb.action is None:
        return Foreseen()
    if lacking := _lacking(desk, tx, change, verb.action):
        names = tuple(missing(desk.policy.needs, verb.action, case_of(tx, change)))
        return Foreseen(bar=lacking, lacks=names) if verb.brings is _nothing else Foreseen(hint=lacking, lacks=names)
    gate = gate_for(desk.policy.gates, verb.action, change.after)
    asked = newest_of_gate(tx, change, gate) if gate else None
    if gate is None or (asked is not None and asked.may_go_on):
        return Foreseen()
    if asked is not None and asked.is_waiting:
        word = gate.move.replace("_", " ")
        return Foreseen(bar=f"{change.after.number} waits for consent before it may {word}: {asked.question}")
    are_asked = "is asked first" if len(gate.roles) == 1 else "are asked first"
    return Foreseen(hint=f"“{gate.name}” stands before it: {' and '.join(gate.roles)} {are_asked}.")


def _lacking(desk: Desk, tx: Transaction, change: Change, action: Action) -> str:
    """What the facts say against a move; empty if nothing."""
    if action is Action.RESOLVE and change.after.firing:
        return f"{change.after.number} still fires; it is resolved once the alert has cleared."
    lacking = missing_sentence(desk.policy.needs, action, case_of(tx, change))
    return sentence(lacking) if lacking else ""


def _closed_gate(desk: Desk, tx: Transaction, change: Change, gate: GateRule, *, asks_again: bool) -> str:
    number, word = change.after.number, gate.move.replace("_", " ")
    asked = newest_of_gate(tx, change, gate)
    if asked is not None and asked.may_go_on:
        return ""
    if asked is not None and asked.is_waiting:
        return f"{number} waits for consent before it may {word}: {asked.question}"
    if asked is not None and not asks_again:
        return f"{number} may not {word}: {asked.sentence}"
    made = ask_gate(desk, tx, change, gate, f"{gate.name}: may {number} {word}?")
    if isinstance(made, str):
        return made
    return NotYet(f"{number} may {word} once there is the yes of {made.whose_yes}; they have been asked.")


# --- what the machine does by itself once everything is there ------------------------------------------------


def resolve_if_ready(desk: Desk, tx: Transaction, change: Change) -> str:
    """Resolves a restored ticket that has been quiet for long enough and lacks nothing; else says what it lacks."""
    now, ticket = desk.clock.now(), change.after
    if ticket.status is not Status.RESTORED:
        return ""
    needed = lifecycle.quiet_needed(desk.policy, ticket)
    if ticket.signal is not Signal.CLEARED or ticket.cleared_at is None or ticket.cleared_at + needed > now:
        return "It has not been quiet for long enough."
    if why := may_not_yet(desk, tx, change, Action.RESOLVE):
        return why
    lifecycle.resolve(change, desk.policy, now=now, reason=f"Quiet for {spoken(needed)} since the all-clear.")
    judge_runs(desk, tx, change.after)
    return ""


def judge_runs(desk: Desk, tx: Transaction, ticket: Ticket) -> None:
    """Runs that reported success are proved right if the all-clear followed in time."""
    for run in tx.runs.of_ticket(ticket.id):
        if run.outcome is RunOutcome.HELPED and run.ended_at and run.started_at >= ticket.episode_at:
            latest = run.ended_at + desk.policy.proof_within
            tx.runs.judge(run.id, is_good=ticket.cleared_at is not None and ticket.cleared_at <= latest)


def after_the_move(desk: Desk, tx: Transaction, change: Change) -> None:
    """What follows from a person's move, whichever it was."""
    watch_over(desk, tx, change)
    if change.after.status is Status.RESTORED:
        _use_parts(tx, change, desk.clock.now())
        resolve_if_ready(desk, tx, change)
    if change.after.status is Status.CLOSED and change.before and change.before.is_open:
        after_closing(desk, tx, change)
    elif change.after.status is Status.CLOSED:
        # What is learnt later is found, too.
        index_closed(tx, change.after, change.dossier or tx.dossiers.of_ticket(change.after.id))


def _use_parts(tx: Transaction, change: Change, now: datetime) -> None:
    """What the plan held is used once people have restored the ticket."""
    was, ticket = change.before, change.after
    if was is not None and was.status is not Status.RESTORED and ticket.restored_by == lifecycle.HUMAN:
        for line in parts.use_reserved(tx, ticket.id, ticket.assignee or "responder", now):
            change.note(now, EventKind.HANDLED, line)


def after_closing(desk: Desk, tx: Transaction, change: Change) -> None:
    """What follows from the end of a ticket, whoever ended it."""
    ticket, now = change.after, desk.clock.now()
    if ticket.disposition:
        said = parts.release(tx, ticket.id, now)
    else:
        said = parts.use_reserved(tx, ticket.id, ticket.assignee or "responder", now)
    for line in said:
        change.note(now, EventKind.HANDLED, line)
    index_closed(tx, ticket, change.dossier or tx.dossiers.of_ticket(ticket.id))
