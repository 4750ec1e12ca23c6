"""An empty database for each start of ours: a new SQLite file, or a new database on a PostgreSQL server."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

_SERIAL = count(1)


class Database:
    """`server` is the URL of a database on a PostgreSQL server, where we may create others; empty means SQLite."""

    def __init__(self, server: str, path: Path) -> None:
        self._server = server
        self._path = path
        self._name = f"responder_benchmark_{os.getpid()}_{next(_SERIAL)}"

    def __enter__(self) -> Self:
        self._on_server("CREATE DATABASE {}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._on_server("DROP DATABASE {} WITH (FORCE)")

    @property
    def url(self) -> str:
        if not self._server:
            return f"sqlite:///{self._path}"
        return make_url(self._server).set(database=self._name).render_as_string(hide_password=False)

    def tickets(self) -> int:
        """How many tickets it holds, read beside the service."""
        query = "SELECT count(*) FROM tickets"
        if self._server:
            with psycopg.connect(self.url) as postgres:
                row = postgres.execute(query).fetchone()
        else:
            with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as file:
                row = file.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _on_server(self, statement: str) -> None:
        if self._server:
            with psycopg.connect(self._server, autocommit=True) as connection:
                connection.execute(sql.SQL(statement).format(sql.Identifier(self._name)))
