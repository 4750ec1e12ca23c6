"""What people do with a ticket, verb by verb. Each gives the sentence why it is not possible, or None once it is done.

The change carries the dossier: whoever calls has put it there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

from responder.domain import lifecycle
from responder.domain.access import Identity
from responder.domain.dossier import EMPTY, Dossier, Plan
from responder.domain.facts import Fact
from responder.domain.policy import Policy
from responder.domain.report_fields import shortened
from responder.domain.ticket import Action, Change, EventKind, Status, Ticket, refusal

WAIT_REASONS = ("reporter", "vendor", "part")
_NAMES_SHOWN, _NAMES_COMPARED = 12, 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Acting:
    """Who acts, when, and under which rules. `who` is whose word it is, where somebody has signed in."""

    actor: str
    now: datetime
    policy: Policy
    who: Identity | None = None


def dossier_of(change: Change) -> Dossier:
    return change.dossier or EMPTY


# --- who has it ---------------------------------------------------------------------------------------------


def stranger(name: str, known: Collection[str]) -> str:
    """What is said to a name that nobody has; first those that are written most like it."""
    wanted, compared = name.casefold(), worth_comparing(name, known)
    by_likeness = sorted(compared, key=lambda one: (-SequenceMatcher(None, wanted, one.casefold()).ratio(), one))
    nearest, left = by_likeness[:_NAMES_SHOWN], len(known) - _NAMES_SHOWN
    more = f" and {left} more" if left > 0 else ""
    return (
        f"nobody is called {name[:80]!r} in the people file or among the accounts; "
        f"there are {', '.join(nearest) or 'no people'}{more}"
    )


def worth_comparing(name: str, known: Collection[str]) -> list[str]:
    """The names that begin most like this one, of very many; to compare all letter by letter would take too long."""
    wanted = name.casefold()
    return sorted(known, key=lambda one: (-_begin_alike(wanted, one.casefold()), one))[:_NAMES_COMPARED]


def _begin_alike(one: str, other: str) -> int:
    """How many letters two texts have in common before the first that differs."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def assign(change: Change, acting: Acting, to: str, why: str = "") -> str | None:
    """Gives the ticket to a person; nobody else is told about it any more. `why` is what whoever takes it over says."""
    ticket = change.after
    if ticket.status is Status.CLOSED:
        return f"{ticket.number} is closed, so nobody can be given it; reopen it first"
    if ticket.assignee == to and ticket.acknowledged_by:
        return f"{to} has {ticket.number} already"
    if refusal(ticket, Action.ACKNOWLEDGE) is None and not ticket.acknowledged_by:
        reason = f"{acting.actor} has given it to {to}." if to != acting.actor else f"{to} has taken it."
        lifecycle.acknowledge(change, acting.policy, now=acting.now, actor=to, reason=reason)
        return None
    change.update(assignee=to, acknowledged_by=to, acknowledged_at=ticket.acknowledged_at or acting.now)
    given = _given(ticket.assignee, acting.actor, to)
    handled(change, acting, f"{given}: {why}" if why else f"{given}.", assignee=to)
    return None


def _given(had: str, actor: str, to: str) -> str:
    if actor == to and had:
        return f"{to} takes it over from {had}"
    return f"{actor} has given it to {to} (before: {had})" if had else f"{actor} has given it to {to}"


def give_back(change: Change, acting: Acting, reason: str) -> str | None:
    """Gives the ticket back to its team, who are told again."""
    if why := refusal(change.after, Action.HAND_OVER):
        return why
    text = f"{acting.actor} gives it back: {reason}"
    lifecycle.hand_over(change, acting.policy, now=acting.now, reason=text, actor=acting.actor)
    change.promise("hand_over", why=text, round=change.round)
    return None


def no_way_up(ticket: Ticket, highest: int) -> str | None:
    """Why the ticket cannot go to a higher tier of its team, whoever wants that; None if it can."""
    tier = max(ticket.tier, 1)
    if tier >= highest:
        return f"team {ticket.team} has no tier above {tier}, so {ticket.number} cannot go higher"
    return None if ticket.status is Status.HANDED_OVER else refusal(ticket, Action.HAND_OVER)


def escalate(change: Change, acting: Acting, reason: str, highest: int) -> str | None:
    """Gives the ticket to the next tier of its team, who are told."""
    ticket = change.after
    if why := no_way_up(ticket, highest):
        return why
    tier = max(ticket.tier, 1) + 1
    change.update(tier=tier)
    text = f"{acting.actor} hands it to tier {tier}: {reason}"
    if ticket.status is Status.HANDED_OVER:
        handled(change, acting, text, tier=tier, fact=Fact.ESCALATED)
    else:
        lifecycle.hand_over(change, acting.policy, now=acting.now, reason=text, actor=acting.actor)
        handled(change, acting, f"It is with tier {tier} of team {ticket.team} now.", fact=Fact.ESCALATED)
    tell_clocks(change, acting, Fact.ESCALATED)
    change.promise("hand_over", why=text, round=change.round)
    return None


