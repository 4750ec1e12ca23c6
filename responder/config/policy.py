"""policy.yml: grades, clocks, first aid and hand-over, perhaps extending a shipped profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from responder.adapters.yaml_file import Document, Place, load
from responder.clock import SystemClock
from responder.config.autonomy import ApprovalFile, AutonomyField, AutonomyFile, PromotionFile, as_autonomy_rule
from responder.config.budgets import BudgetFile, StormFile
from responder.config.calendars import CalendarFile, as_calendars, years_around
from responder.config.cron_jobs import CronJobFile
from responder.config.delivery import DeliveryFile, DrillFile
from responder.config.escalation import EscalationFile
from responder.config.grades import GradeFile, GradeRuleFile, KindFile, KindRuleFile
from responder.config.handling import (
    ActionsFile,
    ClockFile,
    GateFile,
    KnowledgeFile,
    NeedFile,
    ReporterFile,
    ReportFile,
    clock_rules,
)
from responder.config.health_checks import HealthCheckFile
from responder.config.hold_off import HoldOffFile
from responder.config.maintenance import MaintenanceFile
from responder.config.model import Duration, Model, Name, SomeMatchers
from responder.domain import policy as rules
from responder.domain.kinds import KindRule
from responder.domain.numbering import check_template
from responder.errors import ConfigError, Problem


def _template(text: str) -> str:
    check_template(text)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} is no time zone; write it like Europe/Berlin") from error
    return text


class CorrelationFile(Model):
    name: Name
    when: SomeMatchers
    by: Annotated[tuple[str, ...], Field(min_length=1)]


class FirstAidFile(Model):
    name: Annotated[str, Field(min_length=1)]
    when: SomeMatchers
    runbook: str
    target: str = "instance"
    grades: tuple[str, ...] = ()
    autonomy: AutonomyField = AutonomyFile()
    approval: ApprovalFile = ApprovalFile()
    promote_after: PromotionFile | None = None

    def as_rule(self) -> rules.FirstAidRule:
        """The rule as the domain knows it."""
        return rules.FirstAidRule(
            name=self.name,
            when=self.when,
            runbook=self.runbook,
            target=self.target,
            grades=self.grades,
            autonomy=as_autonomy_rule(self.autonomy, self.promote_after),
            approval=self.approval.as_rule(),
        )


class TeamFile(Model):
    when: SomeMatchers
    team: Name


class HeartbeatFile(Model):
    name: Name
    when: SomeMatchers
    within: Duration
    sources: tuple[Name, ...] | None = None


class FlappingFile(Model):
    changes: Annotated[int, Field(ge=2)] = 3
    within: Duration = timedelta(hours=1)
    quiet: Duration = timedelta(minutes=30)


Names = Annotated[tuple[Name, ...], Field(min_length=1)]


class PolicyFile(Model):
    """A whole policy, after a profile has been extended. What is null is taken away."""

    name: Name
    calendars: dict[Name, CalendarFile] = Field(default_factory=dict)
    grades: Annotated[dict[Name, GradeFile], Field(min_length=1)]
    default_grade: str
    grade_rules: tuple[GradeRuleFile, ...] = ()
    clocks: dict[Name, ClockFile | None] = Field(default_factory=dict)
    kinds: dict[Name, KindFile | None] = Field(default_factory=dict)
    kind_rules: tuple[KindRuleFile, ...] = ()
    default_kind: str = ""
    correlation: tuple[CorrelationFile, ...] = ()
    first_aid: tuple[FirstAidFile, ...] = ()
    teams: tuple[TeamFile, ...] = ()
    default_team: Name = "ops"
    moves: tuple[NeedFile, ...] = ()
    gates: tuple[GateFile, ...] = ()
    cause_classes: Names = rules.CAUSE_CLASSES
    solution_kinds: Names = rules.SOLUTION_KINDS
    report: ReportFile = ReportFile()
    reporter: ReporterFile = ReporterFile()
    actions: ActionsFile = ActionsFile()
    knowledge: KnowledgeFile = KnowledgeFile()
    health_checks: tuple[HealthCheckFile, ...] = ()
    heartbeats: tuple[HeartbeatFile, ...] = ()
    escalation: tuple[EscalationFile, ...] = ()
    cron_jobs: dict[Name, CronJobFile | None] = Field(default_factory=dict)
    delivery: DeliveryFile = DeliveryFile()
    drill: DrillFile | None = None
    flapping: FlappingFile = FlappingFile()
    budgets: tuple[BudgetFile, ...] = ()
    storm: StormFile | None = StormFile()
    maintenance: tuple[MaintenanceFile, ...] = ()
    hold_off: tuple[HoldOffFile, ...] = ()
    refire_window: Duration = timedelta(hours=1)
    proof_within: Duration = timedelta(minutes=5)
    lock_patience: Duration = timedelta(minutes=2)
    number: Annotated[str, AfterValidator(_template)] = "INC-{date:%Y%m%d}-{seq:03d}"
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"

    def as_policy(self, today: date | None = None) -> rules.Policy:
        """The policy as the domain knows it, with the holidays of the years around `today`."""
        zone, years = ZoneInfo(self.zone), years_around(today or SystemClock().now().date())
        clocks = clock_rules(self.clocks, as_calendars(self.calendars, years, zone))
        names = [clock.name for clock in clocks]
        return rules.Policy(
            name=self.name,
            grades={name: grade.as_grade(name, names) for name, grade in self.grades.items()},
            clocks=clocks,
            zone=zone,
            cron_jobs={name: job.as_rule(name, zone) for name, job in self.cron_jobs.items() if job is not None},
            maintenance=tuple(window.as_window(zone) for window in self.maintenance),
            hold_off=tuple(rule.as_rule() for rule in self.hold_off),
            **self._as_written(),
            **self._handling(),
        )

    def _as_written(self) -> dict[str, Any]:
        """What decides about reports and first aid."""
        return {
            "default_grade": self.default_grade,
            "grade_rules": tuple(rule.as_rule() for rule in self.grade_rules),
            "correlation": tuple(rules.CorrelationRule(**dict(rule)) for rule in self.correlation),
            "first_aid": tuple(rule.as_rule() for rule in self.first_aid),
            "teams": tuple(rules.TeamRule(**dict(rule)) for rule in self.teams),
            "default_team": self.default_team,
            "heartbeats": tuple(rules.HeartbeatRule(**dict(rule)) for rule in self.heartbeats),
            "escalation": tuple(plan.as_plan() for plan in self.escalation),
            "drill": self.drill.as_rule() if self.drill else None,
            "delivery": self.delivery.as_rule(list(self.grades)),
            "flapping": rules.FlappingRule(**dict(self.flapping)),
            "budgets": tuple(budget.as_budget() for budget in self.budgets),
            "storm": self.storm.as_rule(self.grades) if self.storm else None,
            "refire_window": self.refire_window,
            "proof_within": self.proof_within,
            "lock_patience": self.lock_patience,
            "number": self.number,
        }

    def _handling(self) -> dict[str, Any]:
        """What decides about the work of people."""
        return {
            "kinds": {name: kind.as_kind(name) for name, kind in self.kinds.items() if kind is not None},
            "kind_rules": tuple(KindRule(**dict(rule)) for rule in self.kind_rules),
            "default_kind": self.default_kind,
            "needs": tuple(need.as_need() for need in self.moves),
            "gates": tuple(gate.as_gate() for gate in self.gates),
            "cause_classes": self.cause_classes,
            "solution_kinds": self.solution_kinds,
            "report_fields": self.report.required,
            "asked_fields": self.report.asked,
            "offered": self.report.offered,
            "grades_again": self.report.grade_again,
            "reporter": self.reporter.as_rule(),
            "on_overdue_action": self.actions.on_overdue.as_alarm(),
            "similar_from": self.knowledge.similar_from,
            "health_checks": tuple(check.as_rule() for check in self.health_checks),
        }


# --- profiles ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PolicySource:
    """A policy's file, and the name of the profile that it extends."""

    document: Document
    profile: str = ""

    def is_own(self, place: Place) -> bool:
        """Whether the file itself says what is at this place."""
        return self._depth(place) == len(place)

    def problem(self, place: Place, text: str) -> Problem:
        """A mistake at its place; what comes from the profile is shown where the file names the profile."""
        if self.profile and self._depth(place) < min(2, len(place)):
            return self.document.problem(("extends",), f"{text} (from {self.profile}: {_dotted(place)})")
        return self.document.problem(place, text)

    def _depth(self, place: Place) -> int:
        """How much of the place the file itself says."""
        value = self.document.data
        for depth, key in enumerate(place):
            if not _has(value, key):
                return depth
            value = value[key]
        return len(place)


