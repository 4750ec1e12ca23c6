"""An IMAP server that does what real ones cannot be configured to: refuse one mail, send nonsense, or never answer."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

ALL = "IMAP4rev1 ID IDLE MOVE UIDPLUS"
BASIC = "IMAP4rev1"
MARKS = rb"* OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] fine"
_LETTERS = re.compile(r"\d+")

Answer = Callable[[str], bytes | None]
"""Gets what stands behind the command; TAG in what it gives becomes the tag. None: as usual; empty: silence."""


class ScriptedImap:
    """One account with one folder. `instead` answers for us, by the command's name (`FETCH` for `UID FETCH`)."""

    def __init__(self, *mails: bytes, capability: str = ALL) -> None:
        self.mails = dict(enumerate(mails, 1))
        self.moved: dict[int, bytes] = {}
        self.flags: dict[int, set[str]] = {}
        self.validity = 1
        self.capability = capability
        self.greeting = b"* OK ready\r\n"
        self.instead: dict[str, Answer] = {}
        self.connections = 0
        self.said: list[str] = []
        """What clients have sent, without tags."""
        self.heard = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.lines: list[socket.socket] = []
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for one in (self._listener, *self.lines):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def wait_for(self, word: str, *, times: int = 1) -> bool:
        """Whether clients have said a word so often, within ten seconds."""
        with self.heard:
            return self.heard.wait_for(lambda: self.count(word) >= times, timeout=10)

    def count(self, word: str) -> int:
        return sum(word in line for line in self.said)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line = self._listener.accept()[0]
                self.connections += 1
                self.lines.append(line)
                threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        idle_tag = ""
        with suppress(OSError, ValueError), line, line.makefile("rb") as words:
            line.sendall(self.greeting)
            for row in words:
                tag, _, rest = row.decode().strip().partition(" ")
                if tag == "DONE":
                    tag, rest = idle_tag, tag
                idle_tag = tag if rest == "IDLE" else idle_tag
                answer = self._answer(rest).replace(b"TAG", tag.encode())
                with self.heard:
                    self.said.append(rest)
                    self.heard.notify_all()
                line.sendall(answer)

    def _answer(self, said: str) -> bytes:
        words = said.removeprefix("UID ").partition(" ")
        name, rest = words[0].upper(), words[2]
        found = self.instead[name](rest) if name in self.instead else None
        if found is not None:
            return found
        rows = getattr(self, f"_{name.lower()}", lambda _: ())(rest)
        ends = b"+ idling" if name == "IDLE" else b"TAG OK fine"
        return b"".join(row + b"\r\n" for row in (*rows, ends))

    def _capability(self, _: str) -> list[bytes]:
        return [f"* CAPABILITY {self.capability}".encode()]

    def _select(self, _: str) -> list[bytes]:
        return [f"* {len(self.mails)} EXISTS".encode(), f"* OK [UIDVALIDITY {self.validity}] fine".encode(), MARKS]

    def _search(self, wanted: str) -> list[bytes]:
        is_not = {one.removeprefix("UN").lower() for one in wanted.split() if one.startswith("UN")}
        found = [
            uid for uid in self.mails if not {flag.lower().strip("\\") for flag in self.flags.get(uid, ())} & is_not
        ]
        return [b"* SEARCH " + " ".join(map(str, found)).encode()]

    def _fetch(self, rest: str) -> list[bytes]:
        uid = _number(rest)
        if uid not in self.mails:
            return []
        body = self.mails[uid]
        return [f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(body)}}}".encode() + b"\r\n" + body + b")"]

    def _store(self, rest: str) -> list[bytes]:
        for uid in _numbers(rest):
            self.flags.setdefault(uid, set()).add(rest.partition("(")[2].strip("()"))
        return []

    def _copy(self, rest: str) -> list[bytes]:
        self.moved |= {uid: self.mails[uid] for uid in _numbers(rest)}
        return []

    def _move(self, rest: str) -> list[bytes]:
        self._copy(rest)
        return self._expunge(rest)

    def _expunge(self, rest: str) -> list[bytes]:
        for uid in _numbers(rest):
            del self.mails[uid]
        return [b"* 1 EXPUNGE"]


def _numbers(rest: str) -> list[int]:
    return [int(one) for one in rest.partition(" ")[0].split(",")]


def _number(rest: str) -> int:
    found = _LETTERS.match(rest)
    return int(found.group()) if found else 0
