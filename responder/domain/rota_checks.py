"""What is doubtful about a rota: time without anybody, hand-overs at odd hours, and layers that nobody comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.duty_windows import fills_the_week, overlap
from responder.domain.rota import Layer, Rota
from responder.domain.rotation import Unit
from responder.domain.wall import is_repeated, is_skipped, shown
from responder.domain.windows import DAYS, Window

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class OddHour:
    """A time on the wall at which somebody hands over, and which the clocks leave out or show twice on that day."""

    layer: int
    local: datetime
    happens_at: datetime
    is_skipped: bool

    def __str__(self) -> str:
        local, at = f"{self.local:%H:%M on %Y-%m-%d}", f"{self.happens_at:%H:%M %Z}"
        if self.is_skipped:
            return f"the clocks leave out {local}: the hand-over is at {at}, when they have jumped"
        return f"the clocks show {local} twice: the hand-over is at the first one, {at}"


def odd_hours(rota: Rota, start: datetime, until: datetime) -> list[OddHour]:
    """The hand-overs between two instants at times that are not there, or there twice. Hours by the hour are not told:
    they meet each change of the clocks, and nobody would wonder."""
    found = []
    for number, layer in enumerate(rota.layers):
        zone = layer.rotation.zone
        times = {*_turns(layer, start, until), *_edges(layer.windows, start, until)}
        for local in sorted(times):
            skipped = is_skipped(zone, local)
            if skipped or is_repeated(zone, local):
                at = shown(zone, local).astimezone(zone)
                found.append(OddHour(layer=number, local=local, happens_at=at, is_skipped=skipped))
    return found


def covered_by(rota: Rota, number: int) -> Layer | None:
    """The later layer that always has somebody while this one counts, so that this one comes only when all are away."""
    layer = rota.layers[number]
    begins = layer.rotation.begins(0)
    for later in rota.layers[number + 1 :]:
        outlasts = later.until is None or (layer.until is not None and later.until >= layer.until)
        if fills_the_week(later.windows) and later.rotation.begins(0) <= begins and outlasts:
            return later
    return None


def overlapping(layer: Layer) -> tuple[int, int] | None:
    """Two windows of a layer, by their numbers, that are open at the same time."""
    windows = layer.windows
    pairs = ((one, other) for other in range(len(windows)) for one in range(other))
    return next((pair for pair in pairs if overlap(windows[pair[0]], windows[pair[1]])), None)


def _turns(layer: Layer, start: datetime, until: datetime) -> Iterator[datetime]:
    if layer.rotation.unit is Unit.HOURLY or len(layer.turns) == 1:
        return
    turn = max(layer.rotation.turn_at(start), 0)
    while layer.rotation.begins(turn) < until:
        yield layer.rotation.local(turn)
        turn += 1


def _edges(windows: tuple[Window, ...], start: datetime, until: datetime) -> Iterator[datetime]:
    if fills_the_week(windows):
        return
    for window in windows:
        day, last = start.astimezone(window.zone).date(), until.astimezone(window.zone).date()
        while day < last:
            if DAYS[day.weekday()] in window.days:
                yield datetime.combine(day, window.start)
                yield datetime.combine(day if window.start < window.end else day + _DAY, window.end)
            day += _DAY
