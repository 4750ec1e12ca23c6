"""Ticking: what happens to clocks when something happens to their ticket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from responder.domain.facts import Fact
from responder.domain.sla import Clock, ClockRule, Mark, MarkKind, Scene, Target, reckoned, used

_DISPROVED = frozenset({Fact.RESTORED, Fact.VERIFIED, Fact.RESOLVED})
"""What a relapse shows to have been an error: a clock stopped by one of these goes on."""


def opened(rules: Sequence[ClockRule], scene: Scene, facts: Iterable[Fact] = ()) -> dict[str, Clock]:
    """The clocks of a new ticket, of which these facts are true from the start."""
    clocks = {
        rule.name: _begun(rule, Fact.OPENED, scene)
        for rule in rules
        if Fact.OPENED in rule.start and rule.name in scene.targets
    }
    for fact in facts:
        clocks = fed(clocks, rules, fact, scene)
    return clocks


def fed(clocks: Mapping[str, Clock], rules: Iterable[ClockRule], fact: Fact, scene: Scene) -> dict[str, Clock]:
    """The clocks after a fact. Rules that the policy no longer has leave their clocks as they are."""
    after = dict(clocks)
    for rule in rules:
        found = _fed(after.get(rule.name), rule, fact, scene)
        if found is not None:
            after[rule.name] = found
    return after


def regraded(clocks: Mapping[str, Clock], rules: Iterable[ClockRule], scene: Scene) -> dict[str, Clock]:
    """The clocks after a change of grade: what was counted stays counted, against the new targets.

    A clock that stands already keeps the grade under which it stopped.
    """
    after = dict(clocks)
    for rule in rules:
        clock = after.get(rule.name)
        if clock is None:
            if rule.name in scene.targets and Fact.OPENED in rule.start:
                after[rule.name] = _begun(rule, Fact.OPENED, scene)
        elif clock.is_running:
            after[rule.name] = _marked(clock, rule, scene, MarkKind.REGRADED, scene.grade)
    return after


def replanned(clock: Clock, rule: ClockRule, old: ClockRule, scene: Scene) -> Clock:
    """A running clock under a changed rule, calendar or target: what was counted by the old one is kept."""
    mark = Mark(
        at=scene.at,
        kind=MarkKind.KEPT,
        why=rule.calendar.version,
        target=_target(rule, scene),
        kept=used(clock, old, scene.at),
    )
    return _paused_or_not(reckoned(replace(clock, marks=(*clock.marks, mark)), rule), rule, scene)


def breached(clock: Clock, rule: ClockRule | None) -> Clock:
    """The clock with its breach written down; a repeating one begins its next round at once."""
    if rule is None or not rule.again or clock.due_at is None:
        return replace(clock, breached_at=clock.due_at, next_at=None)
    mark = Mark(at=clock.due_at, kind=MarkKind.MISSED)
    return reckoned(replace(clock, marks=(*clock.marks, mark), breached_at=None, warned=0), rule)


def warned(clock: Clock, rule: ClockRule, percent: int) -> Clock:
    """The clock with this warning written down."""
    return reckoned(replace(clock, warned=percent), rule)


def _fed(clock: Clock | None, rule: ClockRule, fact: Fact, scene: Scene) -> Clock | None:
    if clock is None or (not clock.is_running and fact in rule.start):
        has_target = clock is not None or _target(rule, scene) is not None
        may_begin = fact in rule.start and scene.status != "closed" and has_target
        return _begun(rule, fact, scene, clock) if may_begin else clock
    if fact is Fact.REOPENED:
        return _reopened(clock, rule, scene)
    if clock.is_running:
        return _moved_on(clock, rule, fact, scene)
    return _after_relapse(clock, rule, scene) if fact is Fact.RELAPSED else clock


def _moved_on(clock: Clock, rule: ClockRule, fact: Fact, scene: Scene) -> Clock:
    if fact in rule.stop or fact in _ENDS:
        return _marked(clock, rule, scene, MarkKind.STOPPED, fact.value)
    if fact in rule.void:
        return _marked(clock, rule, scene, MarkKind.VOIDED, fact.value)
    if fact in rule.again:
        return reckoned(replace(_marked(clock, rule, scene, MarkKind.DONE, fact.value), warned=0), rule)
    return _paused_or_not(clock, rule, scene)


_ENDS = frozenset({Fact.CLOSED, Fact.DISMISSED, Fact.MERGED})
"""A ticket that has ended has no running clock."""


def _begun(rule: ClockRule, fact: Fact, scene: Scene, old: Clock | None = None) -> Clock:
    mark = Mark(at=scene.at, kind=MarkKind.STARTED, why=fact.value, target=_target(rule, scene))
    if old is None and rule.calendar.is_always and isinstance(mark.target, timedelta):
        # The way of every new alert: worth a few microseconds.
        due = scene.at + mark.target
        coming = scene.at + mark.target * (min(rule.warn) / 100) if rule.warn else due
        fresh = Clock(name=rule.name, started_at=scene.at, due_at=due, next_at=coming, marks=(mark,))
        return _paused_or_not(fresh, rule, scene) if rule.pause else fresh
    marks = (*(old.marks if old else ()), mark)
    return _paused_or_not(reckoned(Clock(name=rule.name, started_at=scene.at, marks=marks), rule), rule, scene)


def _reopened(clock: Clock, rule: ClockRule, scene: Scene) -> Clock:
    """A new episode: clocks that start with the ticket start anew, the others wait for their start."""
    if rule.start & {Fact.OPENED, Fact.REPORTED}:
        return _begun(rule, Fact.REOPENED, scene, clock)
    return _marked(clock, rule, scene, MarkKind.VOIDED, Fact.REOPENED.value) if clock.is_running else clock


def _after_relapse(clock: Clock, rule: ClockRule, scene: Scene) -> Clock:
    stop = clock.marks[-1]
    if clock.counted or stop.kind is not MarkKind.STOPPED or stop.why not in _DISPROVED:
        return clock
    kind = MarkKind.WENT_ON if rule.relapse_counts else MarkKind.RESUMED
    gone_on = _marked(clock, rule, scene, kind, Fact.RELAPSED.value)
    if gone_on.target == _target(rule, scene):
        return gone_on
    # The grade has changed while it stood.
    return _marked(gone_on, rule, scene, MarkKind.REGRADED, scene.grade)


def _paused_or_not(clock: Clock, rule: ClockRule, scene: Scene) -> Clock:
    should = scene.status in rule.pause and (not rule.waits or scene.waiting_for in rule.waits)
    if should == clock.is_paused:
        return clock
    return _marked(clock, rule, scene, MarkKind.PAUSED if should else MarkKind.RESUMED, _pausing(scene))


def _pausing(scene: Scene) -> str:
    return f"{scene.status} for {scene.waiting_for}" if scene.waiting_for else scene.status


def _marked(clock: Clock, rule: ClockRule, scene: Scene, kind: MarkKind, why: str) -> Clock:
    # What begins or goes on does so against the target of the grade that the ticket has now.
    target = _target(rule, scene) if kind in _AGAINST else None
    mark = Mark(at=scene.at, kind=kind, why=why, target=target)
    return reckoned(replace(clock, marks=(*clock.marks, mark)), rule)


_AGAINST = {MarkKind.REGRADED}


def _target(rule: ClockRule, scene: Scene) -> Target | None:
    return scene.targets.get(rule.name)
