"""A form that was refused: it stands on its page again with what was typed, and the reason beside its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from responder.errors import BadForm, NotFound, NotTheirs, ResponderError
from responder.web.invalid import Invalid

_NAMED = re.compile(r"“(\w+)”")
_MISSING = re.compile(r"“\w+” is missing: ")
_SECRET = ("password", "present")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What somebody wanted and could not do. `place` is the field that `why` is about, if it is about one.

    `typed` never holds a password; a field that was sent several times stands in `several`, too.
    """

    form: str = ""
    why: str = ""
    place: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    several: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    status: int = 200

    @property
    def beside(self) -> str:
        """`why` as it stands beside its field, where the label says which one it is."""
        return "This has to be filled in." if _MISSING.match(self.why) else self.why


def refused(
    form: str, error: ResponderError | web.HTTPException, given: Mapping[str, Any], *, place: str = ""
) -> Tried:
    """`place` is the field that an error is about which does not say so itself. What a form names and is not there is
    what it got wrong; only without a field there is nothing at the address."""
    text = text_of(error)
    typed, place = typed_in(given), _place(error, text) or place
    return Tried(
        form=form,
        why=text,
        place=place,
        typed=typed,
        several={name: _all(given, name) for name in typed},
        status=422 if place and isinstance(error, NotFound) else _status(error),
    )


def text_of(error: ResponderError | web.HTTPException) -> str:
    """The sentence that an error bears."""
    return error.text or error.reason if isinstance(error, web.HTTPException) else str(error)


def typed_in(given: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a form, without passwords."""
    return {name: value for name, value in given.items() if isinstance(value, str) and not name.startswith(_SECRET)}


def _all(given: Any, name: str) -> tuple[str, ...]:
    found = given.getall(name) if hasattr(given, "getall") else [given[name]]
    return tuple(one for one in found if isinstance(one, str))


def _place(error: ResponderError | web.HTTPException, text: str) -> str:
    """The field: the error says it, or its sentence begins with it."""
    if isinstance(error, Invalid) and error.errors:
        return error.errors[0].get("pointer", "").lstrip("/")
    if isinstance(error, BadForm) and error.field:
        return error.field
    named = _NAMED.match(text)
    return named[1] if named else ""


def _status(error: ResponderError | web.HTTPException) -> int:
    if isinstance(error, web.HTTPException):
        return error.status
    if isinstance(error, NotFound):
        return 404
    return 403 if isinstance(error, NotTheirs) else 422 if isinstance(error, BadForm) else 409
