"""Rules about parameters and templates."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, nodes

from responder.domain.runbook import Parameter, ParameterType
from responder.firstaid.lint.fields import texts
from responder.firstaid.lint.finding import Found
from responder.firstaid.lint.sheet import Placed, Sheet

_OPEN = (ParameterType.NAME, ParameterType.UNIT, ParameterType.PATH)
_TAKES_ALL = (".*", ".+", "^.*$", "^.+$", r"\S+", r"\S*")
_MAY_EMPTY = ("replace", "trim", "truncate", "striptags", "first", "last", "select", "reject")
# Parses only; nothing is rendered with it.
_PARSER = Environment(autoescape=True)


def empty_template(sheet: Sheet) -> Found:
    """An argument that may come out empty makes another command of it."""
    for step in sheet.steps:
        for place, text in texts(step.settings, step.at):
            if "{" in text and (why := _may_be_empty(text)):
                yield place, f"{text!r} can come out empty: {why}"


def loose_parameter(sheet: Sheet) -> Found:
    """Whoever can name a unit in an alert chooses what is done with other rights."""
    for parameter in sheet.runbook.parameters:
        if not _is_loose(parameter):
            continue
        for step in sheet.steps:
            if step.acts and getattr(step.step, "become", False) and parameter.name in step.parameters:
                text = (
                    f"the alert's label {parameter.label} decides what the step {step.name!r} does with become; "
                    f"give the parameter {parameter.name} allow: or a narrower pattern:"
                )
                yield ("parameters", parameter.name), text
                break


def unused_parameter(sheet: Sheet) -> Found:
    """What is never filled in can still refuse a run."""
    used = {name for step in sheet.steps for name in step.parameters}
    for parameter in sheet.runbook.parameters:
        if parameter.name not in used:
            text = f"no step uses the parameter {parameter.name}, and an alert whose label does not fit is refused"
            yield ("parameters", parameter.name), text


def parameter_in_host(sheet: Sheet) -> Found:
    """Where a label says on which other host something happens."""
    loose = {parameter.name for parameter in sheet.runbook.parameters if parameter.label and not parameter.allow}
    for step in sheet.steps:
        for place, text in texts(step.settings, step.at):
            if place[-1] in ("to", "on", "from") and "{{" in text and loose & _names(text, step):
                yield (
                    place,
                    f"an alert's label decides on which host this acts; take it from the inventory: vars.{place[-1]}",
                )


def variables_in(text: str) -> set[str]:
    """The variables of the target that a template asks for."""
    return set(_variables(_PARSER.parse(text)))


def required_variables(text: str) -> set[str]:
    """Those that it cannot do without: it gives no default for them, and does not ask whether they are there."""
    tree = _PARSER.parse(text)
    guards = [*tree.find_all(nodes.Filter), *tree.find_all(nodes.Test)]
    spared = {name for guard in guards if guard.name in ("default", "d", "defined") for name in _variables(guard)}
    return variables_in(text) - spared


def _variables(tree: nodes.Node) -> Iterator[str]:
    for one in tree.find_all(nodes.Getattr):
        if isinstance(one.node, nodes.Name) and one.node.name == "vars":
            yield one.attr
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and item.node.name == "vars" and isinstance(item.arg, nodes.Const):
            yield str(item.arg.value)


def _is_loose(parameter: Parameter) -> bool:
    has_pattern = parameter.pattern is not None and parameter.pattern.pattern not in _TAKES_ALL
    return parameter.type in _OPEN and bool(parameter.label) and not parameter.allow and not has_pattern


def _names(text: str, step: Placed) -> set[str]:
    return {name for name in step.parameters if name in text}


def _may_be_empty(text: str) -> str:
    """Why a template may render to nothing, or leave nothing where something was to be filled in."""
    tree = _PARSER.parse(text)
    for test in tree.find_all(nodes.CondExpr):
        if test.expr2 is None:
            return "its if has no else"
    for block in tree.find_all(nodes.If):
        if not block.else_:
            return "its if has no else"
    for one in tree.find_all(nodes.Filter):
        if one.name in ("default", "d") and (not one.args or _is_nothing(one.args[0])):
            return "its default is nothing"
        if one.name in _MAY_EMPTY:
            return f"{one.name} may leave nothing"
    return ""


def _is_nothing(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Const) and node.value in ("", None)
