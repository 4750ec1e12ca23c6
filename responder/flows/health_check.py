"""Health checks: a runbook that only looks, on every target, at its time; findings become tickets, and end them.

A planned check is a row with the time at which it is due, and a job for that time. The row decides: a job whose row
has gone, has ended, or is due at another time does nothing, so planning may be repeated at any time by any replica.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from responder.clock import microseconds
from responder.config.health_checks import plans_of
from responder.domain.acts import Act, Command, Facts, Fail, Moment, Suspend
from responder.domain.health_check import (
    REACHABLE,
    CheckState,
    Finding,
    HealthCheck,
    HealthCheckRule,
    Look,
    Seen,
    concluded,
    next_time,
    without_tickets,
)
from responder.domain.masking import masked
from responder.domain.report import Report, Signal
from responder.domain.target import Target, find
from responder.errors import AuthRefused, ConnectionCut, HostError, HostKeyRefused, HostUnreachable, NotFound, Refused
from responder.firstaid.plan import Plan, PlannedStep
from responder.firstaid.step_run import look, output_of
from responder.firstaid.steps.collect import Collect
from responder.flows.desk import Desk
from responder.flows.hands import TargetHands
from responder.flows.maintenance import maintenance_of_hosts
from responder.flows.receive import file_reports, internal_report
from responder.flows.switches import switched_off
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_KIND = "health_check"
_AT_ONCE = 8
_KEPT = 100
_LONGEST = 600
_LONGEST_OUTPUT = 2000
_OVERDUE = timedelta(hours=1)
# A check looks once: what may take a while in a run, because something was just done, has had its time here.
_LONG_AGO = timedelta(days=3650)
_NO_WAY_IN = (HostUnreachable, HostKeyRefused, AuthRefused, ConnectionCut)


# --- when ------------------------------------------------------------------------------------------


async def plan_health_checks(desk: Desk) -> int:
    """Promises the next time of every check of the policy that is not promised yet, or for another time; how many
    that was. Safe to call at any time: once at the start, and in every round of the watch for what a reload changed.
    """
    now, rules = desk.clock.now(), desk.policy.health_checks
    if not rules:
        return 0
    planned = await desk.store.read(lambda tx: tx.health_checks.planned())
    if not any(_is_to_be_planned(desk, rule, planned.get(rule.name), now) for rule in rules):
        return 0

    def body(tx: Transaction) -> int:
        # Taking this number orders all who plan: the second one sees what the first has planned.
        tx.sums.take("planned health checks", 1)
        found = tx.health_checks.planned()
        due = [rule for rule in rules if _is_to_be_planned(desk, rule, found.get(rule.name), now)]
        for rule in due:
            _plan(desk, tx, rule, found.get(rule.name), now=now)
        return len(due)

    return await desk.store.write(body)


def _is_to_be_planned(desk: Desk, rule: HealthCheckRule, planned: HealthCheck | None, now: datetime) -> bool:
    if planned is None:
        return True
    if planned.due_at > now:
        return planned.due_at != next_time(rule, desk.policy.zone, now)
    # Its job may be waiting for its turn; one that was lost is promised again.
    return now - planned.due_at >= _OVERDUE


def _plan(desk: Desk, tx: Transaction, rule: HealthCheckRule, planned: HealthCheck | None, *, now: datetime) -> None:
    is_overdue = planned is not None and planned.due_at <= now
    due_at = now if is_overdue else next_time(rule, desk.policy.zone, now)
    if planned is None:
        _promise(tx, tx.health_checks.add(_check(rule.name, due_at)))
        return
    moved = replace(planned, due_at=due_at, started_at=due_at)
    tx.health_checks.keep(moved)
    _promise(tx, moved)


def _check(name: str, due_at: datetime) -> HealthCheck:
    return HealthCheck(name=name, due_at=due_at, started_at=due_at)


def _promise(tx: Transaction, check: HealthCheck, *, at_once: bool = False) -> None:
    args = {"check": check.id, "due": microseconds(check.due_at)}
    # A job that waits for its time must hold no lock: no later one of the same check could pass it.
    lock = f"health-check:{check.name}" if at_once else ""
    tx.promise([Job(kind=_KIND, args=args, due_at=check.due_at, at_once=at_once, lock=lock)])


async def order_health_check(desk: Desk, name: str, actor: str) -> HealthCheck:
    """Lets a check run now, beside its schedule. Raises NotFound."""
    if rule_of(desk, name) is None:
        known = ", ".join(rule.name for rule in desk.policy.health_checks) or "none"
        raise NotFound(f"The policy has no health check {name[:100]}; there are: {known}.")
    ordered = replace(_check(name, desk.clock.now()), state=CheckState.ORDERED, ordered_by=actor)

    def body(tx: Transaction) -> HealthCheck:
        check = tx.health_checks.add(ordered)
        _promise(tx, check, at_once=True)
        return check

    return await desk.store.write(body)


def rule_of(desk: Desk, name: str) -> HealthCheckRule | None:
    return next((rule for rule in desk.policy.health_checks if rule.name == name), None)


# --- the check -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Begun:
    """A check that is at work, and what it looks at on each target."""

    check: HealthCheck
    rule: HealthCheckRule
    plans: Mapping[str, Plan]


async def health_check(desk: Desk, job: Job) -> None:
    """Looks at every target and files what was found; done again from its beginning if it did not come to its end."""
    now = desk.clock.now()
    begun = await desk.store.write(lambda tx: _begin(desk, tx, job, now))
    if begun is None:
        return
    turns = asyncio.Semaphore(_AT_ONCE)
    found = await asyncio.gather(*(_in_turn(turns, desk, name, plan) for name, plan in begun.plans.items()))
    looks = [one for looks in found for one in looks]
    await desk.store.write(lambda tx: _conclude(desk, tx, begun, looks))


def _begin(desk: Desk, tx: Transaction, job: Job, now: datetime) -> _Begun | None:
    check = tx.health_checks.locked(int(job.args["check"]))
    if check is None or check.state is CheckState.DONE or microseconds(check.due_at) != job.args["due"]:
        return None
    if check.due_at > now:
        # The database's clock, by which jobs are woken, may be ahead of this machine's.
        _promise(tx, check)
        return None
    rule = rule_of(desk, check.name)
    if rule is None:
        _give_up(tx, check, now)
        return None
    begun = _begun(
        desk, tx, replace(check, state=CheckState.RUNNING, started_at=now, runbook=rule.runbook), rule, now=now
    )
    tx.health_checks.keep(begun.check)
    if check.state is CheckState.PLANNED:
        # Before anything else can go wrong: the series must not end with one of its checks.
        _plan(desk, tx, rule, None, now=now)
    return begun


def _give_up(tx: Transaction, check: HealthCheck, now: datetime) -> None:
    """A reload took the rule away: then nobody waits for a planned check, but whoever ordered one does."""
    if check.state is CheckState.PLANNED:
        tx.health_checks.remove(check.id)
        return
    problem = f"the policy has no health check {check.name} any more."
    tx.health_checks.keep(replace(check, state=CheckState.DONE, ended_at=now, problem=problem))


def _begun(desk: Desk, tx: Transaction, check: HealthCheck, rule: HealthCheckRule, *, now: datetime) -> _Begun:
    configuration = desk.configuration
    try:
        plans = plans_of(rule, configuration.runbooks, configuration.targets)
    except ValueError as error:
        return _Begun(check=replace(check, problem=f"{error}."), rule=rule, plans={})
    notes = tuple(_notes(desk, tx, rule, plans, now=now))
    return _Begun(check=replace(check, targets=tuple(plans), notes=notes), rule=rule, plans=plans)


def _notes(
    desk: Desk, tx: Transaction, rule: HealthCheckRule, plans: Mapping[str, Plan], *, now: datetime
) -> Iterator[str]:
    """What would keep automation from acting there now. It keeps nobody from looking."""
    for off in switched_off(desk, tx):
        if off.scope.is_everything or off.scope.name in {"runbook": [rule.runbook], "target": plans}[off.scope.kind]:
            yield f"Automation is switched off for {off.scope}: {off.reason}. Looks are made all the same."
    for host, why in maintenance_of_hosts(tx, plans, now).items():
        yield f"{host} is in maintenance {why}. It is looked at all the same."


def _conclude(desk: Desk, tx: Transaction, begun: _Begun, looks: Iterable[Look]) -> None:
    now = desk.clock.now()
    current = tx.health_checks.locked(begun.check.id)
    if current is None or current.state is CheckState.DONE:
        return
    before = tx.health_checks.latest(begun.check.name)
    check = concluded(begun.check, looks, before, now)
    tx.health_checks.keep(check)
    tx.health_checks.forget(check.name, _KEPT)
    file_reports(tx, list(_reports(check, before, begun.rule, now)), desk.policy, now)


# --- what is told ----------------------------------------------------------------------------------


def _reports(check: HealthCheck, before: HealthCheck | None, rule: HealthCheckRule, now: datetime) -> Iterator[Report]:
    for one in check.findings:
        if one.is_seen and one.has_ticket:
            yield internal_report(_labels(check, rule, one), f"{one}: {one.text}", now)
    for one in check.gone:
        if one.has_ticket:
            text = f"{one}: it is good, or no longer looked at."
            yield internal_report(_labels(check, rule, one), text, now, signal=Signal.CLEARED)
    about: dict[str, tuple[str, bool]] = {
        "HealthCheckNotRun": (check.problem, bool(before and before.problem)),
        "HealthCheckFurtherFindings": (without_tickets(check), bool(before and before.without_ticket)),
    }
    for name, (text, was) in about.items():
        labels = {"alertname": name, "check": check.name, "severity": rule.severity}
        if text:
            yield internal_report(labels, f"Health check {check.name}: {text}", now)
        elif was:
            over = f"Health check {check.name} is as it should be."
            yield internal_report(labels, over, now, signal=Signal.CLEARED)


def _labels(check: HealthCheck, rule: HealthCheckRule, one: Finding) -> dict[str, str]:
    labels = {"alertname": "HealthCheckFinding", "check": check.name, "instance": one.target, "step": one.step}
    return {**labels, "severity": rule.severity}


# --- looking ---------------------------------------------------------------------------------------


async def _in_turn(turns: asyncio.Semaphore, desk: Desk, name: str, plan: Plan) -> list[Look]:
    target = find(desk.configuration.targets, name)
    if target is None:
        return []
    async with turns:
        return await _Looks(desk, target).all(plan)


class _Looks:
    """The looks of one plan, step by step; a host that has let nobody in is not tried again."""

    def __init__(self, desk: Desk, target: Target) -> None:
        self._desk = desk
        self._hands = TargetHands(hosts=desk.hosts, web=desk.web, target=target, targets=desk.configuration.targets)
        self._lost: dict[str, str] = {}

    async def all(self, plan: Plan) -> list[Look]:
        looks = [await self._step(step) for step in plan.all_steps]
        ways = {step.host: self._lost.get(step.host, "") for step in plan.all_steps if _goes_to_host(step)}
        return [*(_way(host, why) for host, why in ways.items()), *looks]

    async def _step(self, step: PlannedStep) -> Look:
        if step.host in self._lost and _goes_to_host(step):
            return self._made(step, Seen.UNSEEN)
        try:
            return await self._seen(step)
        except _NO_WAY_IN as error:
            self._lost[step.host] = self._text(str(error))
            return self._made(step, Seen.UNSEEN)
        except (HostError, Refused) as error:
            return self._made(step, Seen.UNSEEN, str(error))

    async def _seen(self, step: PlannedStep) -> Look:
        """Raises HostError or Refused."""
        facts = await look(step, self._hands)
        if "error" in facts:
            return self._made(step, Seen.UNSEEN, str(facts["error"]))
        now = self._desk.clock.now()
        acts = step.step.plan(facts, facts, Moment(started_at=now - _LONG_AGO, now=now))
        harmless = [act for act in acts if isinstance(act, Command) and act.harmless]
        if len(harmless) < len(acts):
            return self._made(step, Seen.FINDING, _objection(facts, acts))
        kept = {act.label: await self._printed(step, act) for act in harmless}
        return replace(self._made(step, Seen.GOOD, _said(facts)), kept=kept)

    async def _printed(self, step: PlannedStep, command: Command) -> str:
        """What a diagnostic printed. Raises HostError where there is no way in."""
        try:
            answer = await self._hands.run(step.host, command)
        except _NO_WAY_IN:
            raise
        except HostError as error:
            return self._text(str(error))
        return self._text(output_of(answer), _LONGEST_OUTPUT)

    def _made(self, step: PlannedStep, seen: Seen, text: str = "") -> Look:
        return Look(target=step.host, step=step.name, seen=seen, text=self._text(text))

    def _text(self, text: str, longest: int = _LONGEST) -> str:
        # Masked before it is cut: half a secret has no shape any more.
        return masked(text, self._desk.configuration.secrets)[:longest]


def _goes_to_host(step: PlannedStep) -> bool:
    return isinstance(step.step, Collect) or isinstance(step.step.look(), Command)


def _way(host: str, why: str) -> Look:
    return Look(target=host, step=REACHABLE, seen=Seen.FINDING if why else Seen.GOOD, text=why)


def _objection(facts: Facts, acts: Iterable[Act]) -> str:
    """What was seen goes first: a title that is cut must not lose it."""
    why = "; ".join(act.why for act in acts if isinstance(act, Fail | Suspend)) or "it is not as wanted"
    said = _said(facts)
    return f"{said} ({why})" if said else why


def _said(facts: Facts) -> str:
    """What was seen, for those who read what was good, too."""
    return " | ".join(str(facts.get("said", "")).splitlines())
