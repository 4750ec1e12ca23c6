"""Statistics as the API is asked for them and answers them. Durations are seconds, days are local ones of the zone."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from responder.web.operations import Asked

# --- what is asked -------------------------------------------------------------------------------------------


_DAYS: dict[str, Any] = {"pattern": "^([1-9]|[1-9][0-9]|[1-3][0-9][0-9]|400)?$"}
Day = Annotated[str, Field(json_schema_extra={"pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"})]


class PeriodQuery(Asked):
    """A period of local days, and of which tickets."""

    days: str | None = Field(None, description="So many days up to `to`.", json_schema_extra=_DAYS)
    first: Day | None = Field(None, alias="from", description="The first day, such as 2026-01-05.")
    to: Day | None = Field(None, description="The last day; today, if it is not said.")
    team: str | None = None
    kind: str | None = None
    grade: str | None = None
    zone: str | None = Field(None, description="The time zone of the days; the policy's, if it is not said.")


# --- what is answered ----------------------------------------------------------------------------------------


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
