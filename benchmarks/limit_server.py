"""The limit: the least that a receiver can do which answers 2xx only for what is on the disk.

aiohttp and orjson, one upsert per alert and nothing else; all requests that wait at this moment share one commit
on SQLite (WAL, synchronous=FULL), made by one thread with the sqlite3 module itself.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from time import time_ns

import orjson
import uvloop
from aiohttp import web

_SCHEMA = """
CREATE TABLE alerts (
  fingerprint TEXT PRIMARY KEY, status TEXT NOT NULL, starts_at TEXT NOT NULL, content TEXT NOT NULL,
  first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, seen INTEGER NOT NULL
) WITHOUT ROWID
"""
_UPSERT = """
INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, 1)
ON CONFLICT (fingerprint) DO UPDATE SET status = excluded.status, last_at = excluded.last_at, seen = seen + 1
"""
Row = tuple[str, str, str, bytes, int, int]


class GroupCommit:
    """Writes what waits in one transaction on one thread, and then answers all of it."""

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", _SCHEMA):
            self._connection.execute(statement)
        self._waiting: list[tuple[list[Row], asyncio.Future[None]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def submit(self, rows: list[Row]) -> None:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, answer))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all())
        await answer

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            rows = [row for rows, _ in batch for row in rows]
            await loop.run_in_executor(self._thread, self._write, rows)
            for _, answer in batch:
                answer.set_result(None)

    def _write(self, rows: list[Row]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_UPSERT, rows)
        self._connection.execute("COMMIT")


STORE = web.AppKey("store", GroupCommit)


async def take(request: web.Request) -> web.Response:
    """Durable before 200."""
    now = time_ns() // 1000
    alerts = orjson.loads(await request.read())["alerts"]
    await request.app[STORE].submit([_row(alert, now) for alert in alerts])
    return web.Response(body=b"{}", content_type="application/json")


def _row(alert: dict[str, str], now: int) -> Row:
    return alert["fingerprint"], alert["status"], alert["startsAt"], orjson.dumps(alert), now, now


async def ready(_request: web.Request) -> web.Response:
    return web.Response(text="ready\n")


async def serve(port: int, path: str) -> None:
    """Serves until SIGTERM."""
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    application = web.Application(client_max_size=4 * 1024 * 1024)
    application[STORE] = GroupCommit(path)
    application.add_routes([web.post("/webhooks/alertmanager", take), web.get("/-/ready", ready)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    gc.collect()
    gc.freeze()
    await done.wait()
    await runner.cleanup()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as main:
        main.run(serve(int(sys.argv[1]), sys.argv[2]))
