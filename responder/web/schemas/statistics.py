"""Statistics as the API answers them. Durations are seconds, days are local ones of the zone."""

from __future__ import annotations

from datetime import date
from typing import Literal

from typing_extensions import TypedDict


class Opened(TypedDict):
    start: date
    grade: str
    kind: str
    count: int


class Hour(TypedDict):
    """Weekdays count from Monday (1) to Sunday (7)."""

    weekday: int
    hour: int
    count: int


class WholeDuration(TypedDict):
    measure: Literal["acknowledge", "restore", "resolve"]
    by: Literal["human", "machine", "itself"]
    count: int
    mean: float
    p25: float
    median: float
    p75: float
    p90: float


class Duration(WholeDuration):
    start: date


class WholeClock(TypedDict):
    clock: str
    grade: str
    met: int
    breached: int
    excluded: int
    attainment: float | None


class Clock(WholeClock):
    start: date


class Runbook(TypedDict):
    runbook: str
    proven: int
    disproved: int
    unknown: int
    left_out: int
    success_rate: float | None


class Answers(TypedDict):
    answered: int
    waiting: int
    never: int


Statistics = TypedDict(
    "Statistics",
    {
        "from": date,
        "to": date,
        "zone": str,
        "step": Literal["day", "week"],
        "team": str,
        "kind": str,
        "grade": str,
        "total": int,
        "endings": dict[str, int],
        "answers": Answers,
        "tickets": list[Opened],
        "hours": list[Hour],
        "durations": list[Duration],
        "durations_whole": list[WholeDuration],
        "clocks": list[Clock],
        "clocks_whole": list[WholeClock],
        "runbooks": list[Runbook],
    },
)
