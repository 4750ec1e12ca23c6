"""Rules of a test file: what hosts, Prometheus and URLs answer."""

from __future__ import annotations

import json
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field, model_validator

from responder.firstaid.step import Duration
from responder.firstaid.testing.patterns import Pattern
from responder.firstaid.testing.states import Conditions
from responder.firstaid.testing.words import Model, Sought, Text


class Trouble(StrEnum):
    """What may happen instead of an answer. After `timed out` the command is over, after `hung` nobody knows;
    `cut` is a connection that ended in the middle."""

    UNREACHABLE = "unreachable"
    CUT = "cut"
    TIMED_OUT = "timed out"
    HUNG = "hung"
    WRONG_KEY = "wrong host key"
    LOGIN_REFUSED = "login refused"


class CommandAnswer(Model):
    """What a host answers; `takes` moves the clock, and past the command's own timeout it timed out."""

    stdout: Text = ""
    stderr: Text = ""
    exit_code: Annotated[int, Field(ge=0, le=255)] = 0
    error: Trouble | None = None
    takes: Duration = timedelta()


class QueryAnswer(Model):
    """What Prometheus answers: `values`, one for each series, or `series` with their labels."""

    values: tuple[float, ...] = ()
    series: tuple[SeriesFile, ...] = ()
    error: str = ""


class SeriesFile(Model):
    labels: dict[str, Text] = Field(default_factory=dict)
    value: float


class PageAnswer(Model):
    """What a URL answers: a `text`, or `json` that is written as one."""

    status: Annotated[int, Field(ge=100, le=599)] = 200
    text: str = ""
    data: Any = Field(default=None, alias="json")
    error: str = ""

    @property
    def body(self) -> str:
        return self.text if self.data is None else json.dumps(self.data)


def _one_way(rule: Any, answer: type[BaseModel]) -> Any:
    if rule.answers and rule.model_fields_set & set(answer.model_fields):
        raise ValueError("give answers: or one answer here, not both")
    return rule


class CommandRule(CommandAnswer):
    """When this command comes and the states are so, this is answered, and these states follow.

    `answers` come one after the other, and the last stays. `stdin` is a text that its input must contain.
    """

    when: Pattern
    if_: Conditions = Field(default=(), alias="if")
    then: Conditions = ()
    become: bool | None = None
    stdin: str = ""
    answers: tuple[CommandAnswer, ...] = ()

    @model_validator(mode="after")
    def _answers_in_one_way(self) -> CommandRule:
        return _one_way(self, CommandAnswer)  # type: ignore[no-any-return]


class QueryRule(QueryAnswer):
    """When Prometheus is asked this."""

    when: Sought
    if_: Conditions = Field(default=(), alias="if")
    then: Conditions = ()
    answers: tuple[QueryAnswer, ...] = ()

    @model_validator(mode="after")
    def _answers_in_one_way(self) -> QueryRule:
        return _one_way(self, QueryAnswer)  # type: ignore[no-any-return]


class PageRule(PageAnswer):
    """When this URL is asked; `POST http://…` for a call that changes something."""

    when: Sought
    if_: Conditions = Field(default=(), alias="if")
    then: Conditions = ()
    body_contains: str = ""
    answers: tuple[PageAnswer, ...] = ()

    @model_validator(mode="after")
    def _answers_in_one_way(self) -> PageRule:
        return _one_way(self, PageAnswer)  # type: ignore[no-any-return]


QueryAnswer.model_rebuild()
