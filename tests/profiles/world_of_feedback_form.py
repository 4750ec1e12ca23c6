"""The people of the stories about feedback-form, and steps that many of them take."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from responder.store.database import Database
from tests.profiles.walking import HOUR, Walk

SHANGHAI = ZoneInfo("Asia/Shanghai")
PEOPLE: dict[str, tuple[list[str], dict[str, int]]] = {
    "dora": ([], {"service-desk": 1}),
    "tom": ([], {"technical": 1}),
    "tara": ([], {"technical": 2}),
    "sue": ([], {"service": 1}),
}
FIELDS = {"product": "P900", "symptom": "the cover rattles", "occurred_at": "2026-09-30 09:30"}


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A local time in 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def a_walk(folder: Path, database: Database, start: datetime, more: str = "") -> Walk:
    walk = Walk(folder, database, "feedback-form", PEOPLE, start=start, more=more)
    walk.in_the_years_around(start.date())
    return walk


async def reported(walk: Walk, kind: str = "technical-software", **content: Any) -> None:
    await walk.report("The cover rattles", fields=FIELDS, **content)
    await walk.do("classify", "dora", kind=kind)


async def handled(walk: Walk, kind: str = "technical-software") -> None:
    """Reported, taken, found out and mended; now the reporter has the word."""
    await reported(walk, kind)
    await walk.do("acknowledge", "tom")
    await walk.do("diagnose", "tom", text="a screw is missing", cause_class="product_defect")
    await walk.do("solve", "tom", text="a screw was sent")
    await walk.do("restore", "tom", reason="the screw has arrived")
    await walk.leaps(HOUR)


async def written_at(walk: Walk, letter: str) -> list[datetime]:
    """When such letters were written to the reporter, in local time."""
    events = (await walk.ticket())["events"]
    written = [event["at"] for event in events if event["text"] == f"Written to the reporter ({letter})."]
    return [datetime.fromisoformat(one).astimezone(SHANGHAI) for one in written]


async def written_on(walk: Walk, letter: str) -> list[date]:
    """The days on which such letters were written to the reporter."""
    return [one.date() for one in await written_at(walk, letter)]
