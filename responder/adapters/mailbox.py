"""A mailbox by IMAP: what waits in it, fetched without marking it, and put away only after the caller says so.

All of it runs on one thread of its own. A cut connection, a server that says BYE, an answer that is none or does not
end: everything becomes MailboxFailed, the connection is thrown away, and the next call makes a new one. What the server
refuses about one mail is a sentence, and the connection stays. What was not put away is still there; that it is not
taken twice, the caller sees to by Message-ID and digest.
"""

from __future__ import annotations

import asyncio
import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import BufferedReader
from itertools import pairwise
from typing import Any, TypeVar, cast

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError, MailboxLoginError
from imap_tools.imap_utf7 import utf7_encode

from responder.adapters.imap_line import ImapLine
from responder.adapters.mail_servers import ImapAccount, hint
from responder.domain.stuck_mails import MailPlace
from responder.errors import MailboxFailed, MailboxRefused

T = TypeVar("T")
_KEYWORD = "$ResponderTaken"
_FLAG = "\\Flagged"
_LONGEST_IDLE = timedelta(minutes=28)
# RFC 2177: a server may end the connection of somebody who is idle for 30 minutes.
_PATIENCE = timedelta(minutes=10)
# A mail as a string and not as a literal, as some servers give an empty one. NIL is none: dovecot says it of a mail
# that another client has taken away just now.
_SHORT = re.compile(rb'BODY\[\](?:<0>)? "((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """The bytes of a mail; with `is_cut` it is larger than may be, and these are its first ones."""

    place: MailPlace
    raw: bytes
    is_cut: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class NotGiven:
    """A mail that the server does not give; it may just be gone."""

    why: str


class Mailbox:
    """One account. Its calls are for one task at a time; `close` may come at any time and ends what is under way.

    `patience` is how long one call may take in all; each single answer has the account's `timeout`.
    """

    def __init__(self, account: ImapAccount, *, patience: timedelta = _PATIENCE) -> None:
        self._account = account
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, "mailbox")
        self._box: BaseMailBox | None = None
        self._handle: socket.socket | None = None
        self._validity = self._newest = 0
        self._marks = True
        self._tells = self._was_silent = False
        self._closing = asyncio.Event()

    async def waiting(self) -> list[MailPlace]:
        """What was not put away yet, oldest first. Raises MailboxFailed or MailboxRefused."""
        return await self._on_thread(self._waiting)

    async def fetch(self, place: MailPlace) -> Fetched | NotGiven:
        """The mail, which stays unread. Raises MailboxFailed."""
        return await self._on_thread(partial(self._fetch, place))

    async def put_away(self, *places: MailPlace) -> str:
        """Moves or marks mails that are safe elsewhere, in one command. Gives why that was not done, or nothing."""
        return await self._on_thread(partial(self._put_away, places))

    async def news(self, at_most: timedelta | None = None) -> None:
        """Returns when a mail may have come: the server says so, or it is time to look. Raises MailboxFailed.

        A server that has never told of a mail by itself is asked every `poll`, whatever it says that it can do.
        """
        wait = self._account.idle if self._tells else self._account.poll
        wait = wait if at_most is None else min(wait, at_most)
        if await self._on_thread(partial(self._idle, wait), beside=wait):
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), wait.total_seconds())

    async def use(self, account: ImapAccount) -> None:
        """From now on with these settings, such as a new password."""
        self._account, self._tells = account, False
        await self._on_thread(self._drop)

    async def close(self) -> None:
        """Ends the connection and the thread, also while it waits for the server."""
        self._closing.set()
        self._hang_up()
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
        self._drop()

    async def _on_thread(self, part: Callable[[], T], beside: timedelta = timedelta()) -> T:
        if self._closing.is_set():
            raise MailboxFailed(f"The mailbox {self._name} was closed.")
        doing = asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, part)
        # Whoever is cancelled meanwhile does not ask what came of it.
        doing.add_done_callback(lambda done: done.cancelled() or done.exception())
        done, _ = await asyncio.wait([doing], timeout=(self._patience + beside).total_seconds())
        if not done:
            # What waits in the thread wakes up with an error; there is no other way to reach it.
            self._hang_up()
            await asyncio.wait([doing], timeout=self._account.timeout.total_seconds())
            limit = f"{self._patience.total_seconds():g} seconds"
            raise MailboxFailed(f"The mailbox {self._name} failed: its answer does not come to an end within {limit}.")
        error = doing.exception()
        if error is None:
            return doing.result()
        if isinstance(error, MailboxFailed) or not isinstance(error, Exception):
            raise error
        # Besides its own errors imaplib lets through whatever it trips over in a broken answer.
        said = self._in_words(error)
        raise MailboxFailed(f"The mailbox {self._name} failed: {said}.{hint(said, self._account.security)}") from error

    def _hang_up(self) -> None:
        handle = self._handle
        if handle is not None:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    # --- on the thread -----------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return f"{self._account.user} at {self._account.host}"

    def _guarded(self, part: Callable[[], T]) -> T:
        is_well = False
        try:
            result = part()
            is_well = True
        finally:
            if not is_well:
                self._drop()
        return result

    def _drop(self) -> None:
        box, self._box = self._box, None
        handle, self._handle = self._handle, None
        if box is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                box.client.shutdown()
        if handle is not None:
            handle.close()

    def _keep(self, handle: socket.socket) -> None:
        self._handle = handle

    def _connected(self, *, anew: bool = False) -> BaseMailBox:
        """The connection with the folder open; `anew` opens the folder once more."""
        if self._box is None:
            self._box, anew = self._opened(), True
        if anew:
            self._select(self._box)
        return self._box

    def _opened(self) -> BaseMailBox:
        """Connected and logged in. Raises MailboxRefused if the server does not let us in."""
        self._drop()
        box = ImapLine(self._account, self._keep)
        try:
            box.login(self._account.user, self._account.password.value, initial_folder=None)
        except MailboxLoginError as error:
            raise MailboxRefused(f"The mailbox {self._name} does not let us in: {self._in_words(error)}.") from error
        # What a server can do it says anew after the login; imaplib has only asked before.
        box.client.capabilities = tuple(_text(box.client.capability()[1][-1]).upper().split())
        if "ID" in box.client.capabilities:
            # 163.com and 126.com refuse every SELECT of a client that has not said who it is. Nobody else must care.
            with suppress(imaplib.IMAP4.error):
                box.client._simple_command("ID", '("name" "responder" "vendor" "responder")')
        return box

    def _select(self, box: BaseMailBox) -> None:
        # A folder that may only be read is read; that nothing can be put away in it is said for each mail.
        with suppress(imaplib.IMAP4.readonly):
            box.folder.set(self._account.folder)
        box.client.is_readonly = True
        self._validity = int(_text((box.client.untagged_responses.get("UIDVALIDITY") or [b"0"])[0]))
        kept = _text((box.client.untagged_responses.get("PERMANENTFLAGS") or [b""])[0])
        self._marks = "\\*" in kept or _KEYWORD in kept

    def _waiting(self) -> list[MailPlace]:
        # Opened anew for each look: so it is seen that the folder was deleted, renamed, or has new numbers.
        box = self._connected(anew=True)
        box.client.untagged_responses.pop("EXISTS", None)
        wanted = "UNDELETED UNDRAFT" + ("" if self._account.done_folder else f" {self._unmarked()}")
        rows = _checked(box.client.uid("SEARCH", wanted))
        uids = {int(word) for row in rows if isinstance(row, bytes) for word in row.split() if word.isdigit()}
        newest = max(uids, default=0)
        if self._was_silent and newest > self._newest:
            self._tells = False
        self._was_silent, self._newest = False, newest
        return [MailPlace(validity=self._validity, uid=uid) for uid in sorted(uids)]

    def _unmarked(self) -> str:
        return f"UNKEYWORD {_KEYWORD}" if self._marks else "UNFLAGGED"

    def _fetch(self, place: MailPlace) -> Fetched | NotGiven:
        box = self._connected()
        if self._validity != place.validity:
            return NotGiven(why="The mailbox has numbered its mails anew.")
        largest = self._account.largest
        # One byte more than may be tells that there is more; so no size is believed.
        command = ("FETCH", str(place.uid), f"(UID BODY.PEEK[]<0.{largest + 1}>)")
        try:
            answer = _checked(box.client.uid(*command))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            return NotGiven(why=f"The server refuses to give it: {self._in_words(error)}.")
        _check_ends(answer)
        raw = next((found for one in answer if (found := _content(one)) is not None), None)
        if raw is None:
            return NotGiven(why="The server lists it and gives nothing for it.")
        return Fetched(place=place, raw=raw[:largest], is_cut=len(raw) > largest)

    def _put_away(self, places: Sequence[MailPlace]) -> str:
        box = self._connected()
        uids = ",".join(str(place.uid) for place in places)
        if any(self._validity != place.validity for place in places):
            return "The mailbox has numbered its mails anew, so the mail stays where it is until it is seen again."
        try:
            if self._account.done_folder:
                self._move(box, uids)
            else:
                self._store(box, uids, _KEYWORD if self._marks else _FLAG)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            return f"The server refuses it: {self._in_words(error)}."
        return ""

    def _move(self, box: BaseMailBox, uids: str) -> None:
        if "MOVE" in box.client.capabilities:
            self._into_folder(box, "MOVE", uids)
            return
        self._into_folder(box, "COPY", uids)
        self._store(box, uids, "\\Deleted")
        # A plain EXPUNGE would take everything that anybody has marked; without UIDPLUS the mark must do.
        if "UIDPLUS" in box.client.capabilities:
            _checked(box.client.uid("EXPUNGE", uids))

    def _into_folder(self, box: BaseMailBox, command: str, uids: str) -> None:
        """Moves or copies; makes the folder where that is what was missing."""
        folder = _quoted(self._account.done_folder)
        status, data = box.client.uid(command, uids, folder)
        if status == "NO" and box.client._simple_command("CREATE", folder)[0] == "OK":
            status, data = box.client.uid(command, uids, folder)
        _checked((status, data))

    @staticmethod
    def _store(box: BaseMailBox, uids: str, flag: str) -> None:
        _checked(box.client.uid("STORE", uids, "+FLAGS.SILENT", f"({flag})"))

    def _idle(self, wait: timedelta) -> bool:
        """Waits until the server says something, or for so long; False if it cannot be waited for in this way."""
        box = self._connected()
        client = box.client
        # What came while the last ones were taken the server has told already, and will not tell again.
        if client.untagged_responses.pop("EXISTS", None):
            return True
        if "IDLE" not in client.capabilities:
            return False
        tag = client._command("IDLE")
        while client._get_response() is not None:
            if client.tagged_commands[tag]:
                # It says that it can, and refuses. From now on it is asked now and then.
                client.capabilities = tuple(one for one in client.capabilities if one != "IDLE")
                del client.tagged_commands[tag]
                return False
        # What came in one piece with the server's consent is read already, and the socket would never tell.
        has_come = "EXISTS" in client.untagged_responses or _is_read_ahead(client)
        said = [] if has_come else box.idle.poll(min(wait, _LONGEST_IDLE).total_seconds())
        client.send(b"DONE\r\n")
        box.consume_until_tagged_response(tag)
        has_told = "EXISTS" in client.untagged_responses or any(b"EXISTS" in line.upper() for line in said)
        self._tells, self._was_silent = self._tells or has_told, not has_told
        return True

    def _in_words(self, error: BaseException) -> str:
        """What the server said, or the error; on one line, without the password."""
        result = getattr(error, "command_result", None)
        said = " ".join(_text(one) for one in result[1] if one) if result else str(error)
        known = isinstance(error, ImapToolsError | imaplib.IMAP4.error | OSError | ValueError)
        text = said if known else f"{type(error).__name__} {said}"
        text = text.replace(self._account.password.value, "***")
        return " ".join(text.split())[:300].rstrip(". ") or type(error).__name__


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


def _checked(answer: tuple[str, list[Any]]) -> list[Any]:
    """The data of a good answer. Raises imaplib's error for another."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(" ".join(_text(one) for one in data if isinstance(one, bytes)) or status)
    return [one for one in data if one is not None]


def _check_ends(answer: list[Any]) -> None:
    """Raises imaplib's error if a literal was longer than the server said: then we would hold half a mail."""
    for literal, rest in pairwise(answer):
        if isinstance(literal, tuple) and isinstance(rest, bytes) and rest[:1] not in (b")", b" "):
            raise imaplib.IMAP4.abort("the server gave another length of the mail than it has")


def _content(row: Any) -> bytes | None:
    """The bytes of a mail in one row of an answer."""
    if isinstance(row, tuple):
        return bytes(row[1])
    found = _SHORT.search(row) if isinstance(row, bytes) else None
    return _ESCAPED.sub(rb"\1", found.group(1)) if found else None


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{utf7_encode(escaped).decode("ascii")}"'


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
