"""The API of health checks: what is planned, what was found, and a check for now."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from responder.clock import microseconds
from responder.domain.health_check import HealthCheck, HealthCheckRule, Seen, report_text
from responder.flows.desk import Desk
from responder.flows.health_check import order_health_check
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, content_of, desk_of, flag_in, json_answer
from responder.web.context import needs
from responder.web.operations import LINK, OF_ONE, operation
from responder.web.paging import cursor_of, instant_of, limit_in, page_answer, place_in
from responder.web.schemas import asked, service
from responder.web.shapes import plain

_LARGEST_PAGE = 100


@needs("read")
@operation(query=service.CheckQuery, answers=service.Checks, headers=LINK)
async def list_checks(request: web.Request) -> web.StreamResponse:
    """The policy's checks, each with its next time, and what has begun, newest first. Query: name, limit."""
    desk, name = desk_of(request), request.query.get("name", "").replace("\x00", "")
    limit, place = limit_in(request.query, 20, _LARGEST_PAGE), place_in(request.query, 2)
    after = (instant_of(place[0]), place[1]) if place else None

    def gather(tx: Transaction) -> tuple[list[dict[str, Any]], list[HealthCheck]]:
        planned = tx.health_checks.planned()
        rules = [rule for rule in desk.policy.health_checks if name in ("", rule.name)]
        lines = [_rule_line(desk, rule, planned.get(rule.name)) for rule in rules]
        return lines, tx.health_checks.listed(name=name, after=after, limit=limit)

    checks, found = await desk.store.read(gather)
    last = found[-1] if len(found) == limit else None
    following = cursor_of(microseconds(last.started_at), last.id) if last else None
    return page_answer(request, "results", [result_line(one) for one in found], following, checks=checks)


@needs("read")
@operation(query=service.WholeCheckQuery, answers=service.WholeCheck, whole=OF_ONE)
async def show_check(request: web.Request) -> web.StreamResponse:
    """One check with every look, and as `text` the report. Query: all (the report has what was good, too)."""
    check_id, everything = int(request.match_info["id"]), flag_in(request.query, "all")
    check = await desk_of(request).store.read(lambda tx: tx.health_checks.one(check_id))
    return json_answer({**plain(asdict(check)), "text": report_text(check, everything=everything)})


@needs("act")
@operation(body=asked.ActorBody, answers=service.CheckLine)
async def run_check(request: web.Request) -> web.StreamResponse:
    """Lets a check run now. Body: perhaps actor."""
    desk, content = desk_of(request), await content_of(request)
    ordered = await order_health_check(desk, request.match_info["name"], actor_of(request, content))
    return json_answer(result_line(ordered))


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/health-checks", list_checks),
        web.get(r"/api/v1/health-checks/{id:\d{1,15}}", show_check),
        web.post("/api/v1/health-checks/{name}/run", run_check),
    ]


def result_line(check: HealthCheck) -> dict[str, Any]:
    """A check without its looks."""
    names = ("id", "name", "state", "runbook", "targets", "started_at", "ended_at", "ordered_by", "problem")
    return {
        **{name: plain(getattr(check, name)) for name in names},
        "good": check.counted(Seen.GOOD),
        "findings": check.counted(Seen.FINDING),
        "unseen": check.counted(Seen.UNSEEN),
        "new": len(check.new),
        "gone": len(check.gone),
    }


def _rule_line(desk: Desk, rule: HealthCheckRule, planned: HealthCheck | None) -> dict[str, Any]:
    return {
        "name": rule.name,
        "runbook": rule.runbook,
        "targets": [target.name for target in rule.members(desk.configuration.targets)],
        "every": str(rule.every),
        "zone": (rule.zone or desk.policy.zone).key,
        "next_at": plain(planned.started_at) if planned else None,
    }
