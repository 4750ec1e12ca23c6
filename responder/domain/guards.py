"""Guards: rules that may object to a run before it starts. Each gives its sentence, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from responder.domain import budgets
from responder.domain.budgets import Account, Left
from responder.domain.durations import spoken
from responder.domain.runbook import Runbook
from responder.domain.storm import StormRule
from responder.domain.windows import holds_any


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """The facts that guards look at, gathered in the transaction that starts the run.

    `hosts` are all targets that the run may touch. `maintenance` says of those in maintenance until when and why.
    `accounts` are the budgets that hold this runbook, in every set that one of the hosts is in.
    """

    runbook: Runbook
    target: str
    hosts: tuple[str, ...] = ()
    kill_switch: str = ""
    maintenance: Mapping[str, str] = field(default_factory=dict)
    storm: StormRule | None = None
    tickets_opened: int = 0
    busy_with: str = ""
    last_ended_at: datetime | None = None
    runs_last_hour: int = 0
    accounts: tuple[Account, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Objection:
    """Why a run may not start. `retry_after` is set when waiting helps."""

    guard: str
    sentence: str
    retry_after: timedelta | None = None


Guard = Callable[[Situation, datetime], Objection | None]


def kill_switch(situation: Situation, now: datetime) -> Objection | None:  # noqa: ARG001 guards share a form
    """The switch that stops all automation, a runbook's or a target's."""
    if not situation.kill_switch:
        return None
    return Objection(guard="kill switch", sentence=f"The kill switch is on: {situation.kill_switch}.")


def maintenance(situation: Situation, now: datetime) -> Objection | None:  # noqa: ARG001 guards share a form
    """Where people are at work, the machine is not."""
    for host in situation.hosts:
        if why := situation.maintenance.get(host):
            return Objection(guard="maintenance", sentence=f"{host} is in maintenance {why}.")
    return None


def storm(situation: Situation, now: datetime) -> Objection | None:  # noqa: ARG001 guards share a form
    """So many tickets at once are one trouble, and not one of these hosts."""
    said = situation.storm.objection(situation.tickets_opened) if situation.storm else ""
    return Objection(guard="storm", sentence=said) if said else None


def hours(situation: Situation, now: datetime) -> Objection | None:
    """The hours in which a runbook may act."""
    windows = situation.runbook.hours
    if holds_any(windows, now):
        return None
    local = now.astimezone(windows[0].zone)
    return Objection(
        guard="hours",
        sentence=f"{situation.runbook.name} may act only {' or '.join(map(str, windows))}; "
        f"there it is {local:%a %H:%M} now.",
    )


def cooldown(situation: Situation, now: datetime) -> Objection | None:
    """The same cure again so soon says that it does not cure."""
    if situation.last_ended_at is None:
        return None
    left = situation.last_ended_at + situation.runbook.cooldown - now
    if left <= timedelta():
        return None
    return Objection(
        guard="cooldown",
        sentence=(
            f"{situation.runbook.name} ran on {situation.target} at {situation.last_ended_at:%H:%M:%S} UTC; "
            f"its cooldown of {spoken(situation.runbook.cooldown)} has {spoken(left)} left."
        ),
    )


def runs_per_hour(situation: Situation, now: datetime) -> Objection | None:  # noqa: ARG001 guards share a form
    """A runbook's budget over all targets."""
    limit = situation.runbook.runs_per_hour
    if situation.runs_last_hour < limit:
        return None
    return Objection(
        guard="runs per hour",
        sentence=f"{situation.runbook.name} has run {_times(situation.runs_last_hour)} in the last hour; "
        f"its limit is {limit}.",
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def budget(situation: Situation, now: datetime) -> Objection | None:
    """So many targets of one failure domain at a time, and not one more."""
    for account in situation.accounts:
        if sentence := budgets.objection(account, situation.hosts, now):
            return Objection(guard="budget", sentence=sentence)
    return None


def one_run_per_target(situation: Situation, now: datetime) -> Objection | None:  # noqa: ARG001 guards share a form
    """Two runs never work on one host at the same time."""
    if not situation.busy_with:
        return None
    return Objection(
        guard="lock",
        sentence=f"{situation.busy_with}.",
        retry_after=timedelta(seconds=5),
    )


GUARDS: tuple[Guard, ...] = (
    kill_switch,
    maintenance,
    storm,
    hours,
    cooldown,
    runs_per_hour,
    budget,
    one_run_per_target,
)


def first_objection(situation: Situation, now: datetime) -> Objection | None:
    """The first guard that objects; the lock is asked last, since it alone passes by itself."""
    for guard in GUARDS:
        if objection := guard(situation, now):
            return objection
    return None


def left(situation: Situation) -> tuple[Left, ...]:
    """What is left of each budget once this run has started."""
    after = (budgets.left_in(account, situation.hosts) for account in situation.accounts)
    return (budgets.runs_left(situation.runbook, situation.runs_last_hour + 1), *after)
