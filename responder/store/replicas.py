"""What replicas on one PostgreSQL tell each other of their commits, by NOTIFY."""

from __future__ import annotations

import select
import socket
import threading

import psycopg
import structlog
from sqlalchemy.engine import URL, Connection

from responder.domain.topics import EVERYTHING
from responder.store.changes import Told

log = structlog.get_logger()
_CHANNEL = "responder_changes"
_AGAIN_AFTER = 1.0
# Beside what the kernel tells of a lost connection: how long until a quiet one is asked whether it still is there.
_QUIET = 30.0


def notify(connection: Connection, origin: str, topics: frozenset[str]) -> None:
    """Tells all replicas, if this transaction is committed. Few topics: the text stays below the 8000 bytes."""
    text = " ".join((origin, *sorted(topics)))
    connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (_CHANNEL, text))


class Replicas:
    """Hears the others on a thread and a connection of its own, until it is closed.

    Whoever begins to listen, or does so again, may have missed something: then everything may have changed.
    """

    def __init__(self, url: URL, origin: str, told: Told) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._origin = origin
        self._told = told
        self._wake, self._woken = socket.socketpair()
        self._closing = False
        self.is_listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-replicas", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        self._wake.send(b".")
        self._thread.join(timeout=6)
        self._wake.close()

    def _run(self) -> None:
        while not self._closing:
            try:
                self._listen()
            except (psycopg.Error, OSError) as error:
                log.warning("changes of other replicas are not heard for now", error=str(error))
                self.is_listening.clear()
                self._wait(_AGAIN_AFTER)
        self._woken.close()

    def _listen(self) -> None:
        alive = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "connect_timeout": 5}
        with psycopg.connect(self._conninfo, autocommit=True, **alive) as connection:  # type: ignore[arg-type]
            connection.execute(f"LISTEN {_CHANNEL}")
            self._told(frozenset({EVERYTHING}))
            self.is_listening.set()
            while not self._closing:
                self._hear(connection)

    def _hear(self, connection: psycopg.Connection) -> None:
        if not self._wait(_QUIET, connection) and not self._closing:
            connection.execute("SELECT 1")
        for notice in connection.notifies(timeout=0):
            origin, *topics = notice.payload.split()
            # What this process commits, it has told its followers already.
            if origin != self._origin:
                self._told(frozenset(topics))

    def _wait(self, seconds: float, connection: psycopg.Connection | None = None) -> bool:
        """True if something came before the time was over."""
        # Not select: it takes no descriptor above 1023, which a service with many listeners has.
        wanted = select.poll()
        for one in (self._woken, connection):
            if one is not None:
                wanted.register(one.fileno(), select.POLLIN)
        return bool(wanted.poll(seconds * 1000))
