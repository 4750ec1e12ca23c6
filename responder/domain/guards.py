"""Guards: rules that may object to a run before it starts. Each gives its sentence, or None."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.durations import spoken
from responder.domain.runbook import Runbook


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """The facts that guards look at, gathered in the transaction that starts the run."""

    runbook: Runbook
    target: str
    kill_switch: str = ""
    busy_with: str = ""
    last_ended_at: datetime | None = None
    runs_last_hour: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Objection:
    """Why a run may not start. `retry_after` is set when waiting helps."""

    guard: str
    sentence: str
    retry_after: timedelta | None = None


Guard = Callable[[Situation, datetime], Objection | None]


def kill_switch(situation: Situation, now: datetime) -> Objection | None:  # noqa: ARG001 guards share a form
    """The one switch that stops all automation."""
    if not situation.kill_switch:
        return None
    return Objection(guard="kill switch", sentence=f"The kill switch is on: {situation.kill_switch}.")


def one_run_per_target(situation: Situation, now: datetime) -> Objection | None:  # noqa: ARG001 guards share a form
    """Two runs never work on one host at the same time."""
    if not situation.busy_with:
        return None
    return Objection(
        guard="lock",
        sentence=f"{situation.busy_with} is at work on {situation.target}.",
        retry_after=timedelta(seconds=5),
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
        sentence=f"{situation.runbook.name} has run {situation.runs_last_hour} times in the last hour; "
        f"its limit is {limit}.",
    )


GUARDS: tuple[Guard, ...] = (kill_switch, cooldown, runs_per_hour, one_run_per_target)


def first_objection(situation: Situation, now: datetime) -> Objection | None:
    """The first guard that objects; the lock is asked last, since it alone passes by itself."""
    for guard in GUARDS:
        if objection := guard(situation, now):
            return objection
    return None
