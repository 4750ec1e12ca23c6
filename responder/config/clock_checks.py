"""Clocks in policy.yml that cannot be meant, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from responder.adapters.yaml_file import Place
from responder.config.grades import GradeFile
from responder.config.handling import ClockFile, Clocks, clock_rules
from responder.domain.facts import Fact
from responder.domain.reachability import facts_after
from responder.domain.sla import ClockRule
from responder.domain.ticket import Status
from responder.domain.workhours import ALWAYS

_ENDS = frozenset({Fact.CLOSED, Fact.DISMISSED, Fact.MERGED})
Complaints = Iterator[tuple[Place, str]]
IsOwn = Callable[[Place], bool]
"""Whether the file itself says what is at a place, or has it from the profile that it extends."""


def about_clocks(clocks: Clocks, calendars: Collection[str]) -> Complaints:
    """Clocks that never start or stop, warnings that never come, calendars that are not there."""
    rules = {rule.name: rule for rule in clock_rules(clocks, {})}
    for name, clock in clocks.items():
        if clock is None:
            continue
        rule = rules[name]
        found = (*_about_facts(rule), *_about_ends(rule), *_about_warnings(clock, rule), *_about_pauses(clock))
        yield from ((("clocks", name, *place), text) for place, text in found)
        if clock.calendar not in {ALWAYS.name, *calendars}:
            known = ", ".join({ALWAYS.name: None, **dict.fromkeys(calendars)})
            yield ("clocks", name, "calendar"), f"there is no calendar {clock.calendar}; there are {known}"


def about_targets(grades: Mapping[str, GradeFile], clocks: Clocks, is_own: IsOwn) -> Complaints:
    """Targets without their clock, and clocks of this file without any target.

    Where a clock is taken away, the targets that the profile has for it go with it.
    """
    names = [rule.name for rule in clock_rules(clocks, {})]
    aimed_at = {clock for grade in grades.values() for clock, target in grade.targets.items() if target is not None}
    for name, grade in grades.items():
        for clock, target in grade.targets.items():
            place: Place = ("grades", name, "targets", clock)
            is_taken_away = clock in clocks and clocks[clock] is None
            if clock not in names and target is not None and (is_own(place) or not is_taken_away):
                text = f"there is no clock {clock}; there are {', '.join(names)}"
                yield place, f"{'.'.join(map(str, place))}: {text}"
    for clock, written in clocks.items():
        if written is not None and clock not in aimed_at and is_own(("clocks", clock)):
            yield ("clocks", clock), f"no grade has a target for clock {clock}, so it would never run"


def _about_facts(rule: ClockRule) -> Complaints:
    if not rule.start:
        yield (), f"clock {rule.name} has no start:, so it would never run"
    if not rule.stop:
        word = "repeats and has" if rule.again else "has"
        yield (), f"clock {rule.name} {word} no stop:, so only the end of the ticket would stop it"
        return
    if late := sorted(rule.start & _ENDS):
        text = f"once a ticket is {' or '.join(late)} no clock begins, so that never starts clock {rule.name}"
        yield ("start",), text
    for fact in sorted(rule.start - _ENDS):
        if not rule.stop & facts_after(fact):
            yield ("stop",), f"clock {rule.name} could never stop: {_never_comes(rule.stop, fact)}"
        if rule.again and not rule.again & facts_after(fact):
            yield ("again",), f"clock {rule.name} could never repeat: {_never_comes(rule.again, fact)}"


def _about_ends(rule: ClockRule) -> Complaints:
    """Stopping comes before all else."""
    for key, facts in (("again", rule.again), ("void", rule.void)):
        if idle := sorted(facts & (rule.stop | _ENDS)):
            yield (key,), f"{' and '.join(idle)} would stop clock {rule.name}, so {key}: never comes to it"


def _never_comes(facts: Iterable[Fact], fact: Fact) -> str:
    coming = ", ".join(sorted(facts_after(fact)))
    return f"once a ticket is {fact}, {' or '.join(sorted(facts))} does not come any more; what may come: {coming}"


def _about_warnings(clock: ClockFile, rule: ClockRule) -> Complaints:
    for index, percent in enumerate(clock.warn):
        if not 1 <= percent <= 99:
            yield ("warn", index), f"a warning comes at 1 to 99 percent of the target, not at {percent}"
    for index, (one, following) in enumerate(pairwise(clock.warn), 1):
        if following <= one:
            yield ("warn", index), f"warnings rise, and {following} comes after {one}"
    if "on_warn" in clock.model_fields_set and not rule.warn:
        yield ("on_warn",), f"clock {rule.name} warns of nothing: write warn: with the percentages"


def _about_pauses(clock: ClockFile) -> Complaints:
    place: tuple[Any, ...] = ("waits",)
    if clock.waits and Status.WAITING not in clock.pause:
        yield place, "waits: says for what a ticket waits while the clock is paused, so it needs pause: [waiting]"
