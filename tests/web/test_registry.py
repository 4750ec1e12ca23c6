"""Rules that hold for every route of the API: what its description does not say, a test asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typing_extensions import get_type_hints

from responder.web.openapi import described, operations
from responder.web.operations import Operation
from responder.web.schemas.asked import Listed
from tests.web.conftest import Client

Told = dict[str, Operation]
Json = dict[str, Any]


@pytest.fixture
def told(client: Client) -> Told:
    assert client.app is not None
    return {f"{method} {path}": one for method, path, _, one in operations(client.app) if one}


@pytest.fixture
def document(client: Client) -> Json:
    assert client.app is not None
    return described(client.app)


def lists_in(answers: Any) -> list[str]:
    """The lists that an answer holds; an empty name is that of an answer that is a list itself."""
    if str(answers).startswith("list["):
        return [""]
    fields = get_type_hints(answers) if hasattr(answers, "__required_keys__") else {}
    return [name for name, kind in fields.items() if str(kind).startswith("list[")]


def is_paged(one: Operation) -> bool:
    return issubclass(one.query, Listed) and "next" in get_type_hints(one.answers) and "Link" in one.headers


def test_every_list_comes_page_by_page_or_says_why_not(told: Told) -> None:
    lists = {name: one for name, one in told.items() if name.startswith("GET ") and lists_in(one.answers)}
    assert len(lists) > 40
    assert [name for name, one in lists.items() if not is_paged(one) and not one.whole] == []
    assert [name for name, one in told.items() if one.whole and (name not in lists or is_paged(one))] == []


def test_every_act_takes_a_key_or_says_why_not(told: Told) -> None:
    acts = {name: one for name, one in told.items() if not name.startswith("GET ")}
    assert len(acts) > 40
    keyed = [name for name, one in acts.items() if one.takes_a_key(name.split()[0])]
    assert {name.split()[0] for name in keyed} == {"POST", "PUT", "PATCH", "DELETE"}
    assert acts.keys() - keyed == {
        "POST /api/v1/explain",
        "POST /api/v1/mail",
        "POST /api/v1/me/password",
        "POST /api/v1/people/{name}/test",
        "POST /api/v1/reports",
        "POST /api/v1/runbooks/{name}/dry-run",
        "POST /api/v1/users",
        "POST /api/v1/users/{name}/password",
    }
    assert [name for name, one in told.items() if one.unkeyed and name not in acts] == []


# Each kind of event has its own facts, each kind of step its own settings.
LOOSE = {"EventLine.data", "EventWithId.data", "PlannedStep.settings", "get /api/v1/openapi.json 200"}
WORDS = {
    *("type", "enum", "const", "anyOf", "$ref", "properties", "required", "additionalProperties", "items", "format"),
    *("prefixItems", "minItems", "maxItems", "minimum", "maximum", "exclusiveMaximum", "minLength", "maxLength"),
    *("pattern", "title", "description", "default", "examples"),
}


def everything_in(document: Json) -> Iterator[tuple[str, Json]]:
    """Every schema of a document with the place where it stands."""
    for name, schema in document["components"]["schemas"].items():
        yield from _within(schema, name)
    for path, told in document["paths"].items():
        for method, one in told.items():
            asked = {f"body {kind}": body for kind, body in one.get("requestBody", {}).get("content", {}).items()}
            given = {status: body for status, of in one["responses"].items() for body in of.get("content", {}).values()}
            # Of bytes their media type says all.
            for name, body in {**asked, **given}.items():
                if body["schema"]:
                    yield from _within(body["schema"], f"{method} {path} {name}")
            for parameter in one["parameters"]:
                yield from _within(parameter["schema"], f"{method} {path} ?{parameter['name']}")


def _within(schema: Json, place: str) -> Iterator[tuple[str, Json]]:
    yield place, schema
    inside = {f"{place}.{name}": one for name, one in schema.get("properties", {}).items()}
    inside |= {f"{place}[]": schema["items"]} if isinstance(schema.get("items"), dict) else {}
    inside |= {f"{place}{index}|": one for index, one in enumerate(schema.get("anyOf", ()))}
    for name, one in inside.items():
        yield from _within(one, name)


def is_loose(schema: Json) -> bool:
    """Whether it says nothing of what it holds."""
    if not schema.keys() & {"type", "$ref", "anyOf", "enum", "const"}:
        return True
    if schema.get("type") == "object":
        return "properties" not in schema and schema.get("additionalProperties", True) is True
    return schema.get("type") == "array" and not schema.get("items") and "prefixItems" not in schema


def test_every_answer_and_every_question_says_what_it_holds(document: Json) -> None:
    assert {place for place, schema in everything_in(document) if is_loose(schema)} == LOOSE


def test_every_bound_is_in_words_that_readers_of_the_document_know(document: Json) -> None:
    assert {word for _, schema in everything_in(document) for word in schema} <= WORDS
    (limit,) = (one for one in document["paths"]["/api/v1/runs"]["get"]["parameters"] if one["name"] == "limit")
    assert (limit["schema"]["minimum"], limit["schema"]["type"]) == (1, "integer")
