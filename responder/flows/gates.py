"""Gates: a move that needs the consent of roles waits for it; what its end means for the ticket."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from responder.adapters.links import ApprovalClaim
from responder.domain import approval as rules
from responder.domain import handling
from responder.domain.approval import Approval, ApprovalKind, ApprovalState
from responder.domain.gates import GateRule, OnTimeout, gate_for
from responder.domain.local_time import local_moment
from responder.domain.oncall import Person, Recipient, addressed
from responder.domain.ticket import Action, Change, EventKind, Status, Ticket
from responder.flows import parts
from responder.flows.desk import Desk
from responder.flows.telling import (
    Text,
    language_of,
    spoken_recipients,
    team_of,
    write_messages,
    write_notice,
    zone_of,
)
from responder.flows.texts import QuestionText, question_body, subject
from responder.store.transaction import Transaction

REMIND_EVERY = timedelta(hours=24)


def newest_of_gate(tx: Transaction, change: Change, gate: GateRule) -> Approval | None:
    """What this gate was asked last in this episode of the ticket."""
    asked = [one for one in tx.approvals.of_ticket(change.after.id) if _is_of(one, gate, change.after)]
    return asked[-1] if asked else None


def _is_of(asked: Approval, gate: GateRule, ticket: Ticket) -> bool:
    is_here = (asked.kind, asked.episode) == (ApprovalKind.GATE, ticket.episode)
    return is_here and (asked.gate, asked.runbook) == (gate.name, gate.move.value)


def ask_gate(desk: Desk, tx: Transaction, change: Change, gate: GateRule, what: str) -> Approval | str:
    """Asks the gate's roles, by message. Gives the question, or the sentence why nobody can be asked."""
    people, now = desk.configuration.people, desk.clock.now()
    if why := cannot_be_asked(gate, people):
        return why
    asked = tx.approvals.ask(_question(change, gate, what, now))
    told = addressed((), gate.roles, people)[0]
    _send(desk, tx, change, asked, told)
    if asked.due_at:
        change.promise("consent", asked.due_at, approval=asked.id)
    until = f" until {asked.due_at:%Y-%m-%d %H:%M} UTC" if asked.due_at else ""
    text = f"Asked {spoken_recipients(told)}: {what} Needs {asked.whose_yes}{until}."
    change.note(now, EventKind.APPROVAL, text, approval=asked.id, gate=gate.name)
    return asked


def cannot_be_asked(gate: GateRule, people: Mapping[str, Person]) -> str:
    """Why nobody could ever open this gate, as a sentence; empty if somebody could."""
    why = rules.unanswerable(gate.roles, gate.needed, people, each_role=gate.each)
    return f"{gate.name} needs consent, and nobody can be asked: {why}." if why else ""


def _question(change: Change, gate: GateRule, what: str, now: datetime) -> Approval:
    ticket = change.after
    return Approval(
        ticket_id=ticket.id,
        episode=ticket.episode,
        runbook=gate.move.value,
        target="",
        kind=ApprovalKind.GATE,
        question=what,
        roles=gate.roles,
        needed=gate.needed,
        each_role=gate.each,
        gate=gate.name,
        go_on_without=gate.on_timeout is OnTimeout.PASS,
        asked_at=now,
        due_at=now + gate.within if gate.within else None,
    )


def _send(desk: Desk, tx: Transaction, change: Change, asked: Approval, told: tuple[Recipient, ...]) -> None:
    def link(recipient: Recipient) -> str:
        return desk.links.approve(ApprovalClaim(approval_id=asked.id, person=recipient.person))

    def body(recipient: Recipient) -> str:
        zone = zone_of(desk, recipient.person)
        until = f", until {local_moment(asked.due_at, zone)}" if asked.due_at else ""
        parts = QuestionText(
            ticket=change.after,
            approval=asked,
            wanted=f"Needed: {asked.whose_yes}{until}.",
            steps=[],
            link=link(recipient),
            ticket_link=desk.links.ticket(change.after.number),
        )
        return question_body(parts, language_of(desk, recipient))

    words = Text(subject=subject(change.after, asked.question), body=body, link=link)
    write_messages(desk, tx, change, told, purpose=f"approval-{asked.id}", text=words)


# --- its end -----------------------------------------------------------------------------------------------


