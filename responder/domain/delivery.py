"""Delivery: in which order a person's channels are tried, when a person is not woken, and how many pages are enough."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from responder.domain.message import Message, MessageState, is_page
from responder.domain.wall import shown

_DAY = timedelta(days=1)
_PATIENCE = 14
_WEEK = 7
_OF_NO_HELP = frozenset({MessageState.FAILED, MessageState.OVERTAKEN, MessageState.HELD})
_DONE = frozenset({MessageState.SENT, MessageState.SENDING, MessageState.BY_HAND})


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactStep:
    """Channels that are tried together, `after` the message was written."""

    channels: tuple[str, ...]
    after: timedelta = timedelta()


Contact = Sequence[ContactStep]
"""The order in which a person's channels are tried. Without any step all are tried at once."""


def place_in(contact: Contact, channel: str) -> int:
    """The step that tries the channel; 0 for one that is in none."""
    return next((place for place, step in enumerate(contact) if channel in step.channels), 0)


def delay_of(contact: Contact, channel: str) -> timedelta:
    """How long after the message was written the channel is tried."""
    return contact[place_in(contact, channel)].after if contact else timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHours:
    """From `start` to `end` by the wall's clock of a zone, over midnight if `end` is not later, on nights that begin on
    one of `days` (0 is Monday)."""

    start: time
    end: time
    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(7))

    def end_at(self, now: datetime) -> datetime | None:
        """When they end, if `now` is in them."""
        today = now.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            last = day if self.start < self.end else day + _DAY
            begin = shown(self.zone, datetime.combine(day, self.start))
            end = shown(self.zone, datetime.combine(last, self.end))
            if day.weekday() in self.days and begin <= now < end:
                return end
        return None


def quiet_until(quiet: Collection[QuietHours], now: datetime) -> datetime | None:
    """When a person may be told again; None if that is now. Quiet hours that touch are one."""
    until = now
    for _ in range(_PATIENCE):
        further = max((end for one in quiet if (end := one.end_at(until))), default=None)
        if further is None:
            break
        until = further
    return until if until > now else None


def first_quiet(quiet: Collection[QuietHours], start: datetime, until: datetime) -> tuple[datetime, datetime] | None:
    """The first time between two instants in which a person is not told: its begin, or `start`, and its end."""
    begins = sorted(begin for one in quiet for begin in _begins(one, start, until))
    for at in (start, *begins):
        if end := quiet_until(quiet, at):
            return at, end
    return None


def _begins(one: QuietHours, start: datetime, until: datetime) -> Iterator[datetime]:
    """When they begin between two instants; every week is like the first."""
    first = start.astimezone(one.zone).date()
    for day in (first + timedelta(days=number) for number in range(_WEEK + 1)):
        begin = shown(one.zone, datetime.combine(day, one.start))
        if day.weekday() in one.days and start < begin < until:
            yield begin


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleRule:
    """So many messages within a window, to one person on one channel, are enough: what comes then is one list."""

    messages: int = 5
    within: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryRule:
    """How pages leave. Grades in `through_quiet_hours` wake everybody, those in `lane` are never bundled.

    A person who could not be reached for `next_after` is left for the next one, while the tries go on.
    """

    through_quiet_hours: tuple[str, ...] = ()
    lane: tuple[str, ...] = ()
    bundle: BundleRule | None = None
    next_after: timedelta = timedelta(minutes=2)


# --- too many -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """How many pages one channel of a person has got since an instant, and when its bundle is due, if it has one."""

    since_at: datetime
    sent: int = 0
    bundle_at: datetime | None = None


def admitted(window: Window | None, rule: BundleRule, now: datetime) -> tuple[Window, bool]:
    """The window with one more page in it, and whether that page leaves by itself.

    A list that should have been written a whole window ago is taken to be lost: nothing more waits for it.
    """
    ends_at = window.since_at + rule.within if window else now
    if window and window.bundle_at:
        ends_at = window.bundle_at + rule.within
    if window is None or now >= ends_at:
        window = Window(since_at=now)
    if window.bundle_at is None and window.sent < rule.messages:
        return replace(window, sent=window.sent + 1), True
    return replace(window, bundle_at=window.bundle_at or window.since_at + rule.within), False


def after_a_bundle(now: datetime) -> Window:
    """A bundle is the first page of the next window."""
    return Window(since_at=now, sent=1)


# --- who is left ----------------------------------------------------------------------------------------------


def may_still_be_reached(messages: Collection[Message], now: datetime, patience: timedelta) -> bool:
    """Whether one of the messages has arrived, or is on a way that has not been tried for longer than `patience`."""
    quiet = in_quiet_hours(messages)
    return any(
        one.state in _DONE
        or (one.state not in _OF_NO_HELP and one.person not in quiet and now - one.created_at < patience)
        or (one.state is MessageState.BUNDLED and not _is_late_in_a_list(one, now, patience))
        for one in messages
    )


def _is_late_in_a_list(page: Message, now: datetime, patience: timedelta) -> bool:
    return page.sent_at is None and now - (page.due_at or page.created_at) >= patience


def in_quiet_hours(messages: Collection[Message]) -> frozenset[str]:
    """The readers one of whose messages is held: their later channels will be held as well."""
    return frozenset(one.person for one in messages if one.state is MessageState.HELD)


def pages_of(messages: Collection[Message], episode: int) -> list[Message]:
    """The pages of an episode, on whatever tier."""
    return [one for one in messages if one.episode == episode and is_page(one.purpose)]


def next_tries(messages: Collection[Message], contact: Contact, failed: Message) -> list[Message]:
    """What is tried at once because a channel refused: the next step, if nothing before it is left."""
    same = [one for one in messages if (one.episode, one.purpose, one.person) == _key(failed)]
    waiting = [one for one in same if one.state is MessageState.WAITING and one.tries == 0]
    if not waiting or any(one.state not in _OF_NO_HELP for one in same if one not in waiting):
        return []
    first = min(place_in(contact, one.channel) for one in waiting)
    return [one for one in waiting if place_in(contact, one.channel) == first]


def _key(message: Message) -> tuple[int, str, str]:
    return message.episode, message.purpose, message.person
