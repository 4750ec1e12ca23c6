"""Spare parts with their reservations and every move of their stock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Row

from responder.domain.parts import Part, Reservation, ReservationState, StockMove
from responder.store.tables import parts, reservations, stock_moves

_IS_HELD = reservations.c.state == ReservationState.HELD.value


class PartStore:
    """Whoever changes parts takes their rows first (`locked`), so that two who want the last one come one after
    the other. Reading a row says nothing about what another transaction does to it meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading -----------------------------------------------------------------------------------

    def some(self, numbers: Collection[str]) -> dict[str, Part]:
        """Those of these parts that there are, by number."""
        rows = self._connection.execute(select(parts).where(parts.c.number.in_(numbers))).all()
        return self._with_reserved(rows)

    def locked(self, numbers: Collection[str]) -> dict[str, Part]:
        """As `some`; until its end no other transaction changes them. Always in the same order, so that two
        transactions cannot wait for each other."""
        query = select(parts).where(parts.c.number.in_(numbers)).order_by(parts.c.number).with_for_update()
        return self._with_reserved(self._connection.execute(query).all())

    def listed(self, *, low_only: bool = False, after: str = "", limit: int = 200) -> list[Part]:
        """Parts by number; `after` is the last of the page before."""
        query = select(parts).where(parts.c.number > after).order_by(parts.c.number).limit(limit)
        if low_only:
            sums = select(func.sum(reservations.c["count"])).where(_IS_HELD, reservations.c.part == parts.c.number)
            query = query.where(parts.c.stock - func.coalesce(sums.scalar_subquery(), 0) < parts.c.minimum)
        return list(self._with_reserved(self._connection.execute(query).all()).values())

    def held_by(self, ticket_id: int) -> list[Reservation]:
        """What a ticket's plan holds now."""
        query = select(reservations).where(reservations.c.ticket_id == ticket_id, _IS_HELD).order_by(reservations.c.id)
        return [_reservation(row) for row in self._connection.execute(query)]

    def reservations(
        self,
        *,
        part: str = "",
        ticket_id: int | None = None,
        held_only: bool = True,
        before: int | None = None,
        limit: int = 200,
    ) -> list[Reservation]:
        """Reservations, the newest first; `before` is the last id of the page before."""
        query = select(reservations).order_by(reservations.c.id.desc()).limit(limit)
        if part:
            query = query.where(reservations.c.part == part)
        if ticket_id is not None:
            query = query.where(reservations.c.ticket_id == ticket_id)
        if held_only:
            query = query.where(_IS_HELD)
        if before is not None:
            query = query.where(reservations.c.id < before)
        return [_reservation(row) for row in self._connection.execute(query)]

    def moves(self, part: str, limit: int = 200, before: int | None = None) -> list[StockMove]:
        """What came, went and was corrected, the newest first; `before` is the last id of the page before."""
        query = select(stock_moves).where(stock_moves.c.part == part).order_by(stock_moves.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(stock_moves.c.id < before)
        return [StockMove(**row._mapping) for row in self._connection.execute(query)]

    def _with_reserved(self, rows: Collection[Row[Any]]) -> dict[str, Part]:
        # Asked after the rows are there: what whoever held them before has reserved must be seen.
        query = (
            select(reservations.c.part, func.sum(reservations.c["count"]))
            .where(_IS_HELD, reservations.c.part.in_([row.number for row in rows]))
            .group_by(reservations.c.part)
        )
        held = {number: int(count) for number, count in self._connection.execute(query)}
        return {row.number: Part(**row._mapping, reserved=held.get(row.number, 0)) for row in rows}

    # --- writing -----------------------------------------------------------------------------------

    def add(self, part: Part) -> None:
        """Writes a new part without any stock."""
        values = {**_described(part), "number": part.number, "stock": 0}
        self._connection.execute(parts.insert().values(values))

    def describe(self, part: Part) -> None:
        """Writes name, place and minimum; the stock is changed by moves alone."""
        self._connection.execute(parts.update().where(parts.c.number == part.number).values(_described(part)))

    def move(self, move: StockMove) -> None:
        """Changes the stock, and writes down why. The caller holds the part's row."""
        values = {name: getattr(move, name) for name in ("part", "count", "reason", "actor", "at")}
        self._connection.execute(stock_moves.insert().values(values))
        changed = {"stock": parts.c.stock + move.count, "changed_at": move.at}
        self._connection.execute(parts.update().where(parts.c.number == move.part).values(changed))

    def reserve(self, ticket_id: int, wanted: Mapping[str, int], actor: str, at: datetime) -> None:
        """Holds so many of each part for a ticket. The caller holds the parts' rows."""
        rows = [
            {
                "ticket_id": ticket_id,
                "part": part,
                "count": count,
                "state": ReservationState.HELD.value,
                "actor": actor,
                "at": at,
            }
            for part, count in sorted(wanted.items())
        ]
        if rows:
            self._connection.execute(reservations.insert(), rows)

    def end(self, ticket_id: int, state: ReservationState, at: datetime) -> None:
        """Ends all that a ticket holds."""
        values = {"state": state.value, "ended_at": at}
        self._connection.execute(
            reservations.update().where(reservations.c.ticket_id == ticket_id, _IS_HELD).values(values)
        )


def _described(part: Part) -> dict[str, Any]:
    return {name: getattr(part, name) for name in ("name", "place", "minimum", "changed_at")}


def _reservation(row: Row[Any]) -> Reservation:
    return Reservation(**{**row._mapping, "state": ReservationState(row.state)})
