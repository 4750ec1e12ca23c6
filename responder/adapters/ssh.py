"""Commands on hosts over SSH: quoted here and nowhere else, bounded in time and output, never sent twice."""

from __future__ import annotations

import asyncio
import shlex
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic

from paramiko import Channel

from responder.adapters.ssh_connect import (
    KEY_FAMILIES,
    LINE_ERRORS,
    HostKey,
    Line,
    parse_host_key,
    place,
    presented_key,
)
from responder.adapters.ssh_pool import Connection, Connections
from responder.domain.acts import CommandResult
from responder.domain.target import Target
from responder.errors import CommandTimedOut, ConnectionCut, HostError, Refused

__all__ = ["ENDED_BY_SIGNAL", "HostKey", "SshHosts", "command_line", "parse_host_key", "scan"]

ENDED_BY_SIGNAL = -1
"""The exit code of a command that a signal ended: paramiko does not tell which one."""

_KILL_AFTER = timedelta(seconds=5)
_MARGIN = timedelta(seconds=2)
_AFTER_EXIT = timedelta(seconds=1)
_CODES_OF_TIMEOUT = (124, 137, ENDED_BY_SIGNAL)
_ALL = 1 << 24
_MOST_STDIN = 1 << 20


class SshHosts:
    """Runs commands on targets over warm connections."""

    def __init__(
        self,
        *,
        connect_timeout: timedelta = timedelta(seconds=10),
        idle: timedelta = timedelta(minutes=10),
        max_output: int = 64 * 1024,
        max_threads: int = 64,
    ) -> None:
        self._connect_timeout = connect_timeout
        self._idle = idle
        self._max_output = max_output
        self._connections = Connections(connect_timeout)
        self._threads = ThreadPoolExecutor(max_threads, thread_name_prefix="ssh")
        self._sweep: asyncio.TimerHandle | None = None

    async def run(self, target: Target, argv: Sequence[str], *, timeout: timedelta, stdin: str = "") -> CommandResult:
        """What the command gave. Raises a HostError when that cannot be known, Refused when it cannot be sent."""
        line, given = command_line(argv, timeout), stdin.encode(errors="replace")
        if len(given) > _MOST_STDIN:
            raise Refused(f"A command takes at most {_MOST_STDIN} bytes on its standard input, not {len(given)}.")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._run, target, line, given, timeout)
        finally:
            self._sweep_later()

    async def close(self) -> None:
        """Ends all connections; commands still running on them raise ConnectionCut."""
        if self._sweep:
            self._sweep.cancel()
        self._connections.close()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    def _run(self, target: Target, line: bytes, stdin: bytes, timeout: timedelta) -> CommandResult:
        connection, channel = self._connections.open_channel(target, until=_after(timeout))
        execution = _Execution(connection.transport, channel, self._max_output)
        try:
            execution.start(line, stdin, self._connect_timeout)
            execution.follow(_after(timeout + _KILL_AFTER + _MARGIN))
            return _outcome(target, connection, execution, timeout)
        except LINE_ERRORS as error:
            raise _broken(target, connection, execution, error) from error
        finally:
            connection.release(channel)

    def _sweep_later(self) -> None:
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._idle.total_seconds() / 2, self._close_idle)

    def _close_idle(self) -> None:
        self._sweep = None
        if self._connections.close_idle(self._idle):
            self._sweep_later()


def command_line(argv: Sequence[str], timeout: timedelta) -> bytes:
    """The one place where arguments become text for a shell. `timeout` ends a hung command on the host as well."""
    seconds = f"{max(timeout.total_seconds(), 0.001):.3f}".rstrip("0").rstrip(".")
    if not argv or any("\0" in argument for argument in argv):
        raise Refused("A command needs at least one argument, and none of them may hold a NUL byte.")
    try:
        return shlex.join(["timeout", "-k", f"{_KILL_AFTER.seconds}", seconds, *argv]).encode()
    except UnicodeEncodeError as error:
        raise Refused(f"An argument of the command is not valid text: {error.reason}.") from error


async def scan(address: str, port: int = 22, timeout: timedelta = timedelta(seconds=10)) -> tuple[HostKey, ...]:
    """The host's keys, one of each kind it has, for a human to compare. Only key exchanges are sent."""
    until = _after(timeout)
    looks = (asyncio.to_thread(presented_key, address, port, family, until) for family in KEY_FAMILIES)
    return tuple(key for key in await asyncio.gather(*looks) if key)


class _Bell(threading.Event):
    """Rung by paramiko's thread at whatever happens on a channel; only the one who listens quiets it.

    paramiko quiets it after each read. That would lose the ring of the other stream, and with it the wake-up:
    the same race that makes select() on `channel.fileno()` hang now and then.
    """

    def clear(self) -> None:
        pass

    def listen(self, until: float) -> None:
        self.wait(max(until - monotonic(), 0))
        super().clear()


