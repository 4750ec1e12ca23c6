"""Test files: `*.test.yml` beside the runbooks, read whole, with the place of every mistake."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from responder.firstaid.step import Duration
from responder.firstaid.testing.answers import CommandRule, PageRule, QueryRule
from responder.firstaid.testing.expecting import Expectation
from responder.firstaid.testing.states import Conditions
from responder.firstaid.testing.words import Model, Text, Texts

EVERY_HOST = "*"


class TargetFile(Model):
    """A host as the inventory knows it; only its name is needed."""

    name: Annotated[str, Field(min_length=1)]
    address: str = ""
    groups: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    failure_domain: str = ""
    variables: dict[str, Text] = Field(default_factory=dict)


def _target(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


OneTarget = Annotated[TargetFile, BeforeValidator(_target, json_schema_input_type=TargetFile | str)]


class Reaction(StrEnum):
    """What people say when they are asked."""

    YES = "yes"
    NO = "no"
    NONE = "none"


class ApprovalFile(Model):
    answer: Reaction
    after: Duration = timedelta()


def _approval(value: object) -> object:
    if isinstance(value, bool):
        return {"answer": "yes" if value else "no"}
    return {"answer": value} if isinstance(value, str) else value


Approval = Annotated[ApprovalFile, BeforeValidator(_approval, json_schema_input_type=ApprovalFile | Reaction)]


class CaseFile(Model):
    """One test."""

    name: Annotated[str, Field(min_length=1)]
    target: OneTarget | None = None
    inventory: tuple[OneTarget, ...] = ()
    labels: dict[str, Text] = Field(default_factory=dict)
    states: Conditions = ()
    hosts: dict[str, tuple[CommandRule, ...]] = Field(default_factory=dict)
    promql: tuple[QueryRule, ...] = ()
    urls: tuple[PageRule, ...] = ()
    unreachable: Texts = ()
    approvals: dict[str, Approval] = Field(default_factory=dict)
    cleared_after: str = ""
    cleared_during: str = ""
    taken_after: str = ""
    kill_switch_after: str = ""
    crash: Literal["everywhere"] | None = None
    expect: Expectation


class SuiteFile(Model):
    """A test file. What stands beside `tests` holds for all of them; a test's own rules come before these."""

    runbook: Annotated[str, Field(min_length=1)]
    file: str = ""
    target: OneTarget
    inventory: tuple[OneTarget, ...] = ()
    labels: dict[str, Text] = Field(default_factory=dict)
    hosts: dict[str, tuple[CommandRule, ...]] = Field(default_factory=dict)
    promql: tuple[QueryRule, ...] = ()
    urls: tuple[PageRule, ...] = ()
    tests: tuple[CaseFile, ...]

    @field_validator("tests")
    @classmethod
    def _has_some(cls, value: tuple[CaseFile, ...]) -> tuple[CaseFile, ...]:
        if not value:
            raise ValueError("there is no test in it")
        return value


def json_schema() -> dict[str, Any]:
    """The JSON Schema of test files, for editors."""
    return SuiteFile.model_json_schema(by_alias=True)
