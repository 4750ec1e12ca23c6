"""Reporters: people who report trouble. Who they are, how they are reached, and what their silence means."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from responder.domain.durations import spoken
from responder.domain.policy import ReporterRule

LANGUAGES = ("en", "zh")
REPORTER = "reporter"
"""As whom messages name the reporter: the name and the contact stand in one row only."""
MOST_REMINDERS = 7
_DAY = timedelta(days=1)


class ReporterKind(StrEnum):
    USER = "user"
    SERVICE = "service"
    ENGINEER = "engineer"
    OTHER = "other"


class Asked(StrEnum):
    """What a reporter was asked for and has not answered yet."""

    NOTHING = ""
    CONFIRMATION = "confirmation"
    INFORMATION = "information"
    SCORE = "score"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reporter:
    """Who reported a ticket. `told_up_to` is the id of the last event that a letter has told.

    After `erased_at` name and contact are empty for good.
    """

    ticket_id: int
    name: str
    contact: str
    kind: str = ReporterKind.USER
    language: str = "en"
    asked_at: datetime | None = None
    asked_for: Asked = Asked.NOTHING
    reminders: int = 0
    told_up_to: int = 0
    erase_at: datetime | None = None
    erased_at: datetime | None = None

    def __repr__(self) -> str:
        # Name and contact must not get into a log by accident.
        return f"Reporter(ticket_id={self.ticket_id})"


# --- how they are reached -------------------------------------------------------------------------------------

_MAIL = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9_+-])?"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{2,59})"
)
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{2,30}")
_LONGEST_CONTACT = 254


def contact_of(text: str) -> str:
    """The contact in `text`, plainly written: a mail address or a phone number. Empty if it is neither.

    Stricter than RFC 5322: what could end an address, begin another one or reach into a header is no address here.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    digits = sum(letter.isdigit() for letter in plain)
    is_phone = bool(_PHONE.fullmatch(plain)) and 3 <= digits <= 15
    return plain if is_phone or is_mail(plain) else ""


def is_mail(contact: str) -> bool:
    return len(contact) <= _LONGEST_CONTACT and bool(_MAIL.fullmatch(contact))


def dialled(contact: str) -> str:
    """A contact as machines want it: a phone number without its spaces, anything else as it is."""
    if is_mail(contact):
        return contact
    return ("+" if contact.startswith("+") else "") + "".join(letter for letter in contact if letter.isdigit())


# --- silence --------------------------------------------------------------------------------------------------


class Due(StrEnum):
    """What is to be done about a reporter who was asked and has not answered."""

    NOTHING = "nothing"
    REMIND = "remind"
    GO_ON = "go_on"


def due_now(reporter: Reporter, rule: ReporterRule, now: datetime) -> Due:
    """What the silence asks for now."""
    if reporter.asked_at is None or reporter.asked_for is Asked.NOTHING:
        return Due.NOTHING
    if rule.close_after is not None and now >= reporter.asked_at + rule.close_after:
        return Due.GO_ON
    if reporter.reminders < MOST_REMINDERS and now >= _reminder_at(reporter, reporter.asked_at, rule):
        return Due.REMIND
    return Due.NOTHING


def look_again_at(reporter: Reporter, rule: ReporterRule) -> datetime | None:
    """When the silence is next looked at; None if nothing more will come of it."""
    if reporter.asked_at is None:
        return None
    coming = []
    if reporter.reminders < MOST_REMINDERS:
        coming.append(_reminder_at(reporter, reporter.asked_at, rule))
    if rule.close_after is not None:
        coming.append(reporter.asked_at + rule.close_after)
    return min(coming, default=None)


def _reminder_at(reporter: Reporter, asked_at: datetime, rule: ReporterRule) -> datetime:
    return asked_at + rule.remind_after + reporter.reminders * _DAY


def silence(rule: ReporterRule) -> str:
    """How long nobody answered, as it is written down."""
    return f"no answer for {spoken(rule.close_after or timedelta())}"
