"""Duty news: what a change by hand means for people: whom it puts on call, whom it takes off, and the gaps it opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from responder.domain.message import MessageState
from responder.domain.rota import Override, Rota, Shift, shifts


@dataclass(frozen=True, kw_only=True, slots=True)
class DutyChange:
    """A stretch of time in which somebody is on call now and was not, or the other way round."""

    rota: str
    start: datetime
    until: datetime
    is_on: bool

    def without(self, other: DutyChange) -> list[DutyChange]:
        """What is left of it outside of another one's time."""
        if other.rota != self.rota or other.until <= self.start or self.until <= other.start:
            return [self]
        parts = (replace(self, until=other.start), replace(self, start=other.until))
        return [one for one in parts if one.start < one.until]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A stretch of time in which nobody is on call any more."""

    rota: str
    start: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What one person is told of one change; `due_at` is when it is tried next, if not at once. `has_ended` says that
    the overrides were ended, not made."""

    id: int = 0
    person: str
    changes: tuple[DutyChange, ...]
    actor: str
    reason: str
    has_ended: bool
    override_ids: tuple[int, ...]
    made_at: datetime
    state: MessageState = MessageState.WAITING
    tries: int = 0
    due_at: datetime | None = None
    told_at: datetime | None = None
    error: str = ""

    @property
    def is_untold(self) -> bool:
        """Whether its reader cannot know of it yet."""
        return self.tries == 0 and self.state in (MessageState.WAITING, MessageState.HELD)


@dataclass(frozen=True, kw_only=True, slots=True)
class Views:
    """The overrides before and after a change, and the time that it is about."""

    before: Sequence[Override]
    after: Sequence[Override]
    start: datetime
    until: datetime


def changes_of(rota: Rota, views: Views) -> dict[str, list[DutyChange]]:
    """What becomes different for each person, in the order of time."""
    found: dict[str, list[DutyChange]] = {}
    for start, until, before, after in _pieces(rota, views):
        for name in dict.fromkeys((*after, *before)):
            if (name in before) != (name in after):
                change = DutyChange(rota=rota.name, start=start, until=until, is_on=name in after)
                _join(found.setdefault(name, []), change)
    return found


def gaps_opened(rota: Rota, views: Views) -> list[Gap]:
    """The stretches of time in which somebody was on call and nobody is any more; none where nobody need be."""
    found: list[Gap] = []
    for start, until, before, after in _pieces(rota, views):
        if not before or after or rota.may_be_empty:
            continue
        if found and found[-1].until == start:
            found[-1] = replace(found[-1], until=until)
        else:
            found.append(Gap(rota=rota.name, start=start, until=until))
    return found


def news_in(changes: Iterable[DutyChange], untold: Iterable[DutyChange]) -> list[DutyChange]:
    """What of the changes somebody has to hear who does not know of the `untold` ones: they need not be taken back."""
    left = list(changes)
    for other in untold:
        left = [part for one in left for part in ([one] if one.is_on is other.is_on else one.without(other))]
    return left


def still_so(
    notice: Notice, rotas: Mapping[str, Rota], overrides: Iterable[Override], now: datetime
) -> list[DutyChange]:
    """What of a notice is to come, or at work, and has not been changed again since."""
    known, found = list(overrides), []
    for change in notice.changes:
        if change.rota not in rotas or change.until <= now:
            continue
        joined: list[DutyChange] = []
        for shift in shifts(rotas[change.rota], known, max(change.start, now), change.until):
            if (notice.person in shift.people) is change.is_on:
                start = change.start if shift.start == now else shift.start
                _join(joined, replace(change, start=start, until=shift.until))
        found += joined
    return found


def _pieces(rota: Rota, views: Views) -> Iterator[tuple[datetime, datetime, tuple[str, ...], tuple[str, ...]]]:
    """The time in pieces within which nothing changes: who was there, and who is."""
    two = [list(shifts(rota, known, views.start, views.until)) for known in (views.before, views.after)]
    borders = sorted({at for found in two for one in found for at in (one.start, one.until)})
    before, after = (iter(found) for found in two)
    was, now = next(before), next(after)
    for start, until in pairwise(borders):
        was, now = _at(before, was, start), _at(after, now, start)
        yield start, until, was.people, now.people


def _at(following: Iterator[Shift], current: Shift, at: datetime) -> Shift:
    return next(following) if current.until <= at else current


def _join(found: list[DutyChange], change: DutyChange) -> None:
    """Adds a change, as a part of the last one where it goes on with it."""
    if found and (found[-1].until, found[-1].is_on) == (change.start, change.is_on):
        found[-1] = replace(found[-1], until=change.until)
    else:
        found.append(change)
