"""Runbook files: read whole, checked whole, with the place of every mistake."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from responder.adapters.yaml_file import Document, explained, load
from responder.domain.runbook import OnResolve, Parameter, ParameterType, Runbook, StepSpec
from responder.errors import ConfigError, Problem
from responder.firstaid.rendering import names_used
from responder.firstaid.step import Duration
from responder.firstaid.steps import kinds

NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
TARGET_NAMES = {"target", "target_address"}


class ParameterFile(BaseModel):
    """One parameter: where its value comes from and which values get through."""

    model_config = ConfigDict(extra="forbid")

    type: ParameterType
    label: str = ""
    default: str | None = None
    allow: list[str] = Field(default_factory=list)
    pattern: str | None = None

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> ParameterFile:
        if not self.label and self.default is None:
            raise ValueError("give label: (where the value comes from) or default:")
        if self.pattern:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"pattern is not a regular expression: {error}") from error
        return self


class RunbookFile(BaseModel):
    """A runbook as written."""

    model_config = ConfigDict(extra="forbid")

    runbook: Annotated[str, Field(pattern=NAME)]
    summary: Annotated[str, Field(min_length=1)]
    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ParameterFile] = Field(default_factory=dict)
    cooldown: Duration = timedelta(minutes=15)
    runs_per_hour: Annotated[int, Field(ge=1)] = 4
    timeout: Duration = timedelta(minutes=10)
    on_resolve: OnResolve = OnResolve.CANCEL
    steps: Annotated[list[dict[str, Any]], Field(min_length=1)]


def load_runbook(path: Path) -> Runbook:
    """The runbook in a file. Raises ConfigError with every mistake in it."""
    document = load(path)
    written = document.parsed(RunbookFile)
    problems: list[Problem] = []
    _check_parameters(document, written, problems)
    steps = [_step(document, index, entry, problems) for index, entry in enumerate(written.steps)]
    _check_names(document, written, problems)
    if problems:
        raise ConfigError(problems)
    return Runbook(
        name=written.runbook,
        summary=written.summary,
        steps=tuple(step for step in steps if step is not None),
        parameters=tuple(_parameter(name, given) for name, given in written.parameters.items()),
        cooldown=written.cooldown,
        runs_per_hour=written.runs_per_hour,
        timeout=written.timeout,
        on_resolve=written.on_resolve,
        version=hashlib.sha256(document.text.encode()).hexdigest()[:12],
    )


def load_runbooks(folders: list[Path]) -> dict[str, Runbook]:
    """All runbooks of some folders, a later folder's winning over an earlier one's. Raises ConfigError."""
    found: dict[str, Runbook] = {}
    problems: list[Problem] = []
    for folder in folders:
        here: dict[str, Path] = {}
        for path in sorted(folder.glob("*.yml")) + sorted(folder.glob("*.yaml")):
            try:
                runbook = load_runbook(path)
            except ConfigError as error:
                problems += error.problems
                continue
            if runbook.name in here:
                text = f"runbook {runbook.name} is already in {here[runbook.name].name}"
                problems.append(Problem(path=path, line=1, column=1, text=text))
            here[runbook.name] = path
            found[runbook.name] = runbook
    if problems:
        raise ConfigError(problems)
    return found


def _step(document: Document, index: int, entry: dict[str, Any], problems: list[Problem]) -> StepSpec | None:
    chosen = [key for key in entry if key != "name"]
    if len(chosen) != 1 or chosen[0] not in kinds():
        found = ", ".join(chosen) or "none"
        text = f"a step has one kind of {', '.join(sorted(kinds()))} beside its name, found {found}"
        problems.append(document.problem(("steps", index), text))
        return None
    kind = chosen[0]
    settings = entry[kind] if entry[kind] is not None else {}
    try:
        kinds()[kind].model_validate(settings)
    except ValidationError as error:
        for one in error.errors():
            where = ".".join(str(part) for part in (kind, *one["loc"]))
            problems.append(document.problem(("steps", index, kind, *one["loc"]), explained(one, where)))
        return None
    return StepSpec(name=str(entry.get("name") or kind), kind=kind, settings=settings)


def _check_names(document: Document, written: RunbookFile, problems: list[Problem]) -> None:
    known = set(written.parameters) | TARGET_NAMES
    for index, entry in enumerate(written.steps):
        try:
            unknown = names_used(entry) - known
        except ValueError as error:
            problems.append(document.problem(("steps", index), str(error)))
            continue
        for name in sorted(unknown):
            text = f"{{{{ {name} }}}} is no parameter of this runbook; it knows {', '.join(sorted(known))}"
            problems.append(document.problem(("steps", index), text))


def _check_parameters(document: Document, written: RunbookFile, problems: list[Problem]) -> None:
    for name, given in written.parameters.items():
        parameter = _parameter(name, given)
        values = [("allow", value) for value in given.allow]
        if given.default is not None:
            values.append(("default", given.default))
        for key, value in values:
            try:
                parameter.checked(value)
            except ValueError as error:
                problems.append(document.problem(("parameters", name, key), str(error)))


def _parameter(name: str, given: ParameterFile) -> Parameter:
    return Parameter(
        name=name,
        type=given.type,
        label=given.label,
        default=given.default,
        allow=tuple(given.allow),
        pattern=re.compile(given.pattern) if given.pattern else None,
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of runbook files, for editors."""
    fields: dict[str, Any] = {kind: (model | None, None) for kind, model in sorted(kinds().items())}
    step = create_model("Step", __config__=ConfigDict(extra="forbid"), name=(str, ""), **fields)
    with_steps = create_model("Runbook", __base__=RunbookFile, steps=(list[step], ...))
    return with_steps.model_json_schema()
