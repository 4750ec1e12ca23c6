"""The door for mail servers: it listens, lets in who may come, sees to it that it still can, and closes in order."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Awaitable
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any, Protocol

import structlog

from responder.adapters.mail_servers import MailDoor
from responder.adapters.mail_session import Handed, LmtpSession, Room, Session
from responder.errors import ListenFailed, ResponderError
from responder.metrics import mail_refused_total

__all__ = ["Handed", "Intake", "MailListener"]
log = structlog.get_logger()
_WAITING = 100
_PATIENCE = timedelta(seconds=5)
_LAST_WORDS = timedelta(seconds=1)
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (it is where we look, not where we listen)


class Intake(Protocol):
    """Whoever takes the mails."""

    @property
    def largest(self) -> int:
        """The size of the largest mail, in bytes."""
        ...

    def objection_to(self, recipient: str) -> str:
        """Why mails to this address are refused for good, in one line of ASCII; empty if they are taken."""
        ...

    async def take(self, handed: Handed) -> str:
        """Returns once the mail is stored, with a word for it. Any error means: not now."""
        ...


class MailListener:
    """Listens from `open` to `close`."""

    def __init__(self, door: MailDoor, intake: Intake) -> None:
        self.name = door.name
        self.recipients = door.recipients
        self.timeout = door.timeout
        self.room = Room()
        self.is_closing = False
        self.port = door.port
        self._door = door
        self._intake = intake
        self._server: asyncio.Server | None = None
        self._file: tuple[int, int] | None = None
        self._sessions: set[Session] = set()
        self._takings: set[asyncio.Future[str]] = set()

    # --- open and close ----------------------------------------------------------------------------

    async def open(self) -> None:
        """Raises ListenFailed."""
        loop, door = asyncio.get_running_loop(), self._door
        try:
            if door.socket is None:
                self._server = await loop.create_server(self._session, door.host, door.port, backlog=_WAITING)
                self.port = self._server.sockets[0].getsockname()[1]
            else:
                listening = _bound(door.socket, door.mode)
                self._file = _identity(door.socket)
                self._server = await loop.create_unix_server(self._session, sock=listening, backlog=_WAITING)
        except OSError as error:
            raise ListenFailed(f"Mails cannot be handed in at {door.address}: {_in_words(error)}.") from error

    async def look(self) -> str:
        """Why nobody can hand in a mail now; empty if one can. What can be mended is mended."""
        try:
            return await self._greeting()
        except (OSError, TimeoutError) as error:
            log.warning("the mail listener does not answer and is opened anew", error=_in_words(error))
        self._shut()
        try:
            await self.open()
            return await self._greeting()
        except (OSError, TimeoutError, ListenFailed) as error:
            return str(error) if isinstance(error, ListenFailed) else _in_words(error)

    async def close(self) -> None:
        """Takes no more, ends what is in hand, and leaves. A mail that is still coming has a few seconds."""
        self.is_closing = True
        self._shut()
        for session in list(self._sessions):
            session.leave()
        await self._until_gone(_PATIENCE)
        if self._takings:
            await asyncio.wait(self._takings)
        await self._until_gone(_LAST_WORDS)
        for session in list(self._sessions):
            session.abort()

    async def _until_gone(self, within: timedelta) -> None:
        if gone := [session.gone for session in self._sessions]:
            await asyncio.wait(gone, timeout=within.total_seconds())

    def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        path = self._door.socket
        if path is not None and self._file is not None and _identity(path) == self._file:
            path.unlink(missing_ok=True)
        self._file = None

    async def _greeting(self) -> str:
        """What keeps mails out, as a mail server would hear it. Raises OSError or TimeoutError if nobody answers."""
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            if self._door.socket is not None:
                reader, writer = await asyncio.open_unix_connection(self._door.socket)
            else:
                host = _ANYWHERE.get(self._door.host, self._door.host)
                reader, writer = await asyncio.open_connection(host, self.port)
            with contextlib.closing(writer):
                said = (await reader.readline()).decode("ascii", "replace").strip()
        if not said:
            raise ConnectionError("it ends connections without a word")
        return "" if said.startswith("220") else f"it says “{said[:200]}”"

    # --- what sessions ask -------------------------------------------------------------------------

    def _session(self) -> Session:
        return LmtpSession(self) if self._door.protocol == "lmtp" else Session(self)

    @property
    def largest(self) -> int:
        return self._intake.largest

    def objection_to(self, recipient: str) -> str:
        return self._intake.objection_to(recipient)

    def lets_in(self, session: Session, peer: Any) -> str:
        """Why a connection is refused; empty if it is not."""
        host = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        if host and not self._may_come(host):
            return self._refused("network", "You may not hand in mails here.", host)
        if self.is_closing or len(self._sessions) >= self._door.connections:
            return self._refused("connections", "Too many connections; come again later.", host)
        self._sessions.add(session)
        return ""

    def lets_out(self, session: Session) -> None:
        self._sessions.discard(session)

    async def take(self, handed: Handed) -> str:
        """The answer to whoever handed the mail in. It is taken to its end even if nobody waits for the answer."""
        taking = asyncio.ensure_future(_whole(self._intake.take(handed)))
        self._takings.add(taking)
        taking.add_done_callback(self._took)
        # As a value: whatever goes wrong here, the mail is still there, and must come again.
        await asyncio.wait([taking])
        if taking.exception() is None:
            return f"250 2.0.0 {taking.result()}"
        return "451 4.3.0 The mail could not be stored now; try again later."

    def _took(self, taking: asyncio.Future[str]) -> None:
        self._takings.discard(taking)
        error = taking.exception()
        if error is None:
            return
        mail_refused_total.labels("store").inc()
        # A sentence for what may happen, the whole story for what may not.
        story = {"error": str(error)} if isinstance(error, ResponderError) else {"exc_info": error}
        log.warning("a mail was not taken and will come again", **story)

    def _may_come(self, host: str) -> bool:
        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        own = self._door.host == str(address)
        return address.is_loopback or own or any(address in network for network in self._door.networks)

    @staticmethod
    def _refused(reason: str, text: str, host: str) -> str:
        mail_refused_total.labels(reason).inc()
        log.warning("a connection to the mail listener was refused", reason=text, host=host)
        return text


async def _whole(taking: Awaitable[str]) -> str:
    return await taking


def _bound(path: Path, mode: int) -> socket.socket:
    """A socket at a file that nobody else listens on; nobody can connect before its mode is right. Raises OSError."""
    if path.is_socket():
        _remove_if_forsaken(path)
    made = socket.socket(socket.AF_UNIX)
    try:
        made.bind(str(path))
        path.chmod(mode)
    except OSError:
        made.close()
        raise
    return made


def _remove_if_forsaken(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(1)
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _in_words(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another service listens there, or a file is in the way"
    if error.errno == errno.ENOENT:
        return "its folder is not there"
    return error.strerror or str(error) or type(error).__name__
