"""Holds: reasons to let a ticket wait before automation touches it or anybody is paged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from responder.clock import from_microseconds
from responder.domain.report import Report
from responder.domain.ticket import Event, EventKind, Status, Ticket

LOOK_AGAIN = timedelta(seconds=30)
"""How often all tickets that are held are looked at together: a hold may end early."""
AT_THE_LATEST = timedelta(minutes=30)
"""After so long each of them is looked at by a job of its own in any case."""
OURSELVES = "responder"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Why a ticket waits, in a sentence for its history, and until when; None if nobody can know that.

    `name` is the kind of hold (maintenance, hold-off, storm, dependency, flapping): few values, used as a metric's
    label. `occasion` tells one hold of a kind from the next: the ticket speaks once of each. `parent_id` is the ticket
    that stands for this one meanwhile, `reports` what responder itself has to report of it, and `is_excluded` says
    that the ticket counts in no service level if it ends meanwhile.
    """

    name: str
    sentence: str
    until: datetime | None = None
    occasion: str = ""
    parent_id: int | None = None
    parent: str = ""
    reports: tuple[Report, ...] = field(default=())
    is_excluded: bool = False

    @property
    def mark(self) -> dict[str, Any]:
        """What the ticket's event keeps of it, so that it is said once."""
        found: dict[str, Any] = {"held": self.name, "occasion": self.occasion}
        return found | ({"parent": self.parent} if self.parent else {})


def due_at(held: Held, now: datetime) -> datetime:
    """When the ticket is looked at again by itself: when the hold ends, as far as that is known."""
    return min(held.until or now + AT_THE_LATEST, now + AT_THE_LATEST)


def shows_since(ticket: Ticket) -> datetime:
    """Since when it shows without a break."""
    return from_microseconds(ticket.toggles[-1]) if ticket.toggles else ticket.episode_at


def may_wait(ticket: Ticket) -> bool:
    """Whether it can be held at all: what people report, and what responder reports of itself, never waits."""
    is_alert = bool(ticket.firing) and ticket.source != OURSELVES
    return is_alert and ticket.status in (Status.NEW, Status.HANDED_OVER)


def is_said(held: Held, ticket: Ticket, history: Iterable[Event]) -> bool:
    """Whether the ticket's history speaks of this hold already, in this episode and since the last one ended."""
    last: Mapping[str, object] = {}
    for event in history:
        if event.kind is EventKind.HELD and "held" in event.data:
            last = event.data
    return last.get("episode") == ticket.episode and held.mark.items() <= last.items()


def was_held_otherwise(held: Held, ticket: Ticket, history: Iterable[Event]) -> bool:
    """Whether something of another kind held it before in this episode: then it did not open in this hold."""
    names = (event.data.get("held") for event in history if event.data.get("episode") == ticket.episode)
    return any(name not in (None, "", held.name) for name in names)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """What holds a ticket, as its history tells it."""

    name: str
    sentence: str
    parent: str = ""


def waiting(ticket: Ticket, history: Iterable[Event]) -> Waiting | None:
    """What the ticket waits for now; None if nothing holds it, or somebody or something has taken it since."""
    held = None
    for event in history:
        if event.kind is EventKind.MOVED and event.data.get("action") != "relapse":
            held = None
        elif event.kind is EventKind.HELD and "held" in event.data:
            name = str(event.data["held"])
            parent = str(event.data.get("parent", ""))
            held = Waiting(name=name, sentence=event.text, parent=parent) if name else None
    return held if may_wait(ticket) else None


def members(history: Iterable[Event]) -> tuple[str, ...]:
    """The numbers of the tickets that wait, or waited, behind this one."""
    return tuple(dict.fromkeys(str(event.data["member"]) for event in history if "member" in event.data))
