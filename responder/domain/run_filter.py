"""Which runs somebody wants to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

AT_WORK = "at_work"
"""A run that has no outcome yet."""
MACHINE, PEOPLE = "machine", "people"
"""By whom a run was ordered, where no name is given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFilter:
    """Every part that is set must hold; of several outcomes any may. The empty one is everything.

    `target` is a host that the run may touch. `by` is `machine`, `people`, or the name of somebody who ordered or
    approved it. It began at `started_from` or later, and before `started_to`.
    """

    runbook: str = ""
    target: str = ""
    ticket_id: int | None = None
    outcomes: tuple[str, ...] = ()
    by: str = ""
    started_from: datetime | None = None
    started_to: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPlace:
    """Behind this run, in a list with the newest first."""

    started_at: datetime
    run_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunInList:
    """A run without what it executes, and its ticket. No `outcome`: it is at work, or waits."""

    id: int
    ticket_id: int
    ticket: str
    title: str
    runbook: str
    target: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    sentence: str
    ordered_by: str
    verified: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPage:
    """Some runs of a list, and the place where it goes on; None at its end."""

    runs: tuple[RunInList, ...]
    next: RunPlace | None = None
