"""The linter's rules that need all files: runbooks against inventory and policy, and the policy against both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from responder.adapters.yaml_file import Document, Place, load
from responder.config.configuration import SHIPPED_RUNBOOKS, Configuration
from responder.config.inventory_lint import about_inventory
from responder.config.people_lint import about_people
from responder.config.rota_lint import about_rotas
from responder.domain.policy import FirstAidRule
from responder.domain.target import Target, find
from responder.firstaid.lint.catalog import linted
from responder.firstaid.lint.fields import texts
from responder.firstaid.lint.finding import Finding, Found, Rule, Severity
from responder.firstaid.lint.parameters import required_variables, variables_in
from responder.firstaid.lint.sheet import Placed, Sheet, read_sheet
from responder.firstaid.loader import runbook_files

_LITERALS = re.compile(r"\(?(?:\?:)?([A-Za-z0-9_:|-]|\\\.|\.)+\)?")


@dataclass(frozen=True, kw_only=True)
class Used:
    """A runbook where it is used."""

    sheet: Sheet
    configuration: Configuration

    @cached_property
    def rules(self) -> tuple[FirstAidRule, ...]:
        return tuple(rule for rule in self.configuration.policy.first_aid if rule.runbook == self.sheet.runbook.name)

    @property
    def foreachs(self) -> Iterator[tuple[Place, Mapping[str, Any], list[Target]]]:
        """Each foreach, with its place and the members of its group."""
        for index, entry in enumerate(self.sheet.document.data["steps"]):
            if "foreach" in entry:
                written = entry["foreach"]
                yield ("steps", index, "foreach"), written, self.members(written["group"])

    def members(self, group: str) -> list[Target]:
        """Those of the group; where a variable names it, of every group that it may name. Without a group: all."""
        targets = self.configuration.targets
        if not group:
            return list(targets)
        values = {target.variables.get(name, "") for target in targets for name in variables_in(group)}
        groups = values or {group}
        return [target for target in targets if groups & {*target.groups}]


def findings(configuration: Configuration) -> list[Finding]:
    """What the linter finds in all files: in every runbook of the own folders, in the shipped ones that the policy
    uses, and in the policy. Raises ConfigError when a file has changed meanwhile into one that is wrong."""
    found: list[Finding] = []
    for sheet in _sheets(configuration):
        used = Used(sheet=sheet, configuration=configuration)
        further = (one for rule in RUNBOOK_RULES for one in rule.findings(used, sheet.document))
        found += linted(sheet, further)
    document = load(configuration.path.parent / configuration.settings.policy)
    about_policy = _about_policy(configuration, document)
    about_others = (about_inventory, about_people, about_rotas)
    return [*found, *about_policy, *(one for about in about_others for one in about(configuration))]


def _about_policy(configuration: Configuration, document: Document) -> Iterator[Finding]:
    for rule in POLICY_RULES:
        yield from rule.findings(configuration, document)


def _sheets(configuration: Configuration) -> list[Sheet]:
    """The own runbooks, a later folder's winning over an earlier one's, and the shipped ones that are used."""
    folders = [configuration.path.parent / folder for folder in configuration.settings.runbooks]
    own = {sheet.runbook.name: sheet for folder in folders for sheet in map(read_sheet, runbook_files(folder))}
    used = dict.fromkeys(rule.runbook for rule in configuration.policy.first_aid)
    # A shipped runbook's file has its name.
    shipped = [SHIPPED_RUNBOOKS / f"{name}.yml" for name in used if name not in own]
    return [*own.values(), *map(read_sheet, shipped)]


# --- a runbook against the inventory and the policy ------------------------------------------------


def unused_runbook(used: Used) -> Found:
    """Nobody calls it."""
    if not used.rules:
        yield ("runbook",), f"no rule of the policy uses {used.sheet.runbook.name}"


def empty_group(used: Used) -> Found:
    """A foreach over nobody refuses every run."""
    for place, written, members in used.foreachs:
        if not members:
            text = f"no target of the inventory is in the group {written['group']}, so every run is refused"
            yield (*place, "group"), text


def all_at_once(used: Used) -> Found:
    """Where all members are touched at the same time, all can be lost at the same time."""
    for place, written, members in used.foreachs:
        acts = any(step.acts for step in used.sheet.steps if step.place[: len(place)] == place)
        if acts and len(members) > 1 and written.get("max_parallel", 1) >= len(members):
            yield (*place, "max_parallel"), f"that is all {len(members)} of {written['group']} at the same time"


def unknown_target(used: Used) -> Found:
    """A host that the inventory does not know refuses every run."""
    for step in used.sheet.steps:
        for name in step.step.hosts():
            if "{{" not in name and find(used.configuration.targets, name) is None:
                yield _place_of(name, step.settings, step.at), f"{name!r} is no target in the inventory"


def unknown_variable(used: Used) -> Found:
    """A variable that no target has refuses every run."""
    for step in used.sheet.steps:
        targets = used.members(step.group)
        for place, name in _variables(step, required_variables):
            lacking = [target.name for target in targets if name not in target.variables]
            if targets and len(lacking) == len(targets):
                whom = f"the group {step.group}" if step.group else "the inventory"
                yield place, f"no target of {whom} has the variable {name}, so every run is refused"


def lacking_variable(used: Used) -> Found:
    """A variable that some members of the group have, or that is empty somewhere."""
    for step in used.sheet.steps:
        targets = used.members(step.group) if step.group else []
        for place, name in _variables(step, required_variables):
            lacking = [target.name for target in targets if name not in target.variables]
            if lacking and len(lacking) < len(targets):
                yield place, f"{', '.join(lacking)} of the group {step.group} has no variable {name}"


def empty_variable(used: Used) -> Found:
    """A variable that is the empty text somewhere."""
    for step in used.sheet.steps:
        for place, name in _variables(step, variables_in):
            empty = [target.name for target in used.configuration.targets if target.variables.get(name) == ""]
            if empty:
                yield place, f"the variable {name} is empty on {', '.join(empty)}"


def _variables(step: Placed, names_in: Callable[[str], set[str]]) -> Iterator[tuple[Place, str]]:
    for place, text in texts(step.settings, step.at):
        for name in sorted(names_in(text)) if "{" in text else ():
            yield place, name


def _place_of(name: str, settings: object, at: Place) -> Place:
    return next((place for place, text in texts(settings, at) if text == name), at)


# --- the policy against the others -----------------------------------------------------------------


def unreachable_target(configuration: Configuration) -> Found:
    """A rule whose target label can only have values that are no target."""
    for index, rule in enumerate(configuration.policy.first_aid):
        for matcher in rule.when:
            values = _values(matcher.operator, matcher.value) if matcher.label == rule.target else None
            if values and not any(find(configuration.targets, value) for value in values):
                text = f"the label {rule.target} can only be {' or '.join(map(repr, values))} here, which is no target"
                yield ("first_aid", index, "when"), text


def parameter_never_fits(configuration: Configuration) -> Found:
    """A rule that asks for a value which its runbook refuses."""
    for index, rule in enumerate(configuration.policy.first_aid):
        runbook = configuration.runbooks[rule.runbook]
        pinned = {matcher.label: _values(matcher.operator, matcher.value) for matcher in rule.when}
        for parameter in runbook.parameters:
            refusals = []
            for value in pinned.get(parameter.label) or ():
                try:
                    parameter.value({parameter.label: value})
                    break
                except ValueError as error:
                    refusals.append(str(error))
            else:
                if refusals:
                    yield ("first_aid", index, "when"), f"{runbook.name} refuses what this asks for: {refusals[0]}"


def zero_budget(configuration: Configuration) -> Found:
    """A share of so few targets that it is nobody."""
    for index, budget in enumerate(configuration.policy.budgets):
        sizes: dict[str, int] = {}
        for target in configuration.targets:
            if scope := budget.scope(target):
                sizes[scope] = sizes.get(scope, 0) + 1
        nobody = [f"{scope} ({size})" for scope, size in sorted(sizes.items()) if budget.limit(size) == 0]
        if nobody:
            text = f"{budget.percent}% of so few is nobody, so automation may never touch: {', '.join(nobody)}"
            yield ("budgets", index, "max"), text


def _values(operator: str, value: str) -> tuple[str, ...]:
    """The values that a matcher lets a label have, if they are few and written out; none if nobody can tell."""
    if operator == "=":
        return (value,) if value else ()
    if operator != "=~" or not _LITERALS.fullmatch(value) or re.search(r"(?<!\\)\.", value):
        return ()
    return tuple(part.replace("\\.", ".") for part in value.removeprefix("(?:").strip("()").split("|"))


_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO

RUNBOOK_RULES: tuple[Rule[Used], ...] = (
    Rule("unused-runbook", _I, unused_runbook),
    Rule("empty-group", _E, empty_group),
    Rule("all-at-once", _W, all_at_once),
    Rule("unknown-target", _E, unknown_target),
    Rule("unknown-variable", _E, unknown_variable),
    Rule("lacking-variable", _W, lacking_variable),
    Rule("empty-template", _W, empty_variable),
)
POLICY_RULES: tuple[Rule[Configuration], ...] = (
    Rule("unreachable-target", _E, unreachable_target),
    Rule("parameter-never-fits", _E, parameter_never_fits),
    Rule("zero-budget", _E, zero_budget),
)
