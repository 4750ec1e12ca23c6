"""What became of a mail: one row for each that came in, so that none counts twice and each can be found again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
    """As in the mail: by it the same is decided when the mail is read again."""


def identity_of(mail: Mail) -> str:
    """The same for every copy of a mail, however often it is delivered.

    The sender is part of it: nobody can keep a mail of somebody else out by sending its Message-ID first.
    """
    text = f"{mail.id}\n{mail.sender.address.lower()}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