def _has(value: Any, key: str | int) -> bool:
    if isinstance(value, Mapping):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and key < len(value)


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def read_policy(document: Document) -> tuple[PolicySource, PolicyFile]:
    """A policy's file with the profile that it extends. Raises ConfigError with every mistake at its place."""
    own = dict(document.data) if isinstance(document.data, dict) else {}
    name = own.pop("extends", None)
    if name is None:
        return PolicySource(document=document), document.parsed(PolicyFile)
    path = shipped_profile(str(name))
    if path is None:
        text = f"there is no shipped profile {name}; there are {', '.join(shipped_profiles())}"
        raise ConfigError([document.problem(("extends",), text)])
    merged = extended(_shipped(path), {"name": document.path.stem, **own})
    whole = Document(path=document.path, data=merged, text=document.text, _tree=document._tree)
    return PolicySource(document=document, profile=str(name)), whole.parsed(PolicyFile)


@cache
def _shipped(path: Path) -> dict[str, Any]:
    """A shipped profile, read once; nobody changes it."""
    data: dict[str, Any] = load(path).data
    return data


def shipped_profiles() -> list[str]:
    """The names of all of them."""
    known = shipped_profile("p1-p4")
    return sorted(path.stem for path in known.parent.glob("*.yml")) if known else []


def shipped_profile(name: str) -> Path | None:
    """The file of a shipped profile: beside the sources, or inside an installed package."""
    package = Path(__file__).parent.parent
    for folder in (package.parent / "rules" / "policy", package / "shipped" / "policy"):
        path = folder / f"{name}.yml"
        if re.fullmatch(r"[a-z0-9-]+", name) and path.is_file():
            return path
    return None


def extended(profile: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The profile with what `own` says instead: mappings are merged, everything else is replaced."""
    merged = dict(profile)
    for key, value in own.items():
        below = merged.get(key)
        merged[key] = extended(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
