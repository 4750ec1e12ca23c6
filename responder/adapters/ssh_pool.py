"""Warm SSH connections: one per way into a host, shared by the commands that run there at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic

from paramiko import Channel, SSHException, Transport

from responder.adapters.ssh_connect import LINE_ERRORS, connect, left, place
from responder.domain.target import Target
from responder.errors import HostError, HostUnreachable

_MOMENT = 0.5

Way = tuple[str, int, str, Path | None, str]


class _SessionRefused(SSHException):
    """The connection is fine, but the host wants no further session on it."""


class Connection:
    """One authenticated connection, and how many commands use it now."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._changed = threading.Condition()
        self._in_use = 0
        self._idle_since = monotonic()
        self._retired = False

    def is_usable(self) -> bool:
        return self.transport.is_active() and not self._retired

    def is_lost(self) -> bool:
        """Whether the whole connection is over: paramiko closes its channels a moment before it says so."""
        self.transport.join(timeout=_MOMENT)
        return not self.transport.is_active()

    def open_channel(self, *, answer: float, until: float) -> Channel:
        """A new session. A host that allows no more of them at once is asked again when one of ours has ended."""
        self._enter()
        with ExitStack() as undo:
            undo.callback(self._leave)
            channel = self._open(answer, until)
            undo.pop_all()
        return channel

    def release(self, channel: Channel) -> None:
        with suppress(*LINE_ERRORS):
            channel.close()
        self._leave()

    def retire(self, *, unused_since: float | None = None) -> None:
        """No new command gets this connection; it is closed as soon as none uses it."""
        with self._changed:
            is_recent = unused_since is not None and (self._in_use > 0 or self._idle_since > unused_since)
            self._retired = self._retired or not is_recent
        self._close_if_done()

    def _enter(self) -> None:
        with self._changed:
            if self._retired:
                raise SSHException("the connection was retired")
            self._in_use += 1

    def _leave(self) -> None:
        with self._changed:
            self._in_use -= 1
            self._idle_since = monotonic()
            self._changed.notify_all()
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._retired and not self._in_use:
            self.transport.close()

    def _open(self, answer: float, until: float) -> Channel:
        while True:
            in_use, patience = self._in_use, monotonic() + answer
            try:
                return self.transport.open_session(timeout=answer)
            except SSHException as error:
                # The type does not tell: of several refused at once, paramiko gives the reason to one only.
                was_refused = self.transport.is_active() and monotonic() < patience
                if not was_refused:
                    raise
                if in_use == 1 or not self._fewer_than(in_use, until):
                    raise _SessionRefused(str(error)) from error

    def _fewer_than(self, in_use: int, until: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._in_use < in_use, timeout=left(until))


class Connections:
    """All warm connections. Who asks for a host that is just being connected waits for that one connection."""

    def __init__(self, connect_timeout: timedelta) -> None:
        self._connect_timeout = connect_timeout
        self._lock = threading.Lock()
        self._ways: dict[Way, Future[Connection]] = {}
        self._closed = False

    def open_channel(self, target: Target, *, until: float) -> tuple[Connection, Channel]:
        """A channel on the warm connection, or on a new one if that turns out to be dead: nothing was sent yet."""
        answer = self._connect_timeout.total_seconds()
        for _ in range(2):
            connection = self._connection(target)
            try:
                return connection, connection.open_channel(answer=answer, until=until)
            except _SessionRefused as error:
                raise HostError(f"{place(target)} allows no further session; nothing was run ({error}).") from error
            except LINE_ERRORS:
                connection.retire()
        raise HostUnreachable(f"{place(target)} took the connection but opened no session on it; nothing was run.")

    def close_idle(self, idle: timedelta) -> bool:
        """Whether connections are left after closing those that nothing has used for so long."""
        since = monotonic() - idle.total_seconds()
        with self._lock:
            for way, connection in self._established():
                connection.retire(unused_since=since)
                if not connection.is_usable():
                    del self._ways[way]
            return bool(self._ways)

    def close(self) -> None:
        """Ends every connection, also under running commands."""
        with self._lock:
            self._closed = True
            for _, connection in self._established():
                connection.transport.close()

    def _established(self) -> list[tuple[Way, Connection]]:
        ready = [(way, future) for way, future in self._ways.items() if future.done() and not future.cancelled()]
        return [(way, future.result()) for way, future in ready if future.exception() is None]

    def _connection(self, target: Target) -> Connection:
        way = (target.address, target.port, target.user, target.key_file, target.host_key)
        with self._lock:
            future = self._ways.get(way)
            wanted = future is None or _is_spent(future)
            if future is None or wanted:
                future = self._ways[way] = Future()
        if wanted:
            self._connect(future, target)
        return future.result()

    def _connect(self, future: Future[Connection], target: Target) -> None:
        try:
            connection = Connection(connect(target, self._connect_timeout))
        except HostError as error:
            future.set_exception(error)
        else:
            future.set_result(connection)
            if self._closed:
                connection.retire()
        finally:
            future.cancel()  # without effect once it has a result; else those who wait for it would wait forever


def _is_spent(future: Future[Connection]) -> bool:
    if not future.done():
        return False
    return future.cancelled() or future.exception() is not None or not future.result().is_usable()
