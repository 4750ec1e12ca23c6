"""`check`: a command must exit with a code, or print a text, within a time. It never acts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from responder.domain.acts import Act, Answer, Command, CommandResult, Facts, Fail, Look, Moment, Suspend
from responder.domain.durations import spoken
from responder.firstaid.step import Argv, Duration, Step, Word


class Check(Step):
    """Waits until `command` exits with `exit_code` and its standard output contains `contains` and matches the
    regular expression `matches` (`^` and `$` mean lines)."""

    kind: ClassVar[str] = "check"

    command: Annotated[Argv, Field(min_length=1)]
    exit_code: Annotated[int, Field(ge=0, le=255)] = 0
    contains: Word | None = None
    matches: Word | None = None
    within: Duration = timedelta()
    every: Duration = timedelta(seconds=2)
    timeout: Duration = timedelta(seconds=30)
    become: bool = False

    @field_validator("matches")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from error
        return value

    @property
    def only_looks(self) -> bool:
        return True

    def look(self) -> Look:
        return Command(argv=self.command, timeout=self.timeout, become=self.become)

    def read(self, answer: Answer) -> Facts:
        if not isinstance(answer, CommandResult):
            return {}
        return {
            "exit_code": answer.exit_code,
            "has_the_text": self._has_the_text(answer.stdout),
            "said": (answer.stdout.strip() or answer.stderr.strip())[-300:],
        }

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        if seen.get("exit_code") == self.exit_code and seen.get("has_the_text"):
            return ()
        if moment.now < moment.started_at + self.within:
            return (Suspend(until=moment.now + self.every, why=f"waiting for {self._shown()} to {self._wish()}"),)
        within = f" within {spoken(self.within)}" if self.within else ""
        return (Fail(why=f"expected {self._shown()} to {self._wish()}{within}, but {self._found(seen)}"),)

    def _has_the_text(self, text: str) -> bool:
        found = self.matches is None or re.search(self.matches, text, re.MULTILINE) is not None
        return found and (self.contains or "") in text

    def _shown(self) -> str:
        return " ".join(self.command)[:120]

    def _wish(self) -> str:
        texts = [("contain", self.contains), ("match", self.matches)]
        wanted = [f"{verb} {text!r}" for verb, text in texts if text is not None]
        return " and ".join([f"exit with {self.exit_code}", *wanted])

    def _found(self, seen: Facts) -> str:
        if "exit_code" not in seen:
            return str(seen.get("error") or "there is no answer")
        said = f": {seen['said']}" if seen.get("said") else " and printed nothing"
        return f"it exited with {seen['exit_code']}{said}"
