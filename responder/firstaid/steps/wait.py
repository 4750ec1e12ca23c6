"""`wait`: let some time pass; no thread and no connection waits for it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from responder.domain.acts import Act, Facts, Moment, Suspend
from responder.domain.durations import spoken
from responder.firstaid.step import Duration, Step


class Wait(Step):
    """Waits `for` this long, counted from the step's beginning even across a crash."""

    kind: ClassVar[str] = "wait"

    duration: Duration = Field(alias="for")

    @property
    def only_looks(self) -> bool:
        return True

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        until = moment.started_at + self.duration
        return () if moment.now >= until else (Suspend(until=until, why=f"waiting {spoken(self.duration)}"),)
