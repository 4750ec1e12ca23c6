"""Words that many queries and bodies of the API have, each with what it is for; the rest stands with its subject."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from responder.web.operations import Asked

LARGEST = 10**15 - 1
SAYS = r"[^\s\x00-\x1f]"


def _digits(value: object) -> object:
    """In a query numbers are texts, and only plain ones are taken."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("it is not a whole number")
    return value


def or_none(value: object) -> object:
    """What is left empty is not said."""
    return value or None


def some_of(words: Iterable[str]) -> dict[str, Any]:
    """What the document says of a text with one of these words, or several with commas."""
    one = "|".join(words)
    return {"pattern": f"^(({one})(,({one}))*)?$"}


def _text(what: str) -> Any:
    return Field(description=what, pattern=SAYS)


# The bounds first: behind a validator the document does not have them.
Number = Annotated[int, Field(ge=0, le=LARGEST), BeforeValidator(_digits)]
Limit = Annotated[
    int,
    Field(ge=1, le=LARGEST, description="At most so many; a page has a limit of its own."),
    BeforeValidator(_digits),
]
Cursor = Annotated[str, Field(description="Where the page begins: the `next` of the page before.")]
Flag = Literal["1", "true", "yes", "0", "false", "no", ""]
Reason = Annotated[str, _text("a text that says why or what")]
Actor = Annotated[str | None, Field(description="In whose name; only a token may say so.")]
Name = Annotated[str | None, Field(max_length=500)]
# Told in the document alone: what does not fit is refused where it is read, in a better sentence.
_LASTS = r"([0-9]+(ms|s|m|h|d|w))+"
LASTS: dict[str, Any] = {"pattern": rf"^\s*{_LASTS}\s*$", "examples": ["30m", "2h", "1d"]}
_MAY_LAST: dict[str, Any] = {**LASTS, "pattern": rf"^(\s*{_LASTS}\s*)?$"}
Duration = Annotated[str, Field(description="how long, such as 2h", json_schema_extra=_MAY_LAST)]
Instant = Annotated[
    str,
    Field(
        description="a date, or a date and time, with an offset or in the zone of the policy; or +8h, tomorrow 09:00",
        examples=["2026-01-05T09:00+01:00"],
    ),
]


# --- queries ---------------------------------------------------------------------------------------


class Listed(Asked):
    """A list page by page."""

    limit: Limit | None = None
    cursor: Cursor | None = None


# --- bodies ----------------------------------------------------------------------------------------


class ActorBody(Asked):
    actor: Actor = None


class ReasonBody(ActorBody):
    reason: Reason


class PerhapsReason(ActorBody):
    reason: str | None = None
