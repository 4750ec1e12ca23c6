"""Many rows into one table, past the machinery that a single statement does not need.

Rows are tuples in the order of the table's columns; what a column's type does to a value is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from sqlalchemy import Table, Text
from sqlalchemy.engine import Connection

from responder.clock import microseconds
from responder.store.tables import Instant, Json, dumped

Convert = Callable[[Any], Any]


class Bulk:
    """Inserts rows of some columns of a table."""

    def __init__(self, table: Table, *names: str) -> None:
        self._names = names or tuple(column.name for column in table.columns)
        columns = ", ".join(f'"{name}"' for name in self._names)
        marks = ", ".join("?" for _ in self._names)
        # The names are our own tables', never anybody's text.
        self._sql = for_both(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})')  # noqa: S608
        kinds = [(place, table.c[name].type) for place, name in enumerate(self._names)]
        self._texts = [place for place, kind in kinds if type(kind) is Text]
        self._converts = [(place, convert) for place, kind in kinds if (convert := _convert(kind))]

    def insert(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Writes the rows with one statement."""
        self.insert_made(connection, [self.made(row) for row in rows])

    def insert_made(self, connection: Connection, made: Sequence[Sequence[Any]]) -> None:
        """Writes rows that are made already."""
        if made:
            many(connection, self._sql, made)

    def made(self, values: Sequence[Any]) -> list[Any]:
        """A row as the driver takes it."""
        row = list(values)
        for place, convert in self._converts:
            if row[place] is not None:
                row[place] = convert(row[place])
        for place in self._texts:
            # Asked in place: every new alert comes past here some hundred times.
            if type(row[place]) is not str and isinstance(row[place], Enum):
                row[place] = row[place].value
        return row


def _convert(kind: object) -> Convert | None:
    if isinstance(kind, Instant):
        return microseconds
    return dumped if isinstance(kind, Json) else None


def many(connection: Connection, statement: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
    """Runs a statement, which is written out for each database, for each of these rows."""
    # The driver's own cursor: nothing of a result is wanted, and building one costs more than the rows.
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(statement[connection.dialect.name], rows)
    finally:
        cursor.close()


def fetched(connection: Connection, statement: Mapping[str, str], values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows that a statement gives, as the driver has them: instants are numbers, structures are texts."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement[connection.dialect.name], tuple(values))
        return list(cursor.fetchall())
    finally:
        cursor.close()


def for_both(statement: str) -> dict[str, str]:
    """A statement with `?` for its values, written out for each database."""
    return {"sqlite": statement, "postgresql": statement.replace("?", "%s")}


def listed(connection: Connection, column: str, values: Iterable[str | int]) -> tuple[str, Any]:
    """A condition `column is one of values` with one parameter, so that its text is always the same."""
    if connection.dialect.name == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(?))", dumped(list(values))  # noqa: S608 our own column
    return f"{column} = ANY(%s)", list(values)
