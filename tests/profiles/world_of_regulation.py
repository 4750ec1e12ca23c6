"""The people of the stories about regulation, and steps that many of them take."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from responder.domain.actions import ActionItem
from responder.domain.review import ReviewForm
from responder.flows import knowledge
from responder.flows.review import write_review
from tests.profiles.walking import DAY, MINUTE, Walk

SHANGHAI = ZoneInfo("Asia/Shanghai")
PEOPLE: dict[str, tuple[list[str], dict[str, int]]] = {
    "rita": (["reviewer"], {"reports": 1}),
    "ana": (["analyst"], {"reports": 2}),
    "hans": ([], {"hardware": 1}),
    "sven": ([], {"software": 1}),
    "rolf": ([], {"hardware": 2, "software": 2}),
    "rhea": ([], {"hardware": 3, "software": 3}),
    "dora": ([], {"service-desk": 1}),
    "finn": ([], {"facilities": 1}),
}
FIELDS = {"product": "P900", "symptom": "no light", "scope": "whole system"}
PLAN: dict[str, Any] = {"kind": "permanent_fix", "steps": ["Fit a stronger fuse"]}
WHYS = (
    "The fuse blew",
    "It was too weak",
    "The inrush was never measured",
    "No test asks for it",
    "The test plan is from 2009",
)
FACTORS = ("method: the test plan is old", "material: a weak fuse", "people: nobody was asked")


def at(hour: int, minute: int = 0, *, day: int = 23) -> datetime:
    """A local time in November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


async def reported(walk: Walk, **fields: str) -> None:
    await walk.report("The pump stops", channel="website", fields={**FIELDS, **fields})


async def reviewed(walk: Walk) -> None:
    """Reported, held against the standard by a reviewer, and taken by the team of its kind."""
    await reported(walk)
    await walk.do("regrade", "rita", grade="severe", reason="by the standard, page 3")
    await walk.do("classify", "rita", kind="hardware")
    await walk.do("acknowledge", "hans")


async def proposed(walk: Walk, **plan: Any) -> None:
    """A plan which the reviewers have let through."""
    await walk.refused("propose", "hans", **{**PLAN, **plan})
    await walk.do("approve", "rita")
    await walk.do("propose", "hans", **{**PLAN, **plan})


async def solved(walk: Walk) -> None:
    """Isolated first, then mended for good, and quiet for long enough."""
    await reviewed(walk)
    await proposed(walk, kind="isolation", steps=["Take the pump off the mains"])
    await walk.do("restore", "hans", reason="the second pump has taken over")
    await walk.do("propose", "hans", **PLAN)
    await walk.do("diagnose", "hans", text="The fuse is too weak", cause_class="hardware")
    await walk.leaps(10 * MINUTE)


def a_review(walk: Walk) -> ReviewForm:
    measures = ["risk review of all fuses", "inspection plan: fuses, monthly", "training on inrush", "manual, page 12"]
    due = walk.clock.now() + 14 * DAY
    return ReviewForm(
        root_cause="The test plan is too old",
        cause_class="hardware",
        whys=WHYS,
        factors=FACTORS,
        actions=tuple(ActionItem(text=text, owner="hans", due_at=due) for text in measures),
    )


async def learnt(walk: Walk) -> None:
    """Reviewed by five whys, and the maintenance document is updated."""
    await write_review(walk.desk, "1", "ana", a_review(walk))
    article = await knowledge.draft(walk.desk, "1", "ana")
    await knowledge.edit(walk.desk, article.id, {"solution": "Fit the fuse of 16 A"}, "ana")
    await knowledge.publish(walk.desk, article.id, "ana")
