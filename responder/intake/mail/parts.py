"""A mail as a tree of parts (RFC 2046), cut by its boundaries in time that grows with its size alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from responder.intake.mail.headers import Headers, headers_in, parameters
from responder.intake.mail.limits import MailLimits
from responder.intake.mail.transfer import undone

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_LONGEST_BOUNDARY = 200
_LEADING_BLANKS = re.compile(rb"\A(?:[ \t\r]*\n)++")
_LEADING_REACH = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part: where its content lies in the mail, and the parts in it if it is a multipart."""

    headers: Headers
    source: bytes = field(repr=False)
    start: int
    end: int
    media_type: str
    settings: dict[str, str]
    """The parameters of its Content-Type."""
    disposition: str
    """inline, attachment or empty."""
    name: str = ""
    """The file name that it gives itself, unchecked."""
    parts: tuple[Part, ...] = ()

    @property
    def raw(self) -> bytes:
        return self.source[self.start : self.end]

    @property
    def is_multipart(self) -> bool:
        return bool(self.parts)

    def content(self, odd: list[str]) -> bytes:
        """The bytes that it carries, without their transfer encoding."""
        coding = self.headers.first("content-transfer-encoding").decode("ascii", "replace").partition(";")[0]
        data, complaint = undone(self.raw, coding)
        odd += [complaint] * bool(complaint)
        return data

    def walk(self) -> Iterator[Part]:
        """This part and all below, in their order."""
        yield self
        for part in self.parts:
            yield from part.walk()


def part_tree(raw: bytes, limits: MailLimits, odd: list[str]) -> Part:
    """The parts of a whole mail."""
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    blank = _LEADING_BLANKS.match(raw, 0, _LEADING_REACH)
    return _Reader(limits, odd).part(raw, (blank.end() if blank else 0, len(raw)), 0, "text/plain")


class _Reader:
    """Counts what one mail has already used up of its limits."""

    def __init__(self, limits: MailLimits, odd: list[str]) -> None:
        self.limits, self.odd = limits, odd
        self.parts_left = limits.parts

    def part(self, source: bytes, span: tuple[int, int], depth: int, default: str) -> Part:
        headers, start = headers_in(source, *span, self.limits, self.odd)
        self.parts_left -= 1
        media_type, settings = parameters(headers.first("content-type"))
        disposition, more = parameters(headers.first("content-disposition"))
        kind = media_type if _TYPE.fullmatch(media_type) else default
        found: tuple[Part, ...] = ()
        if kind.startswith("multipart/"):
            inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            found = self._inner(source, (start, span[1]), settings.get("boundary", ""), (depth + 1, inner))
        return Part(
            headers=headers,
            source=source,
            start=start,
            end=span[1],
            media_type=kind,
            settings=settings,
            disposition=disposition,
            name=more.get("filename", "") or settings.get("name", ""),
            parts=found,
        )

    def _inner(self, source: bytes, span: tuple[int, int], boundary: str, below: tuple[int, str]) -> tuple[Part, ...]:
        depth, default = below
        if depth > self.limits.depth:
            self.odd.append(f"Parts that lie deeper than {self.limits.depth} levels were not read.")
            return ()
        spans = self._spans(source, span, boundary)
        if not spans:
            self.odd.append("A multipart has no parts; it was read as one text.")
        return tuple(self.part(source, one, depth, default) for one in spans if self._is_room())

    def _is_room(self) -> bool:
        if self.parts_left > 0:
            return True
        self.odd.append(f"The mail has more than {self.limits.parts} parts; the others were not read.")
        return False

    def _spans(self, source: bytes, span: tuple[int, int], boundary: str) -> list[tuple[int, int]]:
        if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
            return []
        line = re.compile(rb"\n--" + re.escape(boundary.encode()) + rb"(--)?+[ \t\r]*+(?=\n|\Z)")
        spans: list[tuple[int, int]] = []
        begun = -1
        for found in line.finditer(source, max(span[0] - 1, 0), span[1]):
            if begun >= 0:
                spans.append((begun, max(found.start() - source.endswith(b"\r", 0, found.start()), begun)))
            begun = -1 if found[1] else min(found.end() + 1, span[1])
            if found[1] or len(spans) > self.parts_left:
                break
        if begun >= 0 and len(spans) <= self.parts_left:
            self.odd.append("The end of a multipart is missing; the mail may be cut.")
            spans.append((begun, span[1]))
        return spans
