"""Reads a test file, and checks it against itself and its runbook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from responder.adapters.yaml_file import Place, load
from responder.errors import ConfigError, Problem
from responder.firstaid.testing.answers import CommandRule
from responder.firstaid.testing.files import EVERY_HOST, CaseFile, SuiteFile
from responder.firstaid.testing.states import Condition
from responder.firstaid.testing.suite import Suite, runbook_of
from responder.firstaid.written import steps_in


def load_suite(path: Path) -> Suite:
    """Raises ConfigError with every mistake in the test file, or in its runbook."""
    document = load(path)
    written = document.parsed(SuiteFile)
    suite = Suite(document=document, written=written, runbook=runbook_of(document, written))
    if problems := list(_mistakes(suite)):
        raise ConfigError(problems)
    return suite


def _mistakes(suite: Suite) -> Iterator[Problem]:
    written, document = suite.written, suite.document
    everywhere = {target.name for case in written.tests for target in suite.targets_of(case)}
    for place, host in (*_hosts_of_rules(written.hosts), *_named_in_rules(written.hosts)):
        if host not in everywhere:
            yield document.problem(place, _no_host(host, everywhere))
    steps = {step.name for step in steps_in(suite.runbook)}
    for index, case in enumerate(written.tests):
        if any(other.name == case.name for other in written.tests[:index]):
            yield suite.problem(index, ("name",), f"there are two tests called {case.name!r}")
        known = {target.name for target in suite.targets_of(case)}
        for place, host in _hosts_named(case):
            if host not in known:
                yield suite.problem(index, place, _no_host(host, known))
        for place, name in _steps_named(case, known):
            if name not in steps:
                text = f"the runbook has no step {name!r}; it has {', '.join(sorted(steps))}"
                yield suite.problem(index, place, text)


def _hosts_named(case: CaseFile) -> Iterator[tuple[Place, str]]:
    if case.target:
        yield ("target",), case.target.name
    yield from ((("unreachable",), name) for name in case.unreachable)
    yield from ((("states",), one.host) for one in case.states if one.host)
    yield from _hosts_of_rules(case.hosts)
    yield from _named_in_rules(case.hosts)
    for key, acts in (("acts", case.expect.acts or ()), ("never", case.expect.never)):
        yield from ((("expect", key, index), act.host) for index, act in enumerate(acts) if act.host)


def _hosts_of_rules(rules: Iterable[str]) -> Iterator[tuple[Place, str]]:
    return ((("hosts", name), name) for name in rules if name != EVERY_HOST)


def _named_in_rules(hosts: dict[str, tuple[CommandRule, ...]]) -> Iterator[tuple[Place, str]]:
    return (
        (("hosts", name, index), one.host)
        for name, rules in hosts.items()
        for index, rule in enumerate(rules)
        for one in _with_host(rule.if_, rule.then)
    )


def _with_host(*several: tuple[Condition, ...]) -> Iterator[Condition]:
    return (one for conditions in several for one in conditions if one.host)


def _steps_named(case: CaseFile, hosts: set[str]) -> Iterator[tuple[Place, str]]:
    for key in ("cleared_after", "cleared_during", "taken_after", "kill_switch_after"):
        if name := getattr(case, key):
            yield (key,), name
    yield from ((("approvals", name), name) for name in case.approvals)
    for name in case.expect.steps:
        step, separator, host = name.rpartition(" on ")
        yield ("expect", "steps", name), step if separator and host in hosts else name


def _no_host(name: str, known: set[str]) -> str:
    return f"{name} is no target of this file; there are {', '.join(sorted(known))}"
