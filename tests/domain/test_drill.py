"""When a drill is due, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from responder.domain.drill import Answer, Drill, DrillRule, next_drill, summary

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
RULE = DrillRule(every=timedelta(days=30), at=time(14), days=frozenset(range(5)), within=HOUR)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        # A Friday: today if it is not too late, else on Monday.
        (None, "2026-11-20T13:59:59", "2026-11-20T14:00:00"),
        (None, "2026-11-20T14:00:00", "2026-11-23T14:00:00"),
        # Thirty days after the day of the last one, which is a Sunday.
        ("2026-11-20T14:00:07", "2026-11-20T15:00:00", "2026-12-21T14:00:00"),
        # One that was missed comes at its time of the day, not in the night in which that was noticed.
        ("2026-08-03T14:00:00", "2026-11-20T03:00:00", "2026-11-20T14:00:00"),
        # Summer time ends in between.
        ("2026-10-01T14:00:00", "2026-10-01T15:00:00", "2026-11-02T14:00:00"),
    ],
)
def test_a_drill_is_due_at_its_time_on_its_days(last: str | None, now: str, due: str) -> None:
    assert next_drill(RULE, BERLIN, at(last) if last else None, at(now)) == at(due)


def test_a_drill_is_over_when_its_time_has_passed_or_everybody_has_confirmed() -> None:
    start = at("2026-11-20T14:00:00")
    mei, lars = Answer(person="mei"), Answer(person="lars", skipped="in quiet hours")
    drill = Drill(id=7, due_at=start, until=start + HOUR, started_at=start, answers=(mei, lars))

    assert not drill.is_over(start + HOUR - timedelta(seconds=1))
    assert drill.is_over(start + HOUR)
    assert drill.silent == ("mei",)
    assert "Reachability drill 7: mei did not confirm" in summary(drill)
    confirmed = drill.with_answer(replace(mei, confirmed_at=start))
    assert (confirmed.is_over(start), confirmed.silent) == (True, ())
    assert not replace(confirmed, ended_at=start).is_over(start)
    assert not replace(confirmed, started_at=None).is_over(start + HOUR)
