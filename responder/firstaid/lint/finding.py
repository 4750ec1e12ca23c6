"""What the linter finds, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from responder.adapters.yaml_file import Document, Place
from responder.errors import Problem

Subject = TypeVar("Subject")
Found = Iterator[tuple[Place, str]]
"""Places in the document that a rule complains about, each with a sentence."""

DOCS = "docs/lint.md"


class Severity(StrEnum):
    """An error cannot be meant; a warning may be; an info is only told."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One complaint at one place."""

    rule: str
    severity: Severity
    problem: Problem

    @property
    def docs(self) -> str:
        """Where the rule is explained."""
        return f"{DOCS}#{self.rule}"

    def __str__(self) -> str:
        at = f"{self.problem.path}:{self.problem.line}:{self.problem.column}"
        return f"{at}: {self.severity}: {self.problem.text} [{self.docs}]"


@dataclass(frozen=True, slots=True)
class Rule(Generic[Subject]):
    """A pure function over what it looks at."""

    id: str
    severity: Severity
    check: Callable[[Subject], Found]

    def findings(self, subject: Subject, document: Document) -> Iterator[Finding]:
        for place, text in self.check(subject):
            yield Finding(rule=self.id, severity=self.severity, problem=document.problem(place, text))
