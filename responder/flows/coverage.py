"""Coverage: which alerts of Prometheus rule files have no grade rule, no runbook, no owner. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from responder.adapters.yaml_file import Document, load_texts
from responder.config.configuration import Configuration
from responder.domain.coverage import (
    Answer,
    Option,
    StaticAlert,
    answer,
    conditions,
    first_aid_options,
    grade_options,
    options,
)
from responder.domain.policy import FirstAidRule
from responder.domain.runbook import Parameter
from responder.domain.series import labels_of
from responder.domain.target import find
from responder.errors import ConfigError, Problem
from responder.intake.prometheus_rules import AlertRule, Mistake, is_template, rules_in

T = TypeVar("T")
ASPECTS = ("grade", "runbook", "owner")
_SUFFIXES = {".yml", ".yaml", ".json", ".rules"}
_WEIGHT = {Answer.NO: 10, Answer.MAYBE: 1, Answer.YES: 0}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One rule that could win: its name, what it gives, and the labels that it depends on."""

    rule: str
    gives: str
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AidChoice(Choice):
    """A first-aid rule; `needs` says of each label that its runbook needs whether it can be there."""

    needs: Mapping[str, Answer] = field(default_factory=dict)
    objection: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the policy would do with the alerts of one rule."""

    path: str
    line: int
    alert: str
    group: str
    labels: Mapping[str, str]
    answers: Mapping[str, Answer]
    grade: tuple[Choice, ...] = ()
    runbook: tuple[AidChoice, ...] = ()
    owner: tuple[Choice, ...] = ()
    heartbeat: tuple[Choice, ...] = ()

    @property
    def is_heartbeat(self) -> bool:
        """For sure: then it opens no ticket, and its silence does."""
        return bool(self.heartbeat) and not self.heartbeat[-1].depends_on


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """All verdicts, the worst first; files that are broken, and files that are something else."""

    files: int
    verdicts: tuple[Verdict, ...]
    problems: tuple[Problem, ...]
    skipped: tuple[Problem, ...]

    def count(self, aspect: str, wanted: Answer) -> int:
        return sum(verdict.answers[aspect] is wanted for verdict in self.verdicts)


def coverage(configuration: Configuration, paths: Iterable[Path], extra: Mapping[str, str]) -> Coverage:
    """Judges every alerting rule in these files and folders; `extra` are labels that all of the alerts get."""
    problems: list[Problem] = []
    skipped: list[Problem] = []
    verdicts: list[Verdict] = []
    files = 0
    for path in _files(paths, problems):
        try:
            verdicts += _of_file(configuration, path, extra, problems)
        except ConfigError as error:
            problems += error.problems
            continue
        except _NoRuleFile:
            skipped.append(Problem(path=path, line=1, column=1, text="holds no alerting rules of Prometheus"))
            continue
        files += 1
    order = list(configuration.policy.grades)
    verdicts.sort(key=lambda verdict: _badness(verdict, order))
    return Coverage(files=files, verdicts=tuple(verdicts), problems=tuple(problems), skipped=tuple(skipped))


class _NoRuleFile(Exception):
    """The file is YAML, and about something else."""


def _files(paths: Iterable[Path], problems: list[Problem]) -> Iterator[Path]:
    seen = set()
    for path in paths:
        if not path.exists():
            problems.append(Problem(path=path, line=1, column=1, text="there is no such file or folder"))
        for one in _inside(path) if path.is_dir() else [path]:
            if one.is_file() and one not in seen:
                seen.add(one)
                yield one


def _inside(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.suffix in _SUFFIXES)


def _of_file(
    configuration: Configuration, path: Path, extra: Mapping[str, str], problems: list[Problem]
) -> list[Verdict]:
    documents = [(document, rules_in(document.data)) for document in load_texts(path)]
    if all(found is None for _, found in documents):
        raise _NoRuleFile
    verdicts = []
    for document, found in documents:
        for rule in found or ():
            if isinstance(rule, Mistake):
                problems.append(document.problem(rule.place, rule.text))
            else:
                verdicts.append(_verdict(configuration, document, rule, extra))
    return verdicts


def static_alert(rule: AlertRule, extra: Mapping[str, str]) -> StaticAlert:
    """What is known of the alerts of a rule: `extra` gives way to the series, and the series to the rule's labels."""
    series = labels_of(rule.expression)
    labels = {**extra, **series.known, **rule.labels, "alertname": rule.name}
    return StaticAlert(
        # An empty label is one that is not there.
        known={name: value for name, value in labels.items() if value and not is_template(value)},
        open=frozenset(name for name, value in labels.items() if is_template(value)),
        series=series,
        annotations={name: value for name, value in rule.annotations.items() if not is_template(value)},
        open_annotations=frozenset(name for name, value in rule.annotations.items() if is_template(value)),
    )


