"""Consent: people are asked before a step or a run, they answer, or their time ends.

Whatever settles a question does so in one transaction that holds the ticket's row, so that of an answer and the end
of its time, or of two answers, one comes first and the other sees it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from responder.adapters.links import ApprovalClaim
from responder.domain import approval as rules
from responder.domain.access import Identity
from responder.domain.acts import Ask
from responder.domain.approval import Approval, ApprovalKind, ApprovalState
from responder.domain.autonomy import ApprovalRule
from responder.domain.local_time import local_moment
from responder.domain.masking import masked
from responder.domain.oncall import Recipient, addressed
from responder.domain.runbook import Run
from responder.domain.ticket import Change, EventKind, Ticket
from responder.errors import Refused
from responder.firstaid.plan import PlannedStep
from responder.firstaid.ports import Answered, Consent
from responder.firstaid.showing import shown_steps
from responder.flows.desk import Desk
from responder.flows.gates import after_a_gate
from responder.flows.moves import changed_since, own_name, refuse_other_teams
from responder.flows.starting import Order, order_as_approved, start_ordered
from responder.flows.telling import Text, language_of, spoken_recipients, team_of, write_messages, zone_of
from responder.flows.texts import QuestionText, question_body, subject
from responder.store.jobs import Job
from responder.store.transaction import Transaction

# --- asking ----------------------------------------------------------------------------------------


def ask_in_step(desk: Desk, tx: Transaction, run: Run, step: PlannedStep, ask: Ask) -> Answered:
    """Asks people when the step comes here first; later says where the question stands."""
    known = tx.tickets.one(run.ticket_id, locked=True)
    change, now = Change.of(known.ticket, known.clocks), desk.clock.now()
    asked = tx.approvals.of_step(run.id, step.index)
    if asked is None:
        if why := rules.unanswerable(ask.roles, ask.needed, desk.configuration.people):
            return Answered(consent=Consent.REFUSED, sentence=f"nobody can be asked: {why}", until=now)
        question = _of_step(change.after, run, step, ask, now)
        asked = _ask(desk, tx, change, question, f"may step “{step.name}” of {run.runbook} on {step.host} run?")
        tx.apply([change], now)
    elif asked.is_waiting and asked.is_due(now):
        asked = _settle(tx, change, rules.expire(asked, now), now)
        tx.apply([change], now)
    return _answered(asked, now)


def ask_before_run(
    desk: Desk, tx: Transaction, change: Change, order: Order, rule: ApprovalRule, *, why: str
) -> Approval | str:
    """Asks people whether a run may start; nothing is locked meanwhile. Gives the sentence why nobody can be asked."""
    now = desk.clock.now()
    if cannot := rules.unanswerable(rule.roles, rule.needed, desk.configuration.people):
        return f"{order.runbook.name} needs approval, and nobody can be asked: {cannot}."
    what = f"may {order.runbook.name} run on {order.target.name}?"
    question = _of_run(change.after, order, rule, now)
    question = replace(question, kind=ApprovalKind.RUN, question=f"{what[0].upper()}{what[1:]} ({why})")
    asked = _ask(desk, tx, change, question, what)
    change.promise("consent", asked.due_at, approval=asked.id)
    return asked


def suggest(desk: Desk, tx: Transaction, change: Change, order: Order, rule: ApprovalRule, *, why: str) -> Approval:
    """Writes down what people may let run later; the message of the hand-over tells them."""
    now, question = desk.clock.now(), f"{order.runbook.name} on {order.target.name} ({why})."
    offered = replace(_of_run(change.after, order, rule, now), due_at=None, go_on_without=False, question=question)
    made = tx.approvals.ask(offered)
    steps = " ".join(map(str, shown_steps(order.snapshot)))
    text = f"Suggested: {question} {steps} To run it: responder approvals approve {made.id}, or this ticket's page."
    change.note(now, EventKind.APPROVAL, masked(text, desk.configuration.secrets), approval=made.id)
    return made


def question_for(desk: Desk, approval: Approval, run: Run | None, ticket: Ticket, person: str) -> QuestionText:
    """What a message to a person says of a question."""
    made = run.snapshot if run else approval.snapshot
    until = f", until {local_moment(approval.due_at, zone_of(desk, person))}" if approval.due_at else ""
    return QuestionText(
        ticket=ticket,
        approval=approval,
        wanted=f"Needed: {approval.whose_yes}{until}.",
        steps=[masked(str(step), desk.configuration.secrets) for step in shown_steps(made)],
        link=desk.links.approve(ApprovalClaim(approval_id=approval.id, person=person)),
        ticket_link=desk.links.ticket(ticket.number),
    )


def _ask(desk: Desk, tx: Transaction, change: Change, question: Approval, what: str) -> Approval:
    asked = tx.approvals.ask(question)
    run = tx.runs.one(asked.run_id) if asked.run_id else None

    def body(recipient: Recipient) -> str:
        parts = question_for(desk, asked, run, change.after, recipient.person)
        return question_body(parts, language_of(desk, recipient))

    def link(recipient: Recipient) -> str:
        return desk.links.approve(ApprovalClaim(approval_id=asked.id, person=recipient.person))

    told = _askable(desk, tx, change.after, asked)
    line = subject(change.after, what)
    write_messages(desk, tx, change, told, purpose=purpose_of(asked), text=Text(subject=line, body=body, link=link))
    until = f" until {asked.due_at:%H:%M} UTC" if asked.due_at else ""
    text = f"Asked {spoken_recipients(told)}: {what} Needs {asked.whose_yes}{until}."
    change.note(asked.asked_at, EventKind.APPROVAL, text, approval=asked.id)
    return asked


def _askable(desk: Desk, tx: Transaction, ticket: Ticket, asked: Approval) -> tuple[Recipient, ...]:
    if asked.roles:
        return addressed((), asked.roles, desk.configuration.people)[0]
    return team_of(desk, tx, ticket)[0]


def purpose_of(approval: Approval) -> str:
    """Under which purpose the messages about a question are written, once each."""
    return f"approval-{approval.id}"


def asked_by(purpose: str) -> int | None:
    """The question that messages of this purpose are about; None for all others."""
    word, _, number = purpose.partition("-")
    return int(number) if word == "approval" and number.isdigit() else None


def _of_step(ticket: Ticket, run: Run, step: PlannedStep, ask: Ask, now: datetime) -> Approval:
    return Approval(
        ticket_id=ticket.id,
        episode=ticket.episode,
        run_id=run.id,
        step=step.index,
        runbook=run.runbook,
        target=step.host,
        kind=ApprovalKind.STEP,
        question=ask.question,
        roles=ask.roles,
        needed=ask.needed,
        go_on_without=ask.go_on_without,
        asked_at=now,
        due_at=now + ask.within,
    )


def _of_run(ticket: Ticket, order: Order, rule: ApprovalRule, now: datetime) -> Approval:
    return Approval(
        ticket_id=ticket.id,
        episode=ticket.episode,
        runbook=order.runbook.name,
        target=order.target.name,
        kind=ApprovalKind.SUGGESTION,
        question="",
        roles=rule.roles,
        needed=rule.needed,
        go_on_without=rule.go_on_without,
        asked_at=now,
        due_at=now + rule.within,
        snapshot=order.snapshot,
    )


def _answered(asked: Approval, now: datetime) -> Answered:
    until = asked.due_at or now
    if asked.is_waiting:
        sentence = f"waiting for {asked.whose_yes} until {until:%H:%M} UTC"
        return Answered(consent=Consent.WAITING, sentence=sentence, until=until)
    consent = Consent.GIVEN if asked.may_go_on else Consent.REFUSED
    return Answered(consent=consent, sentence=asked.sentence, until=until)


# --- answering -------------------------------------------------------------------------------------


async def answer(
    desk: Desk,
    approval_id: int,
    person: str,
    *,
    yes: bool,
    reason: str = "",
    version: int | None = None,
    who: Identity | None = None,
) -> Approval:
    """A person says yes or no. Raises NotFound, NotTheirs, or Refused with the sentence why it does not count.

    `version` is the one of the ticket that the person saw, if that matters. `who` is whose word it is, where somebody
    has signed in: only questions about tickets of their teams are answered.
    """

    def body(tx: Transaction) -> Approval | str:
        ticket = tx.tickets.one(tx.approvals.one(approval_id).ticket_id, locked=True).ticket
        refuse_other_teams(who, ticket)
        if version is not None and version != ticket.version:
            return changed_since(tx, ticket, version)
        return answer_in(desk, tx, approval_id, own_name(desk, tx, person, who), yes=yes, reason=reason)

    found = await desk.store.write(body)
    if isinstance(found, str):
        raise Refused(found)
    return found


def answer_in(desk: Desk, tx: Transaction, approval_id: int, person: str, *, yes: bool, reason: str) -> Approval | str:
    """As `answer`, within a transaction. A refusal is written down, and its sentence comes back."""
    known = tx.tickets.one(tx.approvals.one(approval_id).ticket_id, locked=True)
    # Only now that the ticket is ours does the question stand still.
    asked, now = tx.approvals.one(approval_id), desk.clock.now()
    change = Change.of(known.ticket, known.clocks)
    if asked.is_waiting and (ended := _ended_by_itself(asked, known.ticket, now)):
        _settle_and_follow(desk, tx, change, ended, now)
        return _too_late(tx, change, ended, person, now)
    decided = rules.answer(asked, person, desk.configuration.people, yes=yes, reason=reason, now=now)
    if isinstance(decided, str):
        text = f"{person[:80]} could not answer “{asked.subject[:200]}”: {decided}"
        change.note(now, EventKind.REFUSED, text, person[:80], approval=asked.id)
        tx.apply([change], now)
        return decided
    if decided is asked:
        return decided
    refused = _take(desk, tx, change, decided, now)
    tx.apply([change], now)
    return refused or decided


def _too_late(tx: Transaction, change: Change, ended: Approval, person: str, now: datetime) -> str:
    why = f"It is too late. {ended.sentence}"
    text = f"{person[:80]} could not answer “{ended.subject[:200]}”: {why}"
    change.note(now, EventKind.REFUSED, text, person[:80], approval=ended.id)
    tx.apply([change], now)
    return why


def _take(desk: Desk, tx: Transaction, change: Change, decided: Approval, now: datetime) -> str:
    """Writes the answer and what follows from it; gives the sentence if the run that it orders may not start."""
    newest = decided.answers[-1]
    if decided.kind is ApprovalKind.SUGGESTION and decided.state is ApprovalState.GIVEN:
        refused = _run_suggestion(desk, tx, change, decided)
        if refused:
            return refused
    word, because = ("yes" if newest.yes else "no"), f": {newest.reason}" if newest.reason else ""
    needed = decided.whose_yes if decided.each_role else str(decided.needed)
    so_far = f" ({len(decided.supporters)} of {needed})" if decided.is_waiting else ""
    text = f"{newest.person} says {word} to {decided.subject}{so_far}{because}"
    change.note(now, EventKind.APPROVAL, text, newest.person, approval=decided.id)
    if decided.is_waiting:
        tx.approvals.keep(decided)
    else:
        _settle_and_follow(desk, tx, change, decided, now)
    return ""


def _run_suggestion(desk: Desk, tx: Transaction, change: Change, given: Approval) -> str:
    try:
        order = order_as_approved(desk, given)
    except ValueError as error:
        return str(error)
    started = start_ordered(desk, tx, change, order, ", ".join(given.supporters))
    return started if isinstance(started, str) else ""


def _ended_by_itself(asked: Approval, ticket: Ticket, now: datetime) -> Approval | None:
    if why := rules.no_longer_needed(asked, ticket):
        return rules.overtake(asked, why, now)
    return rules.expire(asked, now) if asked.is_due(now) else None


# --- ending ----------------------------------------------------------------------------------------


async def look_after(desk: Desk, job: Job) -> None:
    """Ends the ticket's questions whose time is over or that nobody needs any more, and lets the runs that wait for
    an answer look whether they still may go on."""
    await desk.store.write(lambda tx: _look_after(desk, tx, int(job.args["ticket"]), job.args.get("approval")))


def _look_after(desk: Desk, tx: Transaction, ticket_id: int, approval_id: int | None) -> None:
    known, now = tx.tickets.one(ticket_id, locked=True), desk.clock.now()
    change = Change.of(known.ticket, known.clocks)
    for asked in tx.approvals.of_ticket(ticket_id):
        if not asked.is_waiting:
            continue
        if asked.kind is ApprovalKind.STEP:
            if not _wake(tx, change, asked):
                _settle(tx, change, rules.overtake(asked, "The run has ended.", now), now)
        elif ended := _ended_by_itself(asked, known.ticket, now):
            _settle_and_follow(desk, tx, change, ended, now)
        elif asked.id == approval_id:
            # Another machine's clock was ahead of ours.
            change.promise("consent", asked.due_at, approval=asked.id)
    tx.apply([change], now)


def overtake_questions(tx: Transaction, change: Change, run: Run, now: datetime) -> None:
    """Ends what a run has asked, since the run has ended."""
    for asked in tx.approvals.of_ticket(run.ticket_id):
        if asked.is_waiting and asked.run_id == run.id:
            _settle(tx, change, rules.overtake(asked, "The run has ended.", now), now)


def _settle(tx: Transaction, change: Change, ended: Approval, now: datetime) -> Approval:
    tx.approvals.keep(ended)
    what = f"step {ended.step + 1} of {ended.subject}" if ended.step is not None else ended.subject
    text = f"Approval of {what} {_SPOKEN[ended.state]}: {ended.sentence}"
    change.note(now, EventKind.APPROVAL, text, approval=ended.id, state=ended.state)
    return ended


def _settle_and_follow(desk: Desk, tx: Transaction, change: Change, ended: Approval, now: datetime) -> None:
    _settle(tx, change, ended, now)
    if ended.kind is ApprovalKind.GATE:
        after_a_gate(desk, tx, change, ended)
    elif ended.kind is ApprovalKind.STEP:
        _wake(tx, change, ended)
    elif ended.kind is ApprovalKind.RUN and ended.may_go_on:
        change.promise("first_aid")
    elif ended.kind is ApprovalKind.RUN and ended.state is not ApprovalState.OVERTAKEN:
        change.promise("hand_over", why=f"{ended.runbook} on {ended.target} was not approved: {ended.sentence}")


def _wake(tx: Transaction, change: Change, asked: Approval) -> bool:
    """Lets the run go on now; False if it has ended. Its new leg makes the job that waits for the question's end
    find nothing to do."""
    leg = tx.runs.next_leg(asked.run_id) if asked.run_id is not None else None
    if leg is not None:
        change.promise("run", run=asked.run_id, leg=leg)
    return leg is not None


_SPOKEN = {
    ApprovalState.GIVEN: "given",
    ApprovalState.REFUSED: "refused",
    ApprovalState.EXPIRED: "ran out of time",
    ApprovalState.OVERTAKEN: "no longer needed",
}
