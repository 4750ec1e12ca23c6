"""Forms with files, read piece by piece: nothing beyond the limits is ever held."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from responder.domain.enclosed import Enclosure

_MOST_PARTS = 200
_LONGEST_TEXT = 20_000
_LONGEST_TEXTS = 256 * 1024
_MEGA = 1024 * 1024
_PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileLimits:
    """How many files a report may have, and how many bytes each of them and all together."""

    most: int
    largest: int
    sum: int

    @property
    def body(self) -> int:
        """What is read at all: more than is kept, so that what was typed survives a file that is too large."""
        return 2 * self.sum + _LONGEST_TEXTS


@dataclass(kw_only=True, slots=True)
class Sheet:
    """The texts and files of one form. `too_much` is why files were left out, `is_broken` that it did not end well."""

    texts: dict[str, str] = field(default_factory=dict)
    files: list[Enclosure] = field(default_factory=list)
    too_much: str = ""
    is_broken: bool = False
    bytes_of_texts: int = 0

    @property
    def bytes_of_files(self) -> int:
        return sum(len(one.content) for one in self.files)


def is_multipart(request: web.Request) -> bool:
    return request.content_type == "multipart/form-data"


async def sheet_of(request: web.Request, limits: FileLimits) -> Sheet:
    """The form in a request. Raises HTTPRequestEntityTooLarge, HTTPRequestTimeout."""
    refuse_too_long(request, limits)
    sheet = Sheet()
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            await _read(request, limits, sheet)
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="The form did not arrive in time.") from error
    except (ValueError, RuntimeError, AssertionError, LookupError, HttpProcessingError):
        # What strangers send need be no form at all.
        sheet.is_broken = True
    return sheet


def refuse_too_long(request: web.Request, limits: FileLimits) -> None:
    """Before anything is read. Raises HTTPRequestEntityTooLarge."""
    if (request.content_length or 0) > limits.body:
        raise web.HTTPRequestEntityTooLarge(max_size=limits.body, actual_size=request.content_length or 0)


async def _read(request: web.Request, limits: FileLimits, sheet: Sheet) -> None:
    reader, left = await request.multipart(), limits.body
    for _ in range(_MOST_PARTS):
        part = await reader.next()
        if part is None:
            return
        if not isinstance(part, BodyPartReader):
            raise ValueError("a form has no forms inside")
        is_file = part.filename is not None
        content, size = await _content(part, left, limits.largest if is_file else _LONGEST_TEXT)
        left -= size
        if is_file:
            _keep_file(sheet, limits, part.filename or "", content, size)
        else:
            _keep_text(sheet, part.name or "", content)
    raise ValueError("a form has not so many parts")


async def _content(part: BodyPartReader, left: int, most: int) -> tuple[bytes, int]:
    """What of a part is kept, and how long it was. One byte more than `most` is kept, to know of it."""
    kept, size = bytearray(), 0
    while chunk := await part.read_chunk():
        size += len(chunk)
        if size > left:
            raise web.HTTPRequestEntityTooLarge(max_size=left, actual_size=size)
        kept += chunk[: most + 1 - len(kept)]
    return bytes(kept), size


def _keep_text(sheet: Sheet, name: str, content: bytes) -> None:
    sheet.bytes_of_texts += len(content)
    if sheet.bytes_of_texts > _LONGEST_TEXTS:
        raise ValueError("its texts are too long")
    sheet.texts[name] = content.decode("utf-8", "replace")


def _keep_file(sheet: Sheet, limits: FileLimits, name: str, content: bytes, size: int) -> None:
    # Browsers send an empty part for a field without a file.
    if not name and not size:
        return
    if len(sheet.files) >= limits.most:
        sheet.too_much = f"At most {limits.most} files can be sent."
    elif size > limits.largest:
        sheet.too_much = f"A file can have at most {in_words(limits.largest)}."
    elif sheet.bytes_of_files + size > limits.sum:
        sheet.too_much = f"All files together can have at most {in_words(limits.sum)}."
    else:
        sheet.files.append(Enclosure(name=name, content=content))


def in_words(size: int) -> str:
    """A number of bytes as people say it: 5 MB, 1.5 MB, 900 KB."""
    return f"{size / _MEGA:.3g} MB" if size >= _MEGA else f"{size / 1024:.3g} KB"
