"""Explain: which rule, grade, runbook and people these labels would get, and why. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from responder.config.configuration import Configuration
from responder.domain.autonomy import level
from responder.domain.correlation import decide
from responder.domain.escalation import Callees, calls_of
from responder.domain.hold_rules import held_by_maintenance, held_off
from responder.domain.holds import Held
from responder.domain.oncall import Recipient, addressed, recipients
from responder.domain.policy import FirstAidRule
from responder.domain.report import Report, Signal
from responder.domain.rota import people_on_call
from responder.domain.sla import spoken_target
from responder.domain.target import find
from responder.firstaid.plan import snapshot

_NOT_IN_FILES = (
    "Only files were read. Overrides of rotas, open tickets, windows begun by hand, targets in "
    "maintenance, flapping, storms and dependencies are known to the server alone: --live asks it."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call: when, whom it means, whom it reaches, and why them."""

    at: datetime
    means: str
    told: tuple[Recipient, ...]
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What becomes of the alert beyond the rules for it alone. `silence` says why nobody would be told of it."""

    held: Held | None
    calls: tuple[Call, ...] = ()
    outcome: str = ""
    ticket: str = ""
    silence: str = ""


def alert(labels: Mapping[str, str], annotations: Mapping[str, str], at: datetime) -> Report:
    """The alert in question, as if it began to show at the instant."""
    return Report(source="explain", signal=Signal.FIRING, labels=labels, annotations=annotations, started_at=at)


def explain(
    configuration: Configuration,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    at: datetime,
    view: View | None = None,
) -> dict[str, Any]:
    """All that would be decided for an alert with these labels that begins to show at the instant.

    Without the `view` of a server it is what the files say, and `unknown` says what they do not.
    """
    policy = configuration.policy
    report = alert(labels, annotations, at)
    grading, team = policy.grade(report), policy.team(labels)
    grade = policy.grades[grading.grade]
    is_live = view is not None
    view = view or _by_files(configuration, report, grading.grade, team)
    heartbeat = policy.heartbeat_for(labels)
    first = view.calls[0] if view.calls else None
    return {
        "at": _plain(at),
        "live": is_live,
        "outcome": view.outcome,
        "ticket": view.ticket,
        "held": _held(view.held),
        "grade": grading.grade,
        "rule": grading.rule,
        "reason": grading.reason,
        "team": team,
        "trouble": policy.trouble(report),
        "heartbeat": heartbeat.name if heartbeat else None,
        "clocks": {name: spoken_target(target) for name, target in grade.targets.items()},
        "first_aid": _first_aid(configuration, policy.first_aid_for(labels, grading.grade), labels, grading.grade),
        "people": _spoken(first.told) if first else [],
        "people_reason": first.why if first else view.silence or "its grade calls nobody",
        "calls": [{"at": _plain(one.at), "means": one.means, "people": _spoken(one.told)} for one in view.calls],
        "unknown": [] if is_live else [_NOT_IN_FILES],
    }


def _by_files(configuration: Configuration, report: Report, grade: str, team: str) -> View:
    policy, at, labels = configuration.policy, report.started_at, report.labels
    held = held_by_maintenance(policy.maintenance, [labels], at) or held_off(
        policy.hold_off, [labels], at, grade=grade, grades=policy.grades, since=at
    )
    start = held.until if held and held.until else at
    ticket = next((one.after for one in decide([report], {}, policy, at).changes.values()), None)
    made = calls_of(policy.escalation_of(ticket, start), ticket.tier, start) if ticket else ()
    return View(held=held, calls=tuple(_call(configuration, team, due_at, callees) for due_at, callees in made))


def _call(configuration: Configuration, team: str, at: datetime, callees: Callees) -> Call:
    people = configuration.people
    tiers = configuration.tiers.get(team) or configuration.tiers.get(configuration.policy.default_team, ())
    on_duty = {name: people_on_call(rota, (), at) for name, rota in configuration.rotas.items()}
    called, why_called = recipients(tiers, callees.tiers, people, on_duty)
    named, why_named = addressed(callees.people, callees.roles, people)
    told, why = tuple(dict.fromkeys((*called, *named))), "; ".join(filter(None, (why_called, why_named)))
    return Call(at=at, means=str(callees), told=told, why=why)


def _held(held: Held | None) -> dict[str, Any] | None:
    if held is None:
        return None
    until = _plain(held.until) if held.until else None
    return {"name": held.name, "sentence": held.sentence, "until": until, "parent": held.parent}


def _spoken(told: Iterable[Recipient]) -> list[str]:
    return [f"{one.person} by {one.channel}" for one in told]


def _plain(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
