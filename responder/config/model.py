"""What all configuration models share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from responder.domain.matching import Matcher, parse_matcher
from responder.firstaid.amounts import Size
from responder.firstaid.step import Duration

__all__ = ["Duration", "Matchers", "Model", "Name", "Size", "SomeMatchers"]


class Model(BaseModel):
    """A part of a file: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


def _matcher(value: object) -> Matcher:
    if isinstance(value, Matcher):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a matcher; write it in quotes, like 'severity=\"critical\"'")
    return parse_matcher(value)


Matchers = tuple[Annotated[Matcher, BeforeValidator(_matcher)], ...]
SomeMatchers = Annotated[Matchers, Field(min_length=1)]
"""At least one: a rule without any would take every alert."""
