"""Numbers become shapes: nothing outside the frame, nothing lost, and a few drawings by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.charts.bars import MOST_SERIES, bars
from responder.domain.charts.frame import (
    DurationScale,
    Frame,
    Tick,
    count_steps,
    date_ticks,
    share_ticks,
    short_count,
)
from responder.domain.charts.hours import hours
from responder.domain.charts.lanes import Deadline, Moment, Span, Story, lanes
from responder.domain.charts.lines import lines
from responder.domain.charts.shares import MOST_ROWS, WIDTH, shares
from responder.domain.charts.spreads import spreads
from responder.domain.charts.stretch import Stretch
from responder.domain.statistics import Attainment, RunCount, spread

MONDAY = date(2026, 11, 2)
WEEK = [MONDAY + timedelta(days=number) for number in range(7)]
PLAIN = Frame(width=120, height=120, left=10, right=10, top=10, bottom=10)
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
COUNTS = st.dictionaries(
    st.tuples(st.sampled_from(WEEK), st.sampled_from("abcdefghij")), st.integers(0, 10**12), max_size=40
)


def is_within(frame: Frame, x: float, y: float, width: float = 0, height: float = 0) -> bool:
    slack = 0.02
    return (
        frame.left - slack <= x
        and x + width <= frame.width - frame.right + slack
        and frame.top - slack <= y
        and y + height <= frame.ground + slack
    )


# --- axes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "steps"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (11, [0, 5, 10, 15]),
        (20, [0, 5, 10, 15, 20]),
        (1234, [0, 500, 1000, 1500]),
    ],
)
def test_an_axis_of_counts_has_whole_round_steps(most: int, steps: list[int]) -> None:
    assert count_steps(most) == steps


@given(st.integers(0, 10**15))
def test_an_axis_has_room_for_the_most_and_few_steps(most: int) -> None:
    steps = count_steps(most)
    assert steps[-1] >= most
    assert 2 <= len(steps) <= 7


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (999, "999"), (1500, "1.5k"), (20_000_000, "20M"), (2 * 10**9, "2G")]
)
def test_large_numbers_are_short(count: int, text: str) -> None:
    assert short_count(count) == text


def test_a_scale_of_durations_ends_at_round_ones() -> None:
    scale = DurationScale.of([7 * SECOND, 5000 * SECOND])
    assert (scale.least, scale.most) == (5 * SECOND, timedelta(hours=2))
    assert [tick.text for tick in scale.ticks(PLAIN)] == ["10s", "1m", "10m", "1h"]
    assert scale.share(5 * SECOND) == 0
    assert scale.share(timedelta(hours=2)) == 1
    assert [tick.text for tick in DurationScale.of([0.1 * SECOND, 0.9 * SECOND]).ticks(PLAIN)] == [
        "100ms",
        "200ms",
        "500ms",
        "1s",
    ]


def test_labels_of_durations_stand_no_closer_than_a_line() -> None:
    ticks = DurationScale.of([SECOND, timedelta(days=4000)]).ticks(PLAIN)
    assert all(before.at - after.at >= 15 for before, after in pairwise(ticks))
    assert len(ticks) > 3


@given(st.lists(st.timedeltas(timedelta(), timedelta(days=40000)), max_size=5))
def test_every_duration_has_a_place_on_the_scale(values: list[timedelta]) -> None:
    scale = DurationScale.of(values)
    assert all(0 <= scale.share(value) <= 1 for value in values)
    assert 1 <= len(scale.ticks(PLAIN)) <= 7


def test_dates_keep_apart_and_begin_with_the_first() -> None:
    many = [MONDAY + timedelta(days=number) for number in range(31)]
    ticks = date_ticks(Frame(), many)
    assert ticks[0].text == "11-02"
    assert all(after.at - before.at >= 40 for before, after in pairwise(ticks))
    assert date_ticks(Frame(), []) == ()


def test_an_axis_of_shares() -> None:
    assert share_ticks(PLAIN, 0.9) == (Tick(at=110, text="90%"), Tick(at=60, text="95%"), Tick(at=10, text="100%"))


# --- bars -------------------------------------------------------------------------------------------------


def test_bars_by_hand() -> None:
    chart = bars(WEEK[:2], {(WEEK[0], "P1"): 2, (WEEK[0], "P2"): 1, (WEEK[1], "P2"): 4}, ["P1", "P2"], PLAIN)
    first, second = chart.columns
    assert [(block.series, block.y, block.height) for block in first.blocks] == [(0, 60, 50), (1, 35, 25)]
    assert [(block.series, block.y, block.height) for block in second.blocks] == [(1, 10, 100)]
    assert (first.x, first.width) == (14.5, 41)
    assert (first.counts, second.counts, chart.totals, chart.total) == ((2, 1), (0, 4), (2, 5), 7)


@given(COUNTS)
def test_bars_lose_nothing_and_stay_in_their_frame(counts: dict[tuple[date, str], int]) -> None:
    names = sorted({name for _, name in counts})
    chart = bars(WEEK, counts, names, Frame())
    assert chart.total == sum(counts.values())
    assert len(chart.series) <= MOST_SERIES
    for column in chart.columns:
        assert sum(block.count for block in column.blocks) == column.total
        for block in column.blocks:
            assert block.height >= 0.9
            assert is_within(chart.frame, column.x, block.y, column.width, block.height)


def test_of_many_names_the_rarest_are_joined() -> None:
    counts = {(MONDAY, name): number for number, name in enumerate("abcdefghij", start=1)}
    chart = bars(WEEK, counts, list("abcdefghij"))
    assert (chart.series, chart.rest, chart.totals) == (("e", "f", "g", "h", "i", "j", ""), 4, (5, 6, 7, 8, 9, 10, 10))


def test_no_columns_and_no_counts_make_an_empty_chart() -> None:
    assert bars(WEEK, {}, []).total == 0
    assert bars([], {}, []).columns == ()


# --- spreads, lines, hours, rows ----------------------------------------------------------------------------


@given(st.dictionaries(st.sampled_from(WEEK), st.lists(st.integers(0, 10**16), min_size=1), max_size=7))
def test_boxes_stay_in_their_frame_and_in_order(found: dict[date, list[int]]) -> None:
    chart = spreads(WEEK, {start: spread(values) for start, values in found.items()})
    assert chart.count == sum(map(len, found.values()))
    for box in chart.boxes:
        assert is_within(chart.frame, box.x, box.y, box.width, box.height)
        assert chart.frame.top <= box.most <= box.y + 2.01
        assert box.y - 0.01 <= box.median <= box.y + box.height + 0.01 or box.height == 2


def test_a_gap_parts_a_line_and_a_single_point_has_no_stroke() -> None:
    found = {(WEEK[number], "P1"): Attainment(met=9, breached=1) for number in (0, 1, 3, 5, 6)}
    (line,) = lines(WEEK, {**found, (WEEK[2], "P1"): Attainment(excluded=5)}, ["P1"], PLAIN).lines
    assert [point.start for point in line.points] == [WEEK[number] for number in (0, 1, 3, 5, 6)]
    assert [len(stroke.split()) for stroke in line.strokes] == [2, 2]


def test_the_axis_of_shares_begins_where_the_least_of_them_fits() -> None:
    for met, floor in ((95, 0.9), (60, 0.5), (10, 0.0)):
        chart = lines(WEEK, {(MONDAY, "P1"): Attainment(met=met, breached=100 - met)}, ["P1"])
        assert chart.floor == floor
        (point,) = chart.lines[0].points
        assert is_within(chart.frame, point.x, point.y)
    assert lines(WEEK, {}, []).floor == 0


@given(st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 23)), st.integers(0, 10**9)))
def test_squares_stay_in_their_cells_and_the_biggest_is_the_fullest_hour(found: dict[tuple[int, int], int]) -> None:
    chart = hours(found)
    assert chart.total == sum(found.values())
    assert all(is_within(chart.frame, one.x, one.y, one.size, one.size) for one in chart.squares)
    if busiest := chart.busiest:
        assert busiest.size == max(one.size for one in chart.squares)


@given(
    st.dictionaries(
        st.text(max_size=90),
        st.builds(RunCount, proven=st.integers(0, 9**9), disproved=st.integers(0, 99), unknown=st.integers(1, 9)),
    )
)
def test_rows_are_as_wide_as_each_other(found: dict[str, RunCount]) -> None:
    chart = shares(found)
    assert len(chart.rows) + chart.more == len(found)
    assert len(chart.rows) <= MOST_ROWS
    for row in chart.rows:
        assert sum(part.width for part in row.parts) == pytest.approx(WIDTH, abs=0.05)
        assert len(row.short) <= 44


# --- the story of a ticket ----------------------------------------------------------------------------------


def test_a_long_quiet_takes_no_more_than_a_sixth_and_seconds_can_be_told_apart() -> None:
    instants = [AT + seconds * SECOND for seconds in (0, 1, 2, 10, 60, 300, 1800, 260_000)]
    axis = Stretch.of(instants)
    widths = [after - before for before, after in pairwise(axis.places)]
    assert max(widths) == pytest.approx(1 / 6)
    assert axis.share(instants[4]) > 0.15
    assert [lasted for _, _, lasted in axis.quiet()][-1] == timedelta(seconds=258_200)


def test_where_nothing_is_far_longer_time_runs_evenly() -> None:
    axis = Stretch.of([AT + number * SECOND for number in range(11)])
    assert axis.share(AT + 5 * SECOND) == pytest.approx(0.5)
    assert axis.quiet() == []
    assert Stretch.of([AT]).share(AT) == 0


INSTANTS = st.integers(0, 10**7).map(lambda seconds: AT + seconds * SECOND)


@given(st.lists(INSTANTS, min_size=1, max_size=30), INSTANTS, INSTANTS)
def test_what_is_later_is_never_further_left(instants: list[datetime], one: datetime, other: datetime) -> None:
    axis = Stretch.of(instants)
    assert axis.places[-1] in (0.0, pytest.approx(1.0))
    first, second = sorted((one, other))
    assert 0 <= axis.share(first) <= axis.share(second) <= 1


def a_story(*seconds: int) -> Story:
    marks = [AT + one * SECOND for one in sorted(seconds)]
    return Story(
        now=marks[-1],
        zone=ZoneInfo("Asia/Shanghai"),
        statuses=[Span(text="new", start=marks[0], end=marks[1]), Span(text="closed", start=marks[1], end=marks[-1])],
        signals=[],
        runs=[Span(text="restart", start=marks[1], end=None)],
        messages=[Moment(text="mei", at=marks[2])],
        clocks=[Deadline(name="respond", start=marks[0], due=marks[-1] + 999 * SECOND, stopped=None, breached=False)],
    )


@given(st.lists(st.integers(0, 10**8), min_size=4, max_size=4), st.sampled_from([420, 960]))
def test_a_story_stays_in_its_frame_and_its_labels_apart(seconds: list[int], width: int) -> None:
    drawn = lanes(a_story(*seconds), width)
    assert [lane.name for lane in drawn.lanes] == ["status", "runs", "messages", "respond"]
    for lane in drawn.lanes:
        assert all(is_within(drawn.frame, one.x, lane.y, one.width, 24) for one in lane.shapes)
        assert lane.due is None or is_within(drawn.frame, lane.due, lane.y)
    places = [tick.at for tick in drawn.axis]
    assert all(after - before >= 44 for before, after in pairwise(places))
    assert drawn.axis[0].time == f"{AT + timedelta(hours=8, seconds=min(seconds)):%H:%M}"


def test_where_much_happens_only_labels_that_have_room_are_written() -> None:
    story = a_story(0, 60, 120, 1200)
    busy = replace(story, messages=[Moment(text="mei", at=AT + 60 * number * SECOND) for number in range(20)])
    places = [tick.at for tick in lanes(busy, 420).axis]
    assert 3 < len(places) < 9
    assert all(after - before >= 44 for before, after in pairwise(places))
