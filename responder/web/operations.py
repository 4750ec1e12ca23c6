"""What a route of the API is asked and answers: written beside its handler, and checked before it.

What does not fit is refused here, so the document that is made of this cannot promise what the handler does not take.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_origin

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import TypedDict, Unpack

from responder.web.audited import SAFE
from responder.web.bodies import as_object
from responder.web.invalid import Invalid, of_body, of_query
from responder.web.once import once

# Why a list is answered whole, not page by page.
CONFIGURED = "As many as the files say."
OF_ONE = "What belongs to this one alone."
PRESENT = "Only what holds now, or later."
CHANGES_NOTHING = "It changes nothing."
LINK = {"Link": "The next page, if there is one (rel=next)."}
_JSON = ("application/json", "application/octet-stream", "application/x-www-form-urlencoded")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Asked(BaseModel):
    """What is asked in a query or in a body; a word that is not known is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class NoQuery(Asked):
    """A route that is asked nothing in its query."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A body or an answer that is no JSON."""

    type: str
    text: str = ""
    is_text: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One route. `answers` is a type (its JSON) or a Media; `also`: statuses that only this route gives, with why.

    `headers` are told, `asks` are headers that may be sent. `form` is a body that the handler itself reads, with all
    its complaints. `whole`: why its lists have no pages. `unkeyed`: why no Idempotency-Key counts for an act.
    """

    query: type[Asked] = NoQuery
    body: type[BaseModel] | Media | None = None
    form: type[BaseModel] | None = None
    answers: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[int, str] = field(default_factory=dict)
    whole: str = ""
    unkeyed: str = ""

    def takes_a_key(self, method: str) -> bool:
        """Whether an Idempotency-Key counts: for every act, unless it says why not."""
        return method not in SAFE and not self.unkeyed


class _Parts(TypedDict, total=False):
    query: type[Asked]
    body: type[BaseModel] | Media | None
    form: type[BaseModel] | None
    answers: Any
    headers: Mapping[str, str]
    asks: Mapping[str, str]
    also: Mapping[int, str]
    whole: str
    unkeyed: str


def operation(**parts: Unpack[_Parts]) -> Callable[[_Handler], _Handler]:
    """Describes a handler by the fields of an Operation; it is asked only what fits the description."""
    told = Operation(**parts)
    query, body = told.query, told.body
    if why := _secret_in(body):
        told = replace(told, unkeyed=why)

    def mark(handler: _Handler) -> _Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            _check_path(request)
            _check_query(request, query)
            if isinstance(body, type):
                await _check_body(request, body)
            if told.takes_a_key(request.method):
                return await once(request, lambda: handler(request))
            return await handler(request)

        checked.operation = told  # type: ignore[attr-defined]
        checked.__doc__, checked.__name__, checked.__module__ = handler.__doc__, handler.__name__, handler.__module__
        return checked

    return mark


def operation_of(handler: Any) -> Operation | None:
    """The description of a handler, behind whatever guards it; None if it has none."""
    while handler is not None:
        found = getattr(handler, "operation", None)
        if isinstance(found, Operation):
            return found
        handler = getattr(handler, "__wrapped__", None)
    return None


def _check_path(request: web.Request) -> None:
    """No name of anything holds what no text holds."""
    if any("\x00" in value for value in request.match_info.values()):
        raise web.HTTPNotFound(text="There is nothing of this name.")


def _check_query(request: web.Request, model: type[Asked]) -> None:
    given: dict[str, Any] = {}
    several = {one.alias or name for name, one in model.model_fields.items() if _takes_several(one.annotation)}
    for name in request.query:
        values = request.query.getall(name)
        if len(values) > 1 and name not in several:
            raise Invalid(f"“{name[:100]}” is given more than once.", parameter=name[:100])
        given[name] = values if name in several else values[0]
        if any("\x00" in value for value in values):
            raise Invalid(f"“{name[:100]}” holds a character that no text has (U+0000).", parameter=name[:100])
    try:
        model.model_validate(given)
    except ValidationError as error:
        raise of_query(error, model) from error


async def _check_body(request: web.Request, model: type[BaseModel]) -> None:
    """Raises HTTPUnsupportedMediaType, and Invalid with every field that does not fit."""
    body = await request.read()
    kind = request.content_type
    if body and not (kind in _JSON or kind.endswith("+json")):
        raise web.HTTPUnsupportedMediaType(text=f"The body is {kind[:100]}; this takes application/json.")
    content = as_object(body)
    try:
        model.model_validate_json(orjson.dumps(content), strict=True)
    except ValidationError as error:
        raise of_body(error, model) from error


def _secret_in(body: type[BaseModel] | Media | None) -> str:
    """Why nothing of a body may be kept; empty if it holds no secret."""
    has_one = isinstance(body, type) and any("password" in name for name in body.model_fields)
    return "Not so much as a digest of a password is kept." if has_one else ""


def _takes_several(annotation: Any) -> bool:
    return get_origin(annotation) in (list, tuple)
