"""The policy: all rules together, as one frozen value that is swapped whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from responder.domain.autonomy import ApprovalRule, AutonomyRule
from responder.domain.budgets import Budget
from responder.domain.cron_job import CronJobRule
from responder.domain.delivery import DeliveryRule
from responder.domain.drill import DrillRule
from responder.domain.escalation import Callees, EscalationPlan, Step, calls_of, plan_for
from responder.domain.facts import Fact
from responder.domain.gates import GateRule
from responder.domain.grading import GradeRule, Grading, grade
from responder.domain.health_check import HealthCheckRule
from responder.domain.hold_off import HoldOffRule
from responder.domain.kinds import Kind, KindRule, kind_of
from responder.domain.letter import OwnLetters
from responder.domain.maintenance import MaintenanceWindow
from responder.domain.matching import Matcher, all_match
from responder.domain.report import Report, identity
from responder.domain.requirements import Need
from responder.domain.sla import Alarm, ClockName, ClockRule, Scene, Target
from responder.domain.storm import StormRule
from responder.domain.ticket import Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrelationRule:
    """Alerts that match belong to one trouble if these labels agree."""

    name: str
    when: tuple[Matcher, ...]
    by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstAidRule:
    """Alerts that match get this runbook; `target` names the label that says on which host.

    `autonomy` says whether it starts by itself, and `approval` whose yes it needs where it does not.
    """

    name: str
    when: tuple[Matcher, ...]
    runbook: str
    target: str = "instance"
    grades: tuple[str, ...] = ()
    autonomy: AutonomyRule = field(default_factory=AutonomyRule)
    approval: ApprovalRule = field(default_factory=ApprovalRule)

    def applies(self, labels: Mapping[str, str], grade_name: str) -> bool:
        return (not self.grades or grade_name in self.grades) and all_match(self.when, labels)


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamRule:
    """Alerts that match belong to this team."""

    when: tuple[Matcher, ...]
    team: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeartbeatRule:
    """An alert that always fires. When a source has been silent for `within`, that is the incident.

    `sources` are those that have to send it, None all; another one is watched from its first on.
    """

    name: str
    when: tuple[Matcher, ...]
    within: timedelta
    sources: tuple[str, ...] | None = None

    def is_due_from(self, source: str) -> bool:
        """Whether the source has to send it, even one that never has."""
        return self.sources is None or source in self.sources


@dataclass(frozen=True, kw_only=True, slots=True)
class GradePolicy:
    """What a grade promises: targets of the clocks, who is told, when it ends."""

    name: str
    targets: Mapping[str, Target]
    tiers: tuple[int, ...] = (1,)
    roles: tuple[str, ...] = ()
    quiet: timedelta = timedelta(minutes=5)
    close_after: timedelta | None = timedelta(hours=24)
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlappingRule:
    """A trouble that starts `changes` times within `within` flaps; it must then stay quiet for `quiet`."""

    changes: int = 3
    within: timedelta = timedelta(hours=1)
    quiet: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReporterRule:
    """How people who report are treated: how often they are reminded of a question, and what silence means.

    After `close_after` without an answer the ticket goes on as if they had said yes (None: it waits for ever). An
    answer within `reopen_within` of closing reopens, a later one opens anew. The contact is erased `erase_after`
    closing. With `automatic_progress` news are written without a person, when the `update` clock asks for them.
    `letters` are the house's own words.
    """

    remind_after: timedelta = timedelta(days=1)
    close_after: timedelta | None = timedelta(days=3)
    reopen_within: timedelta = timedelta(days=7)
    erase_after: timedelta = timedelta(days=180)
    best_score: int = 5
    ask_satisfaction: bool = True
    automatic_progress: bool = False
    letters: OwnLetters = field(default_factory=dict)


CAUSE_CLASSES = ("user_operation", "product_defect", "environment", "third_party")
SOLUTION_KINDS = ("patch", "config_change", "hardware_replacement", "workaround")

_GONE = frozenset({Fact.RESTORED, Fact.RESOLVED})
DEFAULT_CLOCKS = (
    ClockRule(
        name=ClockName.RESPOND,
        start=frozenset({Fact.OPENED}),
        stop=_GONE | {Fact.ACKNOWLEDGED},
        text="until somebody has it, or it is over",
    ),
    ClockRule(
        name=ClockName.RESTORE, start=frozenset({Fact.OPENED}), stop=_GONE, text="until the trouble no longer shows"
    ),
    ClockRule(
        name=ClockName.RESOLVE,
        start=frozenset({Fact.OPENED}),
        stop=frozenset({Fact.RESOLVED}),
        text="until it has stayed away for long enough",
    ),
)
"""The clocks of every policy that does not say otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """All rules together."""

    name: str
    grades: Mapping[str, GradePolicy]
    default_grade: str
    grade_rules: tuple[GradeRule, ...] = ()
    correlation: tuple[CorrelationRule, ...] = ()
    first_aid: tuple[FirstAidRule, ...] = ()
    teams: tuple[TeamRule, ...] = ()
    default_team: str = "ops"
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    kind_rules: tuple[KindRule, ...] = ()
    default_kind: str = ""
    clocks: tuple[ClockRule, ...] = DEFAULT_CLOCKS
    needs: tuple[Need, ...] = ()
    gates: tuple[GateRule, ...] = ()
    cause_classes: tuple[str, ...] = CAUSE_CLASSES
    solution_kinds: tuple[str, ...] = SOLUTION_KINDS
    report_fields: tuple[str, ...] = ()
    asked_fields: tuple[str, ...] | None = None
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    grades_again: bool = False
    reporter: ReporterRule = field(default_factory=ReporterRule)
    on_overdue_action: Alarm = field(default_factory=lambda: Alarm(tell=("team",)))
    similar_from: float = 0.5
    health_checks: tuple[HealthCheckRule, ...] = ()
    heartbeats: tuple[HeartbeatRule, ...] = ()
    escalation: tuple[EscalationPlan, ...] = ()
    cron_jobs: Mapping[str, CronJobRule] = field(default_factory=dict)
    delivery: DeliveryRule = field(default_factory=DeliveryRule)
    drill: DrillRule | None = None
    flapping: FlappingRule = field(default_factory=FlappingRule)
    budgets: tuple[Budget, ...] = ()
    storm: StormRule | None = field(default_factory=StormRule)
    maintenance: tuple[MaintenanceWindow, ...] = ()
    hold_off: tuple[HoldOffRule, ...] = ()
    refire_window: timedelta = timedelta(hours=1)
    proof_within: timedelta = timedelta(minutes=5)
    lock_patience: timedelta = timedelta(minutes=2)
    number: str = "INC-{date:%Y%m%d}-{seq:03d}"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def grade(self, report: Report) -> Grading:
        return grade(self.grade_rules, self.default_grade, report.labels, report.annotations)

    def promises_of(self, grade_name: str) -> GradePolicy:
        """What a grade promises; a ticket whose grade a reload took away is treated by the default grade."""
        return self.grades.get(grade_name) or self.grades[self.default_grade]

    def is_graver(self, grade: str, than: str) -> bool:
        """Whether a grade of this policy stands before another one, or the other is none of this policy's."""
        order = list(self.grades)
        return grade in order and (than not in order or order.index(grade) < order.index(than))

    def escalation_of(self, ticket: Ticket, now: datetime) -> EscalationPlan:
        """The first plan that applies; without one, a single call of the tiers and roles that the grade calls.

        A plan for all grades is one for all that call somebody: whom nobody is woken for is not called by it either.
        """
        promises = self.promises_of(ticket.grade)
        callees = Callees(tiers=promises.tiers, roles=promises.roles)
        plans = [plan for plan in self.escalation if plan.grades or not callees.is_nobody]
        plan = plan_for(plans, ticket, now)
        if plan is not None and calls_of(plan, ticket.tier, now):
            return plan
        # Whoever hands it up wants that tier to hear of it, whatever the grade.
        callees = Callees(tiers=(ticket.tier,)) if ticket.tier > 1 else callees
        return EscalationPlan(name=plan.name if plan else f"grade {ticket.grade}", steps=(Step(callees=callees),))

    def kind(self, labels: Mapping[str, str]) -> str:
        return kind_of(self.kind_rules, self.default_kind, labels) if self.kinds else ""

    def clock(self, name: str) -> ClockRule | None:
        return next((rule for rule in self.clocks if rule.name == name), None)

    def scene(self, ticket: Ticket, now: datetime) -> Scene:
        """Where a ticket stands, for its clocks."""
        return Scene(
            at=now,
            grade=ticket.grade,
            targets=self.promises_of(ticket.grade).targets,
            status=ticket.status.value,
            waiting_for=ticket.waiting_for,
        )

    def team(self, labels: Mapping[str, str], kind: str = "") -> str:
        """Who handles reports with these labels: the kind's team, else the first rule that matches."""
        if kind in self.kinds and self.kinds[kind].team:
            return self.kinds[kind].team
        for rule in self.teams:
            if all_match(rule.when, labels):
                return rule.team
        return self.default_team

    def first_aid_for(self, labels: Mapping[str, str], grade_name: str) -> FirstAidRule | None:
        """The first rule that applies; None sends the ticket straight to people."""
        for rule in self.first_aid:
            if rule.applies(labels, grade_name):
                return rule
        return None

    def heartbeat_for(self, labels: Mapping[str, str]) -> HeartbeatRule | None:
        for rule in self.heartbeats:
            if all_match(rule.when, labels):
                return rule
        return None

    def trouble(self, report: Report) -> str:
        """The key that makes reports one ticket: the full label set, or what a correlation rule names."""
        for rule in self.correlation:
            if all_match(rule.when, report.labels):
                return f"{rule.name}:{identity(report.labels, rule.by)}"
        return report.identity
