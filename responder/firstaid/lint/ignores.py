"""Comments that silence a rule: `# lint: ignore RULE because …`, in the line of the place or right above it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from responder.adapters.yaml_file import Document
from responder.errors import Problem
from responder.firstaid.lint.finding import Finding, Severity

_FORM = re.compile(r"#\s*lint:\s*ignore\b\s*(?P<rules>[a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*)?\s*(?P<reason>.*)")
BAD_IGNORE, USELESS_IGNORE = "bad-ignore", "useless-ignore"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ignore:
    """One comment: `line` is its own, `holds_for` the lines that it silences."""

    line: int
    column: int
    holds_for: tuple[int, ...]
    rules: tuple[str, ...]
    reason: str

    @property
    def is_good(self) -> bool:
        return bool(self.rules) and self.reason.startswith("because ") and len(self.reason.split()) > 2

    def silences(self, finding: Finding) -> bool:
        return self.is_good and finding.rule in self.rules and finding.problem.line in self.holds_for


def ignores(text: str) -> Iterator[Ignore]:
    """The comments of a file that silence rules."""
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        found = _FORM.search(line)
        if not found:
            continue
        alone = line.lstrip().startswith("#")
        rules = tuple(rule.strip() for rule in (found["rules"] or "").split(",") if rule.strip())
        yield Ignore(
            line=number,
            column=found.start() + 1,
            holds_for=(_next_with_content(lines, number),) if alone else (number,),
            rules=() if rules == ("because",) else rules,
            reason=found["reason"].strip(),
        )


def _next_with_content(lines: Sequence[str], number: int) -> int:
    """The first line below that is no comment."""
    below = enumerate(lines[number:], start=number + 1)
    return next((at for at, line in below if line.strip() and not line.lstrip().startswith("#")), number)


def without_ignored(findings: Sequence[Finding], document: Document) -> list[Finding]:
    """What is left, and what is wrong with the comments themselves."""
    comments = list(ignores(document.text))
    kept = [one for one in findings if not any(comment.silences(one) for comment in comments)]
    for comment in comments:
        if not comment.is_good:
            text = "write # lint: ignore RULE because … (with the reason); this ignores nothing"
            kept.append(_about(comment, document, BAD_IGNORE, text))
        elif not any(comment.silences(one) for one in findings):
            text = f"there is nothing here that {', '.join(comment.rules)} complains about"
            kept.append(_about(comment, document, USELESS_IGNORE, text))
    return kept


def _about(comment: Ignore, document: Document, rule: str, text: str) -> Finding:
    problem = Problem(path=document.path, line=comment.line, column=comment.column, text=text)
    return Finding(rule=rule, severity=Severity.WARNING, problem=problem)
