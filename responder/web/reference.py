"""The OpenAPI document as people read it: by group, each route with what it is asked, who may, and how curl asks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from responder.domain.access import OF_ROLE

_Json = Mapping[str, Any]
_WHO = '-H "Authorization: Bearer $RESPONDER_TOKEN"'
_METHODS = ("get", "post", "put", "patch", "delete")
_JSON = "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """Something that is asked. `place` is path, query, header or body."""

    name: str
    place: str
    kind: str
    text: str
    is_needed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One route. `roles` are those of people who may, too; `takes` and `gives` are types of media."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    scope: str
    roles: tuple[str, ...]
    fields: tuple[Field, ...]
    takes: str
    gives: str
    curl: str


def reference(document: _Json) -> Mapping[str, tuple[Entry, ...]]:
    """By group, in the order of the alphabet."""
    found: dict[str, list[Entry]] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                found.setdefault(methods[method]["tags"][0].partition(".")[0], []).append(
                    _entry(path, method, methods[method])
                )
    return {name: tuple(found[name]) for name in sorted(found)}


def _entry(path: str, method: str, told: _Json) -> Entry:
    scope = told["security"][0]["token"][0]
    takes = next(iter(told.get("requestBody", {}).get("content", {})), "")
    return Entry(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        text=told.get("description", ""),
        scope=scope,
        roles=tuple(role for role, scopes in OF_ROLE.items() if scope in scopes),
        fields=(*map(_parameter, told["parameters"]), *_of_body(told)),
        takes=takes,
        gives=next(iter(told["responses"]["200"].get("content", {})), ""),
        curl=_curl(path, method, told, takes),
    )


def _parameter(told: _Json) -> Field:
    kind, text = _kind(told["schema"]), told.get("description", "")
    return Field(name=told["name"], place=told["in"], kind=kind, text=text, is_needed=told["required"])


def _of_body(told: _Json) -> Iterator[Field]:
    schema = _schema(told)
    for name, one in schema.get("properties", {}).items():
        is_needed = name in schema.get("required", ())
        yield Field(name=name, place="body", kind=_kind(one), text=one.get("description", ""), is_needed=is_needed)


def _schema(told: _Json) -> _Json:
    found: _Json = told.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema", {})
    return found


def _kind(schema: _Json) -> str:
    """In words what a value is."""
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"] if one != "")
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"] if one.get("type") != "null"))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "object")


# --- curl --------------------------------------------------------------------------------------------


def _curl(path: str, method: str, told: _Json, takes: str) -> str:
    named = {one["name"]: one["name"].upper() for one in told["parameters"] if one["in"] == "path"}
    query = [one["name"] for one in told["parameters"] if one["in"] == "query" and one["required"]]
    asked = "&".join(f"{name}={name.upper()}" for name in query)
    url = f'"$RESPONDER_SERVER{path.format(**named)}{"?" if asked else ""}{asked}"'
    # With a body curl posts by itself.
    verb = [] if method == "get" or (method == "post" and takes) else [f"-X {method.upper()}"]
    return " \\\n  ".join([f"curl --fail-with-body -sS {' '.join([*verb, _WHO])}", *_sent(told, takes), url])


def _sent(told: _Json, takes: str) -> list[str]:
    if not takes:
        return []
    if takes != _JSON:
        return [f'-H "Content-Type: {takes}" --data-binary @FILE']
    schema = _schema(told)
    body = {name: _example(schema["properties"][name]) for name in schema.get("required", ())}
    return [f"-H \"Content-Type: {_JSON}\" -d '{orjson.dumps(body).decode()}'"]


def _example(schema: _Json) -> Any:
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0])
    by_type = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    return by_type.get(schema.get("type", "object"), "…")
