"""Budgets: on how many targets of one failure domain, group or inventory automation may be at work within a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from responder.domain.runbook import Runbook
from responder.domain.target import Target

RUNS_PER_HOUR = "runs per hour"
EVERYWHERE = "all targets"
_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """At most `most` targets (or `percent` of them) out of each set.

    `of` narrows the inventory to a group; `per` parts it by `failure_domain` or by `variables.NAME`, and a target
    without such a value is in no set. `runbooks` are those that count and are held; none named: all.
    """

    name: str
    within: timedelta
    most: int = 0
    percent: int | None = None
    of: str = ""
    per: str = ""
    runbooks: tuple[str, ...] = ()

    def holds(self, runbook: str) -> bool:
        """Whether it counts the runs of this runbook."""
        return not self.runbooks or runbook in self.runbooks

    def limit(self, size: int) -> int:
        """How many targets of a set of this size; a share is rounded down."""
        return self.most if self.percent is None else size * self.percent // 100

    def scope(self, target: Target) -> str:
        """The set that the target is in; empty if it is in none."""
        if self.of and self.of not in target.groups:
            return ""
        if not self.per:
            return self.of or EVERYWHERE
        part = domain(target, self.per)
        return f"{self.of} {part}" if self.of and part else part


def domain(target: Target, per: str) -> str:
    """What `failure_domain` or `variables.NAME` is for this target."""
    kind, _, name = per.partition(".")
    return target.variables.get(name, "") if kind == "variables" else target.failure_domain


@dataclass(frozen=True, kw_only=True, slots=True)
class Touch:
    """A run is at work on the host, or began on it not long ago."""

    host: str
    runbook: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One budget in one set as it stands: which of its targets were touched, and when last."""

    budget: Budget
    scope: str
    members: frozenset[str]
    touched: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def limit(self) -> int:
        return self.budget.limit(len(self.members))

    def new(self, hosts: Iterable[str]) -> tuple[str, ...]:
        """Those of the hosts that it would have to count in addition."""
        return tuple(host for host in dict.fromkeys(hosts) if host in self.members and host not in self.touched)


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """How much of a budget is used in one set."""

    name: str
    scope: str
    used: int
    limit: int

    @property
    def remaining(self) -> int:
        return max(self.limit - self.used, 0)


Touched = Callable[[timedelta], Sequence[Touch]]
"""What was touched within so long a time, or is still at work."""


def accounts(budgets: Iterable[Budget], targets: Collection[Target], touched: Touched) -> Iterator[Account]:
    """Every budget in each of its sets."""
    for budget in budgets:
        sets: dict[str, set[str]] = {}
        for target in targets:
            if scope := budget.scope(target):
                sets.setdefault(scope, set()).add(target.name)
        latest = _latest(touched(budget.within), budget)
        for scope, members in sorted(sets.items()):
            counted = {host: at for host, at in latest.items() if host in members}
            yield Account(budget=budget, scope=scope, members=frozenset(members), touched=counted)


def _latest(touches: Iterable[Touch], budget: Budget) -> dict[str, datetime]:
    counted = (touch for touch in touches if budget.holds(touch.runbook))
    return {touch.host: touch.at for touch in sorted(counted, key=lambda one: one.at)}


def objection(account: Account, hosts: Iterable[str], now: datetime) -> str:
    """Why the budget does not let a run touch these hosts as well; empty if it does."""
    mine = account.members.intersection(hosts)
    used, limit, new = len(account.touched), account.limit, account.new(hosts)
    if not mine or used + len(new) <= limit:
        return ""
    name, scope = account.budget.name, account.scope
    if limit < 1:
        size, host = len(account.members), min(mine)
        return f"{name}: {account.budget.percent}% of {size} in {scope} is less than one target; {host} would be one."
    stands = f"{name}: {scope} has {used} of {limit}{_who(account.touched, now)}"
    if not new:
        return f"{stands}, which is more than it may."
    beyond = max(limit - used, 0)
    beside = f"with {_listed(new[:beyond])} " if beyond else ""
    return f"{stands}; {beside}{new[beyond]} would be the {ordinal(used + beyond + 1)}."


def _who(touched: Mapping[str, datetime], now: datetime) -> str:
    if not touched:
        return ""
    latest_first = sorted(touched.items(), key=lambda one: (-one[1].timestamp(), one[0]))
    return f" ({_listed([f'{host} at {_at(at, now)}' for host, at in latest_first])})"


def _at(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _NAMED
    return ", ".join(words[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, … 11th, … 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


# --- what is left ----------------------------------------------------------------------------------


def left_in(account: Account, hosts: Iterable[str] = ()) -> Left:
    """What is left of a budget in a set, once these hosts are touched too."""
    used = len(account.touched) + len(account.new(hosts))
    return Left(name=account.budget.name, scope=account.scope, used=used, limit=account.limit)


def runs_left(runbook: Runbook, runs: int) -> Left:
    """What is left of a runbook's runs per hour."""
    return Left(name=RUNS_PER_HOUR, scope=runbook.name, used=runs, limit=runbook.runs_per_hour)


def spoken_left(left: Iterable[Left]) -> str:
    """What is left, as a sentence for the ticket."""
    return f"Left in the budgets: {'; '.join(map(_spoken, left))}."


def _spoken(left: Left) -> str:
    if left.name == RUNS_PER_HOUR:
        return f"{left.scope} {left.remaining} of {left.limit} runs this hour"
    return f"{left.name} {left.scope} {left.remaining} of {left.limit}"
