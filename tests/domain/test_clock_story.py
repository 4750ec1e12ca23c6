"""The story of a clock: its lines add up to what it has used, and each says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.clock_story import Story, tell
from responder.domain.facts import Fact
from responder.domain.sla import Clock, ClockRule, Daily, Mark, MarkKind, Scene, Target, reckoned, used
from responder.domain.ticking import breached, fed, opened, regraded, replanned
from responder.domain.workhours import ALWAYS, Calendar, Span
from tests.fakes import HOUR, NOW

FRIDAY = datetime(2026, 11, 20, 10, tzinfo=UTC)
OFFICE = Calendar(
    name="office",
    week=((Span(start=540, end=720), Span(start=780, end=1020)),) * 5 + ((), ()),
    days={date(2026, 11, 23): ()},
    reasons={date(2026, 11, 23): "holiday: day of the founder"},
)
WORK = ClockRule(
    name="work",
    start=frozenset({Fact.OPENED}),
    stop=frozenset({Fact.RESTORED}),
    again=frozenset({Fact.UPDATED}),
    void=frozenset({Fact.REJECTED}),
    pause=frozenset({"waiting"}),
    text="until it is done",
)
ONCE = replace(WORK, again=frozenset())
TARGETS: Mapping[str, Target] = {"work": 8 * HOUR}


def at(hours: float) -> datetime:
    return NOW + hours * HOUR


def scene(hours: float, **changes: Any) -> Scene:
    return Scene(**{"at": at(hours), "grade": "P1", "targets": TARGETS, "status": "in_progress", **changes})


def begun(rule: ClockRule = WORK, **changes: Any) -> Clock:
    return opened([rule], scene(0, **changes))["work"]


def after(clock: Clock, fact: Fact, hours: float, rule: ClockRule = WORK, **changes: Any) -> Clock:
    return fed({"work": clock}, [rule], fact, scene(hours, **changes))["work"]


def waited(since: float, until: float, waiting_for: str = "") -> Clock:
    clock = after(begun(), Fact.WAITING, since, status="waiting", waiting_for=waiting_for)
    return after(clock, Fact.RESUMED, until)


def texts(story: Story) -> list[str]:
    return [line.text for line in story.lines]


def total(story: Story) -> timedelta:
    return sum((line.counted for line in story.lines if line.counted is not None), timedelta())


# --- what adds up ------------------------------------------------------------------------------------


def test_a_clock_that_runs_is_told_until_it_is_due() -> None:
    story = tell(begun(), WORK, at(1))
    start, run = story.lines
    assert (start.at, start.text) == (NOW, "started, since the ticket was opened; target 8h")
    assert (run.at, run.until, run.counted) == (NOW, at(8), 8 * HOUR)
    assert (story.used, story.due_at, story.state) == (HOUR, at(8), "running")
    assert (story.name, story.text, story.calendar, story.zone) == ("work", "until it is done", "always", "UTC")


def test_nights_weekends_and_holidays_are_lines_that_count_nothing() -> None:
    rule = replace(WORK, calendar=OFFICE)
    clock = opened([rule], scene(0, at=FRIDAY))["work"]
    story = tell(clock, rule, FRIDAY)
    uncounted = [line.text for line in story.lines if line.counted == timedelta()]
    assert uncounted[:3] == ["outside working hours", "outside working hours", "weekend"]
    assert "holiday: day of the founder" in uncounted
    assert total(story) == 8 * HOUR
    last = story.lines[-1]
    assert (last.until, last.text) == (story.due_at, "working hours")
    assert story.due_at == datetime(2026, 11, 24, 11, tzinfo=UTC)


def test_a_pause_says_what_was_waited_for_and_moves_the_end() -> None:
    story = tell(waited(1, 4, "vendor"), WORK, at(5))
    assert "paused: the ticket is waiting for vendor" in texts(story)
    assert (story.used, story.due_at, total(story)) == (2 * HOUR, at(11), 8 * HOUR)
    stretches = [(line.at, line.until) for line in story.lines if line.counted is not None]
    assert stretches == [(at(0), at(1)), (at(4), at(11))]


def test_a_clock_that_is_paused_is_told_until_its_pause() -> None:
    story = tell(after(begun(), Fact.WAITING, 2, status="waiting"), WORK, at(9))
    assert (story.state, story.due_at, story.used, total(story)) == ("paused", None, 2 * HOUR, 2 * HOUR)


def test_a_clock_past_its_target_is_told_until_now() -> None:
    story = tell(breached(begun(), ONCE), ONCE, at(10))
    assert (story.used, total(story), story.breached_at) == (10 * HOUR, 10 * HOUR, at(8))


def test_a_relapse_counts_the_time_in_between() -> None:
    clock = after(after(begun(), Fact.RESTORED, 2), Fact.RELAPSED, 5)
    story = tell(clock, WORK, at(6))
    assert "went on, since it came back: the time in between counts" in texts(story)
    assert (story.used, total(story)) == (6 * HOUR, 8 * HOUR)


def test_a_relapse_that_does_not_count_leaves_a_gap() -> None:
    rule = replace(WORK, relapse_counts=False)
    clock = after(after(begun(rule), Fact.RESTORED, 2, rule), Fact.RELAPSED, 5, rule)
    story = tell(clock, rule, at(6))
    assert "runs again, since it came back" in texts(story)
    assert (story.used, story.due_at, total(story)) == (3 * HOUR, at(11), 8 * HOUR)


def test_what_an_older_policy_counted_is_a_line_of_its_own() -> None:
    clock = replanned(begun(), WORK, WORK, scene(3, targets={"work": 5 * HOUR}))
    story = tell(clock, WORK, at(4))
    assert "the policy has changed; 3h used so far are kept; target 5h" in texts(story)
    assert (story.used, story.due_at, total(story)) == (4 * HOUR, at(5), 2 * HOUR)


def test_only_the_newest_round_is_told_in_stretches() -> None:
    story = tell(after(begun(), Fact.UPDATED, 3), WORK, at(4))
    assert "a round is done, since the reporter was told of the progress; the next one begins" in texts(story)
    assert [(line.at, line.until) for line in story.lines if line.counted] == [(at(3), at(11))]


WHAT = st.sampled_from(["wait", "resume", "update", "restore", "relapse", "regrade", "reload"])
STEPS = st.lists(st.tuples(WHAT, st.integers(0, 30)), max_size=8)


@given(steps=STEPS, calendar=st.sampled_from([ALWAYS, OFFICE]), later=st.integers(0, 200))
def test_whatever_has_happened_the_lines_add_up_to_what_is_used(
    steps: list[tuple[str, int]], calendar: Calendar, later: int
) -> None:
    rule, hours = replace(WORK, calendar=calendar), 0
    clock = begun(rule)
    for step, lasting in steps:
        hours += lasting
        clock = happens(clock, rule, step, hours)
    story = tell(clock, rule, at(hours + later))
    ends = [line.until for line in story.lines if line.until is not None]
    kept = next((mark.kept for mark in reversed(clock.marks) if mark.kind in ROUNDS), timedelta())
    assert total(story) + kept == used(clock, rule, max([at(hours), *ends]))
    assert story.used == used(clock, rule, at(hours + later))
    assert [line.at for line in story.lines] == sorted(line.at for line in story.lines)


ROUNDS = {MarkKind.STARTED, MarkKind.DONE, MarkKind.MISSED, MarkKind.KEPT}


def happens(clock: Clock, rule: ClockRule, step: str, hours: float) -> Clock:
    if step == "regrade":
        return regraded({"work": clock}, [rule], scene(hours, grade="P2", targets={"work": 20 * HOUR}))["work"]
    if step == "reload":
        return replanned(clock, rule, rule, scene(hours)) if clock.is_running else clock
    fact, status = {
        "wait": (Fact.WAITING, "waiting"),
        "resume": (Fact.RESUMED, "in_progress"),
        "update": (Fact.UPDATED, "in_progress"),
        "restore": (Fact.RESTORED, "restored"),
        "relapse": (Fact.RELAPSED, "handed_over"),
    }[step]
    return after(clock, fact, hours, rule, status=status)


# --- where it stands, and in which words -------------------------------------------------------------


def without_target(clock: Clock) -> Clock:
    return reckoned(replace(clock, marks=tuple(replace(mark, target=None) for mark in clock.marks)), WORK)


@pytest.mark.parametrize(
    ("clock", "hours", "state"),
    [
        (begun(), 1, "running"),
        (begun(), 8, "past its target"),
        (breached(begun(), ONCE), 9, "past its target"),
        (after(begun(), Fact.WAITING, 1, status="waiting"), 99, "paused"),
        (after(begun(), Fact.RESTORED, 8), 99, "stopped in time"),
        (after(begun(), Fact.RESTORED, 9), 99, "stopped late"),
        (after(begun(), Fact.REJECTED, 9), 99, "ended without a result"),
        (without_target(begun()), 99, "without a target"),
        (without_target(after(begun(), Fact.RESTORED, 9)), 99, "stopped"),
    ],
)
def test_where_a_clock_stands_is_said_in_words(clock: Clock, hours: float, state: str) -> None:
    assert tell(clock, WORK, at(hours)).state == state


@pytest.mark.parametrize("kind", MarkKind)
def test_every_mark_has_words(kind: MarkKind) -> None:
    clock = replace(begun(), marks=(*begun().marks, Mark(at=at(1), kind=kind, why="a word of an older version")))
    assert len(texts(tell(clock, WORK, at(2)))) >= 2


def test_a_target_at_a_time_of_day_is_told_in_the_zone_of_the_calendar() -> None:
    rule = replace(WORK, calendar=Calendar(name="berlin", zone=ZoneInfo("Europe/Berlin")))
    story = tell(opened([rule], scene(0, targets={"work": Daily(at=time(17))}))["work"], rule, at(0))
    assert (story.target, story.zone) == ("daily at 17:00", "Europe/Berlin")
    assert story.due_at == datetime(2026, 11, 20, 16, tzinfo=UTC)


def test_a_clock_without_a_target_says_so() -> None:
    story = tell(without_target(begun()), WORK, at(1))
    assert (story.target, story.due_at) == ("none for this grade", None)
    assert texts(story)[0] == "started, since the ticket was opened; no target"
