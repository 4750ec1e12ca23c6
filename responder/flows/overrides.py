"""Overrides: somebody stands for somebody else for a while, two exchange their shifts, somebody is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from responder.clock import microseconds
from responder.domain.override_rules import Around, refusal
from responder.domain.rota import Override, Shift, next_shift
from responder.domain.ticket import Sums
from responder.errors import NotFound, Refused
from responder.flows.desk import Desk
from responder.flows.duty import rota_of
from responder.flows.duty_news import Act, Outcome, outcome, written_down
from responder.store.transaction import Transaction

_LONGEST_REASON = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Half:
    """One side of a swap: a person, and an instant of the shift that they give away (None: the next one)."""

    person: str
    at: datetime | None = None


async def add_override(desk: Desk, wanted: Override) -> Outcome:
    """Makes an override, and tells those concerned. Raises NotFound for a rota that is not there, and Refused with the
    reason for one that cannot be meant."""
    wanted = replace(wanted, reason=wanted.reason[:_LONGEST_REASON])

    def body(tx: Transaction) -> Outcome:
        known = locked(desk, tx, wanted.rota, wanted.start)
        before = tx.overrides.since(desk.clock.now())
        made = add_checked(desk, tx, wanted, known)
        return outcome(desk, tx, before, [made], Act(actor=wanted.actor, reason=wanted.reason))

    return written_down(desk, await desk.store.write(body))


async def swap(desk: Desk, rota: str, halves: tuple[Half, Half], *, actor: str, reason: str) -> Outcome:
    """Two people exchange a shift: two overrides, made and ended together. Raises NotFound and Refused."""
    reason = reason[:_LONGEST_REASON]

    def body(tx: Transaction) -> Outcome:
        before = tx.overrides.since(desk.clock.now())
        made = _swapped(desk, tx, rota, halves, (actor, reason))
        return outcome(desk, tx, before, made, Act(actor=actor, reason=reason))

    return written_down(desk, await desk.store.write(body))


def _swapped(
    desk: Desk, tx: Transaction, rota: str, halves: tuple[Half, Half], said: tuple[str, str]
) -> list[Override]:
    now, (actor, reason) = desk.clock.now(), said
    known = locked(desk, tx, rota, min(half.at or now for half in halves))
    first, second = (_shift_of(desk, rota, half, known) for half in halves)
    if first.start < second.until and second.start < first.until:
        raise Refused(
            f"{halves[0].person} and {halves[1].person} are on call at the same time, so nothing would change."
        )
    made: list[Override] = []
    for half, other, shift in ((halves[0], halves[1], first), (halves[1], halves[0], second)):
        wanted = Override(
            rota=rota,
            person=other.person,
            instead_of=half.person,
            start=max(shift.start, now),
            until=shift.until,
            reason=reason,
            actor=actor,
            made_at=now,
            act=f"swap-{microseconds(now)}",
        )
        made.append(add_checked(desk, tx, wanted, known))
    return made


def _shift_of(desk: Desk, rota: str, half: Half, known: Sequence[Override]) -> Shift:
    """The shift that a person gives away. Raises Refused if there is none."""
    if half.person not in desk.configuration.people:
        raise Refused(f"Nobody is called {half.person[:80]}.")
    now = desk.clock.now()
    found = next_shift(rota_of(desk, rota), known, half.person, half.at or now)
    if found is None or (half.at is not None and not found.start <= half.at < found.until):
        when = f"at {half.at:%Y-%m-%d %H:%M} UTC" if half.at else "in the next year"
        raise Refused(f"{half.person} is not on call in rota {rota} {when}.")
    if found.until <= now:
        raise Refused(f"The shift of {half.person} that ended at {found.until:%Y-%m-%d %H:%M} UTC is over.")
    return found


async def end_override(desk: Desk, rota: str, override_id: int, actor: str) -> Outcome:
    """Ends an override now, with all that was made together with it; one that has not begun never will. Gives what was
    ended. Raises NotFound for one that is not there in this rota, and Refused if it is over."""
    now = desk.clock.now()

    def body(tx: Transaction) -> Outcome:
        still = _still(tx, rota, override_id, now)
        before = tx.overrides.since(now)
        for one in still:
            tx.overrides.end(one.id, now, actor)
        ended = [replace(one, ended_at=now, ended_by=actor) for one in still]
        return outcome(desk, tx, before, ended, Act(actor=actor, reason=still[0].reason, has_ended=True))

    return written_down(desk, await desk.store.write(body))


def _still(tx: Transaction, rota: str, override_id: int, now: datetime) -> list[Override]:
    """An override and what was made with it, as far as it is not over. Raises NotFound and Refused."""
    found = tx.overrides.find(override_id)
    if found is None or found.rota != rota:
        what = f"override {override_id} in rota {rota[:80]}" if rota else f"absence {override_id}"
        raise NotFound(f"There is no {what}.")
    together = tx.overrides.of_act(found.act) if found.act else [found]
    still = [one for one in together if one.holds_after(now)]
    if not still:
        raise Refused(f"{'Override' if rota else 'Absence'} {override_id} is over.")
    return still


def locked(desk: Desk, tx: Transaction, rota: str, start: datetime) -> list[Override]:
    """The overrides of a rota that matter from an instant on. Until the commit nobody else makes one: two that overlap
    would each be right alone."""
    rota_of(desk, rota)
    tx.sums.take(f"overrides of {rota}", 1)
    return tx.overrides.since(min(start, desk.clock.now()), rota)


def add_checked(desk: Desk, tx: Transaction, wanted: Override, known: Sequence[Override]) -> Override:
    """Writes an override that goes with the known ones. Raises Refused."""
    now = desk.clock.now()
    people, rota = desk.configuration.people, rota_of(desk, wanted.rota)
    if why := refusal(wanted, Around(rota=rota, others=known, people=people, now=now)):
        raise Refused(why)
    tx.sums.add(Sums({("overrides_total", (("rota", rota.name),)): 1}))
    return replace(wanted, id=tx.overrides.add(wanted))
