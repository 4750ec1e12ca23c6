"""Which tickets somebody wants to see, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from responder.domain.report import Signal
from responder.domain.ticket import Status, Ticket

MOST_WORDS = 8


class Order(StrEnum):
    NEWEST = "newest"
    URGENT = "urgent"


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketFilter:
    """Every part that is set must hold; of several values in one part any may. The empty one is everything.

    `who` has acknowledged a ticket or is to handle it, `target` is in one of its labels, every word of `text` is in its
    number, title or labels. It was opened at `opened_from` or later, and before `opened_to`.
    """

    is_open: bool | None = None
    is_acknowledged: bool | None = None
    statuses: tuple[Status, ...] = ()
    signals: tuple[Signal, ...] = ()
    grades: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    who: str = ""
    target: str = ""
    text: str = ""
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    order: Order = Order.NEWEST

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the search, each once."""
        return tuple(dict.fromkeys(self.text.split()))[:MOST_WORDS]

    @property
    def looks_inside(self) -> bool:
        """Whether it asks for what no index knows, so that tickets have to be looked at one by one."""
        return bool(self.words or self.target)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A place in the order of a list: behind this ticket. `rank` counts grades, the gravest first; 0 by age alone."""

    rank: int = 0
    ticket_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some tickets of a list, and the place where it goes on; None at its end.

    A search looks at so many tickets at once and no more, so a page may have room left and yet not be the last.
    """

    tickets: tuple[Ticket, ...]
    next: Place | None = None
