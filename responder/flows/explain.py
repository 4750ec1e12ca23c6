"""Explain: which rule, grade, runbook and people these labels would get, and why. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from responder.config.configuration import Configuration
from responder.domain.autonomy import level
from responder.domain.oncall import recipients
from responder.domain.policy import FirstAidRule
from responder.domain.report import Report, Signal
from responder.domain.rota import people_on_call
from responder.domain.sla import spoken_target
from responder.domain.target import find
from responder.firstaid.plan import snapshot


def explain(
    configuration: Configuration, labels: Mapping[str, str], annotations: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """All that would be decided for an alert with these labels."""
    policy = configuration.policy
    report = Report(source="explain", signal=Signal.FIRING, labels=labels, annotations=annotations, started_at=now)
    grading, team = policy.grade(report), policy.team(labels)
    grade = policy.grades[grading.grade]
    tiers = configuration.tiers.get(team, ())
    on_duty = {name: people_on_call(rota, (), now) for name, rota in configuration.rotas.items()}
    told, reason = recipients(tiers, grade.tiers, configuration.people, on_duty)
    heartbeat = policy.heartbeat_for(labels)
    return {
        "grade": grading.grade,
        "rule": grading.rule,
        "reason": grading.reason,
        "team": team,
        "trouble": policy.trouble(report),
        "heartbeat": heartbeat.name if heartbeat else None,
        "clocks": {name: spoken_target(target) for name, target in grade.targets.items()},
        "first_aid": _first_aid(configuration, policy.first_aid_for(labels, grading.grade), labels, grading.grade),
        "people": [f"{one.person} by {one.channel}" for one in told],
        "people_reason": reason,
    }


def _first_aid(
    configuration: Configuration, rule: FirstAidRule | None, labels: Mapping[str, str], grade_name: str
) -> dict[str, Any] | None:
    if rule is None:
        return None
    runbook = configuration.runbooks[rule.runbook]
    found: dict[str, Any] = {"rule": rule.name, "runbook": runbook.name, "target": None, "objection": ""}
    wanted = labels.get(rule.target, "")
    target = find(configuration.targets, wanted)
    if target is None:
        found["objection"] = (
            f"{wanted!r} (label {rule.target}) is no target in the inventory"
            if wanted
            else f"the alert has no label {rule.target}"
        )
        return found
    found["target"] = target.name
    # What it has earned is in the database of a server; here is what the policy says.
    found["autonomy"] = level(rule.autonomy, grade_name, target.groups, ())[1]
    try:
        found["steps"] = snapshot(runbook, labels, target, inventory=configuration.targets)["steps"]
    except ValueError as error:
        found["objection"] = str(error)
    return found
