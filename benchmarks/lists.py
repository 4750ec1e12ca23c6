"""The rows about lists: pages of the console over 100 000 tickets, 1 in 100 of them open."""

from __future__ import annotations

import http.client
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg

from benchmarks.alerts import request
from benchmarks.client import quantile
from benchmarks.databases import Database
from benchmarks.rows import Row, Settings, middle
from benchmarks.services import Running, ours

_TICKETS, _AT_ONCE, _TIMES, _PATIENCE = 100_000, 200, 40, 60.0
_PAGES = {
    "open ones, most urgent first": "/tickets",
    "all, newest first": "/tickets?sort=newest",
    "a search that finds some": "/tickets?sort=newest&text=example+cpu",
    "a search that finds nothing": "/tickets?sort=newest&text=nothing+like+it",
    "closed ones of a grade": "/tickets?status=closed&grade=P3",
    "Now": "/",
    "a ticket": "/tickets/50000",
}
_CLOSE = (
    "UPDATE tickets SET status = 'closed', signal = 'cleared', closed_at = opened_at WHERE id % 100 <> 0",
    "UPDATE clocks SET stopped_at = started_at, next_at = NULL WHERE ticket_id % 100 <> 0",
)


def rows(settings: Settings) -> Iterator[Row]:
    """Each page again and again, one after another, over one connection; the limit is an answer with nothing in it."""
    with ours(server=settings.server, with_worker=False) as running:
        _fill(running)
        limit = middle(_taken(running.port, "/-/healthy"))
        for name, path in _PAGES.items():
            taken = sorted(_taken(running.port, path))
            more: dict[str, object] = {"p99_ms": quantile(taken, 0.99), "worst_ms": taken[-1], "measured": len(taken)}
            ours_ms = middle(taken)
            yield Row(
                name=f"{_TICKETS} tickets: {name}", unit="ms", ours=ours_ms, limit=limit, rounds=_TIMES, more=more
            )


def _fill(running: Running) -> None:
    """Raises RuntimeError if an alert was refused, or a ticket is missing."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=_PATIENCE)
    for first in range(0, _TICKETS, _AT_ONCE):
        body = request(range(first, first + _AT_ONCE)).partition(b"\r\n\r\n")[2]
        _asked(connection, "POST", "/webhooks/alertmanager", body)
    connection.close()
    database = running.database
    if database is None or database.tickets() != _TICKETS:
        raise RuntimeError("not every alert has become a ticket")
    _close_most(database)


def _close_most(database: Database) -> None:
    """Beside the service: it would take hours to handle them all."""
    if not database.url.startswith("sqlite"):
        with psycopg.connect(database.url) as postgres:
            for statement in (*_CLOSE, "ANALYZE"):
                postgres.execute(statement.encode())
        return
    with closing(sqlite3.connect(database.url.removeprefix("sqlite:///"), timeout=_PATIENCE)) as file:
        for statement in _CLOSE:
            file.execute(statement)
        file.commit()


def _taken(port: int, path: str) -> list[float]:
    """Milliseconds from asking to the last byte."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    found = []
    for _ in range(_TIMES):
        since = time.perf_counter()
        _asked(connection, "GET", path)
        found.append((time.perf_counter() - since) * 1e3)
    connection.close()
    return found[2:]


def _asked(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> None:
    connection.request(method, path, body)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}: {said[:200]!r}")
