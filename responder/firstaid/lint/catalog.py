"""All rules about one runbook, and how they are run."""

from __future__ import annotations

from collections.abc import Iterable

from responder.errors import Problem
from responder.firstaid.lint import commands, limits, parameters, secrets, shape
from responder.firstaid.lint.finding import Finding, Rule, Severity
from responder.firstaid.lint.ignores import without_ignored
from responder.firstaid.lint.sheet import Sheet

_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
NO_LOOK = "no-look"
INVALID = "invalid"

RULES: tuple[Rule[Sheet], ...] = (
    Rule("unbounded-wait", _W, limits.unbounded_wait),
    Rule("waits-exceed-timeout", _E, limits.waits_exceed_timeout),
    Rule("timeout-too-short", _W, limits.timeout_too_short),
    Rule("step-timeout", _W, limits.step_timeout),
    Rule("long-timeout", _W, limits.long_timeout),
    Rule("no-timeout", _I, limits.no_timeout),
    Rule("long-cooldown", _W, limits.long_cooldown),
    Rule("no-cooldown", _W, limits.no_cooldown),
    Rule("odd-hours", _W, limits.odd_hours),
    Rule("empty-template", _W, parameters.empty_template),
    Rule("loose-parameter", _W, parameters.loose_parameter),
    Rule("unused-parameter", _W, parameters.unused_parameter),
    Rule("parameter-in-host", _W, parameters.parameter_in_host),
    Rule("shell-parameter", _E, commands.shell_parameter),
    Rule("shell", _W, commands.shell),
    Rule("become-shell", _W, commands.become_shell),
    Rule("destructive-command", _W, commands.destructive_command),
    Rule("needless-once", _W, commands.needless_once),
    Rule("once-without-reason", _W, commands.once_without_reason),
    Rule("no-rollback", _W, commands.no_rollback),
    Rule("secret-in-clear", _E, secrets.secret_in_clear),
    Rule("no-precheck", _W, shape.no_precheck),
    Rule("no-verification", _W, shape.no_verification),
    Rule("act-after-verification", _W, shape.act_after_verification),
    Rule("same-name", _W, shape.same_name),
    Rule("finish-all-unexplained", _W, shape.finish_all_unexplained),
)


def linted(sheet: Sheet, further: Iterable[Finding] = ()) -> list[Finding]:
    """What the rules find in a runbook, and what others found in its file, in the file's order, without what the
    file itself ignores with a reason."""
    found = [finding for rule in RULES for finding in rule.findings(sheet, sheet.document)]
    kept = without_ignored([*found, *further], sheet.document)
    return sorted(kept, key=lambda one: (one.problem.line, one.problem.column, one.rule))


def refused(problem: Problem) -> Finding:
    """What the loader does not take, as a finding."""
    rule = NO_LOOK if "give either check:" in problem.text else INVALID
    return Finding(rule=rule, severity=Severity.ERROR, problem=problem)
