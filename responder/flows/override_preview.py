"""What an override would change, before anybody makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from responder.domain.duty_news import DutyChange, Gap, Views, changes_of, gaps_opened
from responder.domain.lost_overrides import that_count
from responder.domain.override_rules import Around, held_pages, refusal
from responder.domain.rota import Override
from responder.flows.desk import Desk
from responder.flows.duty import rota_of
from responder.store.transaction import Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """For each person what becomes different, the gaps that open, what is held from whom, and why it cannot be made."""

    why_not: str
    changes: Mapping[str, Sequence[DutyChange]]
    gaps: Sequence[Gap]
    held: str


def preview(desk: Desk, tx: Transaction, wanted: Override) -> Preview:
    """Changes nothing. Raises NotFound for a rota that is not there."""
    rota, people, now = rota_of(desk, wanted.rota), desk.configuration.people, desk.clock.now()
    others = tx.overrides.since(min(wanted.start, now), rota.name)
    if why := refusal(wanted, Around(rota=rota, others=others, people=people, now=now)):
        return Preview(why_not=why, changes={}, gaps=(), held="")
    before = that_count(others, people)
    views = Views(before=before, after=[*before, wanted], start=max(wanted.start, now), until=wanted.until)
    grades = [one for one in desk.policy.grades if one not in desk.policy.delivery.through_quiet_hours]
    held = held_pages(people[wanted.person], wanted, grades, rota.zone)
    return Preview(why_not="", changes=changes_of(rota, views), gaps=gaps_opened(rota, views), held=held)
