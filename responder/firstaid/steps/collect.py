"""`collect`: diagnostics for the people who come next. Never in the way of what follows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from responder.domain.acts import Act, Command, Facts, Moment
from responder.firstaid.step import Argv, Duration, Step

_LONGEST = 100


class Collect(Step):
    """Runs harmless commands, all at the same time, and attaches their output to the ticket; none of them can
    fail the run."""

    kind: ClassVar[str] = "collect"

    commands: Annotated[tuple[Annotated[Argv, Field(min_length=1)], ...], Field(min_length=1, max_length=20)]
    timeout: Duration = timedelta(seconds=10)
    become: bool = False

    @property
    def only_looks(self) -> bool:
        return True

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        named = zip(_names(self.commands), self.commands, strict=True)
        return tuple(self._command(name, argv) for name, argv in named if not moment.has(name))

    def _command(self, name: str, argv: tuple[str, ...]) -> Command:
        file = re.sub(r"[^\w .+=@:-]", "_", name) + ".txt"
        return Command(argv=argv, timeout=self.timeout, become=self.become, harmless=True, label=name, keep_as=file)


def _names(commands: Iterable[tuple[str, ...]]) -> list[str]:
    """Each command as text, and told apart where the texts, which are cut, are the same."""
    names: list[str] = []
    for argv in commands:
        name = text = " ".join(argv)[:_LONGEST]
        number = 1
        while name in names:
            number += 1
            name = f"{text} ({number})"
        names.append(name)
    return names
