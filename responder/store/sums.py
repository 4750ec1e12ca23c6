"""Sums behind the metrics, the counters behind the numbers: increments in the same transaction as the facts."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from sqlalchemy import select
from sqlalchemy.engine import Connection

from responder.domain.ticket import SumKey
from responder.store.bulk import fetched, for_both, many
from responder.store.tables import sums

_ADD = for_both(
    "INSERT INTO sums (name, labels, value) VALUES (?, ?, ?) "
    "ON CONFLICT (name, labels) DO UPDATE SET value = sums.value + excluded.value"
)
_TAKE = for_both(
    "INSERT INTO counters (scope, value) VALUES (?, ?) "
    "ON CONFLICT (scope) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)


class SumStore:
    """Never-falling sums, shared by all replicas."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, increments: Mapping[SumKey, float]) -> None:
        """Adds all increments; always in the same order, so that two replicas cannot deadlock."""
        rows = [
            (name, orjson.dumps(dict(labels)).decode(), float(value))
            for (name, labels), value in sorted(increments.items())
        ]
        if rows:
            many(self._connection, _ADD, rows)

    def all(self) -> list[tuple[str, dict[str, str], float]]:
        """Every sum as (name, labels, value)."""
        rows = self._connection.execute(select(sums.c.name, sums.c.labels, sums.c.value))
        return [(name, orjson.loads(labels), value) for name, labels, value in rows]

    def take(self, scope: str, count: int) -> range:
        """The next `count` numbers of a scope; no other transaction ever gets one of them."""
        ((last,),) = fetched(self._connection, _TAKE, (scope, count))
        return range(last - count + 1, last + 1)
