"""The OpenAPI document, made of the routes themselves: a route without a description cannot be overlooked in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from responder import __version__
from responder.web.context import needs
from responder.web.once import ASKS, HEADER, KEY
from responder.web.operations import Media, Operation, operation, operation_of
from responder.web.problem_kinds import KINDS
from responder.web.readers import asked_language
from responder.web.rendering import page

PREFIX = "/api/v1/"
_DOCUMENT = web.AppKey("openapi", list[bytes])
_PLACE = re.compile(r"\{(\w+)(?::([^{}]*(?:\{[^{}]*\})?[^{}]*))?\}")
_REF = "#/components/schemas/{model}"
_PROBLEM = "#/components/schemas/Problem"
_Json = dict[str, Any]


@needs("read")
@operation(answers=dict[str, Any])
async def document(request: web.Request) -> web.StreamResponse:
    """This document."""
    return web.Response(body=document_of(request.app), content_type="application/json")


def document_of(application: web.Application) -> bytes:
    """The document, made once."""
    kept = application[_DOCUMENT]
    if not kept:
        kept.append(orjson.dumps(described(application)))
    return kept[0]


@needs("report")
async def show_kind(request: web.Request) -> web.StreamResponse:
    """What a kind of error means: its type is the address of this page."""
    name = request.match_info["name"]
    kind = next((one for one in KINDS.values() if one.name == name), None)
    if kind is None:
        raise web.HTTPNotFound(text=f"There is no kind of error {name[:60]}.")
    return page("message.html", language=asked_language(request), title=name.replace("-", " "), text=kind.text)


def add_to(application: web.Application) -> None:
    """Routes, and the document once somebody has asked for it."""
    application[_DOCUMENT] = []
    application.add_routes(
        [
            web.get("/api/v1/openapi.json", document),
            web.get("/openapi.json", document),
            web.get("/problems/{name}", show_kind),
        ]
    )


def described(application: web.Application) -> _Json:
    """The document of all routes of the API. Routes that nobody has described are not in it: a test names them."""
    found = [(method, path, handler, told) for method, path, handler, told in operations(application) if told]
    schemas = _Schemas(told for _, _, _, told in found)
    paths: dict[str, _Json] = {}
    for method, path, handler, told in found:
        paths.setdefault(_PLACE.sub(r"{\1}", path), {})[method.lower()] = _operation(
            method, path, handler, told, schemas
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "responder",
            "version": __version__,
            "description": "Incidents, from the report to the review. docs/api.md has examples.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.definitions, "Problem": _problem()},
            "responses": {kind.name: _problem_answer(kind.text) for kind in KINDS.values()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "responder token create"}},
        },
    }


def operations(application: web.Application) -> Iterator[tuple[str, str, Any, Operation | None]]:
    """Every route of the API as (method, path with its patterns, handler, description)."""
    for route in application.router.routes():
        resource = route.resource
        # HEAD comes with GET.
        if resource is None or route.method == "HEAD" or not resource.canonical.startswith(PREFIX):
            continue
        info = resource.get_info()
        path = info.get("formatter", info.get("path", ""))
        pattern = info["pattern"].pattern if "pattern" in info else ""
        yield route.method, _with_patterns(path, pattern), route.handler, operation_of(route.handler)


def _with_patterns(path: str, pattern: str) -> str:
    """The path as it was written: `{id}` takes digits, `{verb}` some words, where its pattern says so."""
    told = dict(re.findall(r"\(\?P<(\w+)>(\\d|[a-z-]+(?:\\?[a-z-]*\|[a-z\\-]+)+)", pattern))
    return re.sub(r"\{(\w+)\}", lambda one: f"{{{one[1]}:{told[one[1]]}}}" if one[1] in told else one[0], path)


# --- one operation -----------------------------------------------------------------------------------


class _Schemas:
    """The schemas of everything that is asked and answered, each by one name."""

    def __init__(self, told: Iterable[Operation]) -> None:
        answers = [one.answers for one in told if one.answers is not None and not isinstance(one.answers, Media)]
        kept = {repr(one): TypeAdapter[Any](one) for one in answers}
        made, together = TypeAdapter.json_schemas(
            [(name, "validation", adapter) for name, adapter in kept.items()],
            ref_template=_REF,
            schema_generator=_Plain,
        )
        self._answers = {name: schema for (name, _), schema in made.items()}
        self.definitions: _Json = together.get("$defs", {})

    def answer(self, kind: Any) -> Any:
        return self._answers[repr(kind)]

    def asked(self, model: type[BaseModel]) -> _Json:
        """A model with all that it holds, in place."""
        made = model.model_json_schema(ref_template=_REF, schema_generator=_Plain)
        self.definitions |= made.pop("$defs", {})
        return made


class _Plain(GenerateJsonSchema):
    """Without titles, which only repeat names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def _operation(method: str, path: str, handler: Any, told: Operation, schemas: _Schemas) -> _Json:
    summary, _, more = " ".join((handler.__doc__ or "").split()).partition(". ")
    made: _Json = {
        "operationId": f"{handler.__module__.rpartition('.')[2]}_{handler.__name__.rstrip('_')}",
        "summary": summary.rstrip("."),
        "tags": [path.removeprefix(PREFIX).split("/")[0]],
        "security": [{"token": [handler.scope]}],
        "parameters": [*_of_path(path), *_of_query(told, schemas), *_of_headers(method, told)],
        "responses": _answers(method, told, schemas),
    }
    if method != "GET" and told.unkeyed:
        more = f"{more} No Idempotency-Key counts: {told.unkeyed}".strip()
    if more:
        made["description"] = more
    if told.body or told.form:
        made["requestBody"] = _body(told, schemas)
    return made


