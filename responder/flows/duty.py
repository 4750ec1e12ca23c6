"""Duty: who is on call in a rota at an instant, with what people have changed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.lost_overrides import that_count
from responder.domain.oncall import Tier
from responder.domain.rota import Override, Rota, Shift, is_endless, on_call, people_on_call, shifts, why_nobody
from responder.errors import NotFound, Refused
from responder.flows.desk import Desk
from responder.store.transaction import Transaction

_LOOKED_BACK = timedelta(days=70)
LONGEST_VIEW = timedelta(days=370)


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """Who is on call, perhaps nobody, until when (None: no end in sight), and why them in words."""

    people: tuple[str, ...]
    since: datetime
    until: datetime | None
    why: str


def rota_of(desk: Desk, name: str) -> Rota:
    """The rota of this name. Raises NotFound."""
    found = desk.configuration.rotas.get(name)
    if found is None:
        there = ", ".join(desk.configuration.rotas) or "none"
        raise NotFound(f"There is no rota {name[:80]}; there are {there}.")
    return found


def on_duty(desk: Desk, tx: Transaction, rota: str, at: datetime) -> Duty:
    """Who is on call in a rota at an instant. Raises NotFound for a rota that is not there."""
    known, overrides = rota_of(desk, rota), _known(desk, tx.overrides.since(at - _LOOKED_BACK, rota))
    found = on_call(known, overrides, at)
    until = None if is_endless(found, at) else found.until
    why = found.why if found.people else why_nobody(known, overrides, at)
    return Duty(people=found.people, since=found.start, until=until, why=why)


def called_on_duty(desk: Desk, tx: Transaction, tiers: Iterable[Tier], at: datetime) -> dict[str, tuple[str, ...]]:
    """The people on call of each rota that these tiers name."""
    rotas = {tier.rota for tier in tiers if tier.rota in desk.configuration.rotas}
    overrides = _known(desk, tx.overrides.since(at)) if rotas else []
    return {name: people_on_call(desk.configuration.rotas[name], overrides, at) for name in sorted(rotas)}


def shifts_of(desk: Desk, tx: Transaction, rota: str, start: datetime, until: datetime) -> list[Shift]:
    """All shifts of a rota between two instants, those without anybody too. Raises NotFound, and Refused for a time
    that is too long or ends before it begins."""
    found = rota_of(desk, rota)
    if until <= start:
        raise Refused("The end of the time to show is not after its start.")
    if until - start > LONGEST_VIEW:
        raise Refused(f"At most {LONGEST_VIEW.days} days are shown at once.")
    return list(shifts(found, _known(desk, overrides_of(tx, rota, start)), start, until))


def _known(desk: Desk, overrides: Sequence[Override]) -> list[Override]:
    return that_count(overrides, desk.configuration.people)


def overrides_of(tx: Transaction, rota: str, since: datetime) -> Sequence[Override]:
    """The overrides that matter for a rota from an instant on."""
    return tx.overrides.since(since, rota)
