"""Starting: which runbook on which target, the guards, and the run itself, all in one transaction."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from responder.domain import lifecycle
from responder.domain.approval import Approval
from responder.domain.budgets import spoken_left
from responder.domain.guards import Objection, Situation, first_objection, left
from responder.domain.policy import FirstAidRule
from responder.domain.report import Signal
from responder.domain.runbook import Run, Runbook, RunOutcome
from responder.domain.target import Target, find
from responder.domain.ticket import Change, EventKind, Status, Ticket
from responder.firstaid.plan import Plan, from_snapshot, snapshot
from responder.flows.desk import Desk
from responder.flows.situation import situation
from responder.store.transaction import Transaction

_NO_LONGER = (Status.RESOLVED, Status.CLOSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to run where, once every name in it has been found. `given`: the values that a person gave with it, for
    the history."""

    runbook: Runbook
    target: Target
    snapshot: dict[str, Any]
    hosts: tuple[str, ...]
    given: str = ""


# --- finding every name ----------------------------------------------------------------------------


def order_by_rule(desk: Desk, ticket: Ticket, rule: FirstAidRule) -> Order:
    """What a rule wants for a ticket. Raises ValueError with the sentence for the ticket."""
    return _order(
        desk, desk.configuration.runbooks[rule.runbook], _named(desk, ticket, rule.target, rule.runbook), ticket
    )


def order_by_person(
    desk: Desk, ticket: Ticket, runbook: str, target: str, labels: Mapping[str, str] = MappingProxyType({})
) -> Order:
    """What a person wants for a ticket; without a target the alert says where. Raises ValueError.

    `labels` go before those of the alert: what a parameter takes is checked the same, whoever says it.
    """
    known = desk.configuration.runbooks
    if runbook not in known:
        raise ValueError(f"There is no runbook {runbook[:100]}; there are {', '.join(sorted(known))}.")
    _refuse_unused(known[runbook], labels)
    # Where it acts is not one of the values: it is what the alert says, or what is said as the target.
    host = _target_named(desk, target) if target else _target_of_alert(desk, ticket, runbook)
    order = _order(desk, known[runbook], host, replace(ticket, labels={**ticket.labels, **labels}))
    return replace(order, given=_given(known[runbook], ticket, labels))


def _target_named(desk: Desk, target: str) -> Target:
    found = find(desk.configuration.targets, target)
    if found is None:
        raise ValueError(f"{target[:100]!r} is no target in the inventory.")
    return found


def _target_of_alert(desk: Desk, ticket: Ticket, runbook: str) -> Target:
    rules = [rule for rule in desk.policy.first_aid if rule.runbook == runbook]
    label = next((rule.target for rule in rules if rule.applies(ticket.labels, ticket.grade)), "instance")
    return _named(desk, ticket, label, runbook)


def _refuse_unused(runbook: Runbook, labels: Mapping[str, str]) -> None:
    """What no parameter takes would change nothing, and nothing would hide what the alert says: whoever says either
    meant something else."""
    taken = sorted({one.label for one in runbook.parameters if one.label})
    unused = ", ".join(sorted(set(labels) - set(taken)))[:100]
    if empty := ", ".join(sorted(name for name, value in labels.items() if not value))[:100]:
        raise ValueError(f"The value of {empty} is empty; leave it out, or say one.")
    if unused and not taken:
        raise ValueError(f"No parameter of {runbook.name} takes {unused}; it takes no labels.")
    if unused:
        raise ValueError(f"No parameter of {runbook.name} takes {unused}; it takes {', '.join(taken)}.")


def _given(runbook: Runbook, ticket: Ticket, labels: Mapping[str, str]) -> str:
    """What would be otherwise if the person had not said it."""
    usual = {one.label: ticket.labels.get(one.label, "") or one.default for one in runbook.parameters}
    return ", ".join(f"{name}={value[:100]}" for name, value in sorted(labels.items()) if usual[name] != value)


def order_as_approved(desk: Desk, approval: Approval) -> Order:
    """Exactly what people said yes to, whatever the file says by now. Raises ValueError."""
    runbook = desk.configuration.runbooks.get(approval.runbook)
    target = find(desk.configuration.targets, approval.target)
    if runbook is None:
        raise ValueError(f"There is no runbook {approval.runbook} any more.")
    if target is None:
        raise ValueError(f"{approval.target} is no longer in the inventory.")
    made = dict(approval.snapshot)
    return Order(runbook=runbook, target=target, snapshot=made, hosts=_held(from_snapshot(made)))


