"""One mail server that hands mails in, by LMTP (RFC 2033) or SMTP (RFC 5321), and how much of it we bear.

aiosmtpd knows the commands. Ours is what decides: only CRLF . CRLF ends a mail, by LMTP each recipient gets an answer,
whatever goes wrong with us is temporary, and whoever is slow or babbles is cut.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self, cast

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, syntax
from aiosmtpd.smtp import Session as Talk

from responder.adapters.mail_ending import Arriving
from responder.metrics import mail_refused_total

log = structlog.get_logger()
# The library would write whatever somebody sends into the log, line by line.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
_PIECE = 1024 * 1024
_LONGEST_COMMAND = 2048
_MOST_COMMANDS = 2000
"""Of each kind in one connection; mail servers come again in a new one."""
_MOST_ERRORS = 100
_MAILS_IN_MEMORY = 4
"""Of the largest size."""
_GOODBYE = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Handed:
    """A mail with its envelope; the sender of a bounce is empty."""

    content: bytes
    sender: str
    recipients: tuple[str, ...]


@dataclass(slots=True)
class Room:
    """How many bytes of mails are in memory, of all connections together."""

    used: int = 0


class Hold:
    """The bytes of one mail in memory, while this is entered."""

    def __init__(self, room: Room, most: int) -> None:
        self._room, self._most, self._size = room, most, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.let_go()

    def fits(self, more: int) -> bool:
        self._size += more
        self._room.used += more
        return self._room.used <= self._most

    def let_go(self) -> None:
        self._room.used -= self._size
        self._size = 0


class Host(Protocol):
    """What a session asks of the listener that it belongs to."""

    name: str
    room: Room
    recipients: int
    timeout: timedelta
    is_closing: bool

    @property
    def largest(self) -> int: ...

    def lets_in(self, session: Session, peer: Any) -> str: ...

    def lets_out(self, session: Session) -> None: ...

    def objection_to(self, recipient: str) -> str: ...

    async def take(self, handed: Handed) -> str: ...


class Session(SMTP):
    """By SMTP."""

    line_length_limit = 64 * 1024
    # How much is read ahead of a command; lines of a mail may be as long as the mail.
    answers_each_recipient = False

    def __init__(self, host: Host) -> None:
        self._host = host
        self._errors = 0
        self.is_in_hand = False
        self.command_size_limits = defaultdict(lambda: _LONGEST_COMMAND)
        loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = loop.create_future()
        super().__init__(
            self,
            data_size_limit=host.largest,
            enable_SMTPUTF8=True,
            hostname=host.name,
            ident="responder",
            timeout=host.timeout.total_seconds(),
            command_call_limit=_MOST_COMMANDS,
            loop=loop,
        )

    def leave(self) -> None:
        """Ends the connection, now or as soon as the mail in hand is answered."""
        if not self.is_in_hand:
            self._part("421 4.3.2 The service stops.")

    def abort(self) -> None:
        if self.transport is not None:
            self._line.abort()

    @property
    def _line(self) -> asyncio.Transport:
        # Those of uvloop are of no class of asyncio's.
        return cast(asyncio.Transport, self.transport)

    # --- the connection ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        objection = self._host.lets_in(self, transport.get_extra_info("peername"))
        if not objection:
            super().connection_made(transport)
            return
        refused = cast(asyncio.Transport, transport)
        refused.set_protocol(asyncio.Protocol())
        refused.write(f"421 4.3.2 {objection}\r\n".encode())
        refused.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._host.lets_out(self)
        if not self.gone.done():
            self.gone.set_result(None)
        super().connection_lost(error)

    def eof_received(self) -> bool | None:
        """Who has said all may still wait for the answer, as Exim does with its last mail."""
        return asyncio.StreamReaderProtocol.eof_received(self)

    def _timeout_cb(self) -> None:
        _count("slow")
        self._part("421 4.4.2 It took too long.")

    def _part(self, last_words: str) -> None:
        if self.transport is None or self._line.is_closing():
            return
        self._line.write(f"{last_words}\r\n".encode())
        self._line.close()
        # Who does not read what we say would keep the connection for ever.
        self.loop.call_later(_GOODBYE.total_seconds(), self._line.abort)

    def _end(self) -> NoReturn:
        """Ends the connection with whoever is not there any more."""
        if self.transport is not None:
            self.transport.close()
        raise asyncio.CancelledError

    async def push(self, status: str | bytes) -> None:
        if self.transport is None or self._line.is_closing():
            self._end()
        text = status if isinstance(status, str) else status.decode("utf-8", "replace")
        self._errors += text.startswith("5")
        if text.startswith("552"):
            _count("size")
        try:
            await super().push(text.encode("utf-8", "replace"))
        except ConnectionError:
            self._end()
        if self._errors > _MOST_ERRORS:
            _count("errors")
            self._part("421 4.7.0 Too many errors.")

    async def handle_exception(self, error: Exception) -> str:
        """Whatever it is that we trip over, the mail is not refused for it."""
        if isinstance(error, asyncio.IncompleteReadError):
            self._end()
        self._errors += 1
        _count("failed")
        log.warning("what a mail server said could not be understood", error=f"{type(error).__name__}: {error}"[:300])
        return f"451 4.3.0 That could not be understood now ({type(error).__name__})."

    # --- commands ----------------------------------------------------------------------------------

    async def handle_EHLO(  # noqa: N802 (the library's names)
        self, _server: SMTP, talk: Talk, _envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        talk.host_name = hostname
        return [*answers[:-1], "250-PIPELINING", answers[-1]]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _talk: Talk, envelope: Envelope, address: str, _options: Sequence[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= self._host.recipients:
            _count("recipients")
            return "452 4.5.3 Too many recipients for one mail."
        if objection := self._host.objection_to(address):
            _count("recipient")
            return f"550 5.1.1 {objection}"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        if arg or envelope is None or not envelope.rcpt_tos:
            await self.push("501 5.5.4 Syntax: DATA" if arg else "503 5.5.1 There is no recipient yet.")
            return
        await self.push("354 End the mail with <CR><LF>.<CR><LF>")
        self.is_in_hand = True
        answer = await self._answer(envelope)
        self.envelope = Envelope()
        for _ in envelope.rcpt_tos if self.answers_each_recipient else (None,):
            await self.push(answer)
        self.is_in_hand = False
        if self._host.is_closing:
            self.leave()

    # --- a mail ------------------------------------------------------------------------------------

    async def _answer(self, envelope: Envelope) -> str:
        with Hold(self._host.room, _MAILS_IN_MEMORY * self._host.largest) as hold:
            content, objection = await self._content(hold)
            if objection:
                return objection
            if self._timeout_handle is not None:
                # From here on it is we who let somebody wait.
                self._timeout_handle.cancel()
            sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
            handed = Handed(content=content, sender=sender, recipients=tuple(envelope.rcpt_tos))
            answer = await self._host.take(handed)
            self._reset_timeout()
            return answer

    async def _content(self, hold: Hold) -> tuple[bytes, str]:
        """A mail, and why it is not taken; it is read to its end in any case."""
        arriving, rest, objection = Arriving(), None, ""
        while rest is None:
            piece = await self._reader.read(_PIECE)
            if not piece:
                self._end()
            rest = arriving.add(piece)
            objection = objection or self._objection(len(arriving), has_room=hold.fits(len(piece)))
            if objection:
                arriving.forget()
                hold.let_go()
        # There is no public way to give back what was read too much.
        self._reader._buffer[:0] = rest  # type: ignore[attr-defined]
        return (b"", objection) if objection else (arriving.mail(), "")

    def _objection(self, size: int, *, has_room: bool) -> str:
        if self.data_size_limit and size > self.data_size_limit:
            return f"552 5.3.4 The mail is larger than {self.data_size_limit} bytes."
        if not has_room:
            _count("busy")
        return "" if has_room else "452 4.3.1 Too many mails come at once."


class LmtpSession(Session, LMTP):
    """By LMTP."""

    answers_each_recipient = True


def _count(reason: str) -> None:
    mail_refused_total.labels(reason).inc()
