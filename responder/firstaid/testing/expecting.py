"""What a test file expects of a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from responder.domain.runbook import RunOutcome
from responder.firstaid.step import Duration
from responder.firstaid.testing.patterns import parse_pattern
from responder.firstaid.testing.words import Model, Texts


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """A command as a test expects it; without a host: on the test's own target, or a request."""

    host: str
    pattern: tuple[str, ...]


def _act(value: object) -> Act:
    # Without quotes, YAML makes a mapping of `web-1: systemctl restart x`.
    if isinstance(value, dict) and len(value) == 1:
        host, command = next(iter(value.items()))
        return Act(host=str(host), pattern=parse_pattern(command))
    words = parse_pattern(value)
    if words[0].endswith(":") and len(words) > 1:
        return Act(host=words[0][:-1], pattern=words[1:])
    return Act(host="", pattern=words)


Acts = Annotated[
    tuple[Annotated[Act, BeforeValidator(_act)], ...],
    WithJsonSchema({"type": "array", "items": {"type": ["string", "object", "array"]}}),
]


class StepResult(StrEnum):
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    REFUSED = "refused"
    NOT_BEGUN = "not begun"


class Expectation(Model):
    """What must be so at the end; what is not written is not looked at."""

    outcome: RunOutcome
    acts: Acts | None = None
    never: Acts = ()
    message: Texts = ()
    steps: dict[str, StepResult] = Field(default_factory=dict)
    attachments: tuple[str, ...] | None = None
    asked: Texts = ()
    told: Texts = ()
    within: Duration | None = None
