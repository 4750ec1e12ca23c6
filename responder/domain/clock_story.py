"""The story of a clock: every stretch that counted or did not, every pause and change, and why it is due then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.durations import spoken
from responder.domain.facts import TEXTS, Fact
from responder.domain.sla import Clock, ClockRule, Leg, Mark, MarkKind, is_breached, legs, spoken_target, used
from responder.domain.workhours import Calendar

_LONGEST = timedelta(days=120)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the story. `counted` is the time that it adds to what is used; None for what is no stretch."""

    at: datetime
    text: str
    until: datetime | None = None
    counted: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """A clock with everything that explains it. Instants are UTC, durations of counted time."""

    name: str
    text: str
    calendar: str
    version: str
    zone: str
    target: str
    state: str
    used: timedelta
    due_at: datetime | None
    breached_at: datetime | None
    lines: tuple[Line, ...]


def tell(clock: Clock, rule: ClockRule, now: datetime) -> Story:
    """The story so far, and how it goes on until the clock is due."""
    calendar, target = rule.calendar, clock.target
    lines = [*_marks(clock), *_stretches(clock, calendar, now)]
    return Story(
        name=clock.name,
        text=rule.text,
        calendar=calendar.name,
        version=calendar.version,
        zone=str(calendar.zone),
        target="none for this grade" if target is None else spoken_target(target),
        state=state(clock, now),
        used=used(clock, rule, now),
        due_at=clock.due_at,
        breached_at=clock.breached_at,
        lines=tuple(sorted(lines, key=lambda line: (line.at, line.counted is not None))),
    )


def state(clock: Clock, now: datetime) -> str:
    """Where it stands, in words."""
    if clock.is_void:
        return "ended without a result"
    if clock.target is None:
        return "stopped" if clock.stopped_at else "without a target"
    if clock.stopped_at is not None:
        return "stopped late" if clock.breached_at or is_breached(clock, now) else "stopped in time"
    if clock.is_paused:
        return "paused"
    return "past its target" if is_breached(clock, now) or clock.breached_at else "running"


# --- what happened to it ------------------------------------------------------------------------------------


def _marks(clock: Clock) -> Iterator[Line]:
    for mark in clock.marks:
        yield Line(at=mark.at, text=_WORDS[mark.kind](mark))


def _because(mark: Mark) -> str:
    return TEXTS[Fact(mark.why)] if mark.why in set(Fact) else mark.why


def _runs_again(mark: Mark) -> str:
    # After a relapse it is a fact that lets it run again, else the ticket's status.
    if mark.why in set(Fact):
        return f"runs again, since {_because(mark)}"
    return f"runs again: the ticket is {mark.why.replace('_', ' ')}"


def _against(mark: Mark) -> str:
    return "no target" if mark.target is None else f"target {spoken_target(mark.target)}"


_WORDS: Mapping[MarkKind, Callable[[Mark], str]] = {
    MarkKind.STARTED: lambda mark: f"started, since {_because(mark)}; {_against(mark)}",
    MarkKind.PAUSED: lambda mark: f"paused: the ticket is {mark.why.replace('_', ' ')}",
    MarkKind.RESUMED: _runs_again,
    MarkKind.REGRADED: lambda mark: f"now graded {mark.why}; {_against(mark)}; what was used stays used",
    MarkKind.STOPPED: lambda mark: f"stopped, since {_because(mark)}",
    MarkKind.WENT_ON: lambda mark: f"went on, since {_because(mark)}: the time in between counts",
    MarkKind.VOIDED: lambda mark: f"ended without a result, since {_because(mark)}",
    MarkKind.DONE: lambda mark: f"a round is done, since {_because(mark)}; the next one begins",
    MarkKind.MISSED: lambda _: "a round was missed; the next one begins",
    MarkKind.KEPT: lambda mark: f"the policy has changed; {spoken(mark.kept)} used so far are kept; {_against(mark)}",
}


# --- what counted -------------------------------------------------------------------------------------------


def _stretches(clock: Clock, calendar: Calendar, now: datetime) -> Iterator[Line]:
    for leg in legs(clock, calendar):
        yield from _of_leg(leg, calendar, _end_of(leg, clock, now))


def _end_of(leg: Leg, clock: Clock, now: datetime) -> datetime:
    """A leg that is open goes on in the story until the clock is due, within reason."""
    if leg.end is not None:
        return leg.end
    return min(max(now, clock.due_at or now), leg.start + _LONGEST)


def _of_leg(leg: Leg, calendar: Calendar, end: datetime) -> Iterator[Line]:
    if end <= leg.start:
        return
    for stretch in calendar.stretches(leg.start, end):
        counted = stretch.end - stretch.start if stretch.counts else timedelta()
        yield Line(at=stretch.start, until=stretch.end, text=stretch.why, counted=counted)