def _verdict(configuration: Configuration, document: Document, rule: AlertRule, extra: Mapping[str, str]) -> Verdict:
    alert, policy = static_alert(rule, extra), configuration.policy
    grades = grade_options(policy, alert)
    aid = tuple(_aid(configuration, option, alert) for option in first_aid_options(policy, alert, grades))
    owners = options(policy.teams, lambda team: conditions(team.when, alert))
    beats = options(policy.heartbeats, lambda beat: conditions(beat.when, alert))
    made = Verdict(
        path=str(document.path),
        line=document.problem(rule.place, "").line,
        alert=rule.name,
        group=rule.group,
        labels=alert.known,
        answers={"grade": answer(grades), "runbook": _aid_answer(aid), "owner": answer(owners)},
        grade=(*_choices(grades, lambda one: (one.name, one.grade)), *_default(policy.default_grade, grades)),
        runbook=aid,
        owner=(
            *_choices(owners, lambda one: (", ".join(map(str, one.when)), one.team)),
            *_default(policy.default_team, owners),
        ),
        heartbeat=_choices(beats, lambda one: (one.name, one.name)),
    )
    return _as_heartbeat(made) if made.is_heartbeat else made


def _as_heartbeat(verdict: Verdict) -> Verdict:
    return Verdict(
        path=verdict.path,
        line=verdict.line,
        alert=verdict.alert,
        group=verdict.group,
        labels=verdict.labels,
        answers=dict.fromkeys(ASPECTS, Answer.YES),
        heartbeat=verdict.heartbeat,
    )


def _choices(found: tuple[Option[T], ...], named: Callable[[T], tuple[str, str]]) -> tuple[Choice, ...]:
    made = []
    for option in found:
        rule, gives = named(option.rule)
        made.append(Choice(rule=rule, gives=gives, depends_on=option.depends_on))
    return tuple(made)


def _default(gives: str, found: tuple[Option[T], ...]) -> tuple[Choice, ...]:
    return () if answer(found) is Answer.YES else (Choice(rule="default", gives=gives),)


# --- runbooks --------------------------------------------------------------------------------------


def _aid(configuration: Configuration, option: Option[FirstAidRule], alert: StaticAlert) -> AidChoice:
    rule = option.rule
    parameters = configuration.runbooks[rule.runbook].parameters
    asked = [rule.target, *(one.label for one in parameters if one.label and one.default is None)]
    needs = {label: alert.presence(label) for label in asked}
    objections = [f"the alert cannot have the label {label}" for label, there in needs.items() if there is Answer.NO]
    objections += [why for one in parameters if (why := _refused(one, alert))]
    wanted = alert.known.get(rule.target)
    if wanted and find(configuration.targets, wanted) is None:
        objections.append(f"{wanted!r} (label {rule.target}) is no target in the inventory")
    return AidChoice(
        rule=rule.name,
        gives=rule.runbook,
        depends_on=option.depends_on,
        needs=needs,
        objection="; ".join(objections),
    )


def _refused(parameter: Parameter, alert: StaticAlert) -> str:
    """Why the value that is known is not let through."""
    value = alert.known.get(parameter.label)
    try:
        return "" if value is None else parameter.checked(value) and ""
    except ValueError as error:
        return str(error)


def _aid_answer(found: tuple[AidChoice, ...]) -> Answer:
    """A runbook that could never run is none."""
    usable = [choice for choice in found if not choice.objection]
    if not usable:
        return Answer.NO
    return Answer.YES if usable == list(found) and not found[-1].depends_on else Answer.MAYBE


def _badness(verdict: Verdict, order: list[str]) -> tuple[object, ...]:
    """The more is missing the worse, then the graver alert, then the place."""
    missing = sum(_WEIGHT[verdict.answers[aspect]] for aspect in ASPECTS)
    gravest = min((order.index(choice.gives) for choice in verdict.grade), default=len(order))
    return -missing, gravest, verdict.path, verdict.line
