"""Mails that stay in the mailbox: whose turn it is, when one that failed is tried again, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

TOLD_AFTER = 3
"""Failures until a mail is said to be stuck; the first one may have been the line's."""
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)
_NAMED = 3


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class MailPlace:
    """Where a mail lies in the mailbox. Its number means something only under this `validity` (RFC 3501, 2.3.1.1)."""

    validity: int
    uid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Stuck:
    """A mail that failed so often, last for this reason. With `is_safe` it is stored, and could not be put away."""

    times: int
    why: str
    is_safe: bool
    again_at: datetime


def stuck_again(before: Stuck | None, why: str, now: datetime, *, is_safe: bool) -> Stuck:
    """Once it is tried again at once, then after 1, 2, 4 … minutes, at most an hour."""
    times = before.times + 1 if before else 1
    wait = min(_FIRST * 2 ** min(times - 2, 10), _LONGEST) if times > 1 else timedelta()
    return Stuck(times=times, why=why, is_safe=is_safe, again_at=now + wait)


def stored(now: datetime) -> Stuck:
    """A mail that is to be put away next, with others."""
    return Stuck(times=0, why="", is_safe=True, again_at=now)


def stored_elsewhere(now: datetime) -> Stuck:
    """A mail that was stored before it was seen here: who has stored it gets a while to put it away.

    Two that move one mail at the same time may make two of it in the other folder.
    """
    return Stuck(times=1, why="It was stored already when it was seen here.", is_safe=True, again_at=now + _FIRST)


def in_turn(listed: Iterable[MailPlace], stuck: Mapping[MailPlace, Stuck], now: datetime) -> list[MailPlace]:
    """Those whose time it is, the oldest first; behind them those that failed again and again."""
    waiting = sorted(listed)
    due = [place for place in waiting if place not in stuck or stuck[place].again_at <= now]
    return sorted(due, key=lambda place: (_rank(stuck.get(place)), place))


def _rank(one: Stuck | None) -> int:
    return one.times if one and one.times > 1 else 0


def next_try(stuck: Mapping[MailPlace, Stuck], now: datetime) -> timedelta | None:
    """How long until one of them is tried again; None if there is none."""
    return max(min(one.again_at for one in stuck.values()) - now, timedelta()) if stuck else None


def about_stuck(stuck: Mapping[MailPlace, Stuck]) -> str:
    """What people must know of mails that stay in the mailbox; empty if there is nothing."""
    told = [(place.uid, one) for place, one in sorted(stuck.items()) if one.times >= TOLD_AFTER]
    if not told:
        return ""
    more = f" And {len(told) - _NAMED} more." if len(told) > _NAMED else ""
    return " ".join(_sentences(told[:_NAMED])) + more


def _sentences(told: Sequence[tuple[int, Stuck]]) -> list[str]:
    return [
        f"The mail with the UID {uid} is stored, and cannot be put away: {one.why}"
        if one.is_safe
        else f"The mail with the UID {uid} cannot be taken in: {one.why}"
        for uid, one in told
    ]
