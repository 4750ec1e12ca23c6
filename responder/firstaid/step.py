"""What every kind of step is: pure but for the look that it asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from responder.domain.durations import parse_duration
from responder.domain.runbook import Act, Answer, Facts, Look, Moment


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a duration; write it like 30s, 5m or 1h30m")
    return parse_duration(value)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Argv = Annotated[tuple[Word, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)]


class Step(BaseModel, ABC):
    """One kind of step, with its settings as fields.

    `look` names a harmless question, `read` makes facts of the answer, `plan` says what is still to do, given
    the facts before the first act and those seen now. An empty plan means: it is as wanted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str]

    def look(self) -> Look:
        """The harmless question; None if there is nothing to ask."""
        return None

    def read(self, answer: Answer) -> Facts:  # noqa: ARG002 kinds without a look have no answer to read
        """Facts that can be stored as JSON."""
        return {}

    @abstractmethod
    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:
        """What is to do now; nothing if all is as wanted."""
