"""Dependencies: which hosts can only be reached, or only work, through others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from responder.domain.report import Signal
from responder.domain.target import Target
from responder.domain.ticket import Status, Ticket

RECOVERY = timedelta(minutes=2)
"""So long those behind it have after its all-clear to send theirs."""
_ENDED = (Status.RESTORED, Status.RESOLVED, Status.CLOSED)


def upstream(targets: Iterable[Target], name: str) -> tuple[str, ...]:
    """All that a target depends on, also through others, the nearest first. A cycle is followed once."""
    known = {target.name: target.depends_on for target in targets}
    found: dict[str, None] = {}
    waiting = list(known.get(name, ()))
    while waiting:
        one = waiting.pop(0)
        if one not in found and one != name:
            found[one] = None
            waiting += known.get(one, ())
    return tuple(found)


def cycle(depends_on: Mapping[str, Sequence[str]], name: str) -> tuple[str, ...]:
    """The way from a target back to itself, if it depends on itself; the shortest one."""
    ways: list[tuple[str, ...]] = [(name, other) for other in depends_on.get(name, ())]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        if way[-1] == name:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [(*way, other) for other in depends_on.get(way[-1], ())]
    return ()


def explains(parent: Ticket, member: Ticket, grades: Iterable[str], now: datetime) -> bool:
    """Whether the parent's ticket may stand for the member's: it shows, or cleared a moment ago, and is at least as
    urgent. A slight trouble of a switch must not hide a grave one behind it."""
    order = list(grades)
    if parent.id == member.id or parent.grade not in order or member.grade not in order:
        return False
    is_urgent = order.index(parent.grade) <= order.index(member.grade)
    return is_urgent and (_shows(parent) or _has_just_cleared(parent, now))


def recovered_at(parent: Ticket) -> datetime | None:
    """When those behind it had time enough to clear, too; None while it shows."""
    return None if _shows(parent) or parent.cleared_at is None else parent.cleared_at + RECOVERY


def _shows(parent: Ticket) -> bool:
    return parent.signal is Signal.FIRING and parent.status not in _ENDED


def _has_just_cleared(parent: Ticket, now: datetime) -> bool:
    cleared_at = parent.cleared_at
    return parent.status is Status.RESTORED and cleared_at is not None and now < cleared_at + RECOVERY
