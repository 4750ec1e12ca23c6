"""Many rows into one table, past the machinery that a single statement does not need.

Rows are tuples in the order of the table's columns; what a column's type does to a value is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from responder.clock import microseconds
from responder.store.tables import Instant, Json, dumped

Convert = Callable[[Any], Any]


class Bulk:
    """Inserts rows of some columns of a table."""

    def __init__(self, table: Table, *names: str) -> None:
        self._names = names or tuple(column.name for column in table.columns)
        columns = ", ".join(f'"{name}"' for name in self._names)
        marks = {mark: ", ".join(mark for _ in self._names) for mark in ("?", "%s")}
        # The names are our own tables', never anybody's text.
        self._sql = {mark: f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks[mark]})' for mark in marks}  # noqa: S608
        self._converts = [(place, _convert(table.c[name].type)) for place, name in enumerate(self._names)]
        self._converts = [(place, convert) for place, convert in self._converts if convert is not None]

    def insert(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Writes the rows with one statement."""
        made = [self._row(row) for row in rows]
        if made:
            mark = "?" if connection.dialect.name == "sqlite" else "%s"
            # The driver's own cursor: nothing of a result is wanted, and building one costs more than the rows.
            cursor = connection.connection.cursor()
            try:
                cursor.executemany(self._sql[mark], made)
            finally:
                cursor.close()

    def _row(self, values: Sequence[Any]) -> tuple[Any, ...]:
        row = list(values)
        for place, convert in self._converts:
            if convert is not None and row[place] is not None:
                row[place] = convert(row[place])
        return tuple(row)


def _convert(kind: object) -> Convert | None:
    if isinstance(kind, Instant):
        return microseconds
    if isinstance(kind, Json):
        return dumped
    return _plain_text if type(kind).__name__ == "Text" else None


def _plain_text(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def listed(connection: Connection, column: str, values: Iterable[str | int]) -> tuple[str, Any]:
    """A condition `column is one of values` with one parameter, so that its text is always the same."""
    if connection.dialect.name == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(?))", dumped(list(values))  # noqa: S608 our own column
    return f"{column} = ANY(%s)", list(values)
