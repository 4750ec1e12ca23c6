"""What people type into the forms of the page On call, as what it means."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from responder.domain.rota import Override
from responder.flows.desk import Desk
from responder.flows.duty import rota_of
from responder.flows.overrides import Half
from responder.web.bodies import name_in, text_in
from responder.web.rotas import instant_in, needed


def override_in(desk: Desk, typed: Mapping[str, str], zone: ZoneInfo, actor: str) -> Override:
    """The override that somebody wants; times are of the reader's zone. Raises HTTPUnprocessableEntity, NotFound."""
    content, now = dict(typed), desk.clock.now()
    rota = rota_of(desk, text_in(content, "rota"))
    start = instant_in(content, "from", zone, now) or now
    return Override(
        rota=rota.name,
        person=text_in(content, "person"),
        instead_of=name_in(content, "instead_of"),
        start=start,
        until=needed(instant_in(content, "until", zone, now, after=start)),
        reason=text_in(content, "reason")[:500],
        actor=actor,
        made_at=now,
    )


def absence_in(desk: Desk, typed: Mapping[str, str], zone: ZoneInfo, actor: str) -> Override:
    """The time in which somebody is away. Raises HTTPUnprocessableEntity."""
    content, now = dict(typed), desk.clock.now()
    start = instant_in(content, "from", zone, now) or now
    return Override(
        rota="",
        person="",
        instead_of=text_in(content, "person"),
        start=start,
        until=needed(instant_in(content, "until", zone, now, after=start)),
        reason=text_in(content, "reason")[:500],
        actor=actor,
        made_at=now,
    )


def halves_in(desk: Desk, typed: Mapping[str, str], zone: ZoneInfo) -> tuple[Half, Half]:
    """The two sides of a swap. Raises HTTPUnprocessableEntity."""
    content, now = dict(typed), desk.clock.now()
    first, second = (
        Half(person=text_in(content, name), at=instant_in(content, f"{name}_at", zone, now))
        for name in ("first", "second")
    )
    return first, second
