"""The files of a mail: names that harm no folder, digests of what really came, contents as far as the limits go."""

from __future__ import annotations

import hashlib
import re

from responder.domain.mail import MailFile
from responder.domain.report_form import cleaned
from responder.intake.mail.headers import headers_in, line_of
from responder.intake.mail.limits import MailLimits, size_in_words
from responder.intake.mail.parts import Part

_LONGEST_NAME = 120
_LONGEST_ENDING = 12
_LONGEST_GIVEN = 2000
_HARMFUL = re.compile(r'[<>:"|?*]')
_ENDINGS = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "application/pdf": ".pdf", "text/plain": ".txt",
    "text/html": ".html", "text/csv": ".csv", "text/calendar": ".ics", "message/rfc822": ".eml", "application/zip":
    ".zip", "message/global": ".eml", "message/delivery-status": ".txt", "text/rfc822-headers": ".txt",
    "application/json": ".json", "application/xml": ".xml", "text/xml": ".xml", "application/pkcs7-mime": ".p7m",
    "application/x-pkcs7-mime": ".p7m", "message/feedback-report": ".txt",
}  # fmt: skip
MAILS = ("message/rfc822", "message/global")


def safe_name(given: str) -> str:
    """The last piece of a path as a name that may stand in any folder and on any page; empty if nothing is left."""
    last = cleaned(given[-_LONGEST_GIVEN:]).replace("\\", "/").rpartition("/")[2]
    name = " ".join(_HARMFUL.sub("_", last).split()).strip(". ")
    if len(name) <= _LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        return name[:_LONGEST_NAME]
    return stem[: _LONGEST_NAME - len(ending) - 1].strip(". ") + dot + ending


def files_of(parts: list[Part], limits: MailLimits, odd: list[str]) -> tuple[MailFile, ...]:
    """The files in some parts, in their order."""
    if len(parts) > limits.files:
        odd.append(f"The mail has {len(parts)} files; the first {limits.files} were kept.")
    found: list[MailFile] = []
    room = limits.files_size
    for number, part in enumerate(parts[: limits.files], start=1):
        file = _file(part, number, room, limits, odd)
        odd += [f"The file {file.name} was left out: {file.left_out}"] * bool(file.left_out)
        room -= len(file.content)
        found.append(file)
    return tuple(found)


def _file(part: Part, number: int, room: int, limits: MailLimits, odd: list[str]) -> MailFile:
    content = part.content(odd)
    left_out = ""
    if len(content) > limits.file_size:
        left_out = f"it is larger than {size_in_words(limits.file_size)}."
    elif len(content) > room:
        left_out = f"all files together are larger than {size_in_words(limits.files_size)}."
    return MailFile(
        name=safe_name(part.name) or _invented(part, content, number, limits),
        media_type=part.media_type,
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        content=b"" if left_out else content,
        left_out=left_out,
    )


def _invented(part: Part, content: bytes, number: int, limits: MailLimits) -> str:
    ending = _ENDINGS.get(part.media_type, ".bin")
    if part.media_type in MAILS:
        inner, _ = headers_in(content, 0, len(content), limits, [])
        subject = safe_name(line_of(inner.first("subject"))[:100].replace("/", " "))
        return f"{subject or f'mail-{number}'}{ending}"
    return f"part-{number}{ending}"
