"""Runbook files: read whole, checked whole, with the place of every mistake."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from responder.adapters.yaml_file import Document, load
from responder.domain.runbook import OnResolve, Parameter, ParameterType, Runbook
from responder.errors import ConfigError, Problem
from responder.firstaid.parts import ForEachFile, Parts
from responder.firstaid.step import Duration
from responder.firstaid.steps import kinds
from responder.firstaid.window_file import WindowFile

NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
TEST_FILES = (".test.yml", ".test.yaml")
TARGET_NAMES = {"target", "target_address", "vars", "run"}


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
    hours: tuple[WindowFile, ...] = ()
    on_resolve: OnResolve = OnResolve.CANCEL
    precheck: list[dict[str, Any]] = Field(default_factory=list)
    steps: Annotated[list[dict[str, Any]], Field(min_length=1)]
    on_failure: list[dict[str, Any]] = Field(default_factory=list)
    always: list[dict[str, Any]] = Field(default_factory=list)


def load_runbook(path: Path) -> Runbook:
    """The runbook in a file. Raises ConfigError with every mistake in it."""
    document = load(path)
    written = document.parsed(RunbookFile)
    problems: list[Problem] = []
    _check_parameters(document, written, problems)
    parts = Parts(document, set(written.parameters) | TARGET_NAMES, problems)
    runbook = Runbook(
        name=written.runbook,
        summary=written.summary,
        precheck=parts.steps(written.precheck, ("precheck",)),
        steps=parts.parts(written.steps, ("steps",)),
        on_failure=parts.steps(written.on_failure, ("on_failure",)),
        always=parts.steps(written.always, ("always",)),
        parameters=tuple(_parameter(name, given) for name, given in written.parameters.items()),
        cooldown=written.cooldown,
        runs_per_hour=written.runs_per_hour,
        timeout=written.timeout,
        hours=tuple(window.as_window() for window in written.hours),
        on_resolve=written.on_resolve,
        version=hashlib.sha256("\n".join([document.text, *parts.digests]).encode()).hexdigest()[:12],
    )
    if problems:
        raise ConfigError(problems)
    return runbook


def load_runbooks(folders: list[Path]) -> dict[str, Runbook]:
    """All runbooks of some folders, a later folder's winning over an earlier one's. Raises ConfigError."""
    found: dict[str, Runbook] = {}
    problems: list[Problem] = []
    for folder in folders:
        here: dict[str, Path] = {}
        for path in runbook_files(folder):
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


def runbook_files(folder: Path) -> list[Path]:
    """The runbooks in a folder; the tests that lie beside them are none."""
    found = sorted(folder.glob("*.yml")) + sorted(folder.glob("*.yaml"))
    return [path for path in found if not path.name.endswith(TEST_FILES)]


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
    strict = ConfigDict(extra="forbid")
    fields: dict[str, Any] = {kind: (model | None, None) for kind, model in sorted(kinds().items())}
    plain: Any = create_model("PlainStep", __config__=strict, name=(str, ""), **fields)
    step: Any = create_model("Step", __base__=plain, rollback=(list[plain], []))
    block: Any = create_model("Unbreakable", __config__=strict, unbreakable=(list[step], ...))
    each: Any = create_model("ForEach", __base__=ForEachFile, steps=(list[step | block], ...))
    with_each: Any = create_model("ForEachStep", __config__=strict, name=(str, ""), foreach=(each, ...))
    around: dict[str, Any] = {name: (list[plain], []) for name in ("precheck", "on_failure", "always")}
    whole = create_model("Runbook", __base__=RunbookFile, steps=(list[step | block | with_each], ...), **around)
    return whole.model_json_schema()
