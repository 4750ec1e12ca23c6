"""Spare parts: people keep the stock, plans reserve from it, and a part that runs low becomes a ticket.

`reserve_for_plan`, `use_reserved` and `release` belong into the transaction that changes the ticket, whose row the
caller holds; what they return is for the ticket's history.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime

from responder.domain.counting import counted
from responder.domain.parts import (
    MOST,
    Part,
    ReservationState,
    StockMove,
    not_enough_to_take,
    objection_to,
    shortages,
    stock_report,
    summed,
    unknown,
)
from responder.domain.report import Signal
from responder.errors import NotFound, Refused
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_LONGEST = 500

# --- what plans do ---------------------------------------------------------------------------------


def reserve_for_plan(
    tx: Transaction, ticket_id: int, resources: Mapping[str, int], actor: str, now: datetime
) -> list[str]:
    """Holds what a plan needs, in place of what an older plan of the same ticket held; all of it or nothing.

    Gives a sentence for each part. Raises Refused with a sentence for each part that is short or not there: then
    nothing has changed, and the older plan's parts are still held.
    """
    before = tx.parts.locked({*resources, *summed(tx.parts.held_by(ticket_id))})
    own = summed(tx.parts.held_by(ticket_id))
    if short := shortages(resources, before, own):
        raise Refused(" ".join(short))
    if own != dict(resources):
        tx.parts.end(ticket_id, ReservationState.RELEASED, now)
        tx.parts.reserve(ticket_id, resources, actor, now)
        _look_again(tx, before, now)
    after = tx.parts.some(before)
    gone = [_given_back(after[number], count) for number, count in own.items() if number not in resources]
    return [*(_reserved(after[number], count) for number, count in sorted(resources.items())), *gone]


def use_reserved(tx: Transaction, ticket_id: int, actor: str, now: datetime) -> list[str]:
    """Takes what the ticket's plan holds out of the stock; a second time there is nothing left to take."""
    before = tx.parts.locked(summed(tx.parts.held_by(ticket_id)))
    held = summed(tx.parts.held_by(ticket_id))
    tx.parts.end(ticket_id, ReservationState.USED, now)
    said = [_use(tx, before[part], count, ticket_id, actor=actor, now=now) for part, count in sorted(held.items())]
    _look_again(tx, before, now)
    return said


def release(tx: Transaction, ticket_id: int, now: datetime) -> list[str]:
    """Gives back what the ticket's plan holds: it was rejected, or the ticket was dismissed or merged."""
    before = tx.parts.locked(summed(tx.parts.held_by(ticket_id)))
    held = summed(tx.parts.held_by(ticket_id))
    tx.parts.end(ticket_id, ReservationState.RELEASED, now)
    _look_again(tx, before, now)
    after = tx.parts.some(before)
    return [_given_back(after[part], count) for part, count in sorted(held.items())]


def _use(tx: Transaction, part: Part, count: int, ticket_id: int, *, actor: str, now: datetime) -> str:
    number = tx.tickets.one(ticket_id).ticket.number
    # A count may have found less than was reserved; a stock below nothing would be a second mistake.
    there = min(count, max(part.stock, 0))
    reason = f"used for {number}"
    if there < count:
        reason += f"; {count} were reserved, but only {there} in stock by the last count"
    tx.parts.move(StockMove(part=part.number, count=-there, reason=reason, actor=actor, at=now))
    doubt = "" if there == count else f" Only {there} of them were in stock by the last count: count them again."
    return f"Used: {count} of {part}; {counted(part.stock - there, 'is', 'are')} left.{doubt}"


def _reserved(part: Part, count: int) -> str:
    place = f" at {part.place}" if part.place else ""
    return f"Reserved: {count} of {part}{place}; {counted(part.free, 'more is', 'more are')} free."


def _given_back(part: Part, count: int) -> str:
    return f"No longer reserved: {count} of {part}; {counted(part.free, 'is', 'are')} free."


# --- what people do --------------------------------------------------------------------------------


async def add_part(desk: Desk, part: Part, actor: str) -> Part:
    """Adds a part with its first stock. Raises Refused for a number that is taken or no number."""
    if why := objection_to(part.number, part.name) or _beyond(part.stock) or _beyond(part.minimum):
        raise Refused(why)
    now = desk.clock.now()

    def body(tx: Transaction) -> Part:
        if part.number in tx.parts.locked([part.number]):
            raise Refused(f"There is a part {part.number} already; `responder parts change` changes what it is called.")
        tx.parts.add(replace(part, changed_at=now))
        tx.parts.move(StockMove(part=part.number, count=part.stock, reason="added", actor=actor, at=now))
        _look_again(tx, {part.number: replace(part, minimum=0)}, now)
        return tx.parts.some([part.number])[part.number]

    return await desk.store.write(body)


