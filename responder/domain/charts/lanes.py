"""The story of a ticket as lanes beside each other: status, signal, runs, messages, and its clocks with what is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from responder.domain.charts.frame import Frame
from responder.domain.charts.stretch import Stretch
from responder.domain.durations import spoken

MOST_CLOCKS = 8
_LANE = 24.0
_TICK_ROOM = 44.0
_LEAST = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Something that lasted. `look` names how it is drawn; without an end it lasts until now."""

    text: str
    start: datetime
    end: datetime | None
    look: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Something that happened."""

    text: str
    at: datetime
    look: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadline:
    """A clock with the instant that it must stop by; None while it has none."""

    name: str
    start: datetime
    due: datetime | None
    stopped: datetime | None
    breached: bool


@dataclass(frozen=True, kw_only=True)
class Story:
    """What there is to draw of a ticket, as it is `now`."""

    now: datetime
    zone: ZoneInfo
    statuses: Sequence[Span]
    signals: Sequence[Span]
    runs: Sequence[Span]
    messages: Sequence[Moment]
    clocks: Sequence[Deadline]

    def instants(self) -> Iterator[datetime]:
        """Every instant that has a place in the drawing."""
        for span in (*self.statuses, *self.signals, *self.runs):
            yield span.start
            yield span.end or self.now
        for moment in self.messages:
            yield moment.at
        for clock in self.clocks:
            yield from (at for at in (clock.start, clock.stopped or self.now, clock.due) if at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """Something in a lane: a bar, or without a width a mark."""

    text: str
    start: datetime
    end: datetime | None
    look: str
    x: float
    width: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """One line of the drawing. `due` is where the mark of a clock stands."""

    name: str
    y: float
    shapes: tuple[Shape, ...]
    due: float | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Moments:
    """A labelled place of the axis; `day` only where it is another than that of the label before."""

    at: float
    time: str
    day: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Quiet:
    """A stretch of the axis that was cut short, and how long it is."""

    x: float
    width: float
    lasted: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lanes:
    """The drawing. `now` is where the present moment stands."""

    frame: Frame
    lanes: tuple[Lane, ...]
    axis: tuple[Moments, ...]
    quiet: tuple[Quiet, ...]
    now: float


def lanes(story: Story, width: float) -> Lanes:
    """The drawing of a story, as wide as there is room. A lane with nothing in it is left out."""
    found = [lane for lane in _lanes(story) if lane[1] or lane[2]]
    frame = Frame(width=width, height=len(found) * _LANE + 40, left=74, right=8, top=6, bottom=34)
    axis = Stretch.of((*story.instants(), story.now))
    return Lanes(
        frame=frame,
        lanes=tuple(_lane(frame, axis, story, number, one) for number, one in enumerate(found)),
        axis=tuple(_ticks(frame, axis, story.zone)),
        quiet=tuple(
            Quiet(x=frame.x(start), width=round(frame.x(end) - frame.x(start), 2), lasted=spoken(lasted))
            for start, end, lasted in axis.quiet()
        ),
        now=frame.x(axis.share(story.now)),
    )


_Named = tuple[str, Sequence[Span | Moment], Deadline | None]


def _lanes(story: Story) -> list[_Named]:
    clocks: list[_Named] = [(one.name, (_of_clock(one),), one) for one in story.clocks[:MOST_CLOCKS]]
    return [
        ("status", story.statuses, None),
        ("signal", story.signals, None),
        ("runs", story.runs, None),
        ("messages", story.messages, None),
        *clocks,
    ]


def _of_clock(clock: Deadline) -> Span:
    look = "late" if clock.breached else ("met" if clock.stopped else "running")
    return Span(text=clock.name, start=clock.start, end=clock.stopped, look=look)


def _lane(frame: Frame, axis: Stretch, story: Story, number: int, named: _Named) -> Lane:
    name, found, clock = named
    due = clock.due if clock else None
    return Lane(
        name=name,
        y=frame.top + number * _LANE,
        shapes=tuple(_shape(frame, axis, one, story.now) for one in found),
        due=frame.x(axis.share(due)) if due else None,
        due_at=due,
    )


def _shape(frame: Frame, axis: Stretch, one: Span | Moment, now: datetime) -> Shape:
    if isinstance(one, Moment):
        x = frame.x(axis.share(one.at))
        return Shape(text=one.text, start=one.at, end=None, look=one.look, x=x, width=0)
    start, end = frame.x(axis.share(one.start)), frame.x(axis.share(one.end or now))
    width = max(end - start, _LEAST)
    x = min(start, frame.width - frame.right - width)
    made = Shape(text=one.text, start=one.start, end=one.end, look=one.look, x=round(x, 2), width=0)
    return replace(made, width=round(width, 2))


def _ticks(frame: Frame, axis: Stretch, zone: ZoneInfo) -> Iterator[Moments]:
    """Labels from the left wherever there is room for one, without one that says the same as that before."""
    edge, last, day = 0.0, "", ""
    for cut, place in zip(axis.cuts, axis.places, strict=True):
        x, local = frame.x(place), cut.astimezone(zone)
        text, of_day = f"{local:%H:%M}", f"{local:%m-%d}"
        if x < edge or x > frame.width - frame.right - _TICK_ROOM / 2 or (text, of_day) == (last, day):
            continue
        yield Moments(at=x, time=text, day="" if of_day == day else of_day)
        edge, last, day = x + _TICK_ROOM, text, of_day
