"""The timeline of one ticket as a drawing, from what `whole_ticket` says of it.

A page includes it so: `{% from "charts.html" import ticket_timeline with context %}{{ ticket_timeline(chart) }}`, with
`chart=timeline_chart(ticket, now, zone)`; it needs the stylesheet `/static/charts.css`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from responder.domain.charts.lanes import Deadline, Lanes, Moment, Span, Story, lanes

_WIDE, _NARROW = 960, 420


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineChart:
    """The same story twice: for a screen and for a telephone. A style sheet shows one of them."""

    story: Story
    wide: Lanes
    narrow: Lanes


def timeline_chart(ticket: Mapping[str, Any], now: datetime, zone: str = "UTC") -> TimelineChart:
    """The drawing of a ticket as it is now, with times of this zone."""
    story = story_of(ticket, now, ZoneInfo(zone))
    return TimelineChart(story=story, wide=lanes(story, _WIDE), narrow=lanes(story, _NARROW))


def story_of(ticket: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> Story:
    """What a ticket's events, runs, messages and clocks tell. A closed ticket's story ends with its last event."""
    events = ticket["events"]
    ended = events[-1]["at"] if events and ticket.get("status") == "closed" else None
    end = _instant(ended) or now
    return Story(
        now=end,
        zone=zone,
        statuses=_stays(_changes(ticket["opened_at"], "new", events, "status"), end),
        signals=_stays(_changes(ticket["opened_at"], "firing", events, "signal"), end),
        runs=[_run(run) for run in ticket["runs"] if run["started_at"]],
        messages=[_message(one) for one in ticket["messages"] if one["state"] != "overtaken"],
        clocks=[_clock(one) for one in ticket["clocks"]],
    )


def _changes(opened_at: str, first: str, events: Iterable[Mapping[str, Any]], name: str) -> list[tuple[datetime, str]]:
    found = [(datetime.fromisoformat(opened_at), first)]
    for event in events:
        said = event["data"].get(name)
        if said and str(said) != found[-1][1]:
            found.append((datetime.fromisoformat(event["at"]), str(said)))
    return found


def _stays(changes: Sequence[tuple[datetime, str]], end: datetime) -> list[Span]:
    followed = [*changes, (end, "")]
    return [Span(text=text, start=at, end=max(until, at), look=text) for (at, text), (until, _) in pairwise(followed)]


def _run(run: Mapping[str, Any]) -> Span:
    outcome = str(run["outcome"] or "at work")
    text = f"{run['runbook']} · {run['target']} · {outcome}"
    return Span(text=text, start=datetime.fromisoformat(run["started_at"]), end=_instant(run["ended_at"]), look=outcome)


def _message(one: Mapping[str, Any]) -> Moment:
    at = _instant(one["sent_at"]) or datetime.fromisoformat(one["created_at"])
    return Moment(text=f"{one['person']} · {one['channel']} · {one['state']}", at=at, look=str(one["state"]))


def _clock(one: Mapping[str, Any]) -> Deadline:
    return Deadline(
        name=one["name"],
        start=datetime.fromisoformat(one["started_at"]),
        due=_instant(one["due_at"]),
        stopped=_instant(one["stopped_at"]),
        breached=one["breached_at"] is not None,
    )


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
