"""The document of the API, as tests hold answers against it."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from aiohttp import web
from jsonschema import Draft202012Validator

from responder.web.openapi import PREFIX, described


class Document:
    """Says what of an answer the document does not promise."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self._validator = cache(self._made)

    def complaint(self, method: str, path: str, status: int, kind: str, body: bytes) -> str:
        """Why this answer of a route is not as it is described; empty if it is."""
        operation = self.content["paths"].get(path, {}).get(method.lower())
        if operation is None:
            return f"{method} {path} is not described"
        if str(status) not in operation["responses"]:
            return f"{method} {path}: {status} is not described"
        answer = self._found(operation["responses"][str(status)])
        if not body and "content" not in answer:
            return ""
        if kind not in answer.get("content", {}):
            return f"{method} {path}: {status} as {kind} is not described"
        if not kind.endswith("json"):
            return ""
        schema = answer["content"][kind]["schema"]
        wrong = next(self._validator(orjson.dumps(schema)).iter_errors(orjson.loads(body)), None)
        return f"{method} {path}: {status}: {wrong.json_path}: {wrong.message}" if wrong else ""

    def _found(self, answer: dict[str, Any]) -> dict[str, Any]:
        name = answer.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = self.content["components"]["responses"][name] if name else answer
        return found

    def _made(self, schema: bytes) -> Draft202012Validator:
        return Draft202012Validator({**orjson.loads(schema), "components": self.content["components"]})


_KEPT: list[Document] = []


def document_of(application: web.Application) -> Document:
    """The document, made once for all tests: it is the same for every application."""
    if not _KEPT:
        _KEPT.append(Document(described(application)))
    return _KEPT[0]


def watch(application: web.Application) -> None:
    """From now on every answer of the API that is not as it is described fails the request."""

    @web.middleware
    async def held_against(request: web.Request, handler: Any) -> web.StreamResponse:
        answer: web.StreamResponse = await handler(request)
        resource = request.match_info.route.resource
        if resource is not None and resource.canonical.startswith(PREFIX) and isinstance(answer, web.Response):
            body = answer.body if isinstance(answer.body, bytes) else b""
            method = "GET" if request.method == "HEAD" else request.method
            wrong = document_of(application).complaint(
                method, resource.canonical, answer.status, answer.content_type, body
            )
            if wrong:
                return web.Response(status=599, text=wrong)
        return answer

    application.middlewares.insert(0, held_against)
