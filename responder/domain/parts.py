"""Spare parts: what lies in stock, what plans have reserved of it, and whether a wish can be met."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from responder.domain.counting import counted

MOST = 1_000_000
"""The largest number of one part that can be written down."""
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class ReservationState(StrEnum):
    """Where a reservation stands: it holds parts, they were used up, or they are free again."""

    HELD = "held"
    USED = "used"
    RELEASED = "released"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One kind of spare part. `stock` lies at `place`; `reserved` of it is held by plans.

    When fewer than `minimum` are free, more must be ordered.
    """

    number: str
    name: str
    place: str = ""
    stock: int = 0
    minimum: int = 0
    changed_at: datetime
    reserved: int = 0

    @property
    def free(self) -> int:
        """What nobody has reserved; below zero when a count has found less than is reserved."""
        return self.stock - self.reserved

    @property
    def is_low(self) -> bool:
        return self.free < self.minimum

    def __str__(self) -> str:
        return f"{self.number} ({self.name})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """So many of a part for a ticket's plan."""

    id: int = 0
    ticket_id: int
    part: str
    count: int
    state: ReservationState = ReservationState.HELD
    actor: str
    at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StockMove:
    """A change of a part's stock: so many came (or, below zero, went), by whom and why."""

    id: int = 0
    part: str
    count: int
    reason: str
    actor: str
    at: datetime


def objection_to(number: str, name: str) -> str:
    """Why no part can be called so; empty if it can."""
    if not _NUMBER.fullmatch(number):
        return f"{number[:80]!r} is no part number; write letters, digits, '.', '_' and '-', at most 63 of them."
    return "" if name.strip() else f"{number} has no name; say what it is, such as '4 TB disk'."


def unknown(number: str) -> str:
    """The sentence about a part that is not there."""
    return (
        f"There is no spare part {number[:80]!r}; `responder parts list` shows what there is, "
        "and `responder parts add` adds one."
    )


def shortages(wanted: Mapping[str, int], known: Mapping[str, Part], own: Mapping[str, int]) -> list[str]:
    """Why a plan cannot have so much of each part, a sentence for each that is wrong or short; nothing if it can.

    `own` is what the plan's ticket holds already: the new plan may have that again.
    """
    return [why for number, count in sorted(wanted.items()) if (why := _shortage(number, count, known, own))]


def _shortage(number: str, count: int, known: Mapping[str, Part], own: Mapping[str, int]) -> str:
    part = known.get(number)
    if part is None:
        return unknown(number)
    if not 1 <= count <= MOST:
        return f"{count} of {part} is no number that can be reserved; write 1 or more, or leave the part out."
    mine = own.get(number, 0)
    if count <= part.free + mine:
        return ""
    free = _are(max(part.free + mine, 0))
    return (
        f"{count} of {part} {'is' if count == 1 else 'are'} needed, but {free} free: {part.stock} in stock, "
        f"{part.reserved - mine} reserved for other tickets. A delivery brings more "
        f"(`responder parts receive {number}`), or another plan that gives its parts back."
    )


def not_enough_to_take(part: Part, count: int) -> str:
    """Why so many cannot be taken without a plan; empty if they can. What is reserved stays for its tickets."""
    if count <= part.free:
        return ""
    return (
        f"{count} of {part} cannot be taken: only {_are(max(part.free, 0))} free, {part.stock} in stock and "
        f"{part.reserved} of them reserved. `responder parts reservations --part {part.number}` shows for which "
        "tickets; `responder parts count` corrects a stock that is not as written here."
    )


def stock_report(part: Part) -> str:
    """Whether enough of a part is free, in a sentence."""
    held = f"{part.free} free ({part.stock} in stock, {part.reserved} reserved)"
    if part.is_low:
        return f"Spare part {part} runs low: {held}, at least {part.minimum} should be free."
    return f"Spare part {part} is there in sufficient number again: {held}."


def summed(reservations: Iterable[Reservation]) -> dict[str, int]:
    """How many of each part these hold together."""
    found: dict[str, int] = {}
    for one in reservations:
        found[one.part] = found.get(one.part, 0) + one.count
    return found


def _are(number: int) -> str:
    return counted(number, "is", "are")
