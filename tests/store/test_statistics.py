"""The numbers of a period, on both databases, against a recount by hand and against the metrics."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text

from responder.domain.observed import ClockEnd, Ended, Measure, Timed
from responder.domain.statistics import Answers, Attainment, RunCount, Statistics, Wish, spread
from responder.domain.ticket import Change, Status, Ticket
from responder.store.database import Database
from responder.store.statistics import StatisticsStore
from responder.store.tables import runs
from responder.store.transaction import Transaction
from tests.databases import opened
from tests.flows.people import Team
from tests.flows.test_recount import a_busy_day

SECOND = timedelta(seconds=1)
# The clocks of the wall go forward in the night of the 29th, in Lord Howe back by half an hour on 5 April.
START = datetime(2026, 3, 20, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns")
COUNTERS = {
    "sla_clocks_met_total": ClockEnd.MET,
    "sla_clocks_breached_total": ClockEnd.BREACHED,
    "sla_clocks_excluded_total": ClockEnd.EXCLUDED,
}


def a_ticket(number: int, at: datetime, **more: object) -> Ticket:
    given = {"grade": "P1", "team": "ops", "kind": "", **more}
    fresh = Ticket(
        id=number,
        number=f"INC-{number}",
        trouble=f"trouble {number}",
        source="main",
        title="It is down",
        grade="P1",
        grade_rule="r",
        grade_reason="because",
        labels={},
        opened_at=at,
        episode_at=at,
    )
    return replace(fresh, **given)  # type: ignore[arg-type]


def observed(ticket: Ticket, *found: Timed | Ended) -> Change:
    change = Change.of(ticket)
    for one in found:
        change.observe(one)
    return change


def took(seconds: float, by: str = "human", measure: Measure = Measure.ACKNOWLEDGE) -> Timed:
    return Timed(measure=measure, by=by, lasted=seconds * SECOND)


async def stored(database: Database, tickets: list[Ticket], changes: list[tuple[Change, datetime]]) -> None:
    def body(tx: Transaction) -> None:
        tx.tickets.insert(tickets)
        for change, at in changes:
            tx.statistics.keep([change], at)

    await database.write(body)


async def of(database: Database, wish: Wish) -> Statistics:
    return await database.read(lambda tx: tx.statistics.of(wish))


def a_wish(days: int = 7, zone: str = "UTC", **named: str) -> Wish:
    first = START.date()
    return Wish(first=first, last=first + timedelta(days=days - 1), zone=ZoneInfo(zone), **named)


async def test_whatever_the_zone_days_weeks_and_hours_are_those_of_its_calendar(database: Database) -> None:
    chance = random.Random(7)
    tickets, changes = [], []
    edges = [piece.until for zone in ZONES for piece in a_wish(60, zone).pieces]
    for number in range(1, 400):
        at = START + chance.random() * timedelta(days=60)
        if number <= 3 * len(edges):
            # The last instant before the clocks change, the one in which they do, and the next.
            at = edges[number % len(edges)] + (number // len(edges) - 1) * timedelta(microseconds=1)
        grade, kind, team = chance.choice(["P1", "P2"]), chance.choice(["", "disk"]), chance.choice(["ops", "db"])
        tickets.append(a_ticket(number, at, grade=grade, kind=kind, team=team))
        by, result = chance.choice(["human", "machine"]), chance.choice(list(ClockEnd))
        ended = Ended(clock="respond", end=result, rounds=chance.randrange(1, 3))
        changes.append((observed(tickets[-1], took(chance.randrange(1, 5000), by), ended), at))
    await stored(database, tickets, changes)
    for zone in ZONES:
        for days, named in ((16, {}), (40, {"grade": "P1"}), (60, {"team": "ops", "kind": "disk"})):
            wish = a_wish(days, zone, **named)
            found = await of(database, wish)
            expected = by_hand(wish, changes)
            assert (found.opened, found.hours) == expected[:2], (zone, days)
            assert (found.spreads, found.clocks) == expected[2:], (zone, days)
            assert {start for start, _, _ in found.opened} <= set(wish.columns)


def by_hand(wish: Wish, changes: list[tuple[Change, datetime]]) -> tuple[object, ...]:
    opened: Counter[tuple[date, str, str]] = Counter()
    hours: Counter[tuple[int, int]] = Counter()
    lasted: dict[tuple[date, Measure, str], list[int]] = defaultdict(list)
    clocks: dict[tuple[date, str, str], Attainment] = defaultdict(Attainment)
    for change, at in changes:
        ticket, local = change.after, at.astimezone(wish.zone)
        wanted = all(name in ("", of) for name, of in
                     ((wish.team, ticket.team), (wish.kind, ticket.kind), (wish.grade, ticket.grade)))  # fmt: skip
        if not (wanted and wish.first <= local.date() <= wish.last):
            continue
        start = local.date() if wish.days <= 31 else local.date() - timedelta(days=local.weekday())
        opened[start, ticket.grade, ticket.kind] += 1
        hours[local.weekday(), local.hour] += 1
        for _, one in change.observed:
            if isinstance(one, Timed):
                lasted[start, one.measure, one.by].append(one.lasted // timedelta(microseconds=1))
            else:
                clocks[start, one.clock, ticket.grade] += Attainment(**{one.end.value: one.rounds})
    return opened, hours, {key: spread(values) for key, values in lasted.items()}, clocks


async def test_the_numbers_are_those_of_the_metrics(database: Database, tmp_path: Path) -> None:
    world = Team(tmp_path, database)
    await a_busy_day(world)
    today = world.clock.now().date()
    found = await of(database, Wish(first=today - timedelta(days=20), last=today, zone=ZoneInfo("UTC")))
    created = await world.sums("tickets_created_total")
    assert found.total == sum(created.values()) == 3
    for measure in Measure:
        buckets, sums = (
            await world.sums(f"ticket_{measure}_seconds_bucket"),
            await world.sums(f"ticket_{measure}_seconds_sum"),
        )
        for by in ("human", "machine", "itself"):
            whole = found.whole.get((measure, by))
            assert _of(buckets, by=by) == (whole.count if whole else 0)
            assert _of(sums, by=by) == pytest.approx(whole.total.total_seconds() if whole else 0)
    levels = found.service_levels()
    for counter, end in COUNTERS.items():
        told = await world.sums(counter)
        for clock, grade in {(dict(key)["clock"], dict(key)["priority"]) for key in told}:
            assert _of(told, clock=clock, priority=grade) == getattr(levels[clock, grade], end.value)
        assert sum(told.values()) == sum(getattr(one, end.value) for one in levels.values()) > 0
    assert found.endings == {"false_alarm": 1, "duplicate": 1}


def _of(sums: dict[tuple[tuple[str, str], ...], float], **labels: str) -> float:
    return sum(value for key, value in sums.items() if labels.items() <= dict(key).items())


async def test_the_first_and_the_last_instant_of_a_period_belong_to_it(database: Database) -> None:
    wish = a_wish(3, "Europe/Berlin")
    edges = [wish.start, wish.end - timedelta(microseconds=1), wish.start - timedelta(microseconds=1), wish.end]
    await stored(database, [a_ticket(number, at) for number, at in enumerate(edges, start=1)], [])
    found = await of(database, wish)
    assert [start for start, _, _ in sorted(found.opened)] == [wish.first, wish.last]
    assert found.total == 2


async def test_of_those_that_people_were_given_it_tells_who_answered_who_waits_and_what_was_over(
    database: Database,
) -> None:
    given = {"handed_over_at": START}
    tickets = [
        a_ticket(1, START),
        a_ticket(2, START, **given, acknowledged_at=START),
        a_ticket(3, START, **given, status=Status.HANDED_OVER),
        a_ticket(4, START, **given, status=Status.RESOLVED),
        a_ticket(5, START, acknowledged_at=START),
    ]
    await stored(database, tickets, [])
    assert (await of(database, a_wish())).answers == Answers(answered=2, waiting=1, never=1)


async def test_runs_are_proven_disproved_unknown_or_left_out(database: Database) -> None:
    outcomes = [("helped", True), ("failed", False), ("unknown", None), (None, None), ("refused", None),
                ("diagnosed", None), ("helped", None)]  # fmt: skip
    await stored(database, [a_ticket(1, START)], [])
    same = {"ticket_id": 1, "runbook": "restart", "target": "web-1", "snapshot": {}, "step": 0, "epoch": 0, "leg": 0}
    rows = [
        {**same, "sentence": "", "ordered_by": "", "started_at": START, "outcome": outcome, "verified": verified}
        for outcome, verified in outcomes
    ]
    await database.write(lambda tx: tx.connection.execute(runs.insert(), rows))
    expected = {"restart": RunCount(proven=1, disproved=1, unknown=3, left_out=2)}
    assert (await of(database, a_wish())).runs == expected
    assert (await of(database, a_wish(grade="P1", team="ops"))).runs == expected
    assert (await of(database, a_wish(grade="P2"))).runs == {}


async def test_one_row_holds_what_one_decision_observed_and_two_of_a_kind_take_two(database: Database) -> None:
    ticket = a_ticket(1, START)
    change = observed(
        ticket,
        took(60, "machine", Measure.RESTORE),
        took(90, "machine", Measure.RESOLVE),
        Ended(clock="restore", end=ClockEnd.MET),
        took(5, "human"),
        took(61, "machine", Measure.RESTORE),
    )
    await stored(database, [ticket], [(change, START)])
    count = await database.read(
        lambda tx: tx.connection.execute(text("SELECT count(*) FROM observations")).scalar_one()
    )
    found = await of(database, a_wish())
    assert (count, found.whole[Measure.RESTORE, "machine"].count, found.whole[Measure.ACKNOWLEDGE, "human"].count) == (
        3,
        2,
        1,
    )


async def test_a_ticket_that_is_regraded_later_counts_under_the_grade_that_it_had(database: Database) -> None:
    ticket = a_ticket(1, START, grade="P3")
    change = observed(ticket, took(5))
    change.update(grade="P1")
    await stored(database, [change.after], [(change, START)])
    assert (await of(database, a_wish(grade="P3"))).whole.keys() == {(Measure.ACKNOWLEDGE, "human")}
    assert (await of(database, a_wish(grade="P1"))).whole == {}


async def test_nothing_is_nothing(database: Database) -> None:
    found = await of(database, a_wish(90))
    assert (found.total, found.hours, found.whole, found.clocks, found.runs) == (0, {}, {}, {}, {})


def test_every_query_walks_an_index(tmp_path: Path) -> None:
    database, asked = opened(tmp_path / "responder.db"), []
    with database.engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: asked.append(args[2:4]))
        StatisticsStore(connection).of(a_wish(90, "Europe/Berlin", team="ops"))
        plans = {
            query: [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
            for query, values in list(asked)
            if query.startswith("SELECT")
        }
    database.close()
    assert len(plans) == 6
    assert {query: plan for query, plan in plans.items() if any(line.startswith("SCAN") for line in plan)} == {}
