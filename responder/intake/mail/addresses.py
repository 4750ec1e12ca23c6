"""Addresses, identifiers and dates of headers, taken as tolerantly as people write them; nothing here raises."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from responder.domain.mail import Address
from responder.domain.report_form import cleaned
from responder.intake.mail.headers import words

_SPECIAL = '",<>()@;:\\'
# What an encoded word says is a name, never structure: its special letters hide while the structure is read.
_HIDE = {ord(letter): 0xF700 + ord(letter) for letter in _SPECIAL}
_SHOW = {hidden: letter for letter, hidden in _HIDE.items()}
_ENCODED = re.compile(rb"(?:=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=\s*)+")
_IN_ANGLES = re.compile(r"<([^<>]{0,400})>")
_ADDRESS = re.compile(r"[^\s@<>]{1,128}@[^\s@<>]{1,255}")
_GROUP = re.compile(r"^[^<@:\"]{0,200}:")
_ID = re.compile(r"<\s*([^<>\s]{1,400})\s*>")
_BARE_ID = re.compile(r"[^\s<>,;]{1,200}@[^\s<>,;]{1,200}")
_LONGEST_NAME = 200
_LONGEST_DATE = 100


def addresses(values: Iterable[bytes], most: int) -> tuple[Address, ...]:
    """The addresses in some headers, each once. A name without an address is none."""
    found: dict[str, Address] = {}
    for value in values:
        for item in _items(_hidden(value)):
            address = _address(item)
            if address.address and len(found) < most:
                found.setdefault(address.address.casefold(), address)
    return tuple(found.values())


def first_address(value: bytes) -> Address:
    """The first address of a header; if none is whole, the name alone."""
    known = addresses([value], 1)
    return known[0] if known else next(map(_address, _items(_hidden(value))), Address(address=""))


def plain_address(text: str) -> str:
    """An address as it stands in an envelope, with or without angle brackets; empty if there is none."""
    return first_address(text.encode("utf-8", "replace")).address


def ids(values: Iterable[bytes], most: int) -> tuple[str, ...]:
    """Message-IDs without brackets, in their order; of too many the first and the last ones."""
    found: dict[str, None] = {}
    for value in values:
        text = cleaned(words(value))
        found |= dict.fromkeys(_ID.findall(text) or _BARE_ID.findall(text))
    known = tuple(found)
    return known if len(known) <= most else (known[0], *known[len(known) - most + 1 :])


def date_of(value: bytes) -> datetime | None:
    """The instant of a Date header in UTC; None if it is none."""
    try:
        at = parsedate_to_datetime(value[:_LONGEST_DATE].decode("ascii", "replace"))
        return (at.replace(tzinfo=UTC) if at.tzinfo is None else at).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _hidden(value: bytes) -> str:
    texts, position = [], 0
    for found in _ENCODED.finditer(value):
        texts += [words(value[position : found.start()]), words(found[0].strip()).translate(_HIDE), " "]
        position = found.end()
    return "".join([*texts, words(value[position:])])


def _items(text: str) -> Iterator[str]:
    """What stands between commas or semicolons, outside of quotes, brackets and comments."""
    start, quoted, depth = 0, False, 0
    escaped = False
    for position, letter in enumerate(text):
        if escaped or (letter == "\\" and quoted):
            escaped = not escaped
        elif letter == '"' and not depth:
            quoted = not quoted
        elif not quoted and letter in "(<":
            depth += 1
        elif not quoted and letter in ")>":
            depth = max(depth - 1, 0)
        elif letter in ",;" and not quoted and not depth:
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _address(item: str) -> Address:
    item = " ".join(_GROUP.sub("", item, count=1).split())
    angles = _IN_ANGLES.findall(item)
    if angles:
        name = _IN_ANGLES.sub(" ", item)
        return Address(address=_normal(angles[-1]), name=_name(name))
    found = _ADDRESS.search(item)
    rest = item.replace(found[0], " ", 1) if found else item
    return Address(address=_normal(found[0]) if found else "", name=_name(rest))


def _normal(text: str) -> str:
    found = _ADDRESS.search(cleaned(text).strip(" \"'"))
    if not found:
        return ""
    local, _, domain = found[0].rpartition("@")
    return f"{local}@{domain.lower().rstrip('.>)')}"


def _name(text: str) -> str:
    name = text.strip(" \"'<>")
    inner = name[1:-1] if name.startswith("(") and name.endswith(")") else name
    shown = inner.replace('\\"', '"').translate(_SHOW)
    return " ".join(cleaned(shown).split()).strip("\"'")[:_LONGEST_NAME]
