"""`approval`: ask people whether to go on, and wait for their answer; no thread and no connection waits for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from responder.domain.acts import Act, Ask, Facts, Moment
from responder.firstaid.step import Duration, Step, Word


class Approval(Step):
    """Goes on when `needed` people with one of `roles` said yes; one no fails the step.

    Without an answer `within` this time it fails, or goes on if `on_timeout` says so. Without roles everybody in the
    people file may answer, and tier 1 of the ticket's team is asked.
    """

    kind: ClassVar[str] = "approval"

    question: Word
    roles: tuple[Word, ...] = ()
    needed: Annotated[int, Field(ge=1, le=9)] = 1
    within: Duration = timedelta(minutes=15)
    on_timeout: Literal["fail", "go_on"] = "fail"

    @property
    def only_looks(self) -> bool:
        return True

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        if moment.has("ask"):
            return ()
        ask = Ask(
            question=self.question,
            roles=self.roles,
            needed=self.needed,
            within=self.within,
            go_on_without=self.on_timeout == "go_on",
        )
        return (ask,)
