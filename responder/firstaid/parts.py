"""The parts of a runbook file: steps, unbreakable blocks and foreach, each checked at its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from responder.adapters.yaml_file import Document, Place, explained
from responder.domain.runbook import ForEachSpec, PartSpec, StepSpec, UnbreakableSpec
from responder.errors import Problem
from responder.firstaid.rendering import names_used
from responder.firstaid.steps import kinds

_BESIDE_THE_KIND = {"name", "rollback"}


class ForEachFile(BaseModel):
    """The same steps on every target of a group."""

    model_config = ConfigDict(extra="forbid")

    group: Annotated[str, Field(min_length=1)]
    max_parallel: Annotated[int, Field(ge=1, le=100)] = 1
    stop_after_failures: Annotated[int, Field(ge=1)] = 1
    steps: Annotated[list[dict[str, Any]], Field(min_length=1)]


class Parts:
    """Reads the parts of one document; every mistake goes into `problems`."""

    def __init__(self, document: Document, known_names: set[str], problems: list[Problem]) -> None:
        self._document = document
        self._known = known_names
        self._problems = problems
        self.digests: list[str] = []
        """Of the files that came along: they are part of what a reviewer has read."""

    def parts(self, entries: Sequence[Mapping[str, Any]], place: Place) -> tuple[PartSpec, ...]:
        made = (self._part(entry, (*place, index)) for index, entry in enumerate(entries))
        return tuple(part for part in made if part is not None)

    def steps(self, entries: Any, place: Place, *, is_main: bool = False) -> tuple[StepSpec, ...]:
        """Plain steps only: the blocks around the main part hold nothing else. Only what is in the main part can be
        rolled back."""
        if not isinstance(entries, list):
            self._complain(place, "a list of steps is expected here")
            return ()
        for index, entry in enumerate(entries):
            if not is_main and isinstance(entry, Mapping) and "rollback" in entry:
                self._complain((*place, index), "rollback: belongs to a step of steps:; this one is never rolled back")
        made = (self._step(entry, (*place, index)) for index, entry in enumerate(entries))
        return tuple(step for step in made if step is not None)

    def _part(self, entry: Mapping[str, Any], place: Place) -> PartSpec | None:
        if "foreach" in entry:
            return self._foreach(entry, place)
        if "unbreakable" in entry:
            return self._unbreakable(entry, place)
        return self._step(entry, place)

    def _unbreakable(self, entry: Mapping[str, Any], place: Place) -> UnbreakableSpec | None:
        if len(entry) != 1:
            self._complain(place, "unbreakable: stands alone in its entry, with a list of steps below it")
            return None
        steps = self.steps(entry["unbreakable"], (*place, "unbreakable"), is_main=True)
        if len(steps) < 2:
            self._complain(place, "unbreakable: needs at least two steps that must not be parted")
        return UnbreakableSpec(steps=steps)

    def _foreach(self, entry: Mapping[str, Any], place: Place) -> ForEachSpec | None:
        if unknown := sorted(set(entry) - {"foreach", "name"}):
            self._complain(place, f"beside foreach: there is only name:, found {', '.join(unknown)}")
            return None
        here = (*place, "foreach")
        try:
            written = ForEachFile.model_validate(entry["foreach"])
        except ValidationError as error:
            self._complain_all(error, here, "foreach")
            return None
        self._check_group(written.group, (*here, "group"))
        inner = self.parts(written.steps, (*here, "steps"))
        if any(isinstance(part, ForEachSpec) for part in inner):
            self._complain((*here, "steps"), "a foreach cannot hold another foreach")
        return ForEachSpec(
            name=str(entry.get("name") or f"each of {written.group}"),
            group=written.group,
            steps=tuple(part for part in inner if not isinstance(part, ForEachSpec)),
            max_parallel=written.max_parallel,
            stop_after_failures=written.stop_after_failures,
        )

    def _step(self, entry: Any, place: Place) -> StepSpec | None:
        chosen = [key for key in entry if key not in _BESIDE_THE_KIND] if isinstance(entry, Mapping) else []
        if len(chosen) != 1 or chosen[0] not in kinds():
            found = ", ".join(map(str, chosen)) or "none"
            known = ", ".join(sorted({*kinds(), "foreach", "unbreakable"}))
            text = f"a step has one kind of {known} beside its name, found {found}"
            self._complain(place, text)
            return None
        kind = chosen[0]
        settings = self._settings(kind, entry[kind] if entry[kind] is not None else {}, (*place, kind))
        rollback = self.steps(entry["rollback"], (*place, "rollback")) if "rollback" in entry else ()
        if settings is None:
            return None
        return StepSpec(name=str(entry.get("name") or kind), kind=kind, settings=settings, rollback=rollback)

    def _settings(self, kind: str, settings: Any, place: Place) -> Mapping[str, Any] | None:
        self._check_names(settings, place)
        try:
            prepared = kinds()[kind].prepared(settings, self._folder)
            kinds()[kind].model_validate(prepared)
        except ValidationError as error:
            self._complain_all(error, place, kind)
            return None
        except ValueError as error:
            self._complain(place, f"{kind}: {error}")
            return None
        if "sha256" in prepared:
            self.digests.append(str(prepared["sha256"]))
        return prepared

    @property
    def _folder(self) -> Path:
        return self._document.path.parent

    def _check_group(self, group: str, place: Place) -> None:
        """Which hosts a run touches is said by the inventory, never by an alert's label."""
        try:
            others = names_used(group) - {"vars"}
        except ValueError as error:
            self._complain(place, str(error))
            return
        if others:
            self._complain(place, f"group: may only use {{{{ vars.NAME }}}} of the inventory, not {', '.join(others)}")

    def _check_names(self, settings: Any, place: Place) -> None:
        try:
            unknown = names_used(settings) - self._known
        except ValueError as error:
            self._complain(place, str(error))
            return
        for name in sorted(unknown):
            text = f"{{{{ {name} }}}} is no parameter of this runbook; it knows {', '.join(sorted(self._known))}"
            self._complain(place, text)

    def _complain_all(self, error: ValidationError, place: Place, name: str) -> None:
        for one in error.errors():
            where = ".".join(str(part) for part in (name, *one["loc"]))
            self._complain((*place, *one["loc"]), explained(one, where))

    def _complain(self, place: Place, text: str) -> None:
        self._problems.append(self._document.problem(place, text))
