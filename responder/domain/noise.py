"""Noise: alerts that nobody ever acted on, by the rule that made tickets of them, and the pages that they cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.ticket import Disposition

_IS_NEW = timedelta(days=1)
"""An open ticket so young may still be acted on."""
_WAS_NOTHING = (Disposition.FALSE_ALARM, Disposition.PSEUDO_FAULT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """A ticket as far as noise goes: which alert, which rule graded it, who did anything, and its pages."""

    number: str
    alert: str
    rule: str
    opened_at: datetime
    is_over: bool
    was_touched: bool
    disposition: str
    pages: int

    @property
    def was_acted_on(self) -> bool:
        """Whether a person or a run did anything. To call it a false alarm is to say that there was nothing to do."""
        return self.was_touched and self.disposition not in _WAS_NOTHING

    def counts(self, now: datetime) -> bool:
        """Whether it can be judged: it is over, or has been open for a while."""
        return self.is_over or self.opened_at <= now - _IS_NEW


@dataclass(frozen=True, kw_only=True, slots=True)
class NoisyRule:
    """An alert under one rule that never led to anything: how many tickets and pages it was, and the latest of them."""

    alert: str
    rule: str
    tickets: int
    pages: int
    last: str
    last_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """What was noise since then, the most pages first, beside all tickets and pages of that time."""

    since: datetime
    tickets: int
    pages: int
    rules: tuple[NoisyRule, ...]

    @property
    def wasted(self) -> int:
        """The pages that led to nothing."""
        return sum(rule.pages for rule in self.rules)


def noise(heard: Iterable[Heard], since: datetime, now: datetime) -> Noise:
    """Groups what can be judged by alert and rule, and keeps the groups of which nobody ever acted on any ticket."""
    groups: dict[tuple[str, str], list[Heard]] = {}
    for one in heard:
        if one.counts(now):
            groups.setdefault((one.alert, one.rule), []).append(one)
    found = [_noisy(group) for group in groups.values() if not any(one.was_acted_on for one in group)]
    return Noise(
        since=since,
        tickets=sum(map(len, groups.values())),
        pages=sum(one.pages for group in groups.values() for one in group),
        rules=tuple(sorted(found, key=lambda rule: (-rule.pages, -rule.tickets, rule.alert, rule.rule))),
    )


def _noisy(group: list[Heard]) -> NoisyRule:
    last = max(group, key=lambda one: (one.opened_at, one.number))
    return NoisyRule(
        alert=last.alert,
        rule=last.rule,
        tickets=len(group),
        pages=sum(one.pages for one in group),
        last=last.number,
        last_at=last.opened_at,
    )
