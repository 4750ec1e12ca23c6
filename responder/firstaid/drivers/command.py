"""`command`: everything by argument lists of the author's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from responder.domain.acts import Act, Command, Moment, Question
from responder.firstaid.drivers.base import (
    DEMOTE,
    FENCE,
    LET_BACK,
    PROMOTE,
    Driver,
    Name,
    Pair,
    Replies,
    View,
    fresh,
    result_of,
    why_not,
)
from responder.firstaid.step import Argv, Duration


class Where(BaseModel):
    """A command and the host it runs on: `old`, `new`, or another target's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: Argv
    on: Name
    timeout: Duration = timedelta(seconds=30)
    become: bool = False


class OwnCommands(Driver):
    """`old_active` and `new_active` exit with 0 while that node serves. `fenced` and `demoted` are the proofs: only
    exit code 0 is one; anything else, and no answer, is none."""

    driver: Literal["command"] = "command"
    old_active: Where
    new_active: Where
    fence: Where
    fenced: Where
    promote: Where
    demote: Where | None = None
    demoted: Where | None = None
    let_back: Where | None = None

    @model_validator(mode="after")
    def _can_prove_what_it_undoes(self) -> OwnCommands:
        if bool(self.demote) != bool(self.demoted):
            raise ValueError("give demote: and demoted: together; without a proof nothing can be rolled back")
        if self.let_back and not self.demote:
            raise ValueError("let_back: needs demote: and demoted:, or two nodes might serve after a rollback")
        return self

    def hosts(self) -> tuple[str, ...]:
        named = [where.on for where in self._all().values() if where.on not in ("old", "new")]
        return tuple(dict.fromkeys(named))

    def questions(self, pair: Pair) -> dict[str, Question]:
        looks = ("old_active", "new_active", "fenced", "demoted")
        return {name: _asked(where, pair) for name, where in self._all().items() if name in looks}

    def view(self, replies: Replies, pair: Pair) -> View:
        new_holds = _holds(replies, "new_active")
        fenced = result_of(replies, "fenced")
        objection = f"{pair.new} cannot be asked: {why_not(replies, 'new_active')}" if new_holds is None else ""
        return View(
            old_holds=_holds(replies, "old_active"),
            new_holds=new_holds,
            is_fenced=_is_good(replies, "fenced"),
            proof=self._proof(replies, pair),
            is_demoted=_is_good(replies, "demoted"),
            objection=objection,
            cannot_fence=self._cannot_fence(replies, pair) if fenced is None else "",
        )

    def to_fence(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return fresh(moment, _act(self.fence, pair, FENCE, repeatable=True))

    def to_promote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return fresh(moment, _act(self.promote, pair, PROMOTE))

    def to_demote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return fresh(moment, _act(self.demote, pair, DEMOTE))

    def to_let_back(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return fresh(moment, _act(self.let_back, pair, LET_BACK))

    def _all(self) -> dict[str, Where]:
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in fields.items() if isinstance(value, Where)}

    def _proof(self, replies: Replies, pair: Pair) -> str:
        where = pair.host(self.fenced.on) or pair.old
        shown = f"the proof ({' '.join(self.fenced.run)} on {where})"
        result = result_of(replies, "fenced")
        if result is None:
            return f"{shown} cannot be asked: {why_not(replies, 'fenced')}"
        return f"{shown} exits with {result.exit_code}"

    def _cannot_fence(self, replies: Replies, pair: Pair) -> str:
        """Without an answer to the question for the proof there will be no proof either."""
        return f"nobody could prove that {pair.old} is fenced: {why_not(replies, 'fenced')}"


def _asked(where: Where, pair: Pair) -> Command:
    return Command(argv=where.run, on=pair.host(where.on), timeout=pair.look_timeout, become=where.become)


def _act(where: Where | None, pair: Pair, label: str, *, repeatable: bool = False) -> list[Command]:
    if where is None:
        return []
    return [
        Command(
            argv=where.run,
            on=pair.host(where.on),
            timeout=where.timeout,
            become=where.become,
            label=label,
            judged=True,
            repeatable=repeatable,
        )
    ]


def _holds(replies: Replies, name: str) -> bool | None:
    result = result_of(replies, name)
    return None if result is None else result.exit_code == 0


def _is_good(replies: Replies, name: str) -> bool:
    result = result_of(replies, name)
    return result is not None and result.exit_code == 0
