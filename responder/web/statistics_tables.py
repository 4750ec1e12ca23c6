"""The numbers of statistics as tables: what the API answers, as JSON and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import timedelta
from io import StringIO
from typing import Any

from responder.domain.charts.hours import DAYS, HOURS
from responder.domain.statistics import Attainment, RunCount, Spread, Statistics

Table = Sequence[Mapping[str, Any]]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def tables(found: Statistics) -> dict[str, Table]:
    """Every table by its name; durations are seconds, weekdays count from Monday (1) to Sunday (7)."""
    return {
        "tickets": [
            {"start": start.isoformat(), "grade": grade, "kind": kind, "count": count}
            for (start, grade, kind), count in sorted(found.opened.items())
        ],
        "hours": [
            {"weekday": day + 1, "hour": hour, "count": found.hours.get((day, hour), 0)}
            for day in range(DAYS)
            for hour in range(HOURS)
        ],
        "durations": [
            {"start": start.isoformat(), "measure": measure.value, "by": by, **_spread(one)}
            for (start, measure, by), one in sorted(found.spreads.items())
        ],
        "durations_whole": [
            {"measure": measure.value, "by": by, **_spread(one)} for (measure, by), one in sorted(found.whole.items())
        ],
        "clocks": [
            {"start": start.isoformat(), "clock": clock, "grade": grade, **_attainment(one)}
            for (start, clock, grade), one in sorted(found.clocks.items())
        ],
        "clocks_whole": [
            {"clock": clock, "grade": grade, **_attainment(one)}
            for (clock, grade), one in sorted(found.service_levels().items())
        ],
        "runbooks": [{"runbook": name, **_runs(one)} for name, one in sorted(found.runs.items())],
    }


TABLES = ("tickets", "hours", "durations", "durations_whole", "clocks", "clocks_whole", "runbooks")


def as_plain(found: Statistics) -> dict[str, Any]:
    """Everything, with what was asked for."""
    wish = found.wish
    return {
        "from": wish.first.isoformat(),
        "to": wish.last.isoformat(),
        "zone": wish.zone.key,
        "step": wish.step.value,
        "team": wish.team,
        "kind": wish.kind,
        "grade": wish.grade,
        "total": found.total,
        "endings": dict(sorted(found.endings.items())),
        "answers": {
            "answered": found.answers.answered,
            "waiting": found.answers.waiting,
            "never": found.answers.never,
        },
        **tables(found),
    }


def as_csv(rows: Table) -> str:
    """A table with a line of names; no cell is taken for a formula by a spreadsheet."""
    text = StringIO()
    if rows:
        written = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
        written.writeheader()
        written.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _spread(one: Spread) -> dict[str, float | int]:
    return {
        "count": one.count,
        "mean": _seconds(one.mean),
        "p25": _seconds(one.quarter),
        "median": _seconds(one.median),
        "p75": _seconds(one.three_quarters),
        "p90": _seconds(one.most),
    }


def _seconds(duration: timedelta) -> float:
    return round(duration.total_seconds(), 6)


def _attainment(one: Attainment) -> dict[str, float | int | None]:
    return {"met": one.met, "breached": one.breached, "excluded": one.excluded, "attainment": _share(one.share)}


def _runs(one: RunCount) -> dict[str, float | int | None]:
    counts = {"proven": one.proven, "disproved": one.disproved, "unknown": one.unknown, "left_out": one.left_out}
    return {**counts, "success_rate": _share(one.share)}


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