async def change_part(
    desk: Desk,
    number: str,
    actor: str,
    *,
    name: str | None = None,
    place: str | None = None,
    minimum: int | None = None,
) -> Part:
    """Changes what is said about a part; what is None stays. Raises NotFound or Refused."""
    given = {"name": name, "place": place, "minimum": minimum}
    changes = {key: value for key, value in given.items() if value is not None}

    def decide(part: Part) -> tuple[Part, int, str]:
        changed = replace(part, **changes)  # type: ignore[arg-type]
        if why := objection_to(number, changed.name) or _beyond(changed.minimum):
            raise Refused(why)
        told = [f"{key} {getattr(part, key)!r} → {value!r}" for key, value in changes.items()]
        return changed, 0, f"changed: {', '.join(told) or 'nothing'}"

    return await _change(desk, number, actor, decide)


async def receive_part(desk: Desk, number: str, count: int, *, reason: str, actor: str) -> Part:
    """Adds a delivery to the stock. Raises NotFound or Refused."""

    def decide(part: Part) -> tuple[Part, int, str]:
        if why := _no_number(count) or _beyond(part.stock + count):
            raise Refused(why)
        return part, count, reason

    return await _change(desk, number, actor, decide)


async def take_part(desk: Desk, number: str, count: int, *, reason: str, actor: str) -> Part:
    """Takes parts without a plan; those reserved are not touched. Raises NotFound or Refused."""

    def decide(part: Part) -> tuple[Part, int, str]:
        if why := _no_number(count) or not_enough_to_take(part, count):
            raise Refused(why)
        return part, -count, reason

    return await _change(desk, number, actor, decide)


async def count_part(desk: Desk, number: str, count: int, *, reason: str, actor: str) -> Part:
    """Writes down what a count has found, also below what is reserved. Raises NotFound or Refused."""

    def decide(part: Part) -> tuple[Part, int, str]:
        if why := _beyond(count):
            raise Refused(why)
        return part, count - part.stock, f"counted {count}, written were {part.stock}: {reason}"

    return await _change(desk, number, actor, decide)


def part_in(tx: Transaction, number: str) -> Part:
    """One part. Raises NotFound."""
    found = tx.parts.some([number])
    if number not in found:
        raise NotFound(unknown(number))
    return found[number]


async def _change(desk: Desk, number: str, actor: str, decide: Callable[[Part], tuple[Part, int, str]]) -> Part:
    now = desk.clock.now()

    def body(tx: Transaction) -> Part:
        before = tx.parts.locked([number])
        changed, count, reason = decide(part_in(tx, number))
        tx.parts.describe(replace(changed, changed_at=now))
        tx.parts.move(StockMove(part=number, count=count, reason=reason[:_LONGEST], actor=actor, at=now))
        _look_again(tx, before, now)
        return part_in(tx, number)

    return await desk.store.write(body)


def _no_number(count: int) -> str:
    return "" if 1 <= count <= MOST else f"{count} is no number of parts; write 1 to {MOST}."


def _beyond(count: int) -> str:
    return "" if 0 <= count <= MOST else f"{count} parts cannot be written down; write 0 to {MOST}."


# --- what runs low ---------------------------------------------------------------------------------


async def report_part(desk: Desk, job: Job) -> None:
    """Reports that too few of a part are free, or that there are enough again; safe to repeat."""
    now, policy = desk.clock.now(), desk.policy
    number = str(job.args["part"])

    def body(tx: Transaction) -> None:
        part = tx.parts.locked([number]).get(number)
        if part is None:
            return
        labels = {"alertname": "SparePartLow", "part": number, "severity": "info"}
        signal = Signal.FIRING if part.is_low else Signal.CLEARED
        file_reports(tx, [internal_report(labels, stock_report(part), now, signal=signal)], policy, now)

    await desk.store.write(body)


def _look_again(tx: Transaction, before: Mapping[str, Part], now: datetime) -> None:
    """Promises a report about each part that has begun or ceased to run low."""
    after: Collection[Part] = tx.parts.some(before).values()
    crossed = [part.number for part in after if part.is_low != before[part.number].is_low]
    tx.promise([Job(kind="parts", args={"part": number}, due_at=now, at_once=True) for number in sorted(crossed)])
