"""`notify`: tell people something, and go on at once."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from responder.domain.acts import Act, Facts, Moment, Tell
from responder.firstaid.step import Step, Word


class Notify(Step):
    """Tells `text` to these people, to those with these roles, and to the ticket's team in these tiers.

    Without any of them tier 1 of the ticket's team is told. The message goes out whatever becomes of the run.
    """

    kind: ClassVar[str] = "notify"

    text: Word
    people: tuple[Word, ...] = ()
    roles: tuple[Word, ...] = ()
    tiers: tuple[Annotated[int, Field(ge=1, le=9)], ...] = ()

    @property
    def only_looks(self) -> bool:
        return True

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        if moment.has("tell"):
            return ()
        return (Tell(text=self.text, people=self.people, roles=self.roles, tiers=self.tiers),)
