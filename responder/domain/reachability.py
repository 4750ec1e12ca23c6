"""What can come after what in a ticket's life: facts after facts, and things before moves.

Everything follows from the table of moves, and from what people may do in which status without moving the ticket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TypeVar

from responder.domain.facts import Fact
from responder.domain.ticket import FACT_OF, MOVES, Action, Status

Place = TypeVar("Place")
_STATUSES = frozenset(Status)
_OVER = frozenset({Status.RESTORED, Status.RESOLVED})
_OPEN = _STATUSES - {Status.CLOSED}

MEANWHILE: Mapping[Fact, frozenset[Status]] = {
    Fact.REPORTED: _OPEN,
    Fact.REGISTERED: _STATUSES,
    Fact.GRADED: _OPEN,
    Fact.ASSESSED: _OPEN,
    Fact.ANSWERED: _STATUSES,
    Fact.ESCALATED: _OPEN - {Status.RESOLVED},
    Fact.DIAGNOSED: _STATUSES,
    Fact.UPDATED: _STATUSES,
    Fact.REVIEWED: _STATUSES,
    Fact.VERIFIED: _OVER,
    Fact.PROPOSED: _OVER,
    Fact.APPROVED: _OVER,
    Fact.REJECTED: _OVER,
}
"""In which statuses a fact may happen that moves nothing: the root fix is planned after the trouble is over, too."""


@cache
def facts_after(fact: Fact) -> frozenset[Fact]:
    """What can happen to a clock's ticket after `fact`, until it is reopened: then clocks begin anew."""
    reached = _reached(_statuses_after(fact), _next_statuses)
    moved = {FACT_OF[action] for status, action in MOVES if status in reached and action is not Action.REOPEN}
    return frozenset(moved | {one for one, statuses in MEANWHILE.items() if statuses & reached})


def _statuses_after(fact: Fact) -> set[Status]:
    if fact is Fact.OPENED:
        return {Status.NEW}
    moved = {status for (_, action), status in MOVES.items() if FACT_OF[action] is fact}
    return moved | MEANWHILE.get(fact, frozenset())


def _next_statuses(status: Status) -> Iterator[Status]:
    return (after for (before, action), after in MOVES.items() if before is status and action is not Action.REOPEN)


# --- things that are required before a move ------------------------------------------------------------------

PLAN, APPROVED_PLAN, VERIFICATION, SCORE, GUIDE = "plan", "approved_plan", "verification", "score", "guide"
_BROUGHT: Mapping[str, str] = {
    "plan": PLAN,
    "plan_due": PLAN,
    "plan_resources": PLAN,
    "approved_plan": APPROVED_PLAN,
    "monitor": VERIFICATION,
    "test": VERIFICATION,
    "reporter_confirmation": VERIFICATION,
    "satisfaction": SCORE,
    "guide": GUIDE,
}
"""What only comes at some point of the way, by the name under which it is required; the rest can come at any time."""
_GIVEN_WITH = {(GUIDE, Action.DISMISS)}
"""What the form of the move itself may bring."""

_Stand = tuple[Status, frozenset[str]]


@cache
def can_be_met(thing: str, move: Action) -> bool:
    """Whether a ticket can have this before it makes the move, on its way to its first end.

    A relapse or a reopening would bring back what the trouble had to be over for, so they do not count as a way.
    """
    if thing not in _BROUGHT or (thing, move) in _GIVEN_WITH:
        return True
    wanted = _BROUGHT[thing]

    def onward(stand: _Stand) -> Iterator[_Stand]:
        for action, after in _ways(stand[0]):
            if (action is not move or wanted in stand[1]) and _is_possible(action, stand[1]):
                yield after, _with_what_comes(_after(action, stand[1]), after)

    start: set[_Stand] = {(Status.NEW, frozenset())}
    stands = _reached(start, onward)
    return any(wanted in things and (status, move) in MOVES for status, things in stands)


def statuses_before(move: Action) -> frozenset[Status]:
    """From where a ticket can make the move."""
    return frozenset(status for status, action in MOVES if action is move)


def _ways(status: Status) -> Iterator[tuple[Action, Status]]:
    for (before, action), after in MOVES.items():
        if before is status and action not in (Action.RELAPSE, Action.REOPEN):
            yield action, after
    if status in _OVER:
        yield from ((action, status) for action in (Action.PROPOSE, Action.APPROVE, Action.REJECT))


def _is_possible(action: Action, things: frozenset[str]) -> bool:
    """Whether there is a plan to decide about; every other move asks for no thing."""
    return action not in (Action.APPROVE, Action.REJECT) or (PLAN in things and APPROVED_PLAN not in things)


def _after(action: Action, things: frozenset[str]) -> frozenset[str]:
    if action is Action.PROPOSE:
        return (things | {PLAN}) - {APPROVED_PLAN}
    if action is Action.APPROVE:
        return things | {APPROVED_PLAN}
    return things | {GUIDE} if action is Action.DISMISS else things


def _with_what_comes(things: frozenset[str], status: Status) -> frozenset[str]:
    if status in _OVER:
        return things | {VERIFICATION, SCORE}
    return things | {SCORE} if status is Status.CLOSED else things


def _reached(start: Iterable[Place], onward: Callable[[Place], Iterable[Place]]) -> set[Place]:
    """All that can be reached, with where one begins."""
    found, waiting = set(start), list(start)
    while waiting:
        new = set(onward(waiting.pop())) - found
        found |= new
        waiting += new
    return found
