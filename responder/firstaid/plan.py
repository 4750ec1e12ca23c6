"""From a runbook and an alert's labels to the snapshot that a run executes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from responder.adapters.yaml_file import explained
from responder.domain.runbook import OnResolve, Runbook
from responder.domain.target import Target
from responder.firstaid.rendering import render
from responder.firstaid.step import Step
from responder.firstaid.steps import kinds


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStep:
    name: str
    kind: str
    step: Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a run executes, whatever happens to the file meanwhile.

    `nonce` keeps the markers that it leaves on hosts apart from those of every other run, also of another
    installation or of a database that was made anew.
    """

    runbook: str
    steps: tuple[PlannedStep, ...]
    timeout: timedelta
    on_resolve: OnResolve
    nonce: str = ""


def snapshot(runbook: Runbook, labels: Mapping[str, str], target: Target, *, nonce: str = "") -> dict[str, Any]:
    """The runbook with checked parameters filled in. Raises ValueError with the sentence for the ticket."""
    values = {parameter.name: parameter.value(labels) for parameter in runbook.parameters}
    context = {**values, "target": target.name, "target_address": target.address}
    made = {
        "runbook": runbook.name,
        "version": runbook.version,
        "nonce": nonce,
        "parameters": values,
        "timeout": runbook.timeout.total_seconds(),
        "on_resolve": runbook.on_resolve.value,
        "steps": [
            {"name": spec.name, "kind": spec.kind, "settings": render(spec.settings, context)} for spec in runbook.steps
        ],
    }
    from_snapshot(made)
    return made


def from_snapshot(made: Mapping[str, Any]) -> Plan:
    """The plan in a snapshot. Raises ValueError when a filled-in value does not fit its step."""
    steps = tuple(
        PlannedStep(name=entry["name"], kind=entry["kind"], step=_validated(entry)) for entry in made["steps"]
    )
    return Plan(
        runbook=made["runbook"],
        steps=steps,
        timeout=timedelta(seconds=made["timeout"]),
        on_resolve=OnResolve(made["on_resolve"]),
        nonce=made.get("nonce", ""),
    )


def _validated(entry: Mapping[str, Any]) -> Step:
    try:
        return kinds()[entry["kind"]].model_validate(entry["settings"])
    except ValidationError as error:
        where = f"step {entry['name']!r}"
        raise ValueError("; ".join(explained(one, where) for one in error.errors())) from error