class _Answer(threading.Event):
    """Stands in for the event on which paramiko waits for a request's answer without any limit."""

    def __init__(self, patience: timedelta) -> None:
        super().__init__()
        self._patience = patience

    def wait(self, timeout: float | None = None) -> bool:
        if not super().wait(self._patience.total_seconds() if timeout is None else timeout):
            raise TimeoutError("the host did not confirm the command")
        return True


class _Excerpt:
    """The head and the tail of a stream of any length."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def add(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        surplus = max(len(self._tail) - self._half, 0)
        self._left_out += surplus
        del self._tail[:surplus]

    def is_truncated(self) -> bool:
        return self._left_out > 0

    def __str__(self) -> str:
        gap = f"\n… {self._left_out} bytes left out …\n".encode() if self._left_out else b""
        return (self._head + gap + self._tail).decode(errors="replace")


class _Execution:
    """One command on one channel: from its request to its exit code."""

    def __init__(self, transport: Line, channel: Channel, max_output: int) -> None:
        self._transport = transport
        self._channel = channel
        self._bell = _Bell()
        self.stdout = _Excerpt(max_output)
        self.stderr = _Excerpt(max_output)
        self.is_confirmed = False
        self.is_complete = False
        self.took = timedelta()
        self._began = monotonic()
        channel.in_buffer.set_event(self._bell)
        channel.in_stderr_buffer.set_event(self._bell)
        channel.status_event = self._bell

    def start(self, command: bytes, stdin: bytes, patience: timedelta) -> None:
        self._channel.event = _Answer(patience)
        self._channel.exec_command(command)
        self.is_confirmed = True
        # It fits into the window of a new channel, so this waits for no reader.
        self._channel.settimeout(patience.total_seconds())
        while stdin and (sent := self._channel.send(stdin)):
            stdin = stdin[sent:]
        self._channel.shutdown_write()

    def follow(self, until: float) -> None:
        """Reads both streams to their end, or to `until`. A child left behind in the background may hold them open
        for ever: once the command itself has exited, it gets one more second."""
        while not self.is_complete and monotonic() < until:
            self._bell.listen(until)
            # Asked before reading: all that arrived before the end is read after it.
            self.is_complete = self._is_over()
            self._read()
            if self.has_exited() and not self.took:
                self.took = self._since_start()
                until = min(until, _after(_AFTER_EXIT))
        self.took = self.took or self._since_start()

    def has_exited(self) -> bool:
        return self._channel.exit_status != -1

    def was_closed_there(self) -> bool:
        return self._transport.was_closed_there(self._channel)

    def was_closed(self) -> bool:
        return self._channel.closed or self.was_closed_there()

    def exit_code(self) -> int:
        return self._channel.exit_status if self.has_exited() else ENDED_BY_SIGNAL

    def is_truncated(self) -> bool:
        return self.stdout.is_truncated() or self.stderr.is_truncated() or not self.is_complete

    def output(self) -> str:
        return "\n".join(text for text in (str(self.stdout), str(self.stderr)) if text)

    def _since_start(self) -> timedelta:
        return timedelta(seconds=monotonic() - self._began)

    def _is_over(self) -> bool:
        return self.was_closed() or (bool(self._channel.eof_received) and self.has_exited())

    def _read(self) -> None:
        if self._channel.recv_ready():
            self.stdout.add(self._channel.recv(_ALL))
        if self._channel.recv_stderr_ready():
            self.stderr.add(self._channel.recv_stderr(_ALL))


def _outcome(target: Target, connection: Connection, execution: _Execution, timeout: timedelta) -> CommandResult:
    if not execution.has_exited() and not execution.was_closed():
        connection.retire()
        why = f"{place(target)} did not report the end of a command within {execution.took.total_seconds():.0f} s"
        text = f"{why}; whether it still runs there is not known."
        raise CommandTimedOut(text, after=timeout, output=execution.output(), is_over=False)
    if not execution.has_exited() and not execution.was_closed_there():
        raise ConnectionCut(_unknown_end(target))
    if execution.exit_code() in _CODES_OF_TIMEOUT and execution.took >= timeout:
        why = f"A command on {place(target)} ran longer than its {timeout.total_seconds():g} s"
        raise CommandTimedOut(f"{why} and was ended there.", after=timeout, output=execution.output())
    return CommandResult(
        exit_code=execution.exit_code(),
        stdout=str(execution.stdout),
        stderr=str(execution.stderr),
        truncated=execution.is_truncated(),
        duration=execution.took,
    )


def _broken(target: Target, connection: Connection, execution: _Execution, error: Exception) -> HostError:
    """A request that was answered with no did not start anything; with any other failure nobody knows."""
    may_run = execution.is_confirmed or isinstance(error, TimeoutError) or execution.was_closed_there()
    if not may_run and not connection.is_lost():
        return HostError(f"{place(target)} refused to start a command ({error}); it did not run.")
    connection.retire()
    return ConnectionCut(_unknown_end(target))


def _unknown_end(target: Target) -> str:
    return (
        f"The connection to {place(target)} ended in the middle of a command: whether it ran to its end is not known."
    )


def _after(span: timedelta) -> float:
    return monotonic() + span.total_seconds()
