"""The timeline of an incident in plain words: what the machine did and what people did, drafted from the events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

from responder.domain.actions import PURPOSE
from responder.domain.facts import TEXTS, Fact
from responder.domain.message import Message, MessageState
from responder.domain.reporter import REPORTER
from responder.domain.runbook import Run
from responder.domain.ticket import Action, Event, EventKind

MACHINE = "responder"
"""The actor of all that nobody but the machine did."""
_LONGEST = 500
_MOST_NAMED = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRecord:
    """One step of a run on one host. `outcome` is empty while nobody knows its end."""

    name: str
    host: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str = ""
    sentence: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """A run with its steps, in the order in which they began."""

    run: Run
    steps: tuple[StepRecord, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeats:
    """Reports that only said the same again."""

    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What a timeline is drafted from. `people` are the names of the people file."""

    events: Sequence[Event]
    runs: Sequence[RunRecord] = ()
    messages: Sequence[Message] = ()
    repeats: Repeats | None = None
    people: Collection[str] = ()


def timeline(title: str, sources: Sources) -> tuple[tuple[datetime, str], ...]:
    """Instants in UTC, each with a line that begins with who did it: `machine: …` or `mei (human): …`.

    What people need not know is left out: tries of a message before the one that counted, what a run had left of its
    budgets, questions that were answered. Lines that say the same one after the other are one line.
    """
    scene = _Scene.of(title, sources)
    lines = [line for event in sources.events for line in _LINES.get(event.kind, _as_it_is)(scene, event)]
    if sources.repeats and sources.repeats.count:
        lines.append(_repeated(sources.repeats))
    lines.sort(key=lambda line: line.at)
    alike = groupby(enumerate(lines), key=lambda pair: (pair[1].actor, pair[1].bundle or pair[0]))
    return tuple(_bundled([line for _, line in group]) for _, group in alike)


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """The sources, as far as single events ask for them."""

    title: str
    people: Collection[str]
    runs: Mapping[int, RunRecord]
    messages: Mapping[int, Message]
    first_of_run: Mapping[object, Event]
    last_of_message: Mapping[object, Event]
    first_aid_at: Collection[datetime] = field(default=())

    @classmethod
    def of(cls, title: str, sources: Sources) -> _Scene:
        events = sources.events
        return cls(
            title=title,
            people=sources.people,
            runs={record.run.id: record for record in sources.runs},
            messages={message.id: message for message in sources.messages},
            first_of_run={one.data.get("run"): one for one in reversed(events) if one.kind is EventKind.RUN},
            last_of_message={one.data.get("message"): one for one in events if one.kind is EventKind.MESSAGE},
            first_aid_at={one.at for one in events if one.data.get("action") == Action.START_FIRST_AID},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    """A line of the timeline. Lines of one `bundle` that follow each other become one: their items are listed between
    text and tail, or they are counted if they have none."""

    at: datetime
    actor: str
    text: str
    bundle: str = ""
    item: str = ""
    tail: str = ""


def _bundled(lines: list[_Line]) -> tuple[datetime, str]:
    first, last = lines[0], lines[-1]
    items = list(dict.fromkeys(line.item for line in lines if line.item))
    more = f" and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""
    text = " ".join(f"{first.text}{', '.join(items[:_MOST_NAMED])}{more}{first.tail}".split())
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    if not items and len(lines) > 1:
        text = f"{text} ({len(lines) - 1} more like it, until {_spoken(last.at)})"
    return first.at, f"{_who(first.actor)}: {text}"


def _who(actor: str) -> str:
    return "machine" if actor == MACHINE else f"{actor} (human)"


def _spoken(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _repeated(repeats: Repeats) -> _Line:
    times = "once more" if repeats.count == 1 else f"{repeats.count} more times, until {_spoken(repeats.last)}"
    return _Line(at=repeats.first, actor=MACHINE, text=f"The same was reported {times}.")


# --- lines, kind by kind --------------------------------------------------------------------------------------


def _line(event: Event, text: str = "", bundle: str = "") -> _Line:
    return _Line(at=event.at, actor=event.actor, text=text or _said(event), bundle=bundle)


def _said(event: Event) -> str:
    """The event's sentence without the name that stands before the line anyway."""
    return event.text.removeprefix(f"{event.actor} ")


def _as_it_is(scene: _Scene, event: Event) -> Iterator[_Line]:  # noqa: ARG001 they share a form
    yield _line(event)


def _opened(scene: _Scene, event: Event) -> Iterator[_Line]:
    yield _line(event, f"The ticket was opened: {scene.title}. {_said(event)}")


def _moved(scene: _Scene, event: Event) -> Iterator[_Line]:  # noqa: ARG001 they share a form
    word, reason = _MOVED[Action(str(event.data["action"]))], _said(event).removeprefix("First aid: ")
    says_more = reason and reason != "has taken it."
    yield _line(event, f"{word}: {reason}" if says_more else f"{word}.")


def _signal(scene: _Scene, event: Event) -> Iterator[_Line]:  # noqa: ARG001 they share a form
    signal = event.data.get("signal")
    # Alerts of one trouble that come and go without an end of it.
    yield _line(event, bundle=f"signal {signal}" if signal else "alerts")


def _refused(scene: _Scene, event: Event) -> Iterator[_Line]:  # noqa: ARG001 they share a form
    yield _line(event, bundle=f"refused {event.data.get('guard', event.text)}")


def _ran(scene: _Scene, event: Event) -> Iterator[_Line]:
    record = scene.runs.get(int(str(event.data.get("run", 0))))
    if record is None or event.data.get("outcome"):
        yield _line(event)
    elif scene.first_of_run[record.run.id] is event:
        yield from _begun(scene, record)


def _begun(scene: _Scene, record: RunRecord) -> Iterator[_Line]:
    """How a run began, unless the move to first aid says it already, and its steps; its end is an event."""
    run = record.run
    if run.started_at not in scene.first_aid_at:
        by = f", ordered by {run.ordered_by}" if run.ordered_by else ""
        text = f"Run {run.id} began: {run.runbook} on {run.target}{by}."
        yield _Line(at=run.started_at, actor=MACHINE, text=text)
    yield from (_step(run, step) for step in record.steps)


def _step(run: Run, step: StepRecord) -> _Line:
    what, at = f"Step “{step.name}” of {run.runbook} on ", step.ended_at or step.started_at
    if step.outcome == "done":
        bundle = f"run {run.id} {step.name}"
        return _Line(at=at, actor=MACHINE, text=what, item=step.host, tail=": done.", bundle=bundle)
    how = f"{step.outcome}. {step.sentence}" if step.outcome else "began; its end is not known."
    return _Line(at=at, actor=MACHINE, text=f"{what}{step.host}: {how}")


def _approved(scene: _Scene, event: Event) -> Iterator[_Line]:  # noqa: ARG001 they share a form
    # The answer that decided says it already.
    if event.data.get("state") not in ("given", "refused"):
        yield _line(event)


def _told(scene: _Scene, event: Event) -> Iterator[_Line]:
    """Whom a message has reached, or never will; tries in between are noise."""
    message = scene.messages.get(int(str(event.data.get("message", 0))))
    is_counted = scene.last_of_message.get(event.data.get("message")) is event
    if "action_item" in event.data or (message and message.purpose.startswith(PURPOSE)):
        # What was promised in a review is no part of what it is about.
        return
    if message is None:
        yield _line(event)
    elif is_counted and message.state is MessageState.SENT and message.person != REPORTER:
        tries = f" (try {message.tries})" if message.tries > 1 else ""
        item = f"{message.person} by {message.channel}{tries}"
        yield _Line(at=event.at, actor=MACHINE, text="Told ", item=item, tail=".", bundle="told")
    elif is_counted and message.state is MessageState.FAILED:
        yield _line(event)


def _clock(scene: _Scene, event: Event) -> Iterator[_Line]:  # noqa: ARG001 they share a form
    yield _line(event, bundle=f"clock {event.data.get('clock', '')}")


def _handled(scene: _Scene, event: Event) -> Iterator[_Line]:  # noqa: ARG001 they share a form
    if event.data.get("fact") != Fact.REVIEWED and "action_item" not in event.data:
        yield _line(event)


def _reporter(scene: _Scene, event: Event) -> Iterator[_Line]:
    """That there was word with the reporter. Names and words will be erased one day, so they stay out."""
    known = event.actor == MACHINE or event.actor in scene.people
    actor = event.actor if known else REPORTER
    fact = event.data.get("fact")
    text = TEXTS[Fact(str(fact))] if fact in list(Fact) else "there was word with the reporter"
    yield _Line(at=event.at, actor=actor, text=f"{text[0].upper()}{text[1:]}.", bundle=f"reporter {text}")


_MOVED: Mapping[Action, str] = {
    Action.START_FIRST_AID: "First aid began",
    Action.HAND_OVER: "Handed over to people",
    Action.ACKNOWLEDGE: "Acknowledged",
    Action.WAIT: "Waiting began",
    Action.RESUME: "Waiting ended",
    Action.PROPOSE: "Plan proposed",
    Action.APPROVE: "Plan approved",
    Action.REJECT: "Plan rejected",
    Action.RESTORE: "Restored",
    Action.RELAPSE: "Relapsed",
    Action.RESOLVE: "Resolved",
    Action.REOPEN: "Reopened",
    Action.CLOSE: "Closed",
    Action.DISMISS: "Dismissed",
    Action.MERGE: "Merged",
}
_LINES: Mapping[EventKind, Callable[[_Scene, Event], Iterator[_Line]]] = {
    EventKind.OPENED: _opened,
    EventKind.ATTACHED: _signal,
    EventKind.MOVED: _moved,
    EventKind.SIGNAL: _signal,
    EventKind.REFUSED: _refused,
    EventKind.RUN: _ran,
    EventKind.APPROVAL: _approved,
    EventKind.MESSAGE: _told,
    EventKind.CLOCK: _clock,
    EventKind.HANDLED: _handled,
    EventKind.REPORTER: _reporter,
}
"""How each kind of event is told; all others as they are."""
