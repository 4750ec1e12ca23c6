"""The history of a ticket as its page shows it: whole, with the tries of one message under the newest of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]
_MOST = 300
_FEW = 2
"""So few tries are not worth a fold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An event; `earlier` are those about the same message that stand folded under it, the oldest first."""

    event: Event
    earlier: tuple[Event, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What a page shows, in its order; `is_cut`: there is more."""

    entries: Sequence[Entry]
    is_cut: bool


def history_of(events: Sequence[Event], *, oldest_first: bool, everything: bool) -> History:
    """The entries of a page; the newest of them if not `everything`."""
    entries = folded(events)
    shown = entries if everything else entries[-_MOST:]
    return History(entries=shown if oldest_first else shown[::-1], is_cut=len(shown) < len(entries))


def folded(events: Sequence[Event]) -> list[Entry]:
    """The events, the oldest first. Of a message that was tried again and again only the newest stands by itself."""
    tries: dict[int, list[Event]] = {}
    for event in events:
        if (number := _message(event)) is not None:
            tries.setdefault(number, []).append(event)
    many = {number: found for number, found in tries.items() if len(found) > _FEW}
    return [entry for event in events if (entry := _entry(event, many.get(_message(event) or 0))) is not None]


def _entry(event: Event, same: Sequence[Event] | None) -> Entry | None:
    if same is None:
        return Entry(event=event)
    return Entry(event=event, earlier=tuple(same[:-1])) if event is same[-1] else None


def _message(event: Event) -> int | None:
    number = event["data"].get("message")
    return number if event["kind"] == "message" and isinstance(number, int) else None
