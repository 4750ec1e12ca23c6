"""Bytes become one Mail: whatever they are, something is read, nothing raises, and what is odd is said."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from responder.domain.mail import Address, Mail
from responder.domain.report_form import cleaned
from responder.intake.mail.addresses import addresses, date_of, first_address, ids, plain_address
from responder.intake.mail.body import BodyReader
from responder.intake.mail.bounces import bounces_in
from responder.intake.mail.charsets import decoded
from responder.intake.mail.files import files_of
from responder.intake.mail.headers import Headers, line_of
from responder.intake.mail.limits import MailLimits, counted, size_in_words
from responder.intake.mail.parts import part_tree
from responder.intake.mail.reply import reply_of

KEPT_HEADERS = (
    "auto-submitted", "precedence", "x-auto-response-suppress", "x-autoreply", "x-autorespond", "list-id",
    "list-unsubscribe", "list-post", "feedback-id", "authentication-results", "return-path", "x-loop", "x-mailer",
    "delivered-to", "x-original-to", "x-failed-recipients", "x-responder", "from", "content-type", "x-autoresponder",
    "x-autoreply-from", "list-help", "list-owner", "sender", "mailing-list", "x-mailing-list", "x-beenthere",
    "x-mailman-version",
)  # fmt: skip
"""What decisions read of the headers; besides, `received` holds the number of servers that passed the mail on."""
_VERBATIM = ("authentication-results", "from")
"""Whose encoded words stay as they are: read, they could put results or addresses where the server wrote none."""
_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to")
_ONCE = ("from", "subject", "message-id", "date", "reply-to")
_NULL_SENDER = b"<>"
_LONGEST_SUBJECT = 500
_LONGEST_VALUE, _MOST_VALUES = 2000, 50
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA = re.compile("[\u3040-\u30ff]")
_LATIN = re.compile("[A-Za-z]")
_LETTERS_PER_HAN = 5


def read_mail(
    raw: bytes,
    *,
    envelope_from: str | None = None,
    limits: MailLimits = MailLimits(),  # noqa: B008 (it is frozen)
) -> Mail:
    """The mail in some bytes."""
    digest = hashlib.sha256(raw).hexdigest()
    odd: list[str] = []
    if len(raw) > limits.size:
        odd.append(f"The mail is larger than {size_in_words(limits.size)}; only its beginning was read.")
    tree = part_tree(raw[: limits.size], limits, odd)
    body = BodyReader(limits, odd).body(tree)
    mail = _with_text(_envelope(tree.headers, digest, envelope_from, limits, odd), body.text, odd)
    return replace(
        mail,
        language=language_of(f"{mail.subject}\n{mail.said or mail.text}"),
        files=files_of(body.files, limits, odd),
        bounces=bounces_in(tree, mail, limits),
        oddities=counted(odd),
    )


def _with_text(outside: Mail, text: str, odd: list[str]) -> Mail:
    """The mail with what is new in its text. Who only forwards something or sends back a quote says all of it."""
    reply = reply_of(text, is_first=outside.is_first)
    left_out = len([line for line in f"{reply.quoted}\n{reply.signature}".split("\n") if line.strip()])
    if reply.said and left_out and not outside.answers_something:
        odd.append(f"Of the text {left_out} lines were left out as quoted or as a signature; the mail has them.")
    return replace(outside, text=text, said=reply.said or text, has_own_words=bool(reply.said) or not reply.quoted)


def language_of(text: str) -> str:
    """zh if Chinese characters carry the text, else en; a Chinese character weighs as much as five letters."""
    han, latin, kana = (len(pattern.findall(text)) for pattern in (_HAN, _LATIN, _KANA))
    return "zh" if han >= 2 and han * _LETTERS_PER_HAN >= latin and kana * 5 < han else "en"


def _envelope(headers: Headers, digest: str, envelope_from: str | None, limits: MailLimits, odd: list[str]) -> Mail:
    """What stands on the outside: a mail that knows its headers alone."""
    sent_from = _sent_from(envelope_from, headers)
    _complaints(headers, odd)
    return Mail(
        id=_id(headers, digest, odd),
        digest=digest,
        sender=_sender(headers, sent_from, odd),
        reply_to=addresses(headers.all("reply-to"), limits.addresses),
        recipients=addresses([value for name in _RECIPIENTS for value in headers.all(name)], limits.addresses),
        envelope_from=sent_from,
        subject=_subject(headers, odd),
        sent_at=date_of(headers.first("date")),
        in_reply_to=ids(headers.all("in-reply-to"), limits.ids),
        references=ids(headers.all("references"), limits.ids),
        headers=_kept(headers),
    )


def _sent_from(given: str | None, headers: Headers) -> str | None:
    """The sender of the envelope; where the way in did not tell, what the last server wrote down of it."""
    if given is not None:
        return plain_address(given)
    for name in ("return-path", "x-envelope-from"):
        noted = headers.first(name)
        address = plain_address(noted.decode("ascii", "replace"))
        if address or noted == _NULL_SENDER:
            return address
    return None


def _sender(headers: Headers, envelope_from: str | None, odd: list[str]) -> Address:
    sender = first_address(headers.first("from"))
    if sender.address:
        return sender
    odd.append("The mail does not say in From who sent it.")
    other = first_address(headers.first("sender")).address or envelope_from or ""
    return Address(address=other, name=sender.name)


def _subject(headers: Headers, odd: list[str]) -> str:
    subject = line_of(headers.first("subject"))
    if len(subject) > _LONGEST_SUBJECT:
        odd.append(f"The subject is longer than {_LONGEST_SUBJECT} letters; the rest was left out.")
    return subject[:_LONGEST_SUBJECT]


def _id(headers: Headers, digest: str, odd: list[str]) -> str:
    found = ids(headers.all("message-id")[:1], 1)
    if not found:
        odd.append("The mail has no Message-ID; it is known by its content.")
    return found[0] if found else f"sha256:{digest}"


def _complaints(headers: Headers, odd: list[str]) -> None:
    for name in _ONCE:
        count = len(headers.all(name))
        odd += [f"The mail has {count} headers {name}; the first one counts."] * (count > 1)
    if headers.first("date") and date_of(headers.first("date")) is None:
        odd.append("The Date of the mail is none.")


def _kept(headers: Headers) -> dict[str, tuple[str, ...]]:
    found = {name: headers.all(name)[:_MOST_VALUES] for name in KEPT_HEADERS}
    kept = {
        name: tuple(_line(name, value)[:_LONGEST_VALUE] for value in values) for name, values in found.items() if values
    }
    received = len(headers.all("received"))
    return kept | ({"received": (str(received),)} if received else {})


def _line(name: str, value: bytes) -> str:
    return " ".join(cleaned(decoded(value)[0]).split()) if name in _VERBATIM else line_of(value)
