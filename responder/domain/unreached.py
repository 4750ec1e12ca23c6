"""Who was called in vain: nobody counts as called whose every message was turned down."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.message import MessageState

_REACHED = frozenset({MessageState.SENT, MessageState.HELD, MessageState.BY_HAND})
_IN_VAIN = frozenset({MessageState.FAILED, MessageState.FAILED_FOR_NOW})
_LIST_IS_LATE = "The list that it is in has not arrived."


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page without its text; `error` says why its channel did not take it. One that is `in_list` waits for the list
    that tells of it, which was due at `due_at`."""

    person: str
    state: MessageState
    error: str = ""
    in_list: bool = False
    due_at: datetime | None = None

    def is_late(self, now: datetime, patience: timedelta) -> bool:
        """Whether it waits for a list that should have arrived."""
        return self.in_list and self.due_at is not None and now - self.due_at >= patience

    @property
    def is_in_vain(self) -> bool:
        """Whether it was tried and not taken; while it is tried again it still bears why."""
        return self.state in _IN_VAIN or (self.state is MessageState.SENDING and self.error != "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Who was told of a ticket, or is on purpose told later; and who was called in vain, each with why the newest
    message was not taken."""

    reached: frozenset[str] = frozenset()
    in_vain: Mapping[str, str]

    def is_nobody(self, called: Collection[str]) -> bool:
        """Whether people were called, all of them in vain, and nobody else knows of it either."""
        return not self.reached and bool(called) and set(called) <= set(self.in_vain)


def reach_of(pages: Iterable[Page], now: datetime, patience: timedelta) -> Reach:
    """Whom these pages have reached, and whom they have not though one was tried; a list has as long as `patience`."""
    known = list(pages)
    late = {page.person for page in known if page.is_late(now, patience)}
    listed = {page.person for page in known if page.state is MessageState.BUNDLED and not page.is_late(now, patience)}
    reached = listed | {page.person for page in known if page.state in _REACHED}
    in_vain = {
        **dict.fromkeys(sorted(late), _LIST_IS_LATE),
        **{one.person: one.error for one in known if one.is_in_vain},
    }
    return Reach(
        reached=frozenset(reached),
        in_vain={person: why for person, why in in_vain.items() if person not in reached},
    )
