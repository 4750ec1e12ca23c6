"""The policy: what is loaded, what a reload would change, and what would become of an alert."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import web

from responder.config.configuration import Configuration
from responder.domain.masking import masked
from responder.domain.sla import spoken_target
from responder.errors import ConfigError, Problem
from responder.flows.explain_live import explain_live
from responder.flows.reload_preview import Preview, Previews
from responder.web.bodies import desk_of, json_answer
from responder.web.console import console_page
from responder.web.context import CONTEXT, needs
from responder.web.operations import CONFIGURED, operation
from responder.web.runbook_pages import BOOKSHELF, file_name
from responder.web.schemas import console
from responder.web.shapes import plain

PREVIEWS = web.AppKey("previews", Previews)
_LONGEST = 8000
_MOST_LABELS = 100
_MOST_SHOWN = 300


@needs("read")
@operation(answers=console.Loaded)
async def show_policy(request: web.Request) -> web.StreamResponse:
    """Which files are in use, since when, and which version of each."""
    return json_answer(_loaded(request))


@needs("read")
@operation(answers=console.ReloadPreview, whole=CONFIGURED)
async def preview_reload(request: web.Request) -> web.StreamResponse:
    """What a reload would change: the mistakes in the files as they are now, or each difference."""
    desk = desk_of(request)
    found = await request.app[PREVIEWS].of(desk.configuration)
    mistakes = _mistakes(desk.configuration, found.mistakes)
    return json_answer({"mistakes": mistakes, "differences": plain([asdict(one) for one in found.differences])})


# --- pages ---------------------------------------------------------------------------------------------------


@needs("read")
async def policy_page(request: web.Request) -> web.StreamResponse:
    """What is in use: grades and their clocks, kinds, gates, first-aid rules in order, teams."""
    desk = desk_of(request)
    shelf = await request.app[BOOKSHELF].of(desk.configuration)
    return await console_page(
        request,
        "policy.html",
        title="Policy",
        policy=desk.policy,
        loaded=_loaded(request),
        findings=[(file_name(desk.configuration, one.problem.path.as_posix()), one) for one in shelf.others],
        is_unlinted=bool(shelf.problems),
        spoken_target=spoken_target,
        text="",
        is_done="done" in request.query,
    )


@needs("read")
async def reload_page(request: web.Request) -> web.StreamResponse:
    """What a reload would change, with the button for those who may."""
    found = await request.app[PREVIEWS].of(desk_of(request).configuration)
    return await _preview(request, found)


@needs("admin")
async def reload(request: web.Request) -> web.StreamResponse:
    """Reads all files again; a mistake in one of them changes nothing, and is shown."""
    try:
        await request.app[CONTEXT].reload()
    except ConfigError as error:
        return await _preview(request, Preview(mistakes=tuple(error.problems)), status=422)
    return web.Response(status=303, headers={"Location": "/policy?done"})


@needs("read")
async def explain_page(request: web.Request) -> web.StreamResponse:
    """What would become of an alert now. The address holds the labels, so that it can be passed on."""
    desk, text = desk_of(request), request.query.get("labels", "")[:_LONGEST]
    found: dict[str, Any] | None = None
    why = ""
    labels: dict[str, str] = {}
    if text.strip():
        try:
            labels, annotations = alert_in(text)
            found = await explain_live(desk, labels, annotations, None)
        except ValueError as error:
            why = str(error)
    return await console_page(
        request,
        "explain.html",
        status=422 if why else 200,
        title="What would happen",
        text=text,
        labels=labels,
        found=found,
        why=why,
    )


def add_to(application: web.Application) -> None:
    """The pages and routes, and what they keep."""
    application[PREVIEWS] = Previews()
    application.add_routes(
        [
            web.get("/api/v1/policy", show_policy),
            web.get("/api/v1/policy/changes", preview_reload),
            web.get("/policy", policy_page),
            web.get("/policy/reload", reload_page),
            web.post("/policy/reload", reload),
            web.get("/policy/explain", explain_page),
        ]
    )


async def _preview(request: web.Request, found: Preview, *, status: int = 200) -> web.Response:
    mistakes = _mistakes(desk_of(request).configuration, found.mistakes)
    return await console_page(
        request,
        "reload.html",
        status=status,
        refusal="; ".join(f"{one['path']}:{one['line']}:{one['column']}: {one['text']}" for one in mistakes),
        title="What a reload would change",
        mistakes=mistakes,
        differences=found.differences[:_MOST_SHOWN],
        more=max(len(found.differences) - _MOST_SHOWN, 0),
    )


def _mistakes(configuration: Configuration, found: tuple[Problem, ...]) -> list[dict[str, Any]]:
    return [
        {
            "path": file_name(configuration, one.path.as_posix()),
            "line": one.line,
            "column": one.column,
            "text": masked(one.text, configuration.secrets),
        }
        for one in found
    ]


def _loaded(request: web.Request) -> dict[str, Any]:
    desk = desk_of(request)
    return {
        "policy": desk.policy.name,
        "loaded_at": plain(desk.loaded_at),
        "files": dict(desk.configuration.files),
        "runbooks": {name: one.version for name, one in sorted(desk.configuration.runbooks.items())},
    }


# --- what somebody pasted ------------------------------------------------------------------------------------


def alert_in(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations: lines of `name=value`, or JSON as Alertmanager and Prometheus have it.

    Raises ValueError with the sentence.
    """
    if not text.lstrip().startswith(("{", "[")):
        return _bounded(dict(_line(line) for line in text.splitlines() if line.strip())), {}
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"This is not JSON: {error}.") from error
    given = given["alerts"] if isinstance(given, dict) and isinstance(given.get("alerts"), list) else given
    given = (given[0] if given else None) if isinstance(given, list) else given
    if not isinstance(given, dict):
        raise ValueError("There is no alert in it.")
    labels = given.get("labels", {} if "annotations" in given else given)
    return _bounded(_texts(labels, "labels")), _texts(given.get("annotations") or {}, "annotations")


def _line(line: str) -> tuple[str, str]:
    name, sign, value = line.partition("=")
    name, value = name.strip(), value.strip().rstrip(",")
    if not sign or not name:
        raise ValueError(f"“{line.strip()[:100]}” is not name=value.")
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return name, value


def _texts(given: object, name: str) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ValueError(f"“{name}” are names with texts.")
    return given


def _bounded(labels: dict[str, str]) -> dict[str, str]:
    if not labels:
        raise ValueError("There is no label in it.")
    if len(labels) > _MOST_LABELS:
        raise ValueError(f"An alert has at most {_MOST_LABELS} labels here.")
    return {name.replace("\x00", ""): value.replace("\x00", "") for name, value in labels.items()}
