"""policy.yml: grades, clocks, first aid and hand-over, perhaps extending a shipped profile."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from responder.config.autonomy import ApprovalFile, AutonomyField, AutonomyFile, PromotionFile, as_autonomy_rule
from responder.config.budgets import BudgetFile, StormFile
from responder.config.model import Duration, Matchers, Model, Name, SomeMatchers
from responder.domain import policy as rules
from responder.domain.grading import Bound, GradeRule
from responder.domain.numbering import check_template
from responder.domain.sla import ClockName

_BOUND = re.compile(r"\s*(>=|<=|>|<)\s*(\d+)\s*")


def _bound(value: object) -> Bound:
    found = _BOUND.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is no bound; write it like '>= 100'")
    return Bound(operator=found.group(1), number=int(found.group(2)))


def _template(text: str) -> str:
    check_template(text)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} is no time zone; write it like Europe/Berlin") from error
    return text


class GradeFile(Model):
    """What a grade promises."""

    targets: dict[ClockName, Duration]
    tiers: Annotated[tuple[Annotated[int, Field(ge=1, le=9)], ...], Field()] = (1,)
    quiet: Duration = timedelta(minutes=5)
    close_after: Duration | None = timedelta(hours=24)
    text: str = ""


class GradeRuleFile(Model):
    name: Annotated[str, Field(min_length=1)]
    grade: str
    when: Matchers = ()
    affected_users: Annotated[Bound | None, BeforeValidator(_bound)] = None
    impact: tuple[str, ...] = ()
    because: str = ""

    @model_validator(mode="after")
    def _asks_something(self) -> GradeRuleFile:
        if not (self.when or self.affected_users or self.impact):
            raise ValueError(
                "a rule without when:, affected_users: or impact: would take everything; use default_grade"
            )
        return self


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


class FlappingFile(Model):
    changes: Annotated[int, Field(ge=2)] = 3
    within: Duration = timedelta(hours=1)
    quiet: Duration = timedelta(minutes=30)


class PolicyFile(Model):
    """A whole policy, after a profile has been extended."""

    name: Name
    grades: Annotated[dict[Name, GradeFile], Field(min_length=1)]
    default_grade: str
    grade_rules: tuple[GradeRuleFile, ...] = ()
    correlation: tuple[CorrelationFile, ...] = ()
    first_aid: tuple[FirstAidFile, ...] = ()
    teams: tuple[TeamFile, ...] = ()
    default_team: Name = "ops"
    heartbeats: tuple[HeartbeatFile, ...] = ()
    flapping: FlappingFile = FlappingFile()
    budgets: tuple[BudgetFile, ...] = ()
    storm: StormFile | None = StormFile()
    refire_window: Duration = timedelta(hours=1)
    proof_within: Duration = timedelta(minutes=5)
    lock_patience: Duration = timedelta(minutes=2)
    number: Annotated[str, AfterValidator(_template)] = "INC-{date:%Y%m%d}-{seq:03d}"
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"

    def as_policy(self) -> rules.Policy:
        """The policy as the domain knows it."""
        return rules.Policy(
            name=self.name,
            grades={
                name: rules.GradePolicy(
                    name=name,
                    targets={clock.value: target for clock, target in grade.targets.items()},
                    tiers=grade.tiers,
                    quiet=grade.quiet,
                    close_after=grade.close_after,
                    text=grade.text,
                )
                for name, grade in self.grades.items()
            },
            default_grade=self.default_grade,
            grade_rules=tuple(GradeRule(**dict(rule)) for rule in self.grade_rules),
            correlation=tuple(rules.CorrelationRule(**dict(rule)) for rule in self.correlation),
            first_aid=tuple(rule.as_rule() for rule in self.first_aid),
            teams=tuple(rules.TeamRule(**dict(rule)) for rule in self.teams),
            default_team=self.default_team,
            heartbeats=tuple(rules.HeartbeatRule(**dict(rule)) for rule in self.heartbeats),
            flapping=rules.FlappingRule(**dict(self.flapping)),
            budgets=tuple(budget.as_budget() for budget in self.budgets),
            storm=self.storm.as_rule() if self.storm else None,
            refire_window=self.refire_window,
            proof_within=self.proof_within,
            lock_patience=self.lock_patience,
            number=self.number,
            zone=ZoneInfo(self.zone),
        )


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
