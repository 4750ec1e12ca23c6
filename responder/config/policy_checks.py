"""The policy against itself and against the other files: every complaint with its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from responder.adapters.yaml_file import Place
from responder.config import autonomy, budgets, calendars, escalation, health_checks, hold_off, letters, maintenance
from responder.config.clock_checks import about_clocks, about_targets
from responder.config.delivery import about_delivery
from responder.config.grades import about_grade_rules, about_kinds
from responder.config.handling_checks import Known, about_alarms, about_gates, about_grades, about_needs
from responder.config.policy import PolicyFile, PolicySource
from responder.domain.feedback import words_of_rules
from responder.domain.oncall import Person, Tier, recipients
from responder.domain.runbook import Runbook
from responder.domain.target import Target

Complaints = Iterator[tuple[Place, str]]


@dataclass(frozen=True, kw_only=True)
class Others:
    """The other files; one that could not be read is None, and is held against nobody: one mistake, one complaint."""

    runbooks: Mapping[str, Runbook] | None
    targets: Collection[Target] | None
    people: Mapping[str, Person] | None
    teams: Mapping[str, tuple[Tier, ...]] | None
    sources: Collection[str] | None = None


def complaints(source: PolicySource, written: PolicyFile, others: Others, today: date) -> Complaints:
    """All that is wrong with a policy that could be read."""
    years = calendars.years_around(today)
    yield from calendars.complaints(written.calendars, years)
    yield from _about_grades(written)
    yield from about_grade_rules(written.grade_rules)
    yield from about_kinds(written.kinds, written.kind_rules, written.default_kind, written.number)
    yield from _about_offered(source, written)
    yield from about_clocks(written.clocks, written.calendars)
    yield from about_targets(written.grades, written.clocks, source.is_own)
    yield from about_delivery(written.delivery, written.grades)
    yield from letters.complaints(written.reporter.letters)
    yield from _about_handling(written, others)
    yield from maintenance.complaints(written.maintenance)
    yield from hold_off.complaints(written.hold_off, written.grades)
    known = escalation.Known(written.grades, others.people, others.teams)
    yield from escalation.complaints(written.escalation, known)
    yield from _about_automation(written, others)
    yield from _about_heartbeats(written, others.sources)
    if others.teams is not None and others.people is not None:
        yield from _about_teams(written, others.teams, others.people)


def _about_grades(written: PolicyFile) -> Complaints:
    used: list[tuple[Place, str]] = [(("default_grade",), written.default_grade)]
    used += [(("grade_rules", index, "grade"), rule.grade) for index, rule in enumerate(written.grade_rules)]
    for index, rule in enumerate(written.first_aid):
        used += [(("first_aid", index, "grades"), name) for name in rule.grades]
    for place, name in used:
        if name not in written.grades:
            yield place, f"there is no grade {name}; there are {', '.join(written.grades)}"


def _about_offered(source: PolicySource, written: PolicyFile) -> Complaints:
    """What the form would offer and the policy does not know; what a profile offers may have been replaced."""
    rules = [rule.as_rule() for rule in written.grade_rules]
    for name, offered in written.report.offered.items():
        known, whose = (_kinds(written), "kind") if name == "kind" else (words_of_rules(rules, name), "grade rule")
        for index, word in enumerate(offered):
            place = ("report", "offered", name, index)
            if word not in known and source.is_own(place):
                yield place, f"no {whose} knows {word!r}; there are {', '.join(known) or 'none'}"


def _kinds(written: PolicyFile) -> list[str]:
    return [name for name, kind in written.kinds.items() if kind is not None]


def _about_handling(written: PolicyFile, others: Others) -> Complaints:
    known = Known(grades=written.grades, kinds=_kinds(written), people=others.people)
    yield from about_needs(written.moves, known)
    yield from about_gates(written.gates, known)
    yield from about_grades(written.grades, known)
    yield from about_alarms(written.clocks, written.actions.on_overdue, known)


def _about_heartbeats(written: PolicyFile, sources: Collection[str] | None) -> Complaints:
    for index, beat in enumerate(written.heartbeats):
        for name in beat.sources or ():
            if sources is not None and name not in sources:
                text = f"there is no source {name}; there are {', '.join(sources)}"
                yield ("heartbeats", index, "sources"), text


def _about_automation(written: PolicyFile, others: Others) -> Complaints:
    if others.runbooks is not None:
        for index, rule in enumerate(written.first_aid):
            if rule.runbook not in others.runbooks:
                known = ", ".join(sorted(others.runbooks)) or "none"
                yield ("first_aid", index, "runbook"), f"there is no runbook {rule.runbook}; there are {known}"
    yield from budgets.about_storm(written.storm, written.grades)
    yield from budgets.complaints(written.budgets, others.targets, others.runbooks)
    yield from health_checks.complaints(written.health_checks, others.targets, others.runbooks)
    known_there = autonomy.Known(written.grades, others.targets, others.runbooks, others.people)
    yield from autonomy.complaints(written.first_aid, known_there)


def _about_teams(
    written: PolicyFile, teams: Mapping[str, tuple[Tier, ...]], people: Mapping[str, Person]
) -> Complaints:
    general: list[tuple[Place, str]] = [(("default_team",), written.default_team)]
    general += [(("teams", index, "team"), rule.team) for index, rule in enumerate(written.teams)]
    own: dict[str, str | None] = {name: kind.team for name, kind in written.kinds.items() if kind is not None}
    used = [*general, *((("kinds", name, "team"), team) for name, team in own.items() if team)]
    for place, name in used:
        if name not in teams:
            yield place, f"there is no team {name} in the people file, so nobody would be told"
        else:
            yield from _about_tiers(written, name, teams[name], people)
    if not any(name in teams for _, name in general):
        for name in (name for name, team in own.items() if not team):
            yield ("kinds", name), f"kind {name} has no team of its own, and no rule gives it one of the people file"


def _about_tiers(written: PolicyFile, team: str, tiers: tuple[Tier, ...], people: Mapping[str, Person]) -> Complaints:
    for grade, promised in written.grades.items():
        if promised.tiers and not recipients(tiers, promised.tiers, people)[0]:
            wanted = ", ".join(map(str, promised.tiers))
            text = f"{grade} calls tier {wanted}, but team {team} has nobody with a channel there or above"
            yield ("grades", grade, "tiers"), text
