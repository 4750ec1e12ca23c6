"""The charts of the page of reports, from the numbers of a period."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from responder.domain.charts.bars import Bars, bars
from responder.domain.charts.frame import Frame
from responder.domain.charts.hours import Hours, hours
from responder.domain.charts.lines import Lines, lines
from responder.domain.charts.shares import Shares, shares
from responder.domain.charts.spreads import Spreads, spreads
from responder.domain.observed import Measure
from responder.domain.policy import Policy
from responder.domain.sla import ClockName
from responder.domain.statistics import Attainment, Spread, Statistics, in_order

PEOPLE = ("human", "machine", "itself")
_LOW = Frame(height=150, left=58)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long something took, by whom: the chart, and the spread of the whole period."""

    measure: str
    by: str
    whole: Spread
    chart: Spreads


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceLevel:
    """One clock: the chart, and for each grade the whole period."""

    clock: str
    grades: tuple[tuple[str, Attainment], ...]
    chart: Lines


@dataclass(frozen=True, kw_only=True)
class Charts:
    """All charts of a period; what nothing was counted of has no chart."""

    grades: Bars
    kinds: Bars | None
    hours: Hours
    timings: tuple[Timing, ...]
    clocks: tuple[ServiceLevel, ...]
    runbooks: Shares


def charts(found: Statistics, policy: Policy) -> Charts:
    """The charts of these numbers; grades and kinds stand in the order of the policy."""
    columns = found.wish.columns
    by_grade, by_kind = found.by_grade(), found.by_kind()
    kinds = in_order((kind for _, kind in by_kind), list(policy.kinds))
    return Charts(
        grades=bars(columns, by_grade, in_order((grade for _, grade in by_grade), list(policy.grades))),
        kinds=bars(columns, by_kind, kinds) if any(kinds) else None,
        hours=hours(found.hours),
        timings=tuple(_timings(found, columns)),
        clocks=tuple(_clock(found, columns, name, policy) for name in _clock_names(found)),
        runbooks=shares(found.runs),
    )


def _timings(found: Statistics, columns: Sequence[date]) -> Iterable[Timing]:
    for measure in Measure:
        for by in in_order((by for one, by in found.whole if one is measure), PEOPLE):
            of = {start: one for (start, what, who), one in found.spreads.items() if (what, who) == (measure, by)}
            chart = spreads(columns, of, _LOW)
            yield Timing(measure=measure.value, by=by, whole=found.whole[measure, by], chart=chart)


def _clock_names(found: Statistics) -> list[str]:
    return in_order((clock for _, clock, _ in found.clocks), [one.value for one in ClockName])


def _clock(found: Statistics, columns: Sequence[date], name: str, policy: Policy) -> ServiceLevel:
    whole = {grade: one for (clock, grade), one in found.service_levels().items() if clock == name}
    grades = in_order(whole, list(policy.grades))
    of = {(start, grade): one for (start, clock, grade), one in found.clocks.items() if clock == name}
    chart = lines(columns, of, grades, _LOW)
    return ServiceLevel(clock=name, grades=tuple((grade, whole[grade]) for grade in grades), chart=chart)
