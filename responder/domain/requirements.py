"""Requirements: what must be there before a move, such as a root cause before a P1 is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from responder.domain.dossier import Dossier, Verifier
from responder.domain.ticket import Action, Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A ticket with all that requirements may ask about."""

    ticket: Ticket
    dossier: Dossier
    attachments: tuple[str, ...] = ()
    has_reporter: bool = False
    has_article: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """Before `move` these must be there. Empty `grades`, `kinds`, `restored_by`: for all of them.

    With `if_there_is_a_reporter` it holds only for reports by people.
    """

    move: Action
    needs: tuple[str, ...]
    grades: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    restored_by: tuple[str, ...] = ()
    if_there_is_a_reporter: bool = False

    def applies(self, move: Action, case: Case) -> bool:
        ticket = case.ticket
        return (
            move is self.move
            and (not self.grades or ticket.grade in self.grades)
            and (not self.kinds or ticket.kind in self.kinds)
            and (not self.restored_by or ticket.restored_by in self.restored_by)
            and (case.has_reporter or not self.if_there_is_a_reporter)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """Something that can be required: how to see that it is there, what it is called, and which verb brings it."""

    is_there: Callable[[Case], bool]
    text: str
    verb: str


def _verified(verifier: Verifier) -> Callable[[Case], bool]:
    return lambda case: case.dossier.is_verified_by(verifier, case.ticket.episode)


THINGS: Mapping[str, Thing] = {
    "assignee": Thing(is_there=lambda case: bool(case.ticket.assignee), text="somebody who has it", verb="assign"),
    "kind": Thing(is_there=lambda case: bool(case.ticket.kind), text="its kind", verb="classify"),
    "assessment": Thing(
        is_there=lambda case: case.ticket.grade_rule == "by hand",
        text="a grade that a person has set or confirmed",
        verb="regrade",
    ),
    "reporter": Thing(is_there=lambda case: case.has_reporter, text="the reporter", verb="report"),
    "diagnosis": Thing(is_there=lambda case: bool(case.dossier.diagnosis), text="a diagnosis", verb="diagnose"),
    "plan": Thing(is_there=lambda case: case.dossier.plan is not None, text="a plan", verb="propose"),
    "approved_plan": Thing(
        is_there=lambda case: bool(case.dossier.plan and case.dossier.plan.approved_at),
        text="an approved plan",
        verb="propose",
    ),
    "plan_due": Thing(
        is_there=lambda case: bool(case.dossier.plan and case.dossier.plan.due_at),
        text="a plan with a time by which it is done",
        verb="propose",
    ),
    "plan_resources": Thing(
        is_there=lambda case: bool(case.dossier.plan and case.dossier.plan.resources),
        text="a plan that names its resources",
        verb="propose",
    ),
    "cause_class": Thing(is_there=lambda case: bool(case.dossier.cause_class), text="a cause class", verb="diagnose"),
    "cause": Thing(is_there=lambda case: bool(case.dossier.cause), text="the cause in words", verb="diagnose"),
    "solution": Thing(is_there=lambda case: bool(case.dossier.solution), text="what solved it", verb="solve"),
    "guide": Thing(is_there=lambda case: bool(case.dossier.guide), text="the guide that was sent", verb="dismiss"),
    "monitor": Thing(is_there=_verified(Verifier.MONITOR), text="a verification by the monitoring", verb="verify"),
    "test": Thing(is_there=_verified(Verifier.TEST), text="a verification by test cases", verb="verify"),
    "reporter_confirmation": Thing(
        is_there=_verified(Verifier.REPORTER), text="the reporter's confirmation", verb="verify"
    ),
    "satisfaction": Thing(
        # A text without a score is what the reporter's silence has left.
        is_there=lambda case: case.dossier.satisfaction is not None or bool(case.dossier.satisfaction_text),
        text="the reporter's satisfaction",
        verb="satisfaction",
    ),
    "follow_up": Thing(
        is_there=lambda case: bool(case.dossier.followed_up_by), text="the follow-up call", verb="follow-up"
    ),
    "review": Thing(is_there=lambda case: case.dossier.review is not None, text="a root-cause review", verb="review"),
    "review_meeting": Thing(
        is_there=lambda case: bool(case.dossier.review and case.dossier.review.meeting_at),
        text="the review meeting",
        verb="review",
    ),
    "article": Thing(is_there=lambda case: case.has_article, text="an article in the knowledge base", verb="article"),
}
"""All that a policy may require by name, beside `field:NAME` (of the report's form) and `attachment:NAME`."""

FIELD, ATTACHMENT = "field:", "attachment:"


def is_known(name: str) -> bool:
    """Whether a policy may ask for this."""
    return name in THINGS or any(name.startswith(prefix) and len(name) > len(prefix) for prefix in (FIELD, ATTACHMENT))


def missing(needs: tuple[Need, ...], move: Action, case: Case) -> list[str]:
    """What is not there yet, by name, each once and in the order of the policy."""
    wanted = {name: None for need in needs if need.applies(move, case) for name in need.needs}
    return [name for name in wanted if not _is_there(name, case)]


def missing_sentence(needs: tuple[Need, ...], move: Action, case: Case) -> str:
    """Why the move must wait, with the verb that brings each thing; empty if nothing is missing."""
    lacking = missing(needs, move, case)
    if not lacking:
        return ""
    return (
        f"{case.ticket.number} cannot {move.replace('_', ' ')} yet: a {case.ticket.grade} needs "
        f"{' and '.join(_told(name) for name in lacking)}"
    )


def _is_there(name: str, case: Case) -> bool:
    if name.startswith(FIELD):
        return bool(case.dossier.fields.get(name.removeprefix(FIELD)))
    if name.startswith(ATTACHMENT):
        return name.removeprefix(ATTACHMENT) in case.attachments
    return THINGS[name].is_there(case)


def _told(name: str) -> str:
    if name.startswith(FIELD):
        return f"the field {name.removeprefix(FIELD)} (verb: register)"
    if name.startswith(ATTACHMENT):
        return f"the attachment {name.removeprefix(ATTACHMENT)} (verb: attach)"
    return f"{THINGS[name].text} (verb: {THINGS[name].verb})"
