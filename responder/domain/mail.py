"""A mail as decisions see it: read once, bounded, with everything odd about it said in sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

_BEFORE, _AFTER = r"\s{0,3}(?:\[[^\]]{0,60}\]\s{0,3}){0,3}", r"\s{0,2}(?:[\[(（]\d{1,3}[\])）])?\s{0,2}[:：]"
_ANSWERS = re.compile(
    rf"{_BEFORE}(?:re|aw|antw|antwort|sv|vs|res|rif|odp|ynt|回复|回覆|答复|答覆|返信|返){_AFTER}", re.IGNORECASE
)
_FORWARDS = re.compile(
    rf"{_BEFORE}(?:fwd?|wg|tr|rv|enc|i|vl|vb|doorst|pd|转发|轉寄|轉發|転送|전달){_AFTER}", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A mail address with its domain in lower case, and the name that stands beside it. Both may be empty."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class MailFile:
    """A file in a mail. `left_out` says why its content is not kept, such as a limit of size; `size` is its own."""

    name: str
    media_type: str
    size: int
    digest: str
    content: bytes = b""
    left_out: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounce:
    """What a delivery report says of one recipient (RFC 3464): `status` such as 5.1.1, `action` such as failed."""

    recipient: str
    status: str
    action: str
    reason: str = ""
    about: str = ""
    """The Message-ID of the mail that it is about, without brackets; empty if the report does not say."""

    @property
    def is_permanent(self) -> bool:
        """Whether the address takes no mail for good (RFC 3463: class 5)."""
        return self.action == "failed" and self.status.startswith("5")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """One mail. Identifiers are without angle brackets; header names in lower case; instants aware and UTC.

    `text` is the whole body as plain text, `said` what is new in it: without quoted mails and signature.
    `headers` holds only what decisions read, each with all its values from the top down.
    """

    id: str
    digest: str
    sender: Address
    reply_to: tuple[Address, ...] = ()
    recipients: tuple[Address, ...] = ()
    envelope_from: str | None = None
    """The sender of the envelope; empty for the null sender of bounces; None where the way in did not tell."""
    envelope_to: tuple[str, ...] = ()
    subject: str = ""
    sent_at: datetime | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""
    said: str = ""
    has_own_words: bool = True
    """Whether `said` is its sender's; else it is a mere quote or forward, and `said` all of it."""
    language: str = "en"
    files: tuple[MailFile, ...] = ()
    bounces: tuple[Bounce, ...] = ()
    oddities: tuple[str, ...] = ()
    """What could not be read, was cut or was left out; one sentence each."""

    @property
    def answers_something(self) -> bool:
        """Whether it says that it answers another mail, by a header or its subject."""
        return bool(self.in_reply_to or self.references or _ANSWERS.match(self.subject))

    @property
    def is_forward(self) -> bool:
        """Whether its subject says that it passes another mail on."""
        return bool(_FORWARDS.match(self.subject))

    @property
    def is_first(self) -> bool:
        """Whether nothing says that it answers or forwards another mail."""
        return not self.answers_something and not self.is_forward

    def header(self, name: str) -> str:
        """The first value of a header in lower case letters; empty if there is none."""
        values = self.headers.get(name, ())
        return values[0].strip().lower() if values else ""
