"""Letters by SMTP, with headers of our own so that answers find their ticket. Nothing is kept open between two."""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Literal

import aiosmtplib

from responder.adapters.mail_servers import SmtpServer, hint, is_address
from responder.errors import ChannelBusy, SendFailed, SendRefused

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_ID = re.compile(r"(?!.*=\?)[^\s<>@\x00-\x1f\x7f]{1,400}@[^\s<>@\x00-\x1f\x7f]{1,255}", re.ASCII)
_LINK = re.compile(r"https?://[^\s<>\"]+")
_MOST_REFERENCES = 30
# 421 and 45x say that the server has too much to do or wants us to come later, RFC 5321 and 4954.
_BUSY = frozenset({421, 450, 451, 452, 454})


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One mail to one person. Identifiers are without angle brackets.

    `envelope_from` may be empty: then nobody can answer it with a bounce, which is right for answers to machines.
    """

    id: str
    sender: str
    to: str
    subject: str
    text: str
    at: datetime
    sender_name: str = ""
    reply_to: str = ""
    envelope_from: str | None = None
    in_reply_to: str = ""
    references: Sequence[str] = field(default=())
    auto_submitted: Literal["auto-generated", "auto-replied", ""] = "auto-generated"
    language: str = ""


async def send(letter: Letter, server: SmtpServer) -> None:
    """Returns when the server has taken the letter.

    Raises SendRefused when it can never be taken, ChannelBusy when the server asks to come back, SendFailed when it
    cannot be reached or says no for now. After a cut in the middle of it the letter may have been taken all the same;
    sent again it has the same Message-ID, so that the reader's side can tell.
    """
    message = written(letter)
    sender = letter.sender if letter.envelope_from is None else letter.envelope_from
    client = _client(server)
    try:
        async with client:
            refused, _ = await client.send_message(message, sender=sender, recipients=[letter.to])
    except aiosmtplib.SMTPException as error:
        raise failure(error, server) from error
    except (OSError, ssl.SSLError) as error:
        raise _unreachable(str(error), server) from error
    if refused:
        raise failure_of(next(iter(refused.values())).code, "", server)


async def try_server(server: SmtpServer) -> None:
    """Connects and logs in, and sends nothing. Raises SendFailed."""
    try:
        async with _client(server):
            pass
    except aiosmtplib.SMTPException as error:
        raise failure(error, server) from error
    except (OSError, ssl.SSLError) as error:
        raise _unreachable(str(error), server) from error


def written(letter: Letter) -> EmailMessage:
    """The letter as it goes out. Raises SendRefused for an address or an identifier that is none."""
    made = EmailMessage(policy=SMTP)
    made["From"] = _person(letter.sender, letter.sender_name)
    made["To"] = _person(letter.to, "")
    if letter.reply_to:
        made["Reply-To"] = _person(letter.reply_to, "")
    made["Subject"] = one_line(letter.subject)
    made["Date"] = format_datetime(letter.at)
    made["Message-ID"] = f"<{_checked_id(letter.id)}>"
    _thread(made, letter)
    if letter.auto_submitted:
        made["Auto-Submitted"] = letter.auto_submitted
        # Exchange and Outlook heed this one instead of RFC 3834.
        made["X-Auto-Response-Suppress"] = "All"
    text, language = _sound(letter.text), one_line(letter.language)
    made.set_content(text)
    made.add_alternative(as_html(text, language), subtype="html")
    if language:
        # Not before: making parts out of it takes every Content- header away.
        made["Content-Language"] = language
    return made


def _thread(made: EmailMessage, letter: Letter) -> None:
    """What the letter answers. Foreign identifiers that are none are left out: the letter must go all the same."""
    known = [one for one in dict.fromkeys(letter.references) if _ID.fullmatch(one)]
    if _ID.fullmatch(letter.in_reply_to):
        made["In-Reply-To"] = f"<{letter.in_reply_to}>"
        known = [*(one for one in known if one != letter.in_reply_to), letter.in_reply_to]
    # The first one names the thread, the last ones its latest letters (RFC 5322, 3.6.4).
    kept = known if len(known) <= _MOST_REFERENCES else [known[0], *known[-_MOST_REFERENCES + 1 :]]
    if kept:
        made["References"] = " ".join(f"<{one}>" for one in kept)


def one_line(text: str) -> str:
    """A text that can stand in a header: without breaks and control characters, of at most 500 letters."""
    # What looks like an encoded word the library would decode, and breaks of lines may be in it.
    return _BREAKS.sub(" ", _sound(text)).replace("=?", "= ?").strip()[:500]


def _sound(text: str) -> str:
    """The text without halves of characters, which no encoding has."""
    return text.encode("utf-8", "replace").decode()


def as_html(text: str, language: str = "") -> str:
    """The text in a page without any style but the reader's own, with its links to click at."""
    lang = f' lang="{escape(language)}"' if language else ""
    lines = "<br>\n".join(_with_links(line) for line in text.splitlines())
    return f'<!DOCTYPE html>\n<html{lang}><head><meta charset="utf-8"></head><body><p>{lines}</p></body></html>\n'


def _with_links(line: str) -> str:
    made, end = "", 0
    for found in _LINK.finditer(line):
        link = escape(found.group())
        made += f'{escape(line[end : found.start()])}<a href="{link}">{link}</a>'
        end = found.end()
    return made + escape(line[end:])


def _person(address: str, name: str) -> Mailbox:
    if not is_address(address):
        raise SendRefused(f"“{one_line(address)[:80]}” is no mail address.")
    return Mailbox(display_name=one_line(name), addr_spec=address)


def _checked_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise SendRefused(f"“{one_line(text)[:80]}” cannot be the identifier of a letter.")
    return text


def _client(server: SmtpServer) -> aiosmtplib.SMTP:
    secure = server.security != "none"
    context = ssl.create_default_context(cafile=server.ca_file) if secure else None
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user or None,
        password=server.password.value if server.password else None,
        timeout=server.timeout.total_seconds(),
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=context,
    )


def failure(error: aiosmtplib.SMTPException, server: SmtpServer) -> SendFailed:
    """What an error of the library means for us."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        # A wrong password is mended by people, and the letter goes then: the letter itself is not at fault.
        return SendFailed(f"The mail server {server.host} does not let us in: {_said(error.message)}.")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return failure_of(error.code, error.message, server)
    if isinstance(error, aiosmtplib.SMTPTimeoutError):
        return SendFailed(f"The mail server {server.host} gave no answer in time.")
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return SendFailed(f"The mail server {server.host} cannot do what is asked of it: {_said(str(error))}.")
    return _unreachable(str(error), server)


def _unreachable(why: str, server: SmtpServer) -> SendFailed:
    return SendFailed(f"The mail server {server.host} cannot be reached: {_said(why)}.{hint(why, server.security)}")


def failure_of(code: int, text: str, server: SmtpServer) -> SendFailed:
    """By the first digit of the answer's code: 5 is for good, 4 for now (RFC 5321, 4.2.1)."""
    said = f"{code} {_said(text)}".strip()
    if code in _BUSY:
        return ChannelBusy(f"The mail server {server.host} asks to come back later: {said}.")
    if 500 <= code < 600:
        return SendRefused(f"The mail server {server.host} refuses the letter: {said}.")
    return SendFailed(f"The mail server {server.host} does not take the letter now: {said}.")


def _said(text: str) -> str:
    return one_line(text)[:300].rstrip(". ")