def wait(change: Change, acting: Acting, waiting_for: str, reason: str) -> str | None:
    """The ticket waits for somebody or something else."""
    if waiting_for not in WAIT_REASONS:
        return f"a ticket waits for one of {', '.join(WAIT_REASONS)}, not for {waiting_for[:40]!r}"
    if why := refusal(change.after, Action.WAIT):
        return why
    text = f"{acting.actor} waits for the {waiting_for}: {reason}"
    lifecycle.moved(
        change, acting.policy, Action.WAIT, now=acting.now, actor=acting.actor, reason=text, waiting_for=waiting_for
    )
    return None


def resume(change: Change, acting: Acting, reason: str) -> str | None:
    """The waiting is over."""
    if why := refusal(change.after, Action.RESUME):
        return why
    lifecycle.moved(
        change, acting.policy, Action.RESUME, now=acting.now, actor=acting.actor, reason=reason, waiting_for=""
    )
    return None


# --- what it is ---------------------------------------------------------------------------------------------


def register(change: Change, acting: Acting, fields: Mapping[str, str]) -> str | None:
    """Fills in what the report's form says; once nothing that the policy asks for is missing, it is registered."""
    dossier = dossier_of(change)
    filled = {**dossier.fields, **fields}
    keep(change, replace(dossier, fields={name: text for name, text in filled.items() if text}))
    if fields:
        names = [f"{name} (was {shortened(was)})" if was else name for name, was in _before(dossier, fields)]
        handled(change, acting, f"Filled in: {', '.join(names)}.", fields=sorted(fields))
    return registered_if_complete(change, acting)


def _before(dossier: Dossier, fields: Mapping[str, str]) -> list[tuple[str, str]]:
    """The fields, each with what it said if it says something else now."""
    had = dossier.fields
    return [(name, "" if had.get(name, "") == text else had.get(name, "")) for name, text in fields.items()]


def missing_fields(policy: Policy, dossier: Dossier) -> tuple[str, ...]:
    """What the policy wants to know of every report and this one does not say."""
    return tuple(name for name in policy.report_fields if not dossier.fields.get(name))


def registered_if_complete(change: Change, acting: Acting) -> str | None:
    """Tells the clocks that the report is complete, once it is."""
    lacking = missing_fields(acting.policy, dossier_of(change))
    if lacking:
        return None
    fact_once(change, acting, Fact.REGISTERED, "The report is complete.")
    return None


def classify(change: Change, acting: Acting, kind: str) -> str | None:
    """Says what kind of trouble it is; a kind with a team of its own sends it there."""
    policy, ticket = acting.policy, change.after
    if kind not in policy.kinds:
        return f"there is no kind {kind[:40]!r}; there are {', '.join(policy.kinds) or 'none in this policy'}"
    team = policy.kinds[kind].team or ticket.team
    change.update(kind=kind, team=team)
    moved = f", so team {team} handles it" if team != ticket.team else ""
    text = f"{acting.actor} says it is {kind}{moved}."
    handled(change, acting, text, ticket_kind=kind, was=ticket.kind, team=team, was_team=ticket.team)
    if moved and ticket.status is Status.HANDED_OVER:
        change.promise("hand_over", why=f"It is {kind}.", round=change.round)
    return None


def regrade(change: Change, acting: Acting, grade: str, reason: str) -> str | None:
    """Sets the grade; the clocks count what they have used against its targets."""
    policy, ticket = acting.policy, change.after
    if grade not in policy.grades:
        return f"there is no grade {grade[:40]!r}; there are {', '.join(policy.grades)}"
    if ticket.status is Status.CLOSED:
        return f"{ticket.number} is closed; its grade stands"
    is_confirmed, is_raised = grade == ticket.grade, policy.is_graver(grade, ticket.grade)
    text = (
        f"{acting.actor} confirms {grade}: {reason}"
        if is_confirmed
        else f"{acting.actor} changes {ticket.grade} to {grade}: {reason}"
    )
    change.update(grade=grade, grade_rule="by hand", grade_reason=f"{acting.actor}: {reason}")
    mark: dict[str, Any] = {"was": ticket.grade, "grade": grade, "raised": is_raised, "fact": Fact.GRADED}
    change.note(acting.now, EventKind.REGRADED, text, acting.actor, **mark)
    if not is_confirmed:
        lifecycle.regrade(change, policy, now=acting.now)
    tell_clocks(change, acting, Fact.GRADED)
    tell_clocks(change, acting, Fact.ASSESSED)
    if is_raised:
        lifecycle.call_for_the_raise(change, text, acting.actor)
    elif not is_confirmed and ticket.waits_for_a_person:
        # Who was told of something worse need not be told again, but fewer may have to be called.
        change.promise("hand_over", why=text)
    return None


