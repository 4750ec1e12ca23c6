"""A runbook together with its file: every step with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from responder.adapters.yaml_file import Document, Place, load
from responder.domain.acts import Act, Ask, Command, Moment, Request
from responder.domain.runbook import Runbook
from responder.firstaid.loader import load_runbook
from responder.firstaid.rendering import names_used
from responder.firstaid.step import Step
from responder.firstaid.steps import kinds

PRECHECK, MAIN, ROLLBACK, ON_FAILURE, ALWAYS = "precheck", "steps", "rollback", "on_failure", "always"
_ALREADY = datetime(2026, 1, 1, tzinfo=UTC)
_BESIDE_THE_KIND = ("name", "rollback")


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A step as written, and where. `group` is that of the foreach around it."""

    name: str
    kind: str
    place: Place
    phase: str
    settings: Mapping[str, Any]
    step: Step
    group: str = ""
    has_rollback: bool = False
    is_named: bool = False

    @property
    def at(self) -> Place:
        """The place of its settings."""
        return (*self.place, self.kind)

    @cached_property
    def parameters(self) -> set[str]:
        """The names that its templates ask for."""
        return names_used(self.settings)

    @cached_property
    def first_acts(self) -> tuple[Act, ...]:
        """What it does at first when its look tells it nothing."""
        facts = self.step.read(None)
        return self.step.plan(facts, facts, Moment(started_at=_ALREADY, now=_ALREADY))

    @property
    def asks(self) -> tuple[Ask, ...]:
        return tuple(act for act in self.first_acts if isinstance(act, Ask))

    @property
    def acts_blindly(self) -> bool:
        """Whether it acts without a look of its own, so that nothing in it says whether that helped."""
        return self.step.look() is None and any(_changes_something(act) for act in self.first_acts)

    @property
    def only_looks(self) -> bool:
        """Whether it asks something and can do nothing but wait, fail, or go on."""
        return self.step.only_looks and self.step.look() is not None

    @property
    def acts(self) -> bool:
        """Whether it may change something."""
        return self.acts_blindly or (self.step.look() is not None and not self.only_looks)


def _changes_something(act: Act) -> bool:
    return isinstance(act, Request) or (isinstance(act, Command) and not act.harmless)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What the rules about one runbook look at."""

    document: Document
    runbook: Runbook

    @cached_property
    def steps(self) -> tuple[Placed, ...]:
        """Every step, in the order in which it is written."""
        folder = self.document.path.parent
        return tuple(
            step
            for phase in (PRECHECK, MAIN, ON_FAILURE, ALWAYS)
            for step in _placed(self.document.data.get(phase) or [], (phase,), phase, folder)
        )

    def of(self, *phases: str) -> tuple[Placed, ...]:
        """The steps of these phases."""
        return tuple(step for step in self.steps if step.phase in phases)

    def has_comment(self, place: Place) -> bool:
        """Whether a comment stands in the line of the place or in the one above."""
        line = self.document.problem(place, "").line
        return any("#" in text for text in self.document.text.splitlines()[max(line - 2, 0) : line])


def read_sheet(path: Path) -> Sheet:
    """The runbook in a file, ready to be looked through. Raises ConfigError when the loader refuses it."""
    return Sheet(document=load(path), runbook=load_runbook(path))


def _placed(entries: list[Any], place: Place, phase: str, folder: Path, group: str = "") -> Iterator[Placed]:
    for index, entry in enumerate(entries):
        here = (*place, index)
        if "foreach" in entry:
            inner = entry["foreach"]
            yield from _placed(inner["steps"], (*here, "foreach", "steps"), phase, folder, inner["group"])
        elif "unbreakable" in entry:
            yield from _placed(entry["unbreakable"], (*here, "unbreakable"), phase, folder, group)
        else:
            yield _one(entry, here, phase, folder, group)
            yield from _placed(entry.get("rollback") or [], (*here, "rollback"), ROLLBACK, folder, group)


def _one(entry: Mapping[str, Any], place: Place, phase: str, folder: Path, group: str) -> Placed:
    kind = next(key for key in entry if key not in _BESIDE_THE_KIND)
    settings = entry[kind] or {}
    return Placed(
        name=str(entry.get("name") or kind),
        kind=kind,
        place=place,
        phase=phase,
        settings=settings,
        step=kinds()[kind].model_validate(kinds()[kind].prepared(settings, folder)),
        group=group,
        has_rollback=bool(entry.get("rollback")),
        is_named=bool(entry.get("name")),
    )
