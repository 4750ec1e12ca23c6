"""Recount: all sums of tickets told anew from their events, beside what the counters say."""

from __future__ import annotations

from dataclasses import dataclass

from responder.domain.policy import Policy
from responder.domain.recount import COUNTED, recounted
from responder.domain.ticket import SumKey, Sums
from responder.store.database import Store
from responder.store.transaction import Transaction

_ROUNDING = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A sum that the events tell differently."""

    name: str
    labels: tuple[tuple[str, str], ...]
    counted: float
    told: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Recount:
    """What a recount has found; `sums` is how many were compared."""

    tickets: int
    sums: int
    differences: tuple[Difference, ...]


async def recount(store: Store, policy: Policy) -> Recount:
    """Compares the counters behind /metrics with what the events of all tickets tell under this policy.

    A policy that was changed while tickets were open explains differences of their clocks.
    """
    return await store.read(lambda tx: _recount(tx, policy))


def _recount(tx: Transaction, policy: Policy) -> Recount:
    told: Sums = Sums()
    ids = tx.tickets.all_ids()
    for ticket_id in ids:
        told.update(recounted(tx.tickets.one(ticket_id).ticket, tx.tickets.events(ticket_id), policy))
    counted: dict[SumKey, float] = {
        (name, tuple(sorted(labels.items()))): value for name, labels, value in tx.sums.all() if name in COUNTED
    }
    keys = sorted(counted.keys() | told.keys())
    differences = [
        Difference(name=key[0], labels=key[1], counted=counted.get(key, 0.0), told=float(told.get(key, 0)))
        for key in keys
        if abs(counted.get(key, 0.0) - told.get(key, 0)) > _ROUNDING
    ]
    return Recount(tickets=len(ids), sums=len(keys), differences=tuple(differences))
