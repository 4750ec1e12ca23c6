"""Clocks: everything timed, as a pure function of what happened and a calendar.

A clock is a list of marks. Whatever happens to the ticket adds marks; from them and the calendar follows when the
clock is due, what comes next, and the explanation of both. Nothing else is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from responder.domain.durations import spoken
from responder.domain.facts import Fact
from responder.domain.workhours import ALWAYS, Calendar


class ClockName(StrEnum):
    """The clocks that every policy has; a policy may add others."""

    RESPOND = "respond"
    RESTORE = "restore"
    RESOLVE = "resolve"


@dataclass(frozen=True, kw_only=True, slots=True)
class Daily:
    """A target at a time of day: the next one, on a day with working time, in the calendar's zone."""

    at: time


Target = timedelta | Daily
"""How long a clock may run (counted time), or by when it must stop."""


def spoken_target(target: Target) -> str:
    """A target for people: `2h`, `daily at 17:00`."""
    return f"daily at {target.at:%H:%M}" if isinstance(target, Daily) else spoken(target)


class MarkKind(StrEnum):
    """What may happen to a clock. `kept`: time counted before the rule or the calendar changed."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    REGRADED = "regraded"
    STOPPED = "stopped"
    WENT_ON = "went_on"
    VOIDED = "voided"
    DONE = "done"
    MISSED = "missed"
    KEPT = "kept"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """One thing that happened to a clock. `why` is a fact, a status or a grade."""

    at: datetime
    kind: MarkKind
    why: str = ""
    target: Target | None = None
    kept: timedelta = timedelta()


class Notify(StrEnum):
    """Whom a warning or a breach tells, beside the people of tiers and roles."""

    ASSIGNEE = "assignee"
    NEXT_TIER = "next_tier"
    TEAM = "team"


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """What a warning or a breach does: tells these, and perhaps raises the ticket to the next tier."""

    tell: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    escalate: bool = False


@dataclass(frozen=True, kw_only=True)
class ClockRule:
    """How a clock is counted: which facts start and stop it, on which calendar, what pauses it.

    With `again` it repeats: each of these facts ends a round and begins the next. `void` facts end it uncounted.
    `waits` names what a paused ticket must wait for (reporter, vendor, part); empty: for anything.
    """

    name: str
    start: frozenset[Fact]
    stop: frozenset[Fact]
    again: frozenset[Fact] = frozenset()
    void: frozenset[Fact] = frozenset()
    pause: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()
    calendar: Calendar = ALWAYS
    relapse_counts: bool = True
    warn: tuple[int, ...] = ()
    on_warn: Alarm = field(default_factory=Alarm)
    on_breach: Alarm = field(default_factory=Alarm)
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """One clock of one ticket. All but `marks`, `warned` and `counted` follows from the marks and the calendar.

    `due_at` is None while it is paused and for a grade without a target; `next_at` is the next instant at which
    something must be done about it (a warning or the breach), None if nothing comes.
    """

    name: str
    started_at: datetime
    due_at: datetime | None = None
    next_at: datetime | None = None
    stopped_at: datetime | None = None
    breached_at: datetime | None = None
    warned: int = 0
    counted: bool = False
    marks: tuple[Mark, ...] = ()

    @property
    def is_running(self) -> bool:
        return self.stopped_at is None

    @property
    def is_paused(self) -> bool:
        last = next((mark.kind for mark in reversed(self.marks) if mark.kind in _HANDS), None)
        return self.is_running and last is MarkKind.PAUSED

    @property
    def is_void(self) -> bool:
        return bool(self.marks) and self.marks[-1].kind is MarkKind.VOIDED

    @property
    def was_met(self) -> bool:
        if self.stopped_at is None or self.is_void or self.target is None:
            return False
        return self.breached_at is None and (self.due_at is None or self.stopped_at <= self.due_at)

    @property
    def target(self) -> Target | None:
        """What it runs against now."""
        return next((mark.target for mark in reversed(self.marks) if mark.kind in _TARGETED), None)

    def remaining(self, now: datetime) -> timedelta | None:
        """Wall time that is left until it is due, negative after that; None while it has no due instant."""
        return None if self.due_at is None else self.due_at - (self.stopped_at or now)


_HANDS = {MarkKind.STARTED, MarkKind.PAUSED, MarkKind.RESUMED, MarkKind.STOPPED, MarkKind.WENT_ON, MarkKind.VOIDED}
_TARGETED = {MarkKind.STARTED, MarkKind.REGRADED, MarkKind.KEPT}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """Where the ticket stands when something happens to it: after the move, if it was one."""

    at: datetime
    grade: str
    targets: Mapping[str, Target]
    status: str
    waiting_for: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """One piece of time in which a clock ran, and what was counted before it."""

    start: datetime
    end: datetime | None
    before: timedelta


# --- what follows from the marks ------------------------------------------------------------------------------


def reckoned(clock: Clock, rule: ClockRule) -> Clock:
    """The clock with everything that follows from its marks and the calendar."""
    last = clock.marks[-1]
    stopped_at = last.at if last.kind in (MarkKind.STOPPED, MarkKind.VOIDED) else None
    bare = replace(clock, stopped_at=stopped_at)
    due = None if bare.is_paused else _due(bare, rule)
    coming = _next(bare, rule, due) if stopped_at is None and clock.breached_at is None else None
    return replace(bare, due_at=due, next_at=coming)


def legs(clock: Clock, calendar: Calendar) -> list[Leg]:
    """The pieces of time in which the newest round of a clock ran; the last one is open while it runs."""
    return _walked(clock, calendar)[0]


def used(clock: Clock, rule: ClockRule, now: datetime) -> timedelta:
    """How much counted time of its newest round a clock has used by `now`."""
    run, counted = _walked(clock, rule.calendar)
    if run and run[-1].end is None:
        return counted + rule.calendar.between(run[-1].start, now)
    return counted


def _walked(clock: Clock, calendar: Calendar) -> tuple[list[Leg], timedelta]:
    """The legs, and what was counted in those that have ended."""
    found: list[Leg] = []
    counted = timedelta()
    start: datetime | None = None
    before_stop = (start, counted)
    for mark in clock.marks:
        if mark.kind in _HALTS:
            before_stop = (start or mark.at, counted)
            if start is not None:
                found.append(Leg(start=start, end=mark.at, before=counted))
                counted += calendar.between(start, mark.at)
                start = None
        elif mark.kind in _ROUNDS:
            found, counted = [], mark.kept
            # A paused clock stays so.
            start = mark.at if start is not None or mark.kind is MarkKind.STARTED else None
        elif mark.kind is MarkKind.WENT_ON:
            # As if it had never been stopped: the time in between counts.
            found = [leg for leg in found if leg.start != before_stop[0]]
            start, counted = before_stop
        elif mark.kind is MarkKind.RESUMED:
            start = mark.at
    if start is not None:
        found.append(Leg(start=start, end=None, before=counted))
    return found, counted


_ROUNDS = {MarkKind.STARTED, MarkKind.DONE, MarkKind.MISSED, MarkKind.KEPT}
_HALTS = {MarkKind.PAUSED, MarkKind.STOPPED, MarkKind.VOIDED}


def _due(clock: Clock, rule: ClockRule, part: float = 1.0) -> datetime | None:
    """The instant at which `part` of the target is used up, if the clock goes on from where it stands."""
    target, (run, counted) = clock.target, _walked(clock, rule.calendar)
    if target is None or not run:
        return None
    if isinstance(target, Daily):
        due = _by_time_of_day(clock, rule, run[-1].start, target.at, part)
        has_stood = run[-1].end is not None and due > run[-1].end
        return _by_time_of_day(clock, rule, clock.marks[-1].at, target.at, part) if has_stood else due
    wanted = target * part
    if run[-1].end is not None and counted < wanted:
        # It stands, perhaps since a pause: what is left is counted from its last mark.
        return rule.calendar.add(clock.marks[-1].at, wanted - counted)
    reached = next((leg for leg in reversed(run) if leg.before <= wanted), None)
    # More was kept from an earlier rule than the target now allows: it is due since then.
    return run[0].start if reached is None else rule.calendar.add(reached.start, wanted - reached.before)


def _by_time_of_day(clock: Clock, rule: ClockRule, start: datetime, at: time, part: float) -> datetime:
    """The next such time of day; one on a day that has had its round already is not waited for."""
    calendar, zone = rule.calendar, rule.calendar.zone
    done = {mark.at.astimezone(zone).date() for mark in clock.marks if mark.kind is MarkKind.DONE}
    due = calendar.next_at(start, at)
    if due.astimezone(zone).date() in done:
        due = calendar.next_at(due, at)
    counted = calendar.between(start, due)
    if part < 1 and counted:
        return calendar.add(start, counted * part)
    # A time of day before the working hours has no working time before it.
    return start + (due - start) * part


def _next(clock: Clock, rule: ClockRule, due: datetime | None) -> datetime | None:
    percent = next_warning(clock, rule)
    return due if due is None or percent is None else _due(clock, rule, percent / 100)


def next_warning(clock: Clock, rule: ClockRule) -> int | None:
    """The percentage that is warned of next; None if only the breach is left."""
    return next((percent for percent in sorted(rule.warn) if percent > clock.warned), None)


def is_breached(clock: Clock, now: datetime) -> bool:
    """True from the due instant on, unless it was stopped by then."""
    if clock.due_at is None or clock.is_void:
        return False
    return now >= clock.due_at if clock.stopped_at is None else clock.stopped_at > clock.due_at
