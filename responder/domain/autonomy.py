"""Autonomy: whether a runbook is only suggested, needs approval, or starts by itself, and how it earns that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

JUDGED_AT_MOST = 100
_Z95 = 1.959963984540054
"""The standard normal quantile of a two-sided 95 % interval."""


class Autonomy(StrEnum):
    """How far a runbook may go by itself."""

    AUTO = "auto"
    APPROVE = "approve"
    SUGGEST = "suggest"


_CAREFUL_FIRST = (Autonomy.SUGGEST, Autonomy.APPROVE, Autonomy.AUTO)


@dataclass(frozen=True, kw_only=True, slots=True)
class Promotion:
    """What a runbook must have shown before it starts by itself."""

    successes: int = 10
    lower_bound: float = 0.7


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalRule:
    """Whose yes a run needs. Without it in time the run starts (`go_on_without`), or people get the ticket."""

    roles: tuple[str, ...] = ()
    needed: int = 1
    within: timedelta = timedelta(minutes=15)
    go_on_without: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AutonomyRule:
    """Per grade and target group; `default` where neither is named."""

    default: Autonomy = Autonomy.AUTO
    grades: Mapping[str, Autonomy] = field(default_factory=dict)
    groups: Mapping[str, Autonomy] = field(default_factory=dict)
    promote_after: Promotion | None = None

    @property
    def is_always_auto(self) -> bool:
        return all(one is Autonomy.AUTO for one in (self.default, *self.grades.values(), *self.groups.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A run whose outcome the alert has proved or disproved."""

    run_id: int
    at: datetime
    is_good: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What a history shows: verified successes in a row, and how sure a success is."""

    judged: int
    successes: int
    streak: int
    lower_bound: float

    @property
    def rate(self) -> float | None:
        """The share of successes; None without any judged run."""
        return self.successes / self.judged if self.judged else None

    def __str__(self) -> str:
        row = "1 verified success" if self.streak == 1 else f"{self.streak} verified successes"
        return f"{row} in a row, lower bound {self.lower_bound:.2f}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """The moment in which a runbook was promoted, or lost it again."""

    run_id: int
    at: datetime
    is_promoted: bool
    sentence: str


def level(rule: AutonomyRule, grade: str, groups: Collection[str], history: Sequence[Judged]) -> tuple[Autonomy, str]:
    """How far the runbook may go for this grade on a target in these groups, and why.

    Where a grade and groups name different levels, the most careful of them holds.
    """
    base, why = _written(rule, grade, groups)
    if base is Autonomy.AUTO or rule.promote_after is None:
        return base, f"{base}: {why}"
    record = record_of(history)
    if has_earned(record, rule.promote_after):
        return Autonomy.AUTO, f"auto: earned, {record}"
    return base, f"{base}: {why}; not earned yet ({record})"


def record_of(history: Sequence[Judged]) -> Record:
    """What the history, oldest first, shows at its end; the newest hundred count for the bound."""
    counted = history[-JUDGED_AT_MOST:]
    successes = sum(one.is_good for one in counted)
    bad_ago = next((number for number, one in enumerate(reversed(history)) if not one.is_good), len(history))
    bound = wilson_lower_bound(successes, len(counted))
    return Record(judged=len(counted), successes=successes, streak=bad_ago, lower_bound=bound)


def has_earned(record: Record, promotion: Promotion) -> bool:
    """Whether this is enough to start by itself. One failed verification ends the row, and so takes it back."""
    return record.streak >= promotion.successes and record.lower_bound >= promotion.lower_bound


def turns(history: Sequence[Judged], promotion: Promotion) -> list[Turn]:
    """Every promotion and demotion in a history, oldest first."""
    found: list[Turn] = []
    was = False
    for number, one in enumerate(history, start=1):
        record = record_of(history[:number])
        now = has_earned(record, promotion)
        if now != was:
            why = str(record) if now else f"run {one.run_id} was not proved"
            found.append(Turn(run_id=one.run_id, at=one.at, is_promoted=now, sentence=why))
        was = now
    return found


def wilson_lower_bound(successes: int, total: int) -> float:
    """The lower end of the 95 % score interval for a share; 0 without any success.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927), pp. 209-212. It says little of few trials: three of three give 0.44.
    """
    if successes == 0:
        return 0.0
    share, z2 = successes / total, _Z95 * _Z95
    middle = share + z2 / (2 * total)
    half = _Z95 * sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    return max((middle - half) / (1 + z2 / total), 0.0)


def _written(rule: AutonomyRule, grade: str, groups: Collection[str]) -> tuple[Autonomy, str]:
    named = [(rule.grades[grade], f"the policy says so for {grade}")] if grade in rule.grades else []
    named += [(rule.groups[name], f"the policy says so for the group {name}") for name in groups if name in rule.groups]
    named = named or [(rule.default, "the policy says so")]
    return min(named, key=lambda one: _CAREFUL_FIRST.index(one[0]))
