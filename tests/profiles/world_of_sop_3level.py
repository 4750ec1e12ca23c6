"""The people of the stories about sop-3level, and steps that many of them take."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from responder.domain.parts import Part
from responder.flows.parts import add_part
from tests.profiles.walking import Walk

SHANGHAI = ZoneInfo("Asia/Shanghai")
PEOPLE: dict[str, tuple[list[str], dict[str, int]]] = {
    "desk": ([], {"service-desk": 1}),
    "hanna": ([], {"support-1": 1}),
    "sam": ([], {"support-2": 1}),
    "otto": (["support-engineer"], {"service-desk": 2, "support-1": 2, "support-2": 2}),
    "rosa": (["rd-director"], {"service-desk": 3, "support-1": 3, "support-2": 3}),
    "remy": (["rd"], {}),
    "pia": (["production"], {}),
    "quin": (["quality"], {}),
    "mina": (["support-manager"], {}),
    "hugo": (["support-head"], {}),
}
IMPACTS = {"level-1": "core function unusable", "level-2": "partly unusable", "level-3": "cosmetic"}
BOARD = "board-7"
PLAN: dict[str, Any] = {
    "kind": "replace",
    "steps": ["Order the courier", "Swap the board"],
    "due": "2026-11-24T12:00+08:00",
}


def at(hour: int, minute: int = 0, *, day: int = 23) -> datetime:
    """A local time in November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


async def reported(walk: Walk, level: str = "level-1") -> None:
    fields = {"product": "P900", "symptom": "no light", "impact": IMPACTS[level]}
    await walk.report("The pump stops", channel="dealer", fields=fields)


async def diagnosed(walk: Walk, level: str = "level-1") -> None:
    """Classified, taken, escalated to the support engineer, and diagnosed."""
    await reported(walk, level)
    await walk.do("classify", "desk", kind="hardware")
    await walk.do("acknowledge", "hanna")
    await walk.do("escalate", "hanna", reason="the board must be measured")
    await walk.do("acknowledge", "otto")
    await walk.do("diagnose", "otto", text="The board is burnt", cause_class="product_defect", cause="a weak fuse")


async def repaired(walk: Walk, level: str = "level-1") -> None:
    """Planned, approved by whoever must, and repaired."""
    await diagnosed(walk, level)
    await walk.do("propose", "otto", **PLAN)
    for name in {"level-1": ["mina", "rosa"], "level-2": ["mina"], "level-3": ["otto"]}[level]:
        await walk.do("approve", name)
    await walk.do("solve", "otto", text="A new board with a stronger fuse")
    await walk.do("restore", "otto", reason="It runs with the new board")


async def a_board_in_stock(walk: Walk, count: int = 1) -> None:
    part = Part(number=BOARD, name="power board", place="shelf 2", stock=count, changed_at=walk.clock.now())
    await add_part(walk.desk, part, "storekeeper")
