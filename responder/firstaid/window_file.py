"""`hours:` of a runbook: when it may act, by the clock on the wall."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from responder.domain.windows import DAYS, Window

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24:00)")


def _day(text: str) -> str:
    day = text.lower()[:3]
    if day not in DAYS or text.lower() not in (day, _FULL[day]):
        raise ValueError(f"{text!r} is no day; there are {', '.join(DAYS)}")
    return day


_FULL = dict(zip(DAYS, ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), strict=True))


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} is no time zone; write it like Europe/Berlin") from error
    return text


def _clock(value: object) -> str:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(f"{value!r} is no time of day; write it like '08:00'")
    return value


Clock = Annotated[str, BeforeValidator(_clock)]
Day = Annotated[str, AfterValidator(_day)]
Zone = Annotated[str, AfterValidator(_zone)]


class WindowFile(BaseModel):
    """Days, times and zone. An end that is not after the start is one of the next day; `24:00` is midnight."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[tuple[Day, ...], Field(min_length=1)] = DAYS
    start: Annotated[Clock, Field(alias="from")] = "00:00"
    end: Annotated[Clock, Field(alias="to")] = "24:00"
    zone: Zone = "UTC"

    def as_window(self) -> Window:
        """The window as the domain knows it."""
        return Window(days=self.days, start=as_time(self.start), end=as_time(self.end), zone=ZoneInfo(self.zone))


def as_time(text: str) -> time:
    """The time of day that such a text says."""
    hour, minute = text.split(":")
    return time(int(hour) % 24, int(minute))
