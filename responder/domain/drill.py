"""Drill: now and then everybody on call confirms that a message reaches them; who does not is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from responder.domain.wall import shown

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class DrillRule:
    """Every so many days, at a time of the day, on one of these days of the week (0 is Monday); the answer has to come
    `within` that time."""

    every: timedelta
    at: time
    days: frozenset[int]
    within: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of one person's message: `channels` says it of each channel, `skipped` why there was none."""

    person: str
    channels: tuple[tuple[str, str], ...] = ()
    told_at: datetime | None = None
    confirmed_at: datetime | None = None
    skipped: str = ""

    @property
    def is_open(self) -> bool:
        return not self.skipped and self.confirmed_at is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Drill:
    """One drill; without `started_at` it is planned for `due_at`, with `ended_at` it has been reported."""

    due_at: datetime
    until: datetime
    id: int = 0
    ordered_by: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    answers: tuple[Answer, ...] = ()

    def answer_of(self, person: str) -> Answer | None:
        return next((one for one in self.answers if one.person == person), None)

    def with_answer(self, answer: Answer) -> Drill:
        """The drill with this person's answer in the place of the old one."""
        answers = tuple(answer if one.person == answer.person else one for one in self.answers)
        return replace(self, answers=answers)

    def is_over(self, now: datetime) -> bool:
        """Whether it can be reported: its time has passed, or nobody is left to confirm."""
        is_at_work = self.started_at is not None and self.ended_at is None
        return is_at_work and (now >= self.until or not any(one.is_open for one in self.answers))

    @property
    def silent(self) -> tuple[str, ...]:
        """Who has not confirmed."""
        return tuple(one.person for one in self.answers if one.is_open)


def next_drill(rule: DrillRule, zone: ZoneInfo, last_at: datetime | None, now: datetime) -> datetime:
    """When the next drill is due, after `now` and no sooner than `every` after the day of the last one; in UTC."""
    day = now.astimezone(zone).date()
    if last_at is not None:
        day = max(day, last_at.astimezone(zone).date() + rule.every)
    while True:
        at = shown(zone, datetime.combine(day, rule.at))
        if day.weekday() in rule.days and at > now:
            return at
        day += _DAY


def last_word(drills: Iterable[Drill]) -> dict[str, bool]:
    """Whether each person confirmed the last drill that is over and in which they were asked, from the newest one."""
    found: dict[str, bool] = {}
    for drill in drills:
        if drill.ended_at is not None:
            for one in drill.answers:
                if not one.skipped:
                    found.setdefault(one.person, one.confirmed_at is not None)
    return found


def outcome(answer: Answer) -> str:
    """What came of asking a person, when the drill is reported."""
    if answer.skipped:
        return "skipped"
    return "confirmed" if answer.confirmed_at is not None else "silent"


def summary(drill: Drill) -> str:
    """Who did not confirm, as the sentence of a ticket."""
    names = ", ".join(drill.silent)
    return (
        f"Reachability drill {drill.id}: {names} did not confirm a test message in time. "
        "A page at night may not reach them."
    )
