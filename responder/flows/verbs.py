"""The verbs of people, by name: the one table behind the commands, the API and the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from responder.domain import endings, handling, lifecycle
from responder.domain.correlation import all_clear
from responder.domain.dossier import Dossier, Plan, Verifier
from responder.domain.gates import gate_for
from responder.domain.reporter import REPORTER
from responder.domain.requirements import missing_sentence
from responder.domain.ticket import Action, Change, EventKind, Ticket, refusal
from responder.errors import Refused
from responder.flows import parts
from responder.flows.desk import Desk
from responder.flows.forms import Form
from responder.flows.gates import ask_gate, cannot_be_asked, overtake_plans
from responder.flows.moves import Move, Verb, case_of, judge_runs, other_change
from responder.flows.telling import highest_tier
from responder.flows.verbs_of_people import ABOUT_PEOPLE, acknowledge, assign, holder, tell_one
from responder.store.attachments import Attachment
from responder.store.transaction import Transaction

LARGEST_ATTACHMENT = 5 * 1024 * 1024
MOST_ATTACHMENTS = 100


# --- who has it ---------------------------------------------------------------------------------------------


def _assign(move: Move) -> str | None:
    to, why = holder(move, move.form.text("to"))
    return why or assign(move, to)


def _give_back(move: Move) -> str | None:
    return handling.give_back(move.change, move.acting, move.form.text("reason"))


def _escalate(move: Move) -> str | None:
    return handling.escalate(
        move.change, move.acting, move.form.text("reason"), highest_tier(move.desk, move.change.after)
    )


def _no_way_up(desk: Desk, _: Transaction, ticket: Ticket) -> str | None:
    return handling.no_way_up(ticket, highest_tier(desk, ticket))


def _note(move: Move) -> str | None:
    move.change.note(move.acting.now, EventKind.NOTE, move.form.text("text"), move.acting.actor)
    return None


def _wait(move: Move) -> str | None:
    waiting_for, reason = move.form.text("for"), move.form.text("reason")
    if waiting_for == REPORTER and (why := _would_not_know(move)):
        return why
    return handling.wait(move.change, move.acting, waiting_for, reason)


def _would_not_know(move: Move) -> str | None:
    """A reason is for us: a reporter learns of it only by a question that was written for them."""
    ticket, reporter = move.change.after, move.tx.reporters.of_ticket(move.change.after.id)
    if reporter is None or reporter.erased_at is not None:
        return None
    return (
        f"the reporter of {ticket.number} would not know of it; ask instead, and it waits for the answer "
        f"(responder reporters ask {ticket.number} “…”)"
    )


def _resume(move: Move) -> str | None:
    return handling.resume(move.change, move.acting, move.form.text("reason"))


# --- what it is ---------------------------------------------------------------------------------------------


def _register(move: Move) -> str | None:
    refused = handling.register(move.change, move.acting, move.form.fields("fields"))
    lacking = handling.missing_fields(move.acting.policy, handling.dossier_of(move.change))
    if refused or not lacking or move.form.fields("fields"):
        return refused
    return f"the report is not complete: {', '.join(lacking)} missing (fields)"


def _classify(move: Move) -> str | None:
    """Whoever has it keeps it, and learns that it belongs to another team now."""
    was = move.change.after
    if refused := handling.classify(move.change, move.acting, move.form.text("kind")):
        return refused
    if was.acknowledged_by not in ("", move.acting.actor) and was.team != move.change.after.team:
        said = f"{move.change.events[-1].text} You still have it: give it back, and that team is called."
        tell_one(move, was.acknowledged_by, "team", said)
    return None


def _regrade(move: Move) -> str | None:
    return handling.regrade(move.change, move.acting, move.form.text("grade"), move.form.text("reason"))


def _diagnose(move: Move) -> str | None:
    form = move.form
    return handling.diagnose(
        move.change, move.acting, form.text("text"), form.optional("cause_class"), form.optional("cause")
    )


# --- the plan -----------------------------------------------------------------------------------------------


def _propose(move: Move) -> str | None:
    form, people = move.form, move.desk.configuration.people
    owner = form.optional("owner") or move.acting.actor
    if form.optional("owner") and owner not in people:
        return f"nobody is called {owner[:80]!r} in the people file, so the plan would have no owner"
    plan = Plan(
        kind=form.text("kind"),
        steps=form.texts("steps"),
        owner=owner,
        due_at=form.instant("due"),
        resources=form.counts("resources"),
    )
    if refused := handling.propose(move.change, move.acting, plan):
        return refused
    if lacking := missing_sentence(move.acting.policy.needs, Action.APPROVE, case_of(move.tx, move.change)):
        return lacking
    # Asked first: what is refused there has then reserved nothing.
    return _cannot_be_approved(move) or _reserve(move, plan) or _ask_for_approval(move)


def _cannot_be_approved(move: Move) -> str | None:
    gate = gate_for(move.desk.policy.gates, Action.APPROVE, move.change.after)
    return (cannot_be_asked(gate, move.desk.configuration.people) or None) if gate else None


def _reserve(move: Move, plan: Plan) -> str | None:
    """Holds the plan's spare parts; a plan without any gives back what an earlier one held."""
    acting = move.acting
    try:
        said = parts.reserve_for_plan(move.tx, move.change.after.id, plan.resources, acting.actor, acting.now)
    except Refused as refused:
        return str(refused)
    for line in said:
        move.change.note(acting.now, EventKind.HANDLED, line, acting.actor)
    return None