def _order(desk: Desk, runbook: Runbook, target: Target, ticket: Ticket) -> Order:
    try:
        made = snapshot(runbook, ticket.labels, target, inventory=desk.configuration.targets, nonce=os.urandom(8).hex())
        return Order(runbook=runbook, target=target, snapshot=made, hosts=_held(from_snapshot(made)))
    except ValueError as error:
        raise ValueError(f"{runbook.name} cannot run: {error}.") from error


def _held(plan: Plan) -> tuple[str, ...]:
    """The hosts that the run locks and that budgets count: none where it only looks."""
    return () if plan.only_looks else plan.hosts


def _named(desk: Desk, ticket: Ticket, label: str, runbook: str) -> Target:
    wanted = ticket.labels.get(label, "")
    if not wanted:
        raise ValueError(f"The alert has no label {label}, so nothing says on which host {runbook} would act.")
    target = find(desk.configuration.targets, wanted)
    if target is None:
        raise ValueError(f"{wanted[:100]!r} (label {label}) is no target in the inventory.")
    return target


# --- guards and start ------------------------------------------------------------------------------


def situation_of(desk: Desk, tx: Transaction, order: Order, now: datetime) -> Situation:
    """What the guards look at; asking for it orders this transaction with every other start."""
    return situation(desk, tx, order.runbook, target=order.target.name, hosts=order.hosts, now=now)


def begin(
    desk: Desk,
    tx: Transaction,
    change: Change,
    order: Order,
    found: Situation,
    *,
    ordered_by: str = "",
    why: str = "",
) -> Run:
    """Takes the locks and writes the run. A ticket that is with people stays with them."""
    now = desk.clock.now()
    run = tx.runs.start(
        Run(
            id=0,
            ticket_id=change.after.id,
            runbook=order.runbook.name,
            target=order.target.name,
            started_at=now,
            snapshot=order.snapshot,
            ordered_by=ordered_by,
        ),
        order.hosts,
    )
    what = f"{order.runbook.name} on {order.target.name} (run {run.id})"
    because = f"; {why}" if why else ""
    if change.after.status is Status.NEW:
        lifecycle.start_first_aid(change, desk.policy, now=now, reason=f"First aid: {what}{because}.")
    else:
        change.note(now, EventKind.RUN, f"Ordered: {what}{because}.", run=run.id)
    change.note(now, EventKind.RUN, spoken_left(left(found)), run=run.id)
    return run


def start_ordered(desk: Desk, tx: Transaction, change: Change, order: Order, ordered_by: str) -> Run | str:
    """Starts what people ordered for a ticket, or gives the sentence why not; either is in the ticket's history."""
    now = desk.clock.now()
    found = situation_of(desk, tx, order, now)
    why_not = not_for(tx, change.after) or _sentence(first_objection(found, now))
    if why_not:
        what = f"{order.runbook.name} on {order.target.name}, ordered by {ordered_by}"
        change.note(now, EventKind.REFUSED, f"Refused: {what}: {why_not}", ordered_by)
        change.count("runs_total", runbook=order.runbook.name, outcome=RunOutcome.REFUSED)
        return why_not
    why = f"ordered by {ordered_by}, with {order.given}" if order.given else f"ordered by {ordered_by}"
    run = begin(desk, tx, change, order, found, ordered_by=ordered_by, why=why)
    change.promise("run", run=run.id, leg=run.leg)
    return run


def not_for(tx: Transaction, ticket: Ticket) -> str:
    """Why no run can be ordered for a ticket now, whatever the guards say; empty if one can."""
    if ticket.status in _NO_LONGER:
        return f"{ticket.number} is {ticket.status}, so there is nothing to run for."
    if ticket.signal is Signal.CLEARED:
        return f"The alert of {ticket.number} has cleared, so there is nothing to run for."
    if at_work := tx.runs.at_work(ticket.id):
        return f"{at_work.runbook} is at work for {ticket.number} already (run {at_work.id})."
    return ""


def _sentence(objection: Objection | None) -> str:
    return objection.sentence if objection else ""
