"""The situation in which a run would start, gathered in the transaction that starts it, and what budgets leave."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache

from responder.domain.budgets import Left, Touch, Touched, accounts, left_in, runs_left
from responder.domain.guards import Situation
from responder.domain.runbook import Runbook
from responder.domain.storm import StormRule
from responder.flows.desk import Desk
from responder.flows.maintenance import maintenance_of_hosts
from responder.flows.switches import stopped_by
from responder.store.transaction import Transaction

_HOUR = timedelta(hours=1)


def situation(
    desk: Desk, tx: Transaction, runbook: Runbook, *, target: str, hosts: Collection[str], now: datetime
) -> Situation:
    """What the guards are to look at before the runbook starts on `target`; `hosts` are all it may change, its
    own among them; none for a run that only looks."""
    # Taking this number orders all starts, of whatever runbook on whatever replica: whoever comes second sees
    # what the first has started, so that budgets are counted exactly.
    tx.sums.take("starts of runs", 1)
    touching = tuple(dict.fromkeys(hosts))
    held = [budget for budget in desk.policy.budgets if budget.holds(runbook.name)]
    counted = accounts(held, desk.configuration.targets, touched_in(tx, now))
    storm = desk.policy.storm
    return Situation(
        runbook=runbook,
        target=target,
        hosts=touching,
        kill_switch=stopped_by(desk, tx, runbook.name, touching),
        maintenance=maintenance_of_hosts(tx, touching, now),
        storm=storm,
        tickets_opened=_opened(tx, storm, now) if storm else 0,
        busy_with=tx.runs.busy_with(touching),
        last_ended_at=tx.runs.last_ended_at(runbook.name, target),
        runs_last_hour=tx.runs.started_since(runbook.name, now - _HOUR),
        accounts=tuple(account for account in counted if not account.members.isdisjoint(touching)),
    )


def budgets_left(desk: Desk, tx: Transaction, now: datetime) -> list[Left]:
    """What is left of every budget in every set, and of the runs per hour of the policy's runbooks."""
    configuration = desk.configuration
    named = sorted({rule.runbook for rule in desk.policy.first_aid} & configuration.runbooks.keys())
    per_hour = [runs_left(configuration.runbooks[name], tx.runs.started_since(name, now - _HOUR)) for name in named]
    counted = accounts(desk.policy.budgets, configuration.targets, touched_in(tx, now))
    return [*per_hour, *map(left_in, counted)]


def _opened(tx: Transaction, storm: StormRule, now: datetime) -> int:
    return tx.tickets.opened_since(now - storm.within, storm.enough)


def touched_in(tx: Transaction, now: datetime) -> Touched:
    """What budgets are counted by, as it is in this transaction."""

    @cache
    def touched(within: timedelta) -> tuple[Touch, ...]:
        rows = tx.runs.touched_since(now - within)
        return tuple(Touch(host=host, runbook=runbook, at=at) for host, runbook, at in rows)

    return touched
