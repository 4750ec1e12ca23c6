"""Headers: cut into lines, unfolded, counted; their words (RFC 2047) and parameters (RFC 2231) as people wrote them."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import unquote_to_bytes

from responder.domain.report_form import cleaned
from responder.intake.mail.charsets import decoded
from responder.intake.mail.limits import MailLimits
from responder.intake.mail.transfer import from_base64

_END = re.compile(rb"\n\r*\n")
_HEADER = re.compile(rb"([!-9;-~]{1,76})[ \t]*:")
_MBOX = (b"From ", b">From ")
_WORD = re.compile(rb"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_MOST_PARAMETERS = 60
_LONGEST_PARAMETER = 2000
_CONTINUED = re.compile(r"([^*]+)\*(\d{1,3})?(\*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Headers:
    """The headers of one part from the top down, with names in lower case and values still in bytes."""

    entries: tuple[tuple[str, bytes], ...] = ()

    def all(self, name: str) -> tuple[bytes, ...]:
        return tuple(value for known, value in self.entries if known == name)

    def first(self, name: str) -> bytes:
        return next((value for known, value in self.entries if known == name), b"")


def headers_in(source: bytes, start: int, end: int, limits: MailLimits, odd: list[str]) -> tuple[Headers, int]:
    """The headers from `start` on, and where what follows them begins."""
    if source.startswith((b"\n", b"\r\n"), start, end):
        return Headers(), source.index(b"\n", start) + 1
    # A part that ends after its headers has no empty line.
    found = _END.search(source, start, end)
    stop, body = (found.start(), found.end()) if found else (end, end)
    if stop - start > limits.header_block:
        odd.append("The headers of a part are too long; the last of them were not read.")
        stop = start + limits.header_block
    lines = source[start:stop].split(b"\n")
    entries, used = _entries(lines, limits, odd)
    if used < len(lines):
        odd.append("A line among the headers is none; the text begins there.")
        body = min(body, start + sum(len(line) + 1 for line in lines[:used]))
    return Headers(entries=entries), body


def _entries(lines: list[bytes], limits: MailLimits, odd: list[str]) -> tuple[tuple[tuple[str, bytes], ...], int]:
    """The headers in some lines, and how many lines they are."""
    entries: list[tuple[str, list[bytes]]] = []
    used = 0
    for line in (line.rstrip(b"\r") for line in lines):
        found = _HEADER.match(line)
        if entries and line[:1] in (b" ", b"\t"):
            entries[-1][1].append(line)
        elif found:
            entries.append((found[1].decode().lower(), [line[found.end() :]]))
        elif line.strip() and not line.startswith(_MBOX):
            break
        used += 1
    if len(entries) > limits.headers:
        odd.append(f"The mail has {len(entries)} headers; the first {limits.headers} were read.")
    return tuple((name, _joined(name, values, limits, odd)) for name, values in entries[: limits.headers]), used


def _joined(name: str, values: list[bytes], limits: MailLimits, odd: list[str]) -> bytes:
    value = b"".join(values).strip()
    if len(value) <= limits.header:
        return value
    odd.append(f"The header {name[:40]} is {len(value):,} bytes long; the first {limits.header:,} were read.")
    return value[: limits.header]


# --- words ----------------------------------------------------------------------------------------------------


def words(value: bytes) -> str:
    """What a header says, with its encoded words read; may still hold control letters.

    Neighbours of one charset are joined before they are decoded, since many senders cut within a letter.
    """
    texts = []
    for is_word, run in groupby(_tokens(value), key=lambda token: token[0] != ""):
        if is_word:
            texts += [
                decoded(b"".join(data for _, data in same), charset)[0]
                for charset, same in groupby(run, key=lambda token: token[0])
            ]
        else:
            texts += [decoded(data)[0] for _, data in run]
    return "".join(texts)


def line_of(value: bytes) -> str:
    """What a header says on one line, fit for people and databases. No header can be folded into another."""
    return " ".join(cleaned(words(value)).split())


def _tokens(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Encoded words with their charset, and plain pieces with none; blanks between two words are dropped."""
    position, after_word = 0, False
    for found in _WORD.finditer(value):
        between = value[position : found.start()]
        if between and not (after_word and not between.strip()):
            yield "", between
        charset = found[1].decode("ascii", "replace").partition("*")[0].lower()
        yield charset, _word(found[2].lower(), found[3])
        position, after_word = found.end(), True
    if position < len(value):
        yield "", value[position:]


def _word(encoding: bytes, data: bytes) -> bytes:
    return from_base64(data)[0] if encoding == b"b" else binascii.a2b_qp(data, header=True)


# --- parameters -----------------------------------------------------------------------------------------------


def parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """The main value of a header in lower case, and its parameters; names cut and encoded as in RFC 2231 are whole."""
    pieces = list(_pieces(value))
    main = line_of(pieces[0]).lower() if pieces else ""
    plain: dict[str, str] = {}
    cut: dict[str, dict[int, tuple[bool, bytes]]] = {}
    for piece in pieces[1 : _MOST_PARAMETERS + 1]:
        name_, _, content = piece.partition(b"=")
        name, data = decoded(name_)[0].strip().lower(), _unquoted(content.strip())[:_LONGEST_PARAMETER]
        found = _CONTINUED.fullmatch(name)
        if found:
            cut.setdefault(found[1], {})[int(found[2] or 0)] = (bool(found[3]) or not found[2], data)
        elif name:
            plain.setdefault(name, line_of(data))
    return main, {**plain, **{name: _continued(parts) for name, parts in cut.items()}}


def _pieces(value: bytes) -> Iterator[bytes]:
    """What stands between semicolons outside of quotes. A quote that nobody closes ends with the value."""
    start, is_quoted, is_escaped = 0, False, False
    for position, byte in enumerate(value):
        if is_escaped:
            is_escaped = False
        elif byte == 0x5C and is_quoted:
            is_escaped = True
        elif byte == 0x22:
            is_quoted = not is_quoted
        elif byte == 0x3B and not is_quoted:
            yield value[start:position]
            start = position + 1
    yield value[start:]


def _unquoted(data: bytes) -> bytes:
    if not data.startswith(b'"'):
        return data
    # Names such as C:\new\report.doc stand unescaped in the wild: only quotes and backslashes are escaped.
    return re.sub(rb'\\(["\\])', rb"\1", data.strip(b'"'))


def _continued(parts: dict[int, tuple[bool, bytes]]) -> str:
    ordered = [parts[number] for number in sorted(parts)]
    charset = b""
    if ordered[0][0] and ordered[0][1].count(b"'") >= 2:
        charset, _, rest = ordered[0][1].split(b"'", 2)
        ordered[0] = (True, rest)
    data = b"".join(unquote_to_bytes(piece) if is_encoded else piece for is_encoded, piece in ordered)
    text, _ = decoded(data, charset.decode("ascii", "replace"))
    return " ".join(cleaned(text).split())
