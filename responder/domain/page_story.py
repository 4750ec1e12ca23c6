"""What the history of a ticket says about who has it and who was called, read by the audit of pages alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """An event as it is stored."""

    id: int
    at: datetime
    kind: str
    data: Mapping[str, Any]


@dataclass(kw_only=True, slots=True)
class Story:
    """What the history of a ticket says, read from its beginning. `called_at`: people have to be told since then."""

    status: str = ""
    episode: int = 1
    acknowledged_by: str = ""
    called_at: datetime | None = None
    last_at: datetime | None = None
    restored_at: datetime | None = None
    held: bool = False
    breaks: list[str] = field(default_factory=list)
    snapshots: dict[int, Fact] = field(default_factory=dict)
    steps: dict[int, list[Fact]] = field(default_factory=dict)

    @property
    def calls_people(self) -> bool:
        """Whether somebody has to take it: it is with people, and nobody has it."""
        return self.status == "handed_over" and not self.acknowledged_by


def story_of(facts: Iterable[Fact]) -> Story:
    """What a ticket's events come to."""
    story = Story()
    for fact in facts:
        if not story.status and fact.kind != "opened":
            story.breaks.append("its history does not begin with its opening")
            story.status = str(fact.data.get("was", "new"))
        if fact.kind in _READ:
            _READ[fact.kind](story, fact)
        story.last_at = fact.at
    return story


def _opened(story: Story, fact: Fact) -> None:
    if story.status:
        story.breaks.append("it was opened twice")
    story.status, story.last_at = "new", fact.at


def _moved(story: Story, fact: Fact) -> None:
    was, status, action = (str(fact.data.get(name, "")) for name in ("was", "status", "action"))
    if was != story.status:
        story.breaks.append(f"a move from {was} to {status} follows on {story.status}")
    story.status, story.held = status, False
    story.restored_at = fact.at if status == "restored" and was != status else story.restored_at
    if action == "acknowledge":
        story.acknowledged_by = "somebody"
    elif action in ("hand_over", "relapse", "reopen"):
        story.acknowledged_by = ""
        story.called_at = fact.at
    if action in ("relapse", "reopen"):
        story.episode += 1


def _handled(story: Story, fact: Fact) -> None:
    if "assignee" in fact.data:
        story.acknowledged_by = str(fact.data["assignee"])
    is_moved = fact.data.get("team", "") != fact.data.get("was_team", "")
    if story.status == "handed_over" and (fact.data.get("fact") == "escalated" or is_moved):
        story.called_at = fact.at


def _regraded(story: Story, fact: Fact) -> None:
    """A raise tells anew; lowered, it may go on as it is."""
    if fact.data.get("raised") and story.calls_people:
        story.called_at = fact.at


def _held(story: Story, fact: Fact) -> None:
    if "held" in fact.data:
        story.held = bool(fact.data["held"])


def _escalation(story: Story, fact: Fact) -> None:
    if "chain" not in fact.data:
        return
    number = int(fact.data["chain"])
    if "steps" in fact.data:
        if number in story.snapshots:
            story.breaks.append(f"its chain {number} was begun twice")
        story.snapshots[number] = fact
    elif "step" in fact.data:
        story.steps.setdefault(number, []).append(fact)


_READ = {
    "opened": _opened,
    "moved": _moved,
    "handled": _handled,
    "regraded": _regraded,
    "held": _held,
    "escalation": _escalation,
}