def _of_path(path: str) -> list[_Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _of_place(pattern)}
        for name, pattern in _PLACE.findall(path)
    ]


def _of_place(pattern: str) -> _Json:
    """What stands in a place of a path: a number, one of some words, or a name."""
    if "|" in pattern:
        return {"type": "string", "enum": pattern.split("|")}
    return _NUMBER if pattern else _NAME


_NUMBER = {"type": "integer", "minimum": 0, "maximum": 10**12 - 1}
_NAME = {"type": "string", "minLength": 1}


def _of_query(told: Operation, schemas: _Schemas) -> list[_Json]:
    made = schemas.asked(told.query)
    found = []
    for name, schema in made.get("properties", {}).items():
        plain = _without_null(schema)
        text = plain.pop("description", "")
        one = {"name": name, "in": "query", "required": name in made.get("required", ()), "schema": plain}
        found.append({**one, "description": text} if text else one)
    return found


def _of_headers(method: str, told: Operation) -> list[_Json]:
    asks = {**told.asks, **(ASKS if told.takes_a_key(method) else {})}
    return [
        {"name": name, "in": "header", "required": False, "schema": _of_header(name), "description": text}
        for name, text in asks.items()
    ]


def _of_header(name: str) -> _Json:
    return {"type": "string", **({"pattern": f"^{KEY.pattern}$"} if name == HEADER else {})}


def _without_null(schema: _Json) -> _Json:
    """A parameter is there or not: it is never null."""
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    kept = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return {**(kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}), **kept}


def _body(told: Operation, schemas: _Schemas) -> _Json:
    if isinstance(told.body, Media):
        return {"required": True, "description": told.body.text, "content": {told.body.type: _content(told.body)}}
    model = told.body or told.form
    assert model is not None  # noqa: S101 the caller has looked
    made = schemas.asked(model)
    return {"required": bool(made.get("required")), "content": {"application/json": {"schema": made}}}


def _content(media: Media) -> _Json:
    return {"schema": {"type": "string"} if media.is_text else {}}


def _answers(method: str, told: Operation, schemas: _Schemas) -> _Json:
    if isinstance(told.answers, Media):
        content: Mapping[str, Any] = {told.answers.type: _content(told.answers)}
    else:
        content = {"application/json": {"schema": schemas.answer(told.answers)}}
    done: _Json = {"description": "Done.", "content": content}
    if told.headers:
        text = {"type": "string"}
        done["headers"] = {name: {"description": why, "schema": text} for name, why in told.headers.items()}
    kinds = [KINDS[status] for status in _refusals(told, method)]
    refused = {str(kind.status): {"$ref": f"#/components/responses/{kind.name}"} for kind in kinds}
    return {"200": done, **{str(status): {"description": why} for status, why in told.also.items()}, **refused}


def _refusals(told: Operation, method: str) -> list[int]:
    """What can go wrong with a route."""
    acts = (409, 412, 429) if method not in ("GET", "HEAD") else (409,)
    reads = (413, 415) if told.body or told.form else ()
    own = KINDS.keys() & told.also.keys()
    return sorted({400, 401, 403, 404, 405, 422, 500, 503, *acts, *reads, *own})


# --- what goes wrong ---------------------------------------------------------------------------------


def _problem_answer(text: str) -> _Json:
    return {"description": text, "content": {"application/problem+json": {"schema": {"$ref": _PROBLEM}}}}


def _problem() -> _Json:
    text = {"type": "string"}
    error = {
        "type": "object",
        "properties": {"parameter": text, "pointer": text, "detail": text},
        "required": ["detail"],
    }
    return {
        "type": "object",
        "description": "RFC 9457. `errors` says what is wrong field by field: a parameter, or a JSON pointer.",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "errors": {"type": "array", "items": error},
        },
        "required": ["type", "title", "status", "detail"],
    }
