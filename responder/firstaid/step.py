"""What every kind of step is: pure but for the look that it asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from responder.domain.acts import Act, Answer, Facts, Look, Moment
from responder.domain.durations import parse_duration


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
    unbreakable: ClassVar[bool] = False
    """Once its first act has begun, only the kill switch may stop the step before its end."""

    @classmethod
    def prepared(cls, settings: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:  # noqa: ARG003
        """The settings as the snapshot keeps them, when the runbook in `folder` is read. Raises ValueError."""
        return settings

    def look(self) -> Look:
        """The harmless question; None if there is nothing to ask."""
        return None

    def read(self, answer: Answer) -> Facts:  # noqa: ARG002 kinds without a look have no answer to read
        """Facts that can be stored as JSON."""
        return {}

    @property
    def only_looks(self) -> bool:
        """Whether it can change nothing outside: then it needs no lock and no budget."""
        return False

    def hosts(self) -> tuple[str, ...]:
        """Other targets that the step may touch: the run takes their locks too."""
        return ()

    @abstractmethod
    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:
        """What is to do now; nothing if all is as wanted."""
