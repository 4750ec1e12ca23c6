"""Escalation: who is told, call by call, until somebody has the ticket.

A plan is policy. A chain is what a plan came to for one ticket: its calls with their instants, kept as they were when
the ticket was handed over, so that a reload of the policy changes no chain that runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from responder.domain.local_time import UTC, local_time
from responder.domain.report import Signal
from responder.domain.ticket import Status, Ticket
from responder.domain.windows import Window, holds_any

MOST_CALLS = 200
"""A chain is kept whole on its ticket, so that it cannot be without end."""
LATE = timedelta(minutes=1)
"""A worker may be busy for so long; a call that is later than that is late, and the calls after it move with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Callees:
    """Whom one call means: tiers of the ticket's team, everybody with a role, and people by name."""

    tiers: tuple[int, ...] = ()
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    @property
    def is_nobody(self) -> bool:
        return not (self.tiers or self.roles or self.people)

    def from_tier(self, tier: int) -> Callees:
        """Without the tiers that the ticket has left behind."""
        return Callees(tiers=tuple(one for one in self.tiers if one >= tier), roles=self.roles, people=self.people)

    def __str__(self) -> str:
        tiers = [f"tier {one}" for one in self.tiers]
        return ", ".join([*tiers, *(f"role {one}" for one in self.roles), *self.people])


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A call, so long after the one before it."""

    callees: Callees
    after: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class EscalationPlan:
    """The calls for tickets of these grades and teams (none: of all) that are handed over in these hours.

    The steps are gone through once and `repeat` times more, with `every` between the last call and the first one of
    the next round. Whoever has the ticket is asked after `still_on_it` without a sign of them, and loses it when
    `answer_within` is over.
    """

    name: str
    steps: tuple[Step, ...]
    grades: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    hours: tuple[Window, ...] = ()
    repeat: int = 0
    every: timedelta = timedelta(minutes=15)
    still_on_it: timedelta | None = None
    answer_within: timedelta = timedelta(minutes=10)

    def applies(self, grade: str, team: str, now: datetime) -> bool:
        if self.grades and grade not in self.grades:
            return False
        return (not self.teams or team in self.teams) and holds_any(self.hours, now)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of a chain: when, whom it means, and who that was when the chain began. Once it is made, it says when
    that was and who was told."""

    at: datetime
    callees: Callees
    who: tuple[str, ...] = ()
    made_at: datetime | None = None
    told: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """The calls for one ticket; `position` is the number of those that were made."""

    ticket_id: int
    number: int
    episode: int
    plan: str
    purpose: str
    why: str
    calls: tuple[Call, ...]
    started_at: datetime
    position: int = 0
    ended_at: datetime | None = None
    ended_because: str = ""

    @property
    def next_call(self) -> Call | None:
        """The call that comes next; None if the chain has ended, or made them all."""
        if self.ended_at is not None or self.position >= len(self.calls):
            return None
        return self.calls[self.position]


def purpose_of(chain: Chain, index: int) -> str:
    """The purpose of the messages of one call of a chain: each person is told once per purpose."""
    return chain.purpose if index == 0 else f"{chain.purpose}-{chain.number}-{index}"


def is_of(chain: Chain, purpose: str) -> bool:
    """Whether messages of this purpose belong to a call of this chain."""
    return purpose == chain.purpose or purpose.startswith(f"{chain.purpose}-{chain.number}-")


def plan_for(plans: Iterable[EscalationPlan], ticket: Ticket, now: datetime) -> EscalationPlan | None:
    """The first plan that applies."""
    return next((plan for plan in plans if plan.applies(ticket.grade, ticket.team, now)), None)


def calls_of(plan: EscalationPlan, tier: int, start: datetime) -> tuple[tuple[datetime, Callees], ...]:
    """The instants of a plan's calls for a ticket that has come to this tier, the first of them at `start`.

    Empty if the plan has nothing for that tier.
    """
    steps = [(step.after, step.callees.from_tier(tier) if tier > 1 else step.callees) for step in plan.steps]
    while steps and steps[0][1].is_nobody:
        steps.pop(0)
    made: list[tuple[datetime, Callees]] = []
    at = start
    for again in range(plan.repeat + 1):
        for index, (after, callees) in enumerate(steps):
            if index or again:
                at += after if index else plan.every
            if not callees.is_nobody:
                made.append((at, callees))
    return tuple(made[:MOST_CALLS])


def over(chain: Chain, ticket: Ticket, newest: int) -> str:
    """Why nobody is told by this chain any more, as a sentence; empty while it goes on."""
    if chain.number != newest:
        return "A newer chain has taken its place."
    if ticket.acknowledged_by:
        return f"{ticket.acknowledged_by} has it."
    if ticket.signal is Signal.CLEARED:
        return "The alert has cleared."
    if ticket.episode != chain.episode:
        return "The trouble has come back, with a chain of its own."
    if ticket.status is not Status.HANDED_OVER:
        return f"It is {ticket.status.replace('_', ' ')}."
    return ""


def made(chain: Chain, told: tuple[str, ...], now: datetime) -> Chain:
    """The chain after its next call was made."""
    call = replace(chain.calls[chain.position], made_at=now, told=told)
    calls = (*chain.calls[: chain.position], call, *chain.calls[chain.position + 1 :])
    return replace(chain, calls=calls, position=chain.position + 1)


def lateness(chain: Chain, now: datetime) -> timedelta:
    """How much later than its time the next call comes; nothing if it comes in time or before it."""
    call = chain.next_call
    late = now - call.at if call else timedelta()
    return late if late > LATE else timedelta()


def put_off(chain: Chain, by: timedelta) -> Chain:
    """The chain with the next call and all after it so much later: each keeps its wait after the one before it."""
    later = tuple(replace(call, at=call.at + by) for call in chain.calls[chain.position :])
    return replace(chain, calls=(*chain.calls[: chain.position], *later)) if by else chain


def told_so_far(chain: Chain, zone: ZoneInfo = UTC) -> str:
    """Who was told by the calls until now, for those who are called next, in a reader's zone; empty before the first
    call."""
    calls = [call for call in chain.calls[: chain.position] if call.told]
    return "; ".join(f"{', '.join(call.told)} at {local_time(call.made_at, zone)}" for call in calls if call.made_at)


def foreseen(chain: Chain) -> str:
    """The chain in one line, for the ticket's history."""
    parts = [f"{', '.join(call.who) or str(call.callees)} {_when(call, chain)}" for call in chain.calls]
    left = len(parts) - 8
    more = "and 1 call more" if left == 1 else f"and {left} calls more"
    shown = "; ".join([*parts[:8], *([more] if left > 0 else [])])
    return f"Escalation by “{chain.plan}”: {shown}."


def _when(call: Call, chain: Chain) -> str:
    return "at once" if call.at <= chain.started_at else f"at {call.at:%H:%M} UTC"
