"""Chains: who is told of a ticket, call by call, as it was foreseen when it was handed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Row

from responder.clock import from_microseconds, microseconds
from responder.domain.escalation import Call, Callees, Chain
from responder.store.changes import touch
from responder.store.tables import chains


class ChainStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_ticket(self, ticket_id: int) -> list[Chain]:
        """The oldest first."""
        query = select(chains).where(chains.c.ticket_id == ticket_id).order_by(chains.c.number)
        return [chain_of(row) for row in self._connection.execute(query)]

    def newest(self, ticket_id: int) -> int:
        """The number of the ticket's newest chain; 0 if it has none."""
        query = select(func.max(chains.c.number)).where(chains.c.ticket_id == ticket_id)
        return int(self._connection.execute(query).scalar() or 0)

    def one(self, ticket_id: int, number: int) -> Chain | None:
        query = select(chains).where(chains.c.ticket_id == ticket_id, chains.c.number == number)
        row = self._connection.execute(query).first()
        return None if row is None else chain_of(row)

    def add(self, chain: Chain) -> None:
        self._connection.execute(chains.insert().values(_values(chain)))
        touch(self._connection, tickets=[chain.ticket_id])

    def keep(self, chain: Chain) -> None:
        """Writes how far it has come."""
        is_it = (chains.c.ticket_id == chain.ticket_id) & (chains.c.number == chain.number)
        self._connection.execute(chains.update().where(is_it).values(_values(chain)))
        touch(self._connection, tickets=[chain.ticket_id])


def _values(chain: Chain) -> dict[str, Any]:
    values = {name: getattr(chain, name) for name in chains.c.keys()}  # noqa: SIM118 columns are no mapping
    return {**values, "calls": [_kept(call) for call in chain.calls]}


def _kept(call: Call) -> dict[str, Any]:
    made_at = microseconds(call.made_at) if call.made_at else None
    return {**asdict(call), "at": microseconds(call.at), "made_at": made_at}


def chain_of(row: Row[Any]) -> Chain:
    """The chain in a row of the table."""
    values = dict(row._mapping)
    return Chain(**{**values, "calls": tuple(map(_call, values["calls"]))})


def _call(kept: Mapping[str, Any]) -> Call:
    callees = Callees(**{name: tuple(values) for name, values in kept["callees"].items()})
    made_at = kept["made_at"]
    return Call(
        at=from_microseconds(kept["at"]),
        callees=callees,
        who=tuple(kept["who"]),
        made_at=None if made_at is None else from_microseconds(made_at),
        told=tuple(kept["told"]),
    )
