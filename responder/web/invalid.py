"""What is wrong with a request, field by field."""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType
from typing import Any, get_args

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_MOST = 20
_LONGEST = 100
_SENTENCES = {
    "string_type": "is not a text",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
    "list_type": "is not a list",
    "tuple_type": "is not a list",
    "dict_type": "is not an object",
    "model_type": "is not an object",
    "string_too_short": "is empty",
    "string_too_long": "is too long",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
    "less_than": "is too large",
}


class Invalid(web.HTTPUnprocessableEntity):
    """A request that cannot be meant so. `parameter` names what in the query, `pointer` what in the body (RFC 6901)."""

    def __init__(self, detail: str, *, parameter: str = "", pointer: str = "") -> None:
        where = {"parameter": parameter} if parameter else {"pointer": pointer} if pointer else {}
        self.errors: list[dict[str, str]] = [{**where, "detail": detail}] if where else []
        super().__init__(text=detail)

    @classmethod
    def with_errors(cls, errors: list[dict[str, str]]) -> Invalid:
        """Several at once; the first is the sentence of all."""
        made = cls(errors[0]["detail"])
        made.errors = errors
        return made


def unknown(word: str, known: Iterable[str], *, parameter: str = "", pointer: str = "") -> Invalid:
    """A word where only others are known."""
    names = ", ".join(known)
    there_are = f"there are {names}" if names else "there is none"
    where = f"“{parameter}”: " if parameter else ""
    return Invalid(f"{where}“{word[:_LONGEST]}” is not known; {there_are}.", parameter=parameter, pointer=pointer)


def of_query(error: ValidationError, model: type[BaseModel]) -> Invalid:
    """What a query got wrong."""
    found = [
        {"parameter": str(one["loc"][0])[:_LONGEST], "detail": _sentence(dict(one), model)}
        for one in error.errors(include_url=False)[:_MOST]
    ]
    return Invalid.with_errors(found)


def of_body(error: ValidationError, model: type[BaseModel]) -> Invalid:
    """What a body got wrong."""
    found: dict[str, str] = {}
    for one in error.errors(include_url=False)[:_MOST]:
        # Of several types that a field may have, each one complains.
        place = one["loc"][:1] if _may_be_several(one["loc"], model) else one["loc"]
        found.setdefault(pointer_to(*place), _sentence(dict(one), model))
    return Invalid.with_errors([{"pointer": place, "detail": text} for place, text in found.items()])


def _may_be_several(place: tuple[str | int, ...], model: type[BaseModel]) -> bool:
    field = _field(place, model)
    kinds = [one for one in get_args(field.annotation) if one is not type(None)] if field else []
    return isinstance(field and field.annotation, UnionType) and len(kinds) > 1


def _field(place: tuple[str | int, ...], model: type[BaseModel]) -> FieldInfo | None:
    return next((one for name, one in model.model_fields.items() if place[:1] == ((one.alias or name),)), None)


def pointer_to(*place: str | int) -> str:
    return "".join(f"/{str(one).replace('~', '~0').replace('/', '~1')[:_LONGEST]}" for one in place)


def _sentence(one: dict[str, Any], model: type[BaseModel]) -> str:
    name = f"“{str(one['loc'][0])[:_LONGEST]}”" if one["loc"] else "The body"
    kind, told = one["type"], one.get("ctx", {})
    if kind == "extra_forbidden":
        known = [field.alias or name for name, field in model.model_fields.items()]
        return f"{name} is not known here; there {'are' if known else 'is'} {', '.join(known) or 'nothing'}."
    is_blank = kind == "string_pattern_mismatch" and not str(one["input"]).strip()
    if kind == "missing" or is_blank or one["input"] is None:
        return f"{name} is missing: {_meaning(one, model)}."
    if _may_be_several(one["loc"], model):
        return f"{name} is {_meaning(one, model)}."
    if kind in ("literal_error", "enum"):
        # That it may be left empty goes without saying.
        expected = str(told.get("expected", "")).removesuffix(" or ''")
        return f"{name} is one of {expected}, not {str(one['input'])[:40]!r}."
    if kind == "value_error":
        return f"{name}: {told['error']}."
    return f"{name} {_SENTENCES.get(kind) or 'does not fit: ' + str(one['msg'])}."


def _meaning(one: dict[str, Any], model: type[BaseModel]) -> str:
    """What a field is for, as its description says."""
    field = _field(one["loc"], model)
    return field.description.rstrip(".") if field and field.description else "it has to be said"
