"""A small part of Markdown as blocks, for articles: headings, lists, code, links to pages. Everything else is text.

Whoever shows the blocks escapes their texts; there is no HTML in them, whatever was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

_HEADING = re.compile(r"(#{1,4}) +(\S.*)")
_ITEM = re.compile(r"\s{0,3}[-*+] +(\S.*)")
_NUMBERED = re.compile(r"\s{0,3}\d{1,3}[.)] +(\S.*)")
_FENCE = "```"
_INLINE = re.compile(
    r"`(?P<code>[^`\n]{1,500})`"
    r"|\[(?P<label>[^\]\[\n]{1,300})\]\((?P<target>https?://[^\s()<>\"']{1,1000})\)"
    r"|(?P<url>https?://[^\s<>\"'`()]{1,1000}[^\s<>\"'`().,;:!?])"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A piece of a line: plain text, code, or with a `target` a link."""

    text: str
    is_code: bool = False
    target: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """`kind`: heading, text, bullets, numbers or code. Its `lines` are shown one below the other; `text` is code."""

    kind: str
    lines: tuple[tuple[Span, ...], ...] = ()
    text: str = ""


def blocks(text: str) -> list[Block]:
    """The blocks of a text, in its order."""
    found: list[Block] = []
    code: list[str] | None = None
    plain: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.strip().startswith(_FENCE):
            found += _plain_blocks(plain)
            if code is not None:
                found.append(Block(kind="code", text="\n".join(code)))
            code, plain = (None if code is not None else []), []
        else:
            (plain if code is None else code).append(line)
    # What nobody closed goes to the end.
    return [*found, *_plain_blocks(plain), *([Block(kind="code", text="\n".join(code))] if code else [])]


def spans(line: str) -> tuple[Span, ...]:
    """A line in pieces."""
    found, done = [], 0
    for match in _INLINE.finditer(line):
        if match.start() > done:
            found.append(Span(text=line[done : match.start()]))
        if match["code"]:
            found.append(Span(text=match["code"], is_code=True))
        else:
            target = match["target"] or match["url"]
            found.append(Span(text=match["label"] or target, target=target))
        done = match.end()
    return (*found, Span(text=line[done:])) if done < len(line) else tuple(found)


def _plain_blocks(lines: Iterable[str]) -> Iterator[Block]:
    for kind, group in groupby(lines, _kind):
        if kind == "heading":
            yield from (Block(kind=kind, lines=(spans(_content(kind, line)),)) for line in group)
        elif kind:
            yield Block(kind=kind, lines=tuple(spans(_content(kind, line)) for line in group))


def _kind(line: str) -> str:
    if not line.strip():
        return ""
    if _HEADING.fullmatch(line):
        return "heading"
    if _ITEM.fullmatch(line):
        return "bullets"
    return "numbers" if _NUMBERED.fullmatch(line) else "text"


def _content(kind: str, line: str) -> str:
    pattern = {"heading": _HEADING, "bullets": _ITEM, "numbers": _NUMBERED}.get(kind)
    match = pattern.fullmatch(line) if pattern else None
    return match.group(match.lastindex or 0) if match else line