def after_a_gate(desk: Desk, tx: Transaction, change: Change, ended: Approval) -> None:
    """What the end of a gate's question means for the ticket."""
    gate = next((one for one in desk.policy.gates if one.name == ended.gate), None)
    if ended.state is ApprovalState.OVERTAKEN:
        return
    if ended.state is ApprovalState.EXPIRED:
        _after_silence(desk, tx, change, ended, gate)
    else:
        _decided(desk, tx, change, ended, is_given=ended.state is ApprovalState.GIVEN)
    if ended.state is not ApprovalState.EXPIRED:
        _inform(desk, tx, change, ended, gate.inform if gate else ())


def _after_silence(desk: Desk, tx: Transaction, change: Change, ended: Approval, gate: GateRule | None) -> None:
    if gate is None or gate.on_timeout is OnTimeout.REJECT:
        _decided(desk, tx, change, ended, is_given=False)
    elif gate.on_timeout is OnTimeout.PASS:
        _decided(desk, tx, change, ended, is_given=True)
    else:
        if gate.on_timeout is OnTimeout.ESCALATE:
            _escalate(desk, tx, change, ended)
        ask_gate(desk, tx, change, gate, ended.question)


def _decided(desk: Desk, tx: Transaction, change: Change, ended: Approval, *, is_given: bool) -> None:
    now, ticket = desk.clock.now(), change.after
    if change.dossier is None:
        change.dossier = change.dossier_before = tx.dossiers.of_ticket(ticket.id)
    if ended.runbook == Action.APPROVE:
        _plan_decided(desk, tx, change, ended, is_given=is_given)
    elif is_given and ended.runbook == Action.CLOSE:
        change.promise("close", now, episode=ticket.episode, consented=True)
    if is_given and change.after.status is Status.RESTORED:
        # What waited for this goes on by itself.
        change.promise("settle", now, episode=ticket.episode)


def _plan_decided(desk: Desk, tx: Transaction, change: Change, ended: Approval, *, is_given: bool) -> None:
    now, actor = desk.clock.now(), ", ".join(one.person for one in ended.answers) or "responder"
    standing = gate_for(desk.policy.gates, Action.APPROVE, change.after)
    if is_given and standing is not None and standing.name != ended.gate:
        # Another grade, kind or policy since then: this yes was to a lesser gate.
        ask_gate(desk, tx, change, standing, ended.question)
        return
    handling.plan_decided(change, desk.policy, now=now, actor=actor, is_approved=is_given, sentence=ended.sentence)
    for line in parts.release(tx, change.after.id, now) if not is_given else ():
        change.note(now, EventKind.HANDLED, line)


def overtake_plans(tx: Transaction, change: Change, now: datetime) -> None:
    """Ends what was asked about an earlier plan."""
    for asked in tx.approvals.of_ticket(change.after.id):
        if asked.is_waiting and asked.kind is ApprovalKind.GATE and asked.runbook == Action.APPROVE:
            ended = rules.overtake(asked, "A new plan is on the table.", now)
            tx.approvals.keep(ended)
            text = f"Approval of {asked.subject} no longer needed: {ended.sentence}"
            change.note(now, EventKind.APPROVAL, text, approval=asked.id, state=ended.state)


def _escalate(desk: Desk, tx: Transaction, change: Change, ended: Approval) -> None:
    told, why = team_of(desk, tx, change.after, (max(change.after.tier, 1) + 1,))
    text = f"{ended.question} {ended.sentence} Please see to it that somebody answers."
    write_notice(desk, tx, change, told, purpose=f"gate-{ended.id}-silent", text=text)
    change.note(desk.clock.now(), EventKind.MESSAGE, f"To tell: {spoken_recipients(told)} ({why}): {text}")


def _inform(desk: Desk, tx: Transaction, change: Change, ended: Approval, roles: tuple[str, ...]) -> None:
    """Tells those who wait for the decision, and the roles that are to know of it."""
    plan = (change.dossier or tx.dossiers.of_ticket(change.after.id)).plan
    waiting = {change.after.assignee, plan.owner if plan else ""} & desk.configuration.people.keys()
    told, why = addressed(sorted(waiting - {one.person for one in ended.answers}), roles, desk.configuration.people)
    if not told:
        return
    text = f"{ended.question} {ended.sentence}"
    write_notice(desk, tx, change, told, purpose=f"gate-{ended.id}-decided", text=text)
    change.note(desk.clock.now(), EventKind.MESSAGE, f"To tell: {spoken_recipients(told)} ({why}): {text}")
