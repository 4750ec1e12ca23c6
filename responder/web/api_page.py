"""The page of the API: the OpenAPI document for people."""

from __future__ import annotations

import asyncio

import orjson
from aiohttp import web
from markupsafe import Markup

from responder.domain.access import MEANING_OF_TOKEN
from responder.web.console import console_page, visitor_of
from responder.web.context import needs
from responder.web.openapi import document_of
from responder.web.problem_kinds import KINDS
from responder.web.reference import reference
from responder.web.rendering import rendered

_MADE = web.AppKey("reference", dict[str, Markup])
"""Its long part by language: it is the same as long as the process lives."""


@needs("read")
async def api_page(request: web.Request) -> web.StreamResponse:
    """Every route of the API by group, and how one asks it."""
    language, kept = (await visitor_of(request)).language, request.app[_MADE]
    if language not in kept:
        kept[language] = await asyncio.to_thread(_made, request.app, language)
    return await console_page(
        request, "api.html", title="API", reference=kept[language], scopes=MEANING_OF_TOKEN, kinds=KINDS.values()
    )


def add_to(application: web.Application) -> None:
    application[_MADE] = {}
    application.add_routes([web.get("/api", api_page)])


def _made(application: web.Application, language: str) -> Markup:
    groups = reference(orjson.loads(document_of(application)))
    return Markup(rendered("api_reference.html", language, {"groups": groups}))  # noqa: S704 a template of ours
