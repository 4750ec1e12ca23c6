"""`ssh`: a command of the author's own, with a check to look with, or a reason why it runs once."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from pydantic import model_validator

from responder.domain.acts import Act, Answer, Command, CommandResult, Facts, Fail, Look, Moment, Suspend
from responder.firstaid.step import Argv, Duration, Step, Word


class Ssh(Step):
    """Runs `run` unless `check` exits with 0; or `once`, when nothing can tell whether it is needed."""

    kind: ClassVar[str] = "ssh"

    run: Argv
    check: Argv | None = None
    once: Word | None = None
    timeout: Duration = timedelta(seconds=30)
    grace: Duration = timedelta()
    every: Duration = timedelta(seconds=2)
    become: bool = False

    @model_validator(mode="after")
    def _looks_or_says_why_not(self) -> Ssh:
        if bool(self.check) == bool(self.once):
            raise ValueError("give either check: (a command that exits with 0 when all is well) or once: because …")
        if not self.run:
            raise ValueError("run: is empty")
        return self

    def look(self) -> Look:
        return Command(argv=self.check, timeout=self.timeout, become=self.become) if self.check else None

    def read(self, answer: Answer) -> Facts:
        if not isinstance(answer, CommandResult):
            return {}
        return {"as_wanted": answer.exit_code == 0, "check_exit_code": answer.exit_code}

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        if seen.get("as_wanted"):
            return ()
        if moment.acted_at is None:
            return (Command(argv=self.run, timeout=self.timeout, become=self.become, once=bool(self.once)),)
        if self.once:
            return ()
        if moment.now < moment.acted_at + self.grace:
            return (Suspend(until=moment.now + self.every, why="waiting for the check to pass"),)
        return (Fail(why=f"the check still exits with {seen.get('check_exit_code')}"),)
