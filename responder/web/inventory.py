"""The inventory: what each target is, what keeps automation off it, and maintenance. Keys are pinned in the file."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from responder.domain.masking import masked
from responder.domain.target import Target, fingerprint
from responder.errors import BadForm, NotFound, Refused
from responder.flows.desk import Desk
from responder.flows.inventory import Standing, chosen, standing
from responder.flows.maintenance import end_maintenance, known_targets, start_maintenance
from responder.flows.maintenance_windows import begin_window, end_window, open_windows
from responder.flows.switches import switched_off
from responder.store.audit_log import names_too
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, desk_of, duration_in, name_in, text_in
from responder.web.console import console_page
from responder.web.context import needs
from responder.web.operations import LINK, operation
from responder.web.paging import cursor_of, limit_in, page_answer, place_in
from responder.web.run_shapes import listed_run
from responder.web.schemas import console
from responder.web.shapes import plain
from responder.web.tried import Tried, refused

_ON_A_PAGE = 200
_LARGEST_PAGE = 500
_LONGEST = 255
_HOW_LONG = "Say for how long, such as 2h: maintenance ends by itself."
_KEY_FILES = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}


@needs("read")
@operation(query=console.InventoryQuery, answers=console.Inventory, headers=LINK)
async def list_targets(request: web.Request) -> web.StreamResponse:
    """The targets of the inventory, and what keeps automation off each of them now."""
    desk = desk_of(request)
    limit = limit_in(request.query, _ON_A_PAGE, _LARGEST_PAGE)
    some, total, following = _asked(request, desk, limit)
    found = await desk.store.read(lambda tx: standing(desk, tx, some))
    lines = [target_line(one, desk.configuration.secrets) for one in found]
    return page_answer(request, "targets", lines, following, total=total)


@needs("read")
async def inventory_page(request: web.Request) -> web.StreamResponse:
    """All targets, a line each."""
    return await _shown(request, Tried())


@needs("act")
async def begin(request: web.Request) -> web.StreamResponse:
    """The form that begins maintenance of a target or group."""
    desk, form = desk_of(request), dict(await request.post())
    target, group = name_in(form, "target"), name_in(form, "group")
    names_too(target or group)
    try:
        lasting, reason = duration_in(form, "for"), text_in(form, "reason")
        if lasting is None:
            raise BadForm(_HOW_LONG, field="for")
        targets = known_targets(desk.configuration, [target] if target else [], group)
        actor = actor_of(request, form)
    except (Refused, BadForm, NotFound, web.HTTPUnprocessableEntity) as error:
        return await _shown(request, refused("maintenance", error, form))
    await start_maintenance(desk, targets, reason, actor, lasting=lasting)
    return _back(request)


@needs("act")
async def end(request: web.Request) -> web.StreamResponse:
    """The button that ends maintenance of a target."""
    desk, target = desk_of(request), name_in(dict(await request.post()), "target")
    names_too(target)
    await end_maintenance(desk, known_targets(desk.configuration, [target] if target else [], ""))
    return _back(request)


@needs("act")
async def begin_alerts(request: web.Request) -> web.StreamResponse:
    """The form that begins a maintenance window of alerts: one matcher in a line."""
    desk, form = desk_of(request), dict(await request.post())
    matchers = [line.strip() for line in name_in(form, "match").splitlines() if line.strip()]
    try:
        lasting, reason = duration_in(form, "for"), text_in(form, "reason")
        if lasting is None:
            raise BadForm(_HOW_LONG, field="for")
        await begin_window(desk, matchers, reason, actor_of(request, form), lasting=lasting)
    except (Refused, BadForm, web.HTTPUnprocessableEntity) as error:
        return await _shown(request, refused("window", error, form, place="match"))
    return _back(request)


@needs("act")
async def end_alerts(request: web.Request) -> web.StreamResponse:
    """The button that ends a window of alerts that somebody began."""
    form = dict(await request.post())
    await end_window(desk_of(request), int(request.match_info["id"]), actor_of(request, form))
    return _back(request)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/inventory", list_targets),
        web.get("/inventory", inventory_page),
        web.post("/inventory/maintenance", begin),
        web.post("/inventory/maintenance/end", end),
        web.post("/inventory/windows", begin_alerts),
        web.post(r"/inventory/windows/{id:\d{1,12}}/end", end_alerts),
    ]


def target_line(one: Standing, secrets: frozenset[str]) -> dict[str, Any]:
    """A target for programs: where it is and how it stands, without anything secret."""
    target, maintenance = one.target, one.maintenance
    names = ("name", "address", "port", "user", "failure_domain")
    return {
        **{name: getattr(target, name) for name in names},
        "aliases": list(target.aliases),
        "groups": list(target.groups),
        "depends_on": list(target.depends_on),
        "variables": variables_of(target, secrets),
        "host_key": {"type": target.host_key.partition(" ")[0], "fingerprint": fingerprint(target.host_key)},
        "held_by": listed_run(one.held_by) if one.held_by else None,
        "maintenance": {
            "reason": maintenance.reason,
            "actor": maintenance.actor,
            "until": plain(maintenance.until),
        }
        if maintenance
        else None,
        "off": one.off.reason if one.off else "",
        "cooldowns": [{"runbook": runbook, "until": plain(until)} for runbook, until in one.cooldowns],
        "last_run": listed_run(one.last_run) if one.last_run else None,
    }


def variables_of(target: Target, secrets: frozenset[str]) -> dict[str, str]:
    """The variables of a target, without what is or looks like a secret."""
    return {name: masked(f"{name}={value}", secrets)[len(name) + 1 :] for name, value in target.variables.items()}


# --- the page ------------------------------------------------------------------------------------------------


async def _shown(request: web.Request, tried: Tried) -> web.Response:
    desk = desk_of(request)
    some, total, following = _asked(request, desk, _ON_A_PAGE)
    configuration = desk.configuration

    def gather(tx: Transaction) -> dict[str, Any]:
        return {
            "lines": standing(desk, tx, some),
            "windows": open_windows(desk, tx, desk.clock.now()),
            "off": [one for one in switched_off(desk, tx) if one.scope.is_everything],
        }

    found = await desk.store.read(gather)
    return await console_page(
        request,
        "inventory.html",
        status=tried.status,
        refusal=tried.why,
        title="Inventory",
        tried=tried,
        total=total,
        whole=len(configuration.targets),
        unpinned=[one.name for one in configuration.targets if not one.host_key],
        groups=sorted({group for one in configuration.targets for group in one.groups}),
        asked={name: request.query.get(name, "")[:_LONGEST] for name in ("q", "group")},
        next_url=str(request.rel_url.update_query(cursor=following)) if following else "",
        fingerprint=fingerprint,
        key_file=_key_file,
        variables=lambda target: variables_of(target, configuration.secrets),
        **found,
    )


def _asked(request: web.Request, desk: Desk, limit: int) -> tuple[list[Target], int, str | None]:
    """The targets that the query asks for, how many those are in all, and where the list goes on. Raises Invalid."""
    place = place_in(request.query)
    begin_at = max(place[0], 0) if place else 0
    query = {name: request.query.get(name, "").replace("\x00", "")[:_LONGEST] for name in ("q", "group")}
    found = chosen(desk.configuration.targets, query["q"], query["group"])
    end_at = begin_at + limit
    return found[begin_at:end_at], len(found), cursor_of(end_at) if end_at < len(found) else None


def _key_file(host_key: str) -> str:
    """The file on the host that holds the other half of a pinned key."""
    kind = _KEY_FILES.get(host_key.partition(" ")[0], "ecdsa" if host_key.startswith("ecdsa") else "ed25519")
    return f"/etc/ssh/ssh_host_{kind}_key.pub"


def _back(request: web.Request) -> web.Response:
    """To the page as it was filtered: the form posts the query with its address."""
    query = {name: request.query[name] for name in ("q", "group", "cursor") if name in request.query}
    return web.Response(
        status=303, headers={"Location": str(request.rel_url.with_path("/inventory").with_query(query))}
    )
