"""Where mails to explain come from: files, folders of them, mboxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from responder.cli.common import BAD_CONFIG, fail

_LARGEST = 64 * 1024 * 1024
_BEGINNING = re.compile(rb"\s*(?:>?From |[!-9;-~]{1,76}[ \t]*:)")
_MBOX = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\r\n\r\n))From [^\n]{0,200}\d\d:\d\d[^\n]{0,100}\n")
_QUOTED_FROM = re.compile(rb"^>(>{0,9}From )", re.MULTILINE)
_HTML_HEAD = b"Content-Type: text/html; charset=utf-8\r\nFrom: nobody@responder.invalid\r\n\r\n"
_HTML = (".html", ".htm")


@dataclass(frozen=True, kw_only=True)
class MailSource:
    """One mail with the name that it is shown by: its file, and its number in an mbox."""

    name: str
    content: bytes


def mails_in(paths: Sequence[Path], left_out: list[Path]) -> Iterator[MailSource]:
    """The mails of files and folders. What in a folder looks like no mail goes to `left_out`; a file that is named is
    taken whatever it looks like."""
    for path in paths:
        if not path.is_dir():
            yield from _of_file(path, str(path))
            continue
        for found in sorted(one for one in path.rglob("*") if one.is_file()):
            if _looks_like_a_mail(found):
                yield from _of_file(found, str(found.relative_to(path)))
            else:
                left_out.append(found)


def _looks_like_a_mail(path: Path) -> bool:
    if path.suffix.lower() in (".eml", *_HTML):
        return True
    return not path.name.startswith(".") and _BEGINNING.match(_bytes(path, 4096)) is not None


def _of_file(path: Path, name: str) -> Iterator[MailSource]:
    content = _bytes(path, _LARGEST)
    if path.suffix.lower() in _HTML:
        content = _HTML_HEAD + content
    pieces = _mbox(content)
    for number, piece in enumerate(pieces, 1):
        yield MailSource(name=f"{name}#{number}" if len(pieces) > 1 else name, content=piece)


def _mbox(content: bytes) -> list[bytes]:
    """The mails of an mbox (RFC 4155), or the one mail that is none."""
    begins = [one.start() for one in _MBOX.finditer(content)] if content.startswith(b"From ") else []
    if len(begins) < 2:
        return [content]
    pieces = [content[begin:end] for begin, end in zip(begins, [*begins[1:], len(content)], strict=True)]
    return [_QUOTED_FROM.sub(rb"\1", piece) for piece in pieces]


def _bytes(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", BAD_CONFIG)