def diagnose(change: Change, acting: Acting, text: str, cause_class: str = "", cause: str = "") -> str | None:
    """Writes down what is wrong, and perhaps why."""
    classes = acting.policy.cause_classes
    if cause_class and cause_class not in classes:
        return f"there is no cause class {cause_class[:40]!r}; there are {', '.join(classes)}"
    before = dossier_of(change)
    after = replace(
        before,
        diagnosis=text or before.diagnosis,
        diagnosed_by=acting.actor if text else before.diagnosed_by,
        cause_class=cause_class or before.cause_class,
        cause=cause or before.cause,
    )
    keep(change, after)
    said = [text, f"cause: {cause}" if cause else "", f"cause class: {cause_class}" if cause_class else ""]
    handled(change, acting, f"Diagnosis: {'; '.join(one for one in said if one)}", fact=Fact.DIAGNOSED)
    tell_clocks(change, acting, Fact.DIAGNOSED)
    return None


# --- the plan -----------------------------------------------------------------------------------------------


def propose(change: Change, acting: Acting, plan: Plan) -> str | None:
    """Puts a plan on the table. While the trouble shows, the ticket then waits for its approval."""
    if plan.kind not in acting.policy.solution_kinds:
        return f"there is no kind of solution {plan.kind[:40]!r}; there are {', '.join(acting.policy.solution_kinds)}"
    if not plan.steps:
        return "a plan needs at least one step"
    if plan.due_at is not None and plan.due_at <= acting.now:
        return f"the plan would be due at {plan.due_at:%Y-%m-%d %H:%M} UTC, which is over"
    ticket = change.after
    is_over = ticket.status in (Status.RESTORED, Status.RESOLVED)
    if not is_over and (why := refusal(ticket, Action.PROPOSE)):
        return why
    before = dossier_of(change)
    number = before.plan.round + 1 if before.plan else 1
    made = replace(plan, proposed_by=acting.actor, proposed_at=acting.now, round=number, approved_at=None)
    keep(change, replace(before, plan=made))
    text = f"Plan {number} by {acting.actor}: {plan_in_words(made)}"
    if is_over:
        handled(change, acting, text, fact=Fact.PROPOSED, plan=number)
        tell_clocks(change, acting, Fact.PROPOSED)
    else:
        lifecycle.moved(change, acting.policy, Action.PROPOSE, now=acting.now, actor=acting.actor, reason=text)
    return None


def plan_in_words(plan: Plan) -> str:
    """A plan on one line."""
    steps = " ".join(f"{index}. {step.rstrip('.')}." for index, step in enumerate(plan.steps, 1))
    parts = ", ".join(f"{count} × {part}" for part, count in plan.resources.items())
    due = f", due {plan.due_at:%Y-%m-%d %H:%M} UTC" if plan.due_at else ""
    return f"{plan.kind} by {plan.owner}{due}. {steps}{f' Parts: {parts}.' if parts else ''}"


def plan_decided(
    change: Change, policy: Policy, *, now: datetime, actor: str, is_approved: bool, sentence: str
) -> None:
    """The plan was approved or rejected; `sentence` says by whom and why."""
    dossier = dossier_of(change)
    if dossier.plan is None:
        return
    if is_approved:
        keep(change, replace(dossier, plan=replace(dossier.plan, approved_at=now)))
    action = Action.APPROVE if is_approved else Action.REJECT
    word = "approved" if is_approved else "rejected"
    text = f"Plan {dossier.plan.round} is {word}: {sentence}"
    if refusal(change.after, action) is None:
        lifecycle.moved(change, policy, action, now=now, actor=actor, reason=text)
        return
    fact = Fact.APPROVED if is_approved else Fact.REJECTED
    change.note(now, EventKind.HANDLED, text, actor, fact=fact)
    lifecycle.happened(change, policy, fact, now=now)


def solve(change: Change, acting: Acting, text: str) -> str | None:
    """Writes down what solved it."""
    keep(change, replace(dossier_of(change), solution=text))
    handled(change, acting, f"Solution: {text}")
    return None


# --- what verbs share ---------------------------------------------------------------------------------------


def handled(change: Change, acting: Acting, text: str, **data: object) -> None:
    change.note(acting.now, EventKind.HANDLED, text, acting.actor, **data)


def fact_once(change: Change, acting: Acting, fact: Fact, text: str) -> None:
    before = change.clocks
    tell_clocks(change, acting, fact)
    if change.clocks != before:
        handled(change, acting, text, fact=fact)


def tell_clocks(change: Change, acting: Acting, fact: Fact) -> None:
    lifecycle.happened(change, acting.policy, fact, now=acting.now)


def keep(change: Change, dossier: Dossier) -> None:
    change.dossier = dossier


def spoken_status(status: Status) -> str:
    return status.replace("_", " ")
