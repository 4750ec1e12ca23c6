"""How the API answers to changes of who is on call: what was made, the gaps that it opens, and who is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from responder.domain.duty_news import Gap, Notice
from responder.domain.override_rules import held_pages
from responder.domain.rota import Override
from responder.flows.desk import Desk
from responder.flows.duty_news import Outcome
from responder.flows.watch_rotas import LOOKED_AHEAD
from responder.store.transaction import Transaction
from responder.web.bodies import json_answer
from responder.web.shapes import plain

_NAMES = (
    "id", "rota", "person", "instead_of", "start", "until", "reason", "actor", "made_at", "ended_at", "ended_by",
)  # fmt: skip


def override_line(one: Override) -> dict[str, Any]:
    """An override as programs read it."""
    return {name: plain(getattr(one, name)) for name in _NAMES}


def outcome_answer(desk: Desk, zone: ZoneInfo, made: Outcome) -> web.Response:
    """What a change has made, with a sentence for each gap that it opens and each person from whom pages are held, and
    who is told of it."""
    near = desk.clock.now() + LOOKED_AHEAD
    return json_answer(
        {
            "zone": zone.key,
            "overrides": [override_line(one) for one in made.overrides],
            "gaps": [_gap(desk, one, near) for one in made.gaps],
            "held": list(_held(desk, zone, made.overrides)),
            "told": [_notice(one) for one in made.notices],
        }
    )


def _held(desk: Desk, zone: ZoneInfo, overrides: Iterable[Override]) -> Iterator[str]:
    """For each person who is put on call in their quiet hours, what is held from them then."""
    policy, people = desk.policy, desk.configuration.people
    grades = [grade for grade in policy.grades if grade not in policy.delivery.through_quiet_hours]
    seen: set[str] = set()
    for one in overrides:
        if one.ended_at or one.person in seen or one.person not in people:
            continue
        if text := held_pages(people[one.person], one, grades, zone):
            seen.add(one.person)
            yield text


def overrides_told(tx: Transaction, found: Sequence[Override]) -> list[dict[str, Any]]:
    """Overrides with those who were told of them, and what became of that."""
    since = min((one.made_at for one in found), default=None)
    notices = tx.duty_notices.about([one.id for one in found], since) if since else []
    return [{**override_line(one), "told": [_notice(each) for each in _of(notices, one)]} for one in found]


def _of(notices: Iterable[Notice], override: Override) -> list[Notice]:
    return [one for one in notices if override.id in one.override_ids]


def _gap(desk: Desk, gap: Gap, near: datetime) -> dict[str, Any]:
    zone = desk.configuration.rotas[gap.rota].zone
    start, until = (f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}" for at in (gap.start, gap.until))
    return {
        "rota": gap.rota,
        "start": plain(gap.start),
        "until": plain(gap.until),
        "is_near": gap.start < near,
        "text": f"nobody is on call in rota {gap.rota} from {start} to {until}",
    }


def _notice(one: Notice) -> dict[str, Any]:
    names = ("person", "state", "due_at", "told_at", "error")
    return {name: plain(getattr(one, name)) for name in names}
