"""The track record of runbooks: how far each may go by itself, how it has done, and how that has changed."""

from __future__ import annotations

from typing import Any

from responder.config.configuration import Configuration
from responder.domain.autonomy import Judged, Record, has_earned, record_of, turns
from responder.domain.policy import FirstAidRule
from responder.errors import NotFound
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


def judged_history(tx: Transaction, runbook: str) -> list[Judged]:
    """The runbook's runs that the alert has proved or disproved, oldest first."""
    return [
        Judged(run_id=run.id, at=run.ended_at or run.started_at, is_good=bool(run.verified))
        for run in tx.runs.judged(runbook)
    ]


def runbook_lines(desk: Desk, tx: Transaction) -> list[dict[str, Any]]:
    """Every runbook with its rules and its record, as plain structures; instants are datetimes."""
    return [_line(desk.configuration, name, judged_history(tx, name)) for name in sorted(desk.configuration.runbooks)]


def runbook_history(desk: Desk, tx: Transaction, name: str) -> dict[str, Any]:
    """One runbook with every judged run, and for each rule that can be earned its promotions and demotions.

    Raises NotFound.
    """
    if name not in desk.configuration.runbooks:
        raise NotFound(f"There is no runbook {name[:100]}.")
    history = judged_history(tx, name)
    rules = [rule for rule in desk.policy.first_aid if rule.runbook == name]
    return {
        **_line(desk.configuration, name, history),
        "judged_runs": [{"run": one.run_id, "at": one.at, "verified": one.is_good} for one in history],
        "turns": [
            {"rule": rule.name, "run": turn.run_id, "at": turn.at, "promoted": turn.is_promoted, "why": turn.sentence}
            for rule in rules
            if rule.autonomy.promote_after
            for turn in turns(history, rule.autonomy.promote_after)
        ],
    }


def _line(configuration: Configuration, name: str, history: list[Judged]) -> dict[str, Any]:
    record = record_of(history)
    rules = [rule for rule in configuration.policy.first_aid if rule.runbook == name]
    return {
        "runbook": name,
        "summary": configuration.runbooks[name].summary,
        "judged": record.judged,
        "successes": record.successes,
        "success_rate": record.rate,
        "lower_bound": round(record.lower_bound, 4),
        "streak": record.streak,
        "rules": [_rule(rule, record) for rule in rules],
    }


def _rule(rule: FirstAidRule, record: Record) -> dict[str, Any]:
    wanted = rule.autonomy.promote_after
    return {
        "rule": rule.name,
        "autonomy": rule.autonomy.default.value,
        "grades": {name: level.value for name, level in rule.autonomy.grades.items()},
        "groups": {name: level.value for name, level in rule.autonomy.groups.items()},
        "promote_after": {"successes": wanted.successes, "lower_bound": wanted.lower_bound} if wanted else None,
        "earned": bool(wanted and has_earned(record, wanted)),
    }
