"""Runs as plain structures: a run in a list, and a whole one with what it looked at, did and was refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from responder.domain.masking import masked
from responder.domain.run_filter import RunInList
from responder.errors import NotFound
from responder.firstaid.showing import ShownStep, shown_steps
from responder.store.run_search import RunSearch
from responder.store.transaction import Transaction
from responder.web.shapes import act_line, approval_line, plain

_MOST_ACTS = 400
_LONGEST_FACT = 2000


def listed_run(run: RunInList) -> dict[str, Any]:
    """A run in a list."""
    line: dict[str, Any] = plain(asdict(run))
    return line


def whole_run(tx: Transaction, run_id: int, secrets: Collection[str]) -> dict[str, Any]:
    """One run with everything that is known of it. Raises NotFound."""
    run, search = tx.runs.one(run_id), RunSearch(tx.connection)
    listed = search.many([run_id])
    if not listed:
        raise NotFound(f"There is no run {run_id}.")
    parameters = run.snapshot.get("parameters")
    return {
        **listed_run(listed[0]),
        "version": str(run.snapshot.get("version", "")),
        "parameters": _texts(parameters if isinstance(parameters, Mapping) else {}, secrets),
        "hosts": [{"host": host, "held": held} for host, held in search.hosts(run_id).items()],
        "steps": _steps(tx, run_id, run.snapshot, secrets),
        "approvals": [approval_line(one) for one in tx.approvals.of_ticket(run.ticket_id) if one.run_id == run_id],
    }


def _steps(
    tx: Transaction, run_id: int, snapshot: Mapping[str, object], secrets: Collection[str]
) -> list[dict[str, Any]]:
    """What has begun, in that order, and behind it what may still come."""
    planned = {step.number - 1: step for step in _planned(snapshot)}
    acts = [act_line(act, secrets) | {"step": act.step} for act in tx.runs.attempts(run_id)[-_MOST_ACTS:]]
    begun = sorted(
        (dict(row._mapping) for row in tx.runs.steps(run_id)), key=lambda one: (one["started_at"], one["step"])
    )
    done = [_begun(one, planned.pop(one["step"], None), acts, secrets) for one in begun]
    return done + [_to_come(step, secrets) for step in planned.values()]


def _planned(snapshot: Mapping[str, object]) -> list[ShownStep]:
    try:
        return shown_steps(snapshot)
    except (ValueError, LookupError):
        # A later version may not know a step any more; what was done must still be readable.
        return []


def _begun(
    row: Mapping[str, Any], step: ShownStep | None, acts: list[dict[str, Any]], secrets: Collection[str]
) -> dict[str, Any]:
    names = ("step", "name", "kind", "host", "started_at", "ended_at", "outcome")
    own = [{name: value for name, value in act.items() if name != "step"} for act in acts if act["step"] == row["step"]]
    return {
        **{name: plain(row[name]) for name in names},
        "sentence": masked(row["sentence"], secrets),
        "phase": step.phase if step else "",
        "settings": [masked(line, secrets) for line in step.lines] if step else [],
        "seen": _texts(row["first"] or {}, secrets),
        "acts": own,
    }


def _to_come(step: ShownStep, secrets: Collection[str]) -> dict[str, Any]:
    return {
        "step": step.number - 1,
        "name": step.name,
        "kind": step.kind,
        "host": step.host,
        "phase": step.phase,
        "settings": [masked(line, secrets) for line in step.lines],
        "started_at": None,
        "ended_at": None,
        "outcome": "",
        "sentence": "",
        "seen": {},
        "acts": [],
    }


def _texts(facts: Mapping[str, object], secrets: Collection[str]) -> dict[str, str]:
    """Facts for people: each as a text, without secrets."""
    return {name: masked(f"{name}={value}", secrets)[len(name) + 1 :][:_LONGEST_FACT] for name, value in facts.items()}
