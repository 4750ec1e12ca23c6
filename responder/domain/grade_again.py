"""The grade looked at once more, when a report says more than it did when it came in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from responder.domain import lifecycle
from responder.domain.facts import Fact
from responder.domain.grading import Grading, grade
from responder.domain.policy import Policy
from responder.domain.ticket import Change, EventKind, Status

_OVER = (Status.RESTORED, Status.RESOLVED, Status.CLOSED)


def grade_again(
    change: Change, policy: Policy, now: datetime, *, before: Mapping[str, str], after: Mapping[str, str]
) -> str:
    """What the rules make of the facts before and after somebody said more. Gives a sentence for whoever has the ticket
    if they should look at its grade; empty if there is nothing to look at.

    What a person graded stays, and so does the grade of what is over. A graver grade is set only where the policy
    `grades_again`, since that may call people; a slighter one is only named, since it may end calls.
    """
    ticket = change.after
    was, again = _graded(change, policy, before), _graded(change, policy, after)
    if ticket.grade_rule == "by hand" or ticket.status in _OVER or again.grade in (was.grade, ticket.grade):
        return ""
    is_graver = policy.is_graver(again.grade, ticket.grade)
    if is_graver and policy.grades_again:
        _raise(change, policy, again, now)
        return ""
    text = (
        f"By rule “{again.rule}” it would be {again.grade} now: {again.reason}. "
        f"It stays {ticket.grade} until somebody changes it (verb: regrade)."
    )
    change.note(now, EventKind.NOTE, text)
    return text if is_graver else ""


def _graded(change: Change, policy: Policy, facts: Mapping[str, str]) -> Grading:
    return grade(policy.grade_rules, policy.default_grade, change.after.labels, facts)


def _raise(change: Change, policy: Policy, again: Grading, now: datetime) -> None:
    ticket = change.after
    change.update(grade=again.grade, grade_rule=again.rule, grade_reason=again.reason)
    text = f"Raised from {ticket.grade} to {again.grade} by rule “{again.rule}”: {again.reason}."
    change.note(now, EventKind.REGRADED, text, was=ticket.grade, grade=again.grade, raised=True, fact=Fact.GRADED)
    lifecycle.regrade(change, policy, now=now)
    lifecycle.happened(change, policy, Fact.GRADED, now=now)
    lifecycle.call_for_the_raise(change, text)
