"""Warm SSH connections: one per way into a host, shared by the commands that run there at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic

from paramiko import Channel, SSHException

from responder.adapters.ssh_connect import LINE_ERRORS, Line, connect, left, place
from responder.domain.target import Target
from responder.errors import HostError, HostUnreachable

_MOMENT = 0.5

Way = tuple[str, int, str, Path | None, str]


class _SessionRefused(SSHException):
    """The connection is fine, but the host wants no further session on it."""


class Connection:
    """One authenticated connection, how many commands use it now, and how many sessions they have on it."""

    def __init__(self, transport: Line) -> None:
        self.transport = transport
        self._changed = threading.Condition()
        self._in_use = 0
        self._sessions = 0
        self._ended = 0
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
        self._count(sessions=-1, ended=1)
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
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._retired and not self._in_use:
            self.transport.close()

    def _open(self, answer: float, until: float) -> Channel:
        """A refusal with none of ours left on the connection is final only when it comes twice: what ended just before
        may not have been put away yet. (OpenSSH does that after all it has been sent, the new request included.)"""
        times_in_vain = 0
        while True:
            ended = self._ended
            try:
                return self._ask(answer)
            except _SessionRefused:
                times_in_vain = 0 if self._one_ends(ended, until) else times_in_vain + 1
                if times_in_vain == 2 or monotonic() >= until:
                    raise

    def _ask(self, answer: float) -> Channel:
        patience = monotonic() + answer
        with ExitStack() as undo:
            self._count(sessions=1)
            undo.callback(self._count, sessions=-1)
            try:
                channel = self.transport.open_session(timeout=answer)
            except SSHException as error:
                # The type does not tell: of several refused at once, paramiko gives the reason to one only.
                if self.transport.is_active() and monotonic() < patience:
                    raise _SessionRefused(str(error)) from error
                raise
            undo.pop_all()
        return channel

    def _one_ends(self, ended: int, until: float) -> bool:
        """Waits for the next end, as long as there is one to wait for. False: there was none."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended > ended or not self._sessions, timeout=left(until))
            return self._ended > ended

    def _count(self, *, sessions: int, ended: int = 0) -> None:
        """One end makes room for one of those who wait; when nothing is left to wait for, all of them must know."""
        with self._changed:
            self._sessions += sessions
            self._ended += ended
            self._changed.notify(ended if self._sessions else self._in_use)


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
