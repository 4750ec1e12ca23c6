"""Statistics: what was observed is kept with its instant, and read back by local days or weeks.

Days, weeks and hours are worked out by the database, with whole numbers of microseconds: an instant, moved by the
offset that the zone's clocks had then, divided by the length of a day. Both databases do that alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy import type_coerce as coerced
from sqlalchemy.engine import Connection

from responder.clock import MICROSECOND, microseconds
from responder.domain.observed import ClockEnd, Ended, Measure, Observation
from responder.domain.runbook import RunOutcome
from responder.domain.statistics import Answers, Attainment, RunCount, Statistics, Step, Wish, spread
from responder.domain.ticket import Change, Disposition, Status
from responder.store.bulk import Bulk
from responder.store.tables import observations, runs, tickets

_INSERT = Bulk(
    observations, "ticket_id", "at", "grade", "team", "kind", "who", "acknowledge", "restore", "resolve", "ends"
)
_NONE = "[]"
_HOUR = timedelta(hours=1)
_DAY = 24 * _HOUR
# 1970 began on a Thursday, three days after a Monday.
_TO_MONDAY = 3
_JUDGED = (RunOutcome.HELPED, RunOutcome.FAILED, RunOutcome.UNKNOWN)


class StatisticsStore:
    """The only way to rows of observations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, changes: Iterable[Change], now: datetime) -> None:
        """Writes what decisions have observed, in the transaction of their sums."""
        rows = [(change.after.id, now, *row.values) for change in changes for row in _rows_of(change)]
        _INSERT.insert(self._connection, rows)

    def of(self, wish: Wish) -> Statistics:
        """All numbers of a period."""
        endings, answers = self._endings(wish)
        lasted = self._lasted(wish)
        whole: dict[tuple[Measure, str], list[int]] = {}
        for (_, measure, who), values in lasted.items():
            whole.setdefault((measure, who), []).extend(values)
        return Statistics(
            wish=wish,
            opened=self._opened(wish),
            hours=self._hours(wish),
            endings=endings,
            answers=answers,
            spreads={key: spread(values) for key, values in lasted.items()},
            whole={key: spread(values) for key, values in whole.items()},
            clocks=self._clocks(wish),
            runs=self._runs(wish),
        )

    # --- tickets -----------------------------------------------------------------------------------

    def _opened(self, wish: Wish) -> dict[tuple[date, str, str], int]:
        place = _column(tickets.c.opened_at, wish).label("place")
        query = select(place, tickets.c.grade, tickets.c.kind, func.count()).where(*_asked(tickets, "opened_at", wish))
        rows = self._rows(query.group_by(place, tickets.c.grade, tickets.c.kind))
        return {(wish.column(number), grade, kind): count for number, grade, kind, count in rows}

    def _hours(self, wish: Wish) -> dict[tuple[int, int], int]:
        place = (_local(tickets.c.opened_at, wish) // _whole(_HOUR)).label("place")
        query = select(place, func.count()).where(*_asked(tickets, "opened_at", wish)).group_by(place)
        found: dict[tuple[int, int], int] = {}
        for number, count in self._rows(query):
            hour = ((number // 24 + _TO_MONDAY) % 7, number % 24)
            found[hour] = found.get(hour, 0) + count
        return found

    def _endings(self, wish: Wish) -> tuple[dict[str, int], Answers]:
        """How many ended without a solution, and how those that people were given were answered."""
        how = case((tickets.c.merged_into.is_not(None), Disposition.DUPLICATE.value), else_=tickets.c.disposition)
        state = case(
            (tickets.c.acknowledged_at.is_not(None), "answered"),
            (tickets.c.handed_over_at.is_(None), ""),
            (tickets.c.status == Status.HANDED_OVER.value, "waiting"),
            else_="never",
        )
        query = select(how, state, func.count()).where(*_asked(tickets, "opened_at", wish)).group_by(how, state)
        endings: Counter[str] = Counter()
        answers: Counter[str] = Counter()
        for ending, answer, count in self._rows(query):
            endings[ending] += count
            answers[answer] += count
        return {name: count for name, count in endings.items() if name}, Answers(
            answered=answers["answered"], waiting=answers["waiting"], never=answers["never"]
        )

    # --- durations and clocks ----------------------------------------------------------------------

    def _lasted(self, wish: Wish) -> dict[tuple[date, Measure, str], list[int]]:
        """Every duration, in microseconds. A text for each column comes far sooner than that many rows."""
        place = _column(observations.c.at, wish).label("place")
        texts = [func.aggregate_strings(cast(observations.c[one.value], Text), ",").label(one.value) for one in Measure]
        query = select(place, observations.c.who, *texts)
        query = query.where(*_asked(observations, "at", wish), observations.c.who != "")
        found: dict[tuple[date, Measure, str], list[int]] = {}
        for row in self._rows(query.group_by(place, observations.c.who)):
            for one in Measure:
                if text := getattr(row, one.value):
                    found[wish.column(row.place), one, row.who] = list(map(int, text.split(",")))
        return found

    def _clocks(self, wish: Wish) -> dict[tuple[date, str, str], Attainment]:
        place, ends = _column(observations.c.at, wish).label("place"), coerced(observations.c.ends, Text)
        query = select(place, observations.c.grade, ends, func.count()).where(*_asked(observations, "at", wish))
        found: Counter[tuple[date, str, str, str]] = Counter()
        query = query.where(ends != _NONE).group_by(place, observations.c.grade, ends)
        for number, grade, text, count in self._rows(query):
            for clock, result, rounds in orjson.loads(text):
                found[wish.column(number), clock, grade, result] += rounds * count
        return {
            (start, clock, grade): Attainment(**{one.value: found[start, clock, grade, one.value] for one in ClockEnd})
            for start, clock, grade, _ in found
        }

    # --- runs --------------------------------------------------------------------------------------

    def _runs(self, wish: Wish) -> dict[str, RunCount]:
        is_open = or_(runs.c.outcome.is_(None), runs.c.outcome.in_([one.value for one in _JUDGED]))
        state = case(
            (runs.c.verified.is_(True), "proven"),
            (runs.c.verified.is_(False), "disproved"),
            (is_open, "unknown"),
            else_="left_out",
        )
        query = select(runs.c.runbook, state, func.count()).where(*_between(runs.c.started_at, wish))
        if named := _named(tickets, wish):
            query = query.join(tickets, tickets.c.id == runs.c.ticket_id).where(*named)
        found: dict[str, dict[str, int]] = {}
        for runbook, name, count in self._rows(query.group_by(runs.c.runbook, state)):
            found.setdefault(runbook, {})[name] = count
        return {runbook: RunCount(**counts) for runbook, counts in found.items()}

    def _rows(self, query: Select[*tuple[Any, ...]]) -> list[Any]:
        return list(self._connection.execute(query))


@dataclass(kw_only=True, slots=True)
class _Observed:
    """One row: what one decision observed of a ticket while it had this grade, team and kind."""

    of: tuple[str, str, str]
    who: str = ""
    lasted: dict[str, int] = field(default_factory=dict)
    ends: list[tuple[str, str, int]] = field(default_factory=list)

    def has_room(self, of: tuple[str, str, str], one: Observation) -> bool:
        if of != self.of or isinstance(one, Ended):
            return of == self.of
        return self.who in ("", one.by) and one.measure not in self.lasted

    def add(self, one: Observation) -> None:
        if isinstance(one, Ended):
            self.ends.append((one.clock, one.end.value, one.rounds))
        else:
            self.who = one.by
            self.lasted[one.measure] = one.lasted // MICROSECOND

    @property
    def values(self) -> tuple[object, ...]:
        return (*self.of, self.who, *(self.lasted.get(one) for one in Measure), sorted(self.ends))


def _rows_of(change: Change) -> list[_Observed]:
    rows: list[_Observed] = []
    for ticket, one in change.observed:
        of = (ticket.grade, ticket.team, ticket.kind)
        row = next((row for row in rows if row.has_room(of, one)), None)
        if row is None:
            row = _Observed(of=of)
            rows.append(row)
        row.add(one)
    return rows


def _asked(table: Table, instant: str, wish: Wish) -> list[ColumnElement[bool]]:
    return [*_between(table.c[instant], wish), *_named(table, wish)]


def _between(instant: ColumnElement[Any], wish: Wish) -> list[ColumnElement[bool]]:
    return [and_(instant >= wish.start, instant < wish.end)]


def _named(table: Table, wish: Wish) -> list[ColumnElement[bool]]:
    wanted = {"team": wish.team, "kind": wish.kind, "grade": wish.grade}
    return [table.c[name] == text for name, text in wanted.items() if text]


def _column(instant: ColumnElement[Any], wish: Wish) -> ColumnElement[int]:
    """The number of the local day, or of the week, as `Wish.column` reads it."""
    local = _local(instant, wish)
    if wish.step is Step.DAY:
        return local // _whole(_DAY)
    return (local + _whole(_TO_MONDAY * _DAY)) // _whole(7 * _DAY)


def _local(instant: ColumnElement[Any], wish: Wish) -> ColumnElement[int]:
    """What the clocks on the wall show, in microseconds since theirs showed the beginning of 1970."""
    raw, pieces = coerced(instant, BigInteger), wish.pieces
    last = raw + _whole(pieces[-1].offset)
    if len(pieces) == 1:
        return last
    whens = [(raw < literal_column(str(microseconds(one.until))), raw + _whole(one.offset)) for one in pieces[:-1]]
    return case(*whens, else_=last)


def _whole(duration: timedelta) -> ColumnElement[int]:
    # Written out: where it is bound, PostgreSQL does not see that a column of the groups is the one that is selected.
    return literal_column(str(duration // MICROSECOND), BigInteger)