def _ask_for_approval(move: Move) -> str | None:
    desk, tx, change, acting = move.desk, move.tx, move.change, move.acting
    plan = handling.dossier_of(change).plan
    gate = gate_for(desk.policy.gates, Action.APPROVE, change.after)
    overtake_plans(tx, change, acting.now)
    if gate is None:
        said = "No gate stands before it."
        handling.plan_decided(change, acting.policy, now=acting.now, actor="responder", is_approved=True, sentence=said)
        return None
    what = f"May plan {plan.round if plan else 1} of {change.after.number} be carried out?"
    words = f"{what} {handling.plan_in_words(plan)}" if plan else what
    asked = ask_gate(desk, tx, change, gate, words)
    return asked if isinstance(asked, str) else None


def _solve(move: Move) -> str | None:
    return handling.solve(move.change, move.acting, move.form.text("text"))


# --- whether it is over -------------------------------------------------------------------------------------


def _restore(move: Move) -> str | None:
    """A person vouches that the trouble is gone. While an alert still fires the proof must follow."""
    change, acting = move.change, move.acting
    if why := refusal(change.after, Action.RESTORE):
        return why
    lifecycle.restore(
        change, acting.policy, now=acting.now, actor=acting.actor, reason=move.form.text("reason"), by=lifecycle.HUMAN
    )
    if change.after.source == "responder" or not change.after.firing:
        # Nobody sends an all-clear for what responder or a person reported: a person's word is the evidence.
        all_clear(change, acting.policy, now=acting.now, reason=f"{acting.actor} vouches for it.")
    else:
        change.promise("prove", acting.now + acting.policy.proof_within, episode=change.after.episode)
    return None


def _verify(move: Move) -> str | None:
    form = move.form
    by = Verifier(form.one_of("by", [verifier.value for verifier in Verifier]))
    return endings.verify(move.change, move.acting, by, form.optional("text"), is_good=form.yes("good", default=True))


def _relapse(move: Move) -> str | None:
    return endings.relapse(move.change, move.acting, move.form.text("reason"))


def _resolve(move: Move) -> str | None:
    change, acting = move.change, move.acting
    if why := refusal(change.after, Action.RESOLVE):
        return why
    reason = f"{acting.actor}: {move.form.text('reason')}"
    lifecycle.resolve(change, acting.policy, now=acting.now, reason=reason, actor=acting.actor)
    judge_runs(move.desk, move.tx, change.after)
    return None


