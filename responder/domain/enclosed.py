"""What comes with a report: files with names that harm nobody, and the mark by which a second send is known."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_LONGEST_NAME = 100
_LONGEST_END = 10
_NOT_IN_NAMES = frozenset('<>:"|?*/\\')


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosure:
    """One file that came with a report."""

    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """One way in which a report was sent: its files, and who sent it under which key. Without a key, each opens."""

    files: Sequence[Enclosure] = ()
    key: str = ""
    sender: str = ""

    @property
    def identity(self) -> str:
        """What is stored of the key: the same key of another sender is another one. Empty without a key."""
        return _digest(self.sender, self.key) if self.key else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A report that was sent under a key: which ticket it opened, and what it said, as a digest."""

    identity: str
    content: str
    ticket_id: int
    at: datetime


def digest_of(words: Sequence[str], files: Sequence[Enclosure]) -> str:
    """What a second send must say again to be the same."""
    return _digest(*words, *(f"{one.name} {hashlib.sha256(one.content).hexdigest()}" for one in files))


def _digest(*parts: str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        coded = part.encode("utf-8", "replace")
        whole.update(b"%d:%b" % (len(coded), coded))
    return whole.hexdigest()


def plain_names(names: Sequence[str]) -> list[str]:
    """The names of files without folders, control characters and what turns the direction of a line; each once."""
    found: list[str] = []
    for name in map(plain_name, names):
        number, own = 2, name
        while own in found:
            own, number = f"{number}-{name}", number + 1
        found.append(own)
    return found


def plain_name(name: str) -> str:
    """One such name, of at most 100 characters; `file` if nothing of it is left."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = " ".join("".join(map(_kept, last)).split()).strip(". ")
    if len(plain) > _LONGEST_NAME:
        begin, dot, end = plain.rpartition(".")
        end = dot + end if begin and len(end) <= _LONGEST_END else ""
        plain = plain[: _LONGEST_NAME - len(end)] + end
    return plain or "file"


def _kept(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in ("Cf", "Cs"):
        return ""
    return " " if category == "Cc" else "_" if letter in _NOT_IN_NAMES else letter
