"""`collect`: diagnostics for the people who come next. Never in the way of what follows."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from responder.domain.runbook import Act, Command, Facts, Moment
from responder.firstaid.step import Argv, Duration, Step


class Collect(Step):
    """Runs harmless commands and keeps their output on the ticket; none of them can fail the run."""

    kind: ClassVar[str] = "collect"

    commands: Annotated[tuple[Argv, ...], Field(min_length=1, max_length=20)]
    timeout: Duration = timedelta(seconds=10)
    become: bool = False

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        return tuple(
            Command(argv=argv, timeout=self.timeout, become=self.become, harmless=True)
            for argv in self.commands[moment.acts :]
        )
