"""Approvals: a question to people before a step or a run, who may answer it, and when it is decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from responder.domain.durations import spoken
from responder.domain.oncall import Person
from responder.domain.report import Signal
from responder.domain.ticket import Action, Status, Ticket


class ApprovalKind(StrEnum):
    """What waits: a step of a run that is at work; a run before it starts; nothing, since it is only offered; or a
    move of the ticket behind a gate of the policy."""

    STEP = "step"
    RUN = "run"
    SUGGESTION = "suggestion"
    GATE = "gate"


class ApprovalState(StrEnum):
    """Where a question stands. `overtaken`: the trouble went on without the answer."""

    WAITING = "waiting"
    GIVEN = "given"
    REFUSED = "refused"
    EXPIRED = "expired"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What one person said."""

    person: str
    yes: bool
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """One question. `needed` people with one of `roles` must say yes before `due_at`; one no refuses at once.

    Without roles everybody in the people file may answer; without `due_at` it waits until it is overtaken. With
    `each_role` every role must be there by a person of its own.
    `snapshot` is what a run will execute once it is given: what people said yes to. `sentence` says how it ended.
    """

    id: int = 0
    ticket_id: int
    episode: int
    run_id: int | None = None
    step: int | None = None
    runbook: str
    target: str
    kind: ApprovalKind
    question: str
    roles: tuple[str, ...] = ()
    needed: int = 1
    go_on_without: bool = False
    asked_at: datetime
    due_at: datetime | None = None
    state: ApprovalState = ApprovalState.WAITING
    answers: tuple[Answer, ...] = ()
    ended_at: datetime | None = None
    snapshot: Mapping[str, object] = field(default_factory=dict)
    sentence: str = ""
    gate: str = ""
    each_role: bool = False

    @property
    def subject(self) -> str:
        """What people say yes or no to."""
        return self.question if self.kind is ApprovalKind.GATE else f"{self.runbook} on {self.target}"

    @property
    def whose_yes(self) -> str:
        """Whose yes is needed, in words."""
        return wanted(self.roles, self.needed, each_role=self.each_role)

    @property
    def is_waiting(self) -> bool:
        return self.state is ApprovalState.WAITING

    @property
    def may_go_on(self) -> bool:
        """Whether what waited for it may start: people said yes, or nobody had to."""
        return self.state is ApprovalState.GIVEN or (self.state is ApprovalState.EXPIRED and self.go_on_without)

    @property
    def supporters(self) -> tuple[str, ...]:
        """Who said yes, and has not taken it back."""
        return tuple(one.person for one in self.answers if one.yes)

    def is_due(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at <= now


def wanted(roles: Collection[str], needed: int, *, each_role: bool = False) -> str:
    """Whose yes is needed, in words: `2 of role dba`."""
    return f"each of the roles {_names(roles)}" if each_role else f"{needed} of {_whom(roles)}"


def all_roles_have_spoken(roles: Sequence[str], supporters: Collection[str], people: Mapping[str, Person]) -> bool:
    """Whether each role has said yes by a person of its own: nobody stands for two."""
    if not roles:
        return True
    first, rest = roles[0], roles[1:]
    having = [name for name in supporters if name in people and first in people[name].roles]
    return any(all_roles_have_spoken(rest, [one for one in supporters if one != name], people) for name in having)


def able(roles: Collection[str], people: Mapping[str, Person]) -> tuple[str, ...]:
    """Who may answer."""
    return tuple(name for name, person in people.items() if not roles or not set(roles).isdisjoint(person.roles))


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What somebody would order by themselves. `begins`: the ticket has not begun, so that the run would end whatever
    others are asked about it."""

    runbook: str
    target: str
    actor: str
    begins: bool


def objection_to_order(asked: Iterable[Approval], order: Wanted, people: Mapping[str, Person]) -> str:
    """Why somebody may not order what others are asked about, or have said no to; empty if they may.

    An order must not be the way around people whose yes the policy wants. `asked` is of one episode, oldest first.
    """
    others = [one for one in asked if one.kind in _OF_RUNS and not _is_theirs(one, order.actor, people)]
    about_it = [one for one in others if (one.runbook, one.target) == (order.runbook, order.target)]
    ended = [one for one in others if order.begins and one.kind is ApprovalKind.RUN]
    if waiting := next((one for one in (*about_it, *ended) if one.is_waiting), None):
        return f"Others are asked already: {waiting.subject} needs the yes of {waiting.whose_yes}."
    if about_it and about_it[-1].state is ApprovalState.REFUSED:
        return f"{about_it[-1].subject} was refused for this ticket: {about_it[-1].sentence}"
    return ""


def _is_theirs(asked: Approval, actor: str, people: Mapping[str, Person]) -> bool:
    """Whether their yes alone would do."""
    is_for_several = asked.needed > 1 or asked.each_role
    return not is_for_several and (not asked.roles or actor in able(asked.roles, people))


_OF_RUNS = (ApprovalKind.RUN, ApprovalKind.SUGGESTION)


def unanswerable(roles: Sequence[str], needed: int, people: Mapping[str, Person], *, each_role: bool = False) -> str:
    """Why a question can never be answered by yes; empty if it can."""
    found = able(roles, people)
    if each_role and not all_roles_have_spoken(roles, found, people):
        return f"there is no person of its own for each of the roles {_names(roles)}"
    if not found:
        return f"nobody in the people file has the {_whom(roles)}" if roles else "there is nobody in the people file"
    if len(found) < needed:
        return f"{needed} must say yes, but only {', '.join(found)} could ({_whom(roles)})"
    return ""


def answer(
    approval: Approval, person: str, people: Mapping[str, Person], *, yes: bool, reason: str, now: datetime
) -> Approval | str:
    """The approval with this answer, or the sentence why it does not count.

    Who said yes while others are still awaited may say no: doubt must be heard as long as it can help. The same
    answer twice counts once, so that a link may be followed again.
    """
    if _said_already(approval, person, yes=yes):
        return approval
    if not approval.is_waiting:
        return f"It is decided already: {approval.sentence}"
    if approval.is_due(now):
        return f"It is too late: the time to answer ended at {approval.due_at:%H:%M:%S} UTC."
    may = able(approval.roles, people)
    if person not in may:
        return _may_not(approval, person, may, people)
    given = (
        *(one for one in approval.answers if one.person != person),
        Answer(person=person, yes=yes, reason=reason, at=now),
    )
    return _decided(replace(approval, answers=given), people, now)


def expire(approval: Approval, now: datetime) -> Approval:
    """The approval as its time ends."""
    within = spoken((approval.due_at or now) - approval.asked_at)
    said = f"{_names(approval.supporters)} said yes" if approval.supporters else "nobody answered"
    needed = f"{approval.whose_yes} was needed" if approval.each_role else f"{approval.needed} were needed"
    missing = f", {needed}" if approval.supporters else ""
    sentence = f"Within {within} {said}{missing}."
    return replace(approval, state=ApprovalState.EXPIRED, ended_at=now, sentence=sentence)


def overtake(approval: Approval, why: str, now: datetime) -> Approval:
    """The approval that nobody needs any more."""
    return replace(approval, state=ApprovalState.OVERTAKEN, ended_at=now, sentence=why)


def no_longer_needed(approval: Approval, ticket: Ticket) -> str:
    """Why the run that it is about would not start any more; empty while it would. A step's run decides itself."""
    if approval.kind is ApprovalKind.STEP:
        return ""
    if approval.kind is ApprovalKind.GATE:
        return _gate_no_longer_needed(approval, ticket)
    if ticket.signal is Signal.CLEARED:
        return "The alert has cleared."
    if ticket.status in (Status.RESOLVED, Status.CLOSED):
        return f"The ticket is {ticket.status}."
    if ticket.episode != approval.episode:
        return "The trouble has come back since, and is asked about anew."
    return _taken(ticket) if approval.kind is ApprovalKind.RUN else ""


def _gate_no_longer_needed(approval: Approval, ticket: Ticket) -> str:
    if ticket.status is Status.CLOSED:
        return "The ticket is closed."
    if ticket.episode != approval.episode:
        return "The trouble has come back since."
    on_the_table = (Status.PROPOSED, Status.RESTORED, Status.RESOLVED)
    if approval.runbook == Action.APPROVE and ticket.status not in on_the_table:
        return "The plan is no longer on the table."
    return ""


def _taken(ticket: Ticket) -> str:
    if ticket.acknowledged_by:
        return f"{ticket.acknowledged_by} has taken the ticket."
    return "" if ticket.status is Status.NEW else "The ticket has moved on since."


def _said_already(approval: Approval, person: str, *, yes: bool) -> bool:
    is_open_to_yes = approval.state in (ApprovalState.WAITING, ApprovalState.GIVEN if yes else ApprovalState.REFUSED)
    return is_open_to_yes and any(one.person == person and one.yes is yes for one in approval.answers)


def _decided(approval: Approval, people: Mapping[str, Person], now: datetime) -> Approval:
    newest = approval.answers[-1]
    because = f": {newest.reason.rstrip('.')}" if newest.reason else ""
    if not newest.yes:
        sentence = f"{newest.person} said no{because}."
        return replace(approval, state=ApprovalState.REFUSED, ended_at=now, sentence=sentence)
    if _has_enough(approval, people):
        sentence = f"{_names(approval.supporters)} said yes{because}."
        return replace(approval, state=ApprovalState.GIVEN, ended_at=now, sentence=sentence)
    return approval


def _has_enough(approval: Approval, people: Mapping[str, Person]) -> bool:
    if approval.each_role:
        return all_roles_have_spoken(approval.roles, approval.supporters, people)
    return len(approval.supporters) >= approval.needed


def _may_not(approval: Approval, person: str, may: Collection[str], people: Mapping[str, Person]) -> str:
    if person not in people:
        return f"Nobody is called {person[:80]!r} in the people file, so nothing says what that person may approve."
    return f"{person} has not the {_whom(approval.roles)} that this needs; {', '.join(may) or 'nobody'} could answer."


def _whom(roles: Collection[str]) -> str:
    if not roles:
        return "all people"
    return f"role {next(iter(roles))}" if len(roles) == 1 else f"roles {', '.join(roles)}"


def _names(names: Collection[str]) -> str:
    return " and ".join(names)
