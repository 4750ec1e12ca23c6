"""The API of the kill switch and of maintenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from responder.domain.switches import Scope, Switch
from responder.flows.maintenance import end_maintenance, in_maintenance_now, known_targets, start_maintenance
from responder.flows.switches import (
    Off,
    kill_switch,
    known_scope,
    lenient_scope,
    stopped_by,
    switched_off,
    turn_off_automation,
    turn_on_automation,
)
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, content_of, desk_of, duration_in, json_answer, name_in, text_in
from responder.web.context import needs
from responder.web.maintenance import window_lines
from responder.web.operations import PRESENT, operation
from responder.web.schemas import service
from responder.web.shapes import plain

_SCOPE = ("runbook", "target")


@needs("read")
@operation(query=service.SwitchQuery, answers=service.KillSwitch, whole=PRESENT)
async def show_kill_switch(request: web.Request) -> web.StreamResponse:
    """Whether automation is off: all of it, or what `runbook` or `target` in the query name; and all that is off."""
    asked = _only(request.query, *_SCOPE)
    return await _kill_switch(request, known_scope(desk_of(request).configuration, **asked))


@needs("act")
@operation(body=service.SwitchOff, answers=service.KillSwitch)
async def set_kill_switch(request: web.Request) -> web.StreamResponse:
    """Switches automation off. Body: reason, and perhaps actor, runbook or target, for (a duration)."""
    desk, content = desk_of(request), await content_of(request)
    _only(content, "reason", "actor", "for", *_SCOPE)
    scope = known_scope(desk.configuration, name_in(content, "runbook"), name_in(content, "target"))
    lasting = duration_in(content, "for")
    await turn_off_automation(desk, text_in(content, "reason"), actor_of(request, content), scope, lasting=lasting)
    return await _kill_switch(request, scope)


@needs("act")
@operation(query=service.SwitchOffQuery, body=service.SwitchOn, answers=service.KillSwitch)
async def clear_kill_switch(request: web.Request) -> web.StreamResponse:
    """Switches on again what the query or the body names by `runbook` or `target`; all if it names nothing."""
    # A name that was overlooked would switch everything on, so a word that is not known is refused.
    asked = _only({**await content_of(request), **request.query}, "actor", *_SCOPE)
    desk = desk_of(request)
    scope = lenient_scope(desk.configuration, asked["runbook"], asked["target"])
    if not await desk.store.read(lambda tx: any(one.scope == scope for one in switched_off(desk, tx))):
        # What neither is off nor known was misspelt: what was meant stays off.
        known_scope(desk.configuration, asked["runbook"], asked["target"])
    await turn_on_automation(desk, scope)
    return await _kill_switch(request, scope)


@needs("read")
@operation(answers=service.Maintenance, whole=PRESENT)
async def list_maintenance(request: web.Request) -> web.StreamResponse:
    """The targets in maintenance."""
    return await _maintenance(request, [])


@needs("act")
@operation(body=service.MaintenanceBody, answers=service.Maintenance)
async def begin_maintenance(request: web.Request) -> web.StreamResponse:
    """Puts targets into maintenance. Body: target or group, for (a duration), reason, and perhaps actor."""
    desk, content = desk_of(request), await content_of(request)
    _only({**content, "target": ""}, "target", "group", "for", "reason", "actor")
    lasting = duration_in(content, "for")
    if lasting is None:
        raise web.HTTPUnprocessableEntity(text="“for” is missing: how long, such as 2h. Maintenance ends by itself.")
    reason, actor = text_in(content, "reason"), actor_of(request, content)
    targets = known_targets(desk.configuration, _targets(content), name_in(content, "group"))
    return await _maintenance(request, await start_maintenance(desk, targets, reason, actor, lasting=lasting))


@needs("act")
@operation(query=service.TargetQuery, body=service.MaintenanceEnd, answers=service.Maintenance)
async def finish_maintenance(request: web.Request) -> web.StreamResponse:
    """Ends it for the target or group in the query or the body."""
    desk = desk_of(request)
    asked = _only({**await content_of(request), **request.query}, "target", "group", "actor")
    await end_maintenance(desk, known_targets(desk.configuration, _targets(asked), asked["group"]))
    return await _maintenance(request, [])


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/kill-switch", show_kill_switch),
        web.put("/api/v1/kill-switch", set_kill_switch),
        web.delete("/api/v1/kill-switch", clear_kill_switch),
        web.get("/api/v1/maintenance", list_maintenance),
        web.put("/api/v1/maintenance", begin_maintenance),
        web.delete("/api/v1/maintenance", finish_maintenance),
    ]


async def _kill_switch(request: web.Request, scope: Scope) -> web.Response:
    desk = desk_of(request)

    def gather(tx: Transaction) -> dict[str, Any]:
        hosts = [scope.name] if scope.kind == "target" else []
        runbook = scope.name if scope.kind == "runbook" else ""
        reason = kill_switch(desk, tx) if scope.is_everything else stopped_by(desk, tx, runbook, hosts)
        return {"on": bool(reason), "reason": reason, "switches": [_off(one) for one in switched_off(desk, tx)]}

    return json_answer(await desk.store.read(gather))


def _off(off: Off) -> dict[str, Any]:
    return {
        "scope": off.scope.kind or "everything",
        "name": off.scope.name,
        "reason": off.reason,
        "until": plain(off.until),
        "by_file": off.by_file,
    }


async def _maintenance(request: web.Request, at_work: list[str]) -> web.Response:
    desk = desk_of(request)
    found = await desk.store.read(lambda tx: in_maintenance_now(tx, desk.clock.now()))
    windows = await desk.store.read(lambda tx: window_lines(desk, tx))
    lines = [_line(target, switch) for target, switch in found.items()]
    return json_answer({"maintenance": lines, "windows": windows, "at_work": at_work})


def _line(target: str, switch: Switch) -> dict[str, Any]:
    return {
        "target": target,
        "reason": switch.reason,
        "actor": switch.actor,
        "at": plain(switch.at),
        "until": plain(switch.until),
    }


def _only(given: Mapping[str, Any], *known: str) -> dict[str, str]:
    """The names given, empty where there is none. Raises HTTPUnprocessableEntity for a word that is not known."""
    if unknown := sorted(set(given) - set(known)):
        raise web.HTTPUnprocessableEntity(text=f"“{unknown[0][:100]}” is not known here; there are {', '.join(known)}.")
    return {name: name_in(given, name) for name in known}


def _targets(content: Mapping[str, Any]) -> list[str]:
    """`target` as one name or a list of them."""
    given = content.get("target")
    names = given if isinstance(given, list) else [given]
    return [name for one in names if (name := name_in({"target": one}, "target"))]
