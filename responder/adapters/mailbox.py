"""A mailbox by IMAP: what waits in it, fetched without marking it, and put away only after the caller says so.

All of it runs on one thread of its own. A cut connection, a server that says BYE, an answer that is none: everything
becomes MailboxFailed, the connection is thrown away, and the next call makes a new one. What was not put away is still
there; that it is not taken twice, the caller sees to by Message-ID and digest.
"""

from __future__ import annotations

import asyncio
import imaplib
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import BufferedReader
from typing import Any, TypeVar, cast

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError
from imap_tools.imap_utf7 import utf7_encode

from responder.adapters.mail_servers import ImapAccount
from responder.errors import MailboxFailed, MailboxRefused

T = TypeVar("T")
_KEYWORD = "$ResponderTaken"
_FLAG = "\\Flagged"
_SIZE = re.compile(rb"UID (\d+)|RFC822\.SIZE (\d+)")
_AT_ONCE = 200
"""Sizes are asked for so many mails in one command."""
_LONGEST_IDLE = timedelta(minutes=28)
# RFC 2177: a server may end the connection of somebody who is idle for 30 minutes.
# IMAP's own words for it that imaplib does not know.
imaplib.Commands.setdefault("ID", ("NONAUTH", "AUTH", "SELECTED"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A mail that is in the mailbox. Its number means something only under the same `validity` (RFC 3501, 2.3.1.1)."""

    validity: int
    uid: int
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """The bytes of a mail; with `is_cut` it is larger than may be, and these are its first ones."""

    place: Waiting
    raw: bytes
    is_cut: bool


class Mailbox:
    """One account. Its calls are for one task at a time; `close` may come at any time and ends what is under way."""

    def __init__(self, account: ImapAccount) -> None:
        self._account = account
        self._thread = ThreadPoolExecutor(1, "mailbox")
        self._box: BaseMailBox | None = None
        self._validity = 0
        self._marks = True
        self._closing = asyncio.Event()

    async def waiting(self) -> Sequence[Waiting]:
        """What was not put away yet, oldest first. Raises MailboxFailed or MailboxRefused."""
        return await self._on_thread(self._waiting)

    async def fetch(self, place: Waiting) -> Fetched | None:
        """The mail, which stays unread; None if it is gone. Raises MailboxFailed."""
        return await self._on_thread(partial(self._fetch, place))

    async def put_away(self, place: Waiting) -> str:
        """Moves or marks a mail that is safe elsewhere. Gives why that was not done, or an empty text."""
        return await self._on_thread(partial(self._put_away, place))

    async def news(self) -> None:
        """Returns when a mail may have come: the server says so, or it is time to look. Raises MailboxFailed."""
        if await self._on_thread(self._can_idle):
            await self._on_thread(self._idle)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), self._account.poll.total_seconds())

    async def close(self) -> None:
        """Ends the connection and the thread, also while it waits for the server."""
        self._closing.set()
        box = self._box
        if box is not None:
            with suppress(OSError):
                # What waits in the thread wakes up with an error; there is no other way to reach it.
                box.client.sock.shutdown(2)
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
        self._drop()

    async def _on_thread(self, part: Callable[[], T]) -> T:
        if self._closing.is_set():
            raise MailboxFailed(f"The mailbox {self._name} was closed.")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, part)

    # --- on the thread -----------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return f"{self._account.user} at {self._account.host}"

    def _guarded(self, part: Callable[[], T]) -> T:
        try:
            return part()
        except (MailboxFailed, MailboxRefused):
            self._drop()
            raise
        # Besides its own errors imaplib lets through what it trips over in a broken answer.
        except (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError, LookupError, TypeError) as error:
            self._drop()
            raise MailboxFailed(f"The mailbox {self._name} failed: {_in_words(error)}.") from error

    def _drop(self) -> None:
        box, self._box = self._box, None
        if box is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                box.client.shutdown()

    def _connected(self) -> BaseMailBox:
        if self._box is None:
            self._box = self._opened()
            self._select(self._box)
        return self._box

    def _opened(self) -> BaseMailBox:
        """Connected and logged in. Raises MailboxRefused if the server does not let us in."""
        box = _connect(self._account)
        try:
            box.login(self._account.user, self._account.password.value, initial_folder=None)
        except MailboxLoginError as error:
            with suppress(imaplib.IMAP4.error, OSError):
                box.client.shutdown()
            raise MailboxRefused(f"The mailbox {self._name} does not let us in: {_in_words(error)}.") from error
        # What a server can do it says anew after the login; imaplib has only asked before.
        box.client.capabilities = tuple(_text(box.client.capability()[1][-1]).upper().split())
        if "ID" in box.client.capabilities:
            # 163.com and 126.com refuse every SELECT of a client that has not said who it is.
            box.client._simple_command("ID", '("name" "responder" "vendor" "responder")')
        return box

    def _select(self, box: BaseMailBox) -> None:
        box.folder.set(self._account.folder)
        self._validity = int(_text((box.client.untagged_responses.get("UIDVALIDITY") or [b"0"])[0]))
        kept = _text((box.client.untagged_responses.get("PERMANENTFLAGS") or [b""])[0])
        self._marks = "\\*" in kept or _KEYWORD in kept

    def _waiting(self) -> Sequence[Waiting]:
        box = self._connected()
        # A new look: whoever was told of new mails by IDLE has not read their numbers yet.
        box.client.noop()
        box.client.untagged_responses.pop("EXISTS", None)
        wanted = "UNDELETED" if self._account.done_folder else f"UNDELETED {self._unmarked()}"
        uids = box.uids(wanted, charset=None)
        found: list[Waiting] = []
        for start in range(0, len(uids), _AT_ONCE):
            found += self._sizes(box, uids[start : start + _AT_ONCE])
        return sorted(found, key=lambda one: one.uid)

    def _unmarked(self) -> str:
        return f"UNKEYWORD {_KEYWORD}" if self._marks else "UNFLAGGED"

    def _sizes(self, box: BaseMailBox, uids: Sequence[str]) -> list[Waiting]:
        answer = _checked(box.client.uid("FETCH", ",".join(uids), "(UID RFC822.SIZE)"))
        rows = [dict(_numbers(one if isinstance(one, bytes) else one[0])) for one in answer if one]
        asked = {int(uid) for uid in uids}
        return [
            Waiting(validity=self._validity, uid=row["uid"], size=row["size"])
            for row in rows
            if row.keys() == {"uid", "size"} and row["uid"] in asked
        ]

    def _fetch(self, place: Waiting) -> Fetched | None:
        box = self._connected()
        if self._validity != place.validity:
            return None
        is_cut = place.size > self._account.largest
        # A server may be wrong about a size; so the limit is asked for in any case, and one byte more tells.
        part = f"BODY.PEEK[]<0.{self._account.largest + 1}>"
        answer = _checked(box.client.uid("FETCH", str(place.uid), f"(UID {part})"))
        raw = next((bytes(one[1]) for one in answer if isinstance(one, tuple)), None)
        if raw is None:
            return None
        is_cut = is_cut or len(raw) > self._account.largest
        return Fetched(place=place, raw=raw[: self._account.largest], is_cut=is_cut)

    def _put_away(self, place: Waiting) -> str:
        box = self._connected()
        if self._validity != place.validity:
            return "The mailbox has numbered its mails anew, so the mail stays where it is until it is seen again."
        if self._account.done_folder:
            self._move(box, str(place.uid))
        else:
            self._store(box, str(place.uid), _KEYWORD if self._marks else _FLAG)
        return ""

    def _move(self, box: BaseMailBox, uid: str) -> None:
        folder = self._account.done_folder
        if not box.folder.exists(folder):
            box.folder.create(folder)
        if "MOVE" in box.client.capabilities:
            _checked(box.client.uid("MOVE", uid, _quoted(folder)))
            return
        _checked(box.client.uid("COPY", uid, _quoted(folder)))
        self._store(box, uid, "\\Deleted")
        # A plain EXPUNGE would take everything that anybody has marked; without UIDPLUS the mark must do.
        if "UIDPLUS" in box.client.capabilities:
            _checked(box.client.uid("EXPUNGE", uid))

    @staticmethod
    def _store(box: BaseMailBox, uid: str, flag: str) -> None:
        _checked(box.client.uid("STORE", uid, "+FLAGS.SILENT", f"({flag})"))

    def _can_idle(self) -> bool:
        return "IDLE" in self._connected().client.capabilities

    def _idle(self) -> None:
        box = self._connected()
        # What came while the last ones were taken the server has told already, and will not tell again.
        if box.client.untagged_responses.pop("EXISTS", None):
            return
        with box.idle as idle:
            # What came in one piece with the server's consent is read already, and the socket would never tell.
            if not _is_read_ahead(box.client):
                idle.poll(min(self._account.idle, _LONGEST_IDLE).total_seconds())


def _is_read_ahead(client: imaplib.IMAP4) -> bool:
    """Whether lines of the server wait in our own buffer, or already at the socket."""
    before = client.sock.gettimeout()
    client.sock.settimeout(0)
    try:
        return bool(_lines(client).peek(1))
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        client.sock.settimeout(before)


def _lines(client: imaplib.IMAP4) -> BufferedReader:
    """The reader has another name from Python 3.14 on."""
    found = getattr(client, "_file", None) or client.file
    return cast(BufferedReader, found)


def backoff(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: 1 s, 2 s, 4 s … at most 5 minutes."""
    return timedelta(seconds=min(2.0 ** min(max(failures, 1) - 1, 20), 300.0))


async def round_of(mailbox: Mailbox, take: Callable[[Fetched], Awaitable[bool]]) -> int:
    """Offers every waiting mail to `take`, and puts away those that it says are safe. Gives how many those are."""
    taken = 0
    for place in await mailbox.waiting():
        fetched = await mailbox.fetch(place)
        if fetched is not None and await take(fetched):
            await mailbox.put_away(place)
            taken += 1
    return taken


async def follow(
    mailbox: Mailbox,
    take: Callable[[Fetched], Awaitable[bool]],
    *,
    pause: Callable[[timedelta], Awaitable[None]],
    failed: Callable[[str, int], None],
) -> None:
    """Goes on until it is cancelled. After a failure it pauses, longer each time; `failed` hears why and how often."""
    failures = 0
    while True:
        try:
            await round_of(mailbox, take)
            failures = 0
            await mailbox.news()
        except MailboxFailed as error:
            failures += 1
            failed(str(error), failures)
            await pause(backoff(failures))


def _connect(account: ImapAccount) -> BaseMailBox:
    timeout = account.timeout.total_seconds()
    if account.security == "none":
        return MailBoxUnencrypted(account.host, account.port, timeout=timeout)
    context = ssl.create_default_context(cafile=account.ca_file)
    kind = MailBox if account.security == "tls" else MailBoxStartTls
    return kind(account.host, account.port, timeout=timeout, ssl_context=context)


def _checked(answer: tuple[str, list[Any]]) -> list[Any]:
    """The data of a good answer. Raises imaplib's error for another."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(" ".join(_text(one) for one in data if isinstance(one, bytes)) or status)
    return [one for one in data if one is not None]


def _numbers(row: bytes) -> list[tuple[str, int]]:
    return [("uid", int(uid)) if uid else ("size", int(size)) for uid, size in _SIZE.findall(row)]


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{utf7_encode(escaped).decode("ascii")}"'


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _in_words(error: Exception) -> str:
    result = getattr(error, "command_result", None)
    said = " ".join(_text(one) for one in result[1] if one) if result else str(error)
    return " ".join(said.split())[:300].rstrip(". ") or type(error).__name__
