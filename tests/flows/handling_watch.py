"""The watch of the model of handling: it looks into every transaction, and says what should not have happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import permutations
from typing import Any, TypeVar

from responder.domain import sla
from responder.domain.approval import Approval, ApprovalKind, ApprovalState
from responder.domain.facts import Fact
from responder.domain.gates import GateRule, OnTimeout, gate_for
from responder.domain.oncall import Person
from responder.domain.policy import Policy
from responder.domain.report import Signal
from responder.domain.requirements import Case, missing
from responder.domain.sla import Clock, MarkKind
from responder.domain.ticket import FACT_OF, MOVES, Action, Change, EventKind, Status, Ticket
from responder.flows.desk import Desk
from responder.store.database import Database
from responder.store.transaction import Numbering, Transaction

T = TypeVar("T")
_ROUNDS = (MarkKind.STARTED, MarkKind.DONE, MarkKind.MISSED)
_COUNTERS = {
    "sla_clocks_met_total": "met",
    "sla_clocks_breached_total": "breached",
    "sla_clocks_excluded_total": "excluded",
}


@dataclass
class Watch:
    """Every change that was written, and what was wrong with it.

    `tally` says how each round of a clock was counted, `excused` which alerts fired when people dismissed a ticket.
    """

    desk: Desk | None = None
    wrong: list[str] = field(default_factory=list)
    written: list[Change] = field(default_factory=list)
    tally: dict[tuple[int, str, int], Counter[str]] = field(default_factory=dict)
    excused: dict[int, set[str]] = field(default_factory=dict)

    def around(self, body: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
        """The same body, looked at in the transaction that holds it."""

        def watched(tx: Transaction) -> T:
            seen: list[Change] = []
            apply = tx.apply

            def recorded(changes: Iterable[Change], now: datetime, numbers: Numbering | None = None) -> list[Ticket]:
                decided = list(changes)
                found = apply(decided, now, numbers)
                seen.extend(decided)
                return found

            tx.apply = recorded  # type: ignore[method-assign]
            result = body(tx)
            self._look(tx, [change for change in seen if change.before is not change.after])
            return result

        return watched

    def _look(self, tx: Transaction, changes: Sequence[Change]) -> None:
        if self.desk is None:
            return
        for change in changes:
            found = [
                *moves_follow_the_table(change),
                *gates_were_open(tx, change, self.desk),
                *nothing_was_missing(tx, change, self.desk.policy),
                *clocks_follow_from_their_marks(change, self.desk.policy),
                *clocks_heard_what_happened(change, self.desk.policy),
                *states_fit_together(change),
                *self._count(change),
            ]
            self.wrong += [f"{change.after.number}: {what}" for what in found]
            self.written.append(change)
            if not change.after.is_open and any(_moved(change)):
                self.excused[change.after.id] = set(change.after.firing)

    # --- counting ---------------------------------------------------------------------------------------

    def _count(self, change: Change) -> Iterator[str]:
        counted: dict[str, list[str]] = {}
        for (name, labels), amount in change.sums.items():
            if amount < 0:
                yield f"{name} falls by {-amount}"
            if name in _COUNTERS:
                counted.setdefault(dict(labels)["clock"], []).extend([_COUNTERS[name]] * int(amount))
        before = change.before
        if before and before.disposition and any("met" in one for one in counted.values()):
            yield f"it was dismissed as {before.disposition}, and still counts as met"
        for name, outcomes in counted.items():
            yield from self._count_clock(change, name, outcomes)
        if change.after.status is Status.CLOSED and any(_moved(change)):
            yield from self._all_are_counted(change)

    def _count_clock(self, change: Change, name: str, outcomes: list[str]) -> Iterator[str]:
        """Puts each outcome to a round; those before the newest one are over."""
        first = max(rounds(change.clocks_before.get(name)), 1)
        last = rounds(change.clocks.get(name))
        for outcome in _last_one_first(change.clocks[name], outcomes) if last > first else outcomes:
            number = last if last == first or outcome.startswith("last ") else first
            if number == first and last > first:
                first += 1
            tally = self.tally.setdefault((change.after.id, name, number), Counter())
            tally[outcome.removeprefix("last ")] += 1
            if max(tally.values()) > 1 or (tally["met"] and tally["breached"]):
                yield f"round {number} of clock {name} is counted as {dict(tally)}"

    def _all_are_counted(self, change: Change) -> Iterator[str]:
        for name, clock in change.clocks.items():
            if clock.is_void or clock.target is None or clock.is_running:
                continue
            tally = self.tally.get((change.after.id, name, rounds(clock)), Counter())
            if bool(tally["met"]) + bool(tally["breached"] or tally["excluded"]) != 1:
                yield f"it is closed, and its clock {name} is counted as {dict(tally)}"


def rounds(clock: Clock | None) -> int:
    """Which round a clock is in; 0 before its first."""
    return sum(mark.kind in _ROUNDS for mark in clock.marks) if clock else 0


def _last_one_first(clock: Clock, outcomes: list[str]) -> list[str]:
    """Of several rounds that end in one change only the newest may be final: by how the clock stands now."""
    final = "breached" if clock.breached_at else "met" if clock.counted and not clock.is_void else ""
    if final not in outcomes:
        return outcomes
    rest = list(outcomes)
    rest.remove(final)
    return [f"last {final}", *rest]


class Watched(Database):
    """A database with a watch beside its writer."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.watch = Watch()

    async def write(self, body: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        return await super().write(self.watch.around(body), urgent=urgent)


# --- moves ----------------------------------------------------------------------------------------------


def _moved(change: Change) -> Iterator[dict[str, Any]]:
    return (dict(event.data) for event in change.events if event.kind is EventKind.MOVED)


def moves_follow_the_table(change: Change) -> Iterator[str]:
    status = change.before.status if change.before else Status.NEW
    for data in _moved(change):
        if data["was"] != status:
            yield f"an event says it was {data['was']}, but it was {status}"
        if MOVES.get((data["was"], data["action"])) != data["status"]:
            yield f"{data['was']} by {data['action']} to {data['status']} is no move"
        status = data["status"]
    if change.after.status is not status:
        yield f"it is {change.after.status}, but its events end with {status}"


def states_fit_together(change: Change) -> Iterator[str]:
    ticket = change.after
    if ticket.is_open and ticket.firing and ticket.signal is not Signal.FIRING:
        yield f"its alerts fire, but its signal is {ticket.signal}"
    if ticket.firing and any(data["action"] in (Action.RESOLVE, Action.CLOSE) for data in _moved(change)):
        yield f"it became {ticket.status} while an alert fires"
    if ticket.status is not Status.WAITING and ticket.is_open and ticket.waiting_for:
        yield f"it is {ticket.status} and waits for the {ticket.waiting_for}"
    if not ticket.is_open and (running := [name for name, clock in change.clocks.items() if clock.is_running]):
        yield f"it is closed, and these clocks run: {', '.join(running)}"


# --- gates and requirements -----------------------------------------------------------------------------


def gates_were_open(tx: Transaction, change: Change, desk: Desk) -> Iterator[str]:
    """Resolving, closing and approving, by whomever, had the consent that the policy wants."""
    done = {Action(data["action"]) for data in _moved(change)} | ({Action.APPROVE} if _approves(change) else set())
    for action in done.intersection((Action.APPROVE, Action.RESOLVE, Action.CLOSE)):
        gate = gate_for(desk.policy.gates, action, change.after)
        if gate is None:
            continue
        asked = [one for one in tx.approvals.of_ticket(change.after.id) if _is_about(one, change, action, gate)]
        if not any(is_open(one, gate, desk.configuration.people) for one in asked):
            yield f"it went through {action} past {gate.name}: {[(one.state.value, one.answers) for one in asked]}"


def _approves(change: Change) -> bool:
    """Whether the plan is approved, which is no move once the trouble is over."""
    return any(event.text.startswith("Plan ") and " is approved: " in event.text for event in change.events)


def _is_about(asked: Approval, change: Change, action: Action, gate: GateRule) -> bool:
    """Whether it was asked for this move in this episode; for a plan, since that plan was proposed."""
    if (asked.kind, asked.gate, asked.runbook) != (ApprovalKind.GATE, gate.name, action.value):
        return False
    plan = change.dossier.plan if change.dossier and action is Action.APPROVE else None
    is_of_plan = plan is None or plan.proposed_at is None or asked.asked_at >= plan.proposed_at
    return is_of_plan and asked.episode == change.after.episode


def is_open(asked: Approval, gate: GateRule, people: Mapping[str, Person]) -> bool:
    """Whether this question lets its move pass, reckoned anew from the answers."""
    if asked.state is ApprovalState.EXPIRED:
        return asked.go_on_without or gate.on_timeout is OnTimeout.PASS
    said_yes = {one.person for one in asked.answers if one.yes}
    if asked.state is not ApprovalState.GIVEN or not all(one.yes for one in asked.answers):
        return False
    if not all(set(people[name].roles) & set(asked.roles) for name in said_yes):
        return False
    if not asked.each_role:
        return len(said_yes) >= asked.needed
    choices = permutations(said_yes, len(asked.roles))
    return any(all(role in people[name].roles for role, name in zip(asked.roles, one, strict=True)) for one in choices)


def nothing_was_missing(tx: Transaction, change: Change, policy: Policy) -> Iterator[str]:
    ticket = change.after
    for data in _moved(change):
        if data["action"] not in (Action.RESOLVE, Action.CLOSE, Action.PROPOSE):
            continue
        case = Case(
            ticket=ticket,
            dossier=tx.dossiers.of_ticket(ticket.id),
            attachments=tuple(one.name for one in tx.attachments.of_ticket(ticket.id)),
            has_reporter=tx.dossiers.has_reporter(ticket.id),
            has_article=tx.dossiers.has_article(ticket.id),
        )
        if lacking := missing(policy.needs, Action(data["action"]), case):
            yield f"it went through {data['action']} without {', '.join(lacking)}"


# --- clocks ---------------------------------------------------------------------------------------------


def clocks_follow_from_their_marks(change: Change, policy: Policy) -> Iterator[str]:
    targets = policy.promises_of(change.after.grade).targets
    for name, clock in change.clocks.items():
        rule, old = policy.clock(name), change.clocks_before.get(name)
        if rule is None or (old and (old.marks, old.warned) == (clock.marks, clock.warned)):
            # What has not changed may have been reckoned under another policy.
            continue
        expected = sla.reckoned(clock, rule)
        if replace(clock, marks=()) != replace(expected, marks=()):
            yield f"clock {name} is {clock}, but from its marks follows {expected}"
        if clock.is_running and clock.target != targets.get(name):
            yield f"clock {name} runs against {clock.target}; a {change.after.grade} has {targets.get(name)}"


def clocks_heard_what_happened(change: Change, policy: Policy) -> Iterator[str]:
    """What stops, voids or begins a clock has done so; told by the events, where one thing happened alone."""
    facts = [FACT_OF[Action(data["action"])] for data in _moved(change)]
    facts += [Fact(str(event.data["fact"])) for event in change.events if "fact" in event.data]
    if change.before is None or len(facts) != 1:
        return
    (fact,) = facts
    targets = policy.promises_of(change.after.grade).targets
    for rule in policy.clocks:
        old, now = change.clocks_before.get(rule.name), change.clocks.get(rule.name)
        runs, ran = bool(now and now.is_running), bool(old and old.is_running)
        if ran and fact in rule.stop and (runs or (now and now.is_void)):
            yield f"{fact} did not stop clock {rule.name}"
        if ran and fact in rule.void - rule.stop - _ENDS and not (now and now.is_void):
            yield f"{fact} did not void clock {rule.name}"
        if not ran and fact in rule.start and rule.name in targets and change.after.is_open and not runs:
            yield f"{fact} did not start clock {rule.name}"


_ENDS = frozenset({Fact.CLOSED, Fact.DISMISSED, Fact.MERGED})