def _satisfaction(move: Move) -> str | None:
    score = move.form.number("score")
    return endings.satisfied(move.change, move.acting, score or 0, move.form.optional("text"))


def _follow_up(move: Move) -> str | None:
    return endings.followed_up(move.change, move.acting, move.form.text("text"))


def _with_guide(form: Form, dossier: Dossier) -> Dossier:
    return replace(dossier, guide=form.optional("guide") or dossier.guide)


def _dismiss(move: Move) -> str | None:
    form = move.form
    return endings.dismiss(move.change, move.acting, form.text("as"), form.text("reason"), form.optional("guide"))


def _close(move: Move) -> str | None:
    change, acting = move.change, move.acting
    if why := refusal(change.after, Action.CLOSE):
        return why
    lifecycle.close(change, acting.policy, now=acting.now, actor=acting.actor, reason=move.form.text("reason"))
    return None


def _newer(_: Desk, tx: Transaction, ticket: Ticket) -> str | None:
    """Why a ticket cannot live again beside a newer one of the same trouble."""
    newest = tx.tickets.latest([ticket.trouble]).get(ticket.trouble)
    if newest is None or newest.id == ticket.id or not newest.is_open:
        return None
    return f"{ticket.number} cannot be reopened: the same trouble is {newest.number} now, and that is open"


def _no_reopening(desk: Desk, tx: Transaction, ticket: Ticket) -> str | None:
    return endings.no_reopening(ticket) or _newer(desk, tx, ticket)


def _reopen(move: Move) -> str | None:
    return endings.reopen(move.change, move.acting, move.form.text("reason"))


# --- several tickets ----------------------------------------------------------------------------------------


def _merge(move: Move) -> str | None:
    into = other_change(move, move.form.text("into"))
    if refused := endings.merge(move.change, into, move.acting, move.form.optional("reason")):
        return refused
    move.tx.apply([into], move.acting.now)
    return None


def _split(move: Move) -> str | None:
    member = other_change(move, move.form.text("off"))
    if newer := _newer(move.desk, move.tx, member.after):
        return newer
    holder, alerts = _where_its_alerts_are(move, member)
    if refused := endings.split(
        move.change, member, move.acting, move.form.text("reason"), alerts=alerts, holder=holder
    ):
        return refused
    move.tx.apply([member] if holder is move.change else [member, holder], move.acting.now)
    return None


def _where_its_alerts_are(move: Move, member: Change) -> tuple[Change, set[str]]:
    """The ticket that has the alerts of all members by now: the end of the chain of merges, or a later one of its
    trouble; and which of them are this member's."""
    holder, alerts = move.change, _alerts_of(move, move.change, member)
    while (following := _next_holder(move, holder)) is not None:
        holder = other_change(move, str(following))
        alerts |= _alerts_of(move, holder, member)
    return holder, alerts


def _next_holder(move: Move, holder: Change) -> int | None:
    ticket = holder.after
    if ticket.merged_into is not None:
        return ticket.merged_into
    newest = move.tx.tickets.latest([ticket.trouble])[ticket.trouble].id
    return newest if newest != ticket.id else None


def _alerts_of(move: Move, into: Change, member: Change) -> set[str]:
    """What came into a ticket with a member, and by its trouble since then."""
    known = [event.data for event in move.tx.tickets.events(into.after.id)]
    with_it = [name for data in known if data.get("merged") == member.after.id for name in _listed(data.get("alerts"))]
    since = [data.get("alert") for data in known if data.get("trouble") == member.after.trouble]
    return {str(name) for name in (*with_it, *since)}


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode()
    except UnicodeDecodeError:
        return False


