"""How much of one mail is read. What goes beyond is left out, and the mail says so in a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from responder.domain.report_form import cleaned

_MEBIBYTE = 1024 * 1024
_MOST_ODDITIES = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class MailLimits:
    """Sizes are bytes; `text` and `html` are letters; the others are counts."""

    size: int = 30 * _MEBIBYTE
    header_block: int = 512 * 1024
    """All headers of one part."""
    header: int = 32 * 1024
    """One header."""
    headers: int = 500
    depth: int = 20
    parts: int = 300
    files: int = 50
    file_size: int = 10 * _MEBIBYTE
    files_size: int = 25 * _MEBIBYTE
    text: int = 100_000
    html: int = 1_000_000
    elements: int = 20_000
    addresses: int = 200
    ids: int = 100


def counted(sentences: Iterable[str]) -> tuple[str, ...]:
    """Each sentence once and on one line, the first thirty of them, and how many more there are."""
    distinct = list(dict.fromkeys(" ".join(cleaned(sentence).split()) for sentence in sentences))
    more = len(distinct) - _MOST_ODDITIES
    return (*distinct[:_MOST_ODDITIES], *[f"{more} more things about this mail are odd."][: max(more, 0)])


def size_in_words(size: int) -> str:
    """A number of bytes for people, such as 10 MiB."""
    return f"{size / _MEBIBYTE:.0f} MiB" if size >= _MEBIBYTE else f"{size:,} bytes"
