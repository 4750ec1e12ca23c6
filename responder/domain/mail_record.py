"""What became of a mail: one row for each that came in, so that none counts twice and each can be found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

from responder.domain.mail import Mail


class Taken(StrEnum):
    """What a mail was taken for."""

    REPORT = "report"
    ANSWER = "answer"
    COMMAND = "command"
    NOTE = "note"
    ALERT = "alert"
    BOUNCE = "bounce"
    LEFT = "left"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, kw_only=True, slots=True)
class MailRecord:
    """One mail that came in by one of the ways. `receipt` names its bytes, for as long as they are kept."""

    id: int = 0
    identity: str
    message_id: str
    way: str
    receipt: str
    sender: str
    taken: Taken
    why: str
    received_at: datetime
    ticket_id: int | None = None
    answered: bool = False
    is_proven: bool = False
    """Whether our own mail server has found that it is from the domain in From."""
    envelope_from: str | None = None
    envelope_to: str = ""
    """Recipients of the envelope, with blanks between them. By both the same is decided when the mail is read again."""
    digest: str = ""
    """Of its bytes."""
    nth: int = 0
    """How many mails of this identity came before and are not the same."""


_HAS_COUNTED = (Taken.ANSWER, Taken.COMMAND, Taken.ALERT, Taken.BOUNCE)
_AT_ONCE = timedelta(hours=2)
"""In which a mail without Message-ID and Date comes again by another way, or is sent again after a lost connection."""


def identity_of(mail: Mail) -> str:
    """The same for every copy of a mail, however often and by whichever way it is delivered: its From, its Message-ID,
    and what people read in it; not what servers write above it.

    So nobody keeps a mail out by sending its Message-ID first, and a device that gives all its mails one is heard.
    """
    made = blake2b(digest_size=16)
    for part in _parts(mail):
        coded = part.encode("utf-8", "surrogatepass")
        made.update(b"%d:%b" % (len(coded), coded))
    return made.hexdigest()


def _parts(mail: Mail) -> Iterator[str]:
    yield mail.sender.address.lower()
    # Two mails without an id are told apart by when they were sent, and by what they answer.
    yield from (mail.id,) if _has_id(mail) else ("", str(mail.sent_at or ""), *mail.in_reply_to)
    yield " ".join(mail.subject.split())
    yield " ".join(mail.text.split())
    yield from (one.digest for one in mail.files)
    yield from (f"{one.about} {one.recipient} {one.action} {one.status}" for one in mail.bounces)


def earlier_or_new(known: Sequence[MailRecord], record: MailRecord, mail: Mail) -> MailRecord:
    """Which of the mails that are known by its identity or its bytes, the newest first, is the same mail; else its own
    record, numbered.

    What came unproven and has not counted does not stand in the way of the one that is proven: it may be a forgery.
    """
    lasts, is_stamped = _has_id(mail) or mail.sent_at is not None, "received" in mail.headers
    same = (one for one in known if _is_same(one, record, lasts=lasts, is_stamped=is_stamped))
    numbers = [one.nth for one in known if one.identity == record.identity]
    return next(same, replace(record, nth=max(numbers, default=-1) + 1))


def _is_same(one: MailRecord, record: MailRecord, *, lasts: bool, is_stamped: bool) -> bool:
    has_its_bytes = one.digest == record.digest
    # A server has stamped it with the time: no second mail has these bytes.
    is_in_time = lasts or (has_its_bytes and is_stamped) or record.received_at - one.received_at < _AT_ONCE
    return is_in_time and (has_its_bytes or one.is_proven or not record.is_proven or one.taken in _HAS_COUNTED)


def _has_id(mail: Mail) -> bool:
    return mail.id != f"sha256:{mail.digest}"