def _attach(move: Move) -> str | None:
    name = move.form.text("name")
    content = move.form.content("content")
    if len(content) > LARGEST_ATTACHMENT:
        return f"{name} is larger than {LARGEST_ATTACHMENT // 1024 // 1024} MB"
    ticket = move.change.after
    if len(move.tx.attachments.of_ticket(ticket.id)) >= MOST_ATTACHMENTS:
        return f"{ticket.number} has {MOST_ATTACHMENTS} attachments already"
    kept = Attachment(
        ticket_id=ticket.id,
        name=name,
        at=move.acting.now,
        content=content,
        media_type="text/plain; charset=utf-8" if _is_text(content) else "application/octet-stream",
        actor=move.acting.actor,
    )
    made = move.tx.attachments.keep(kept)
    move.change.note(move.acting.now, EventKind.HANDLED, f"Attached: {name}", move.acting.actor, attachment=made)
    return None


_ALL = (
    Verb(
        name="acknowledge",
        run=acknowledge,
        action=Action.ACKNOWLEDGE,
        perhaps=("reason",),
        text="You take it; automation steps back.",
    ),
    Verb(name="assign", run=_assign, fields=("to",), text="Give it to a person."),
    Verb(name="give-back", run=_give_back, action=Action.HAND_OVER, fields=("reason",), text="Back to its team."),
    Verb(name="escalate", run=_escalate, fields=("reason",), text="To the next tier.", objection=_no_way_up),
    *ABOUT_PEOPLE,
    Verb(name="note", run=_note, fields=("text",), text="Remember something."),
    Verb(
        name="attach", run=_attach, fields=("name", "content"), perhaps=("content_base64",), text="Keep a file with it."
    ),
    Verb(
        name="wait", run=_wait, action=Action.WAIT, fields=("for", "reason"), text="For the reporter, a vendor, a part."
    ),
    Verb(name="resume", run=_resume, action=Action.RESUME, fields=("reason",), text="The waiting is over."),
    Verb(name="register", run=_register, fields=("fields",), text="Fill in what the report says."),
    Verb(name="classify", run=_classify, fields=("kind",), text="Say what kind of trouble it is."),
    Verb(name="regrade", run=_regrade, fields=("grade", "reason"), text="Set or confirm the grade."),
    Verb(name="diagnose", run=_diagnose, fields=("text", "cause_class", "cause"), text="Say what is wrong, and why."),
    Verb(
        name="propose",
        run=_propose,
        action=Action.PROPOSE,
        fields=("kind", "steps", "owner", "due", "resources"),
        text="Put a plan on the table.",
    ),
    Verb(name="solve", run=_solve, fields=("text",), text="Write down what solved it."),
    Verb(name="restore", run=_restore, action=Action.RESTORE, fields=("reason",), text="The trouble is gone."),
    Verb(name="verify", run=_verify, fields=("by", "good", "text"), text="Whether it is really gone."),
    Verb(name="relapse", run=_relapse, action=Action.RELAPSE, fields=("reason",), text="It is back."),
    Verb(name="resolve", run=_resolve, action=Action.RESOLVE, fields=("reason",), text="It has stayed away."),
    Verb(
        name="satisfaction",
        run=_satisfaction,
        fields=("score", "text"),
        text="How the reporter liked it.",
        to_do_so="write down the satisfaction",
    ),
    Verb(name="follow-up", run=_follow_up, fields=("text",), text="The call after the solution."),
    Verb(
        name="dismiss",
        run=_dismiss,
        action=Action.DISMISS,
        fields=("as", "reason", "guide"),
        brings=_with_guide,
        text="No fault, or no trouble at all.",
    ),
    Verb(name="merge", run=_merge, action=Action.MERGE, fields=("into", "reason"), text="The same trouble as another."),
    Verb(name="split", run=_split, fields=("off", "reason"), text="A merged ticket is a trouble of its own after all."),
    Verb(name="close", run=_close, action=Action.CLOSE, fields=("reason",), text="The last word."),
    Verb(
        name="reopen",
        run=_reopen,
        action=Action.REOPEN,
        fields=("reason",),
        text="Take it up again.",
        objection=_no_reopening,
    ),
)
VERBS: Mapping[str, Verb] = {verb.name: verb for verb in _ALL}
"""All that people may do to a ticket."""
