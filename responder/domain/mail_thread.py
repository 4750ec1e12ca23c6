"""To which ticket a mail belongs, and as whom its sender may write there.

Traces in the order of what they prove: a signed tag in our address (sub-addresses: RFC 5233), one of our Message-IDs in
In-Reply-To or References (RFC 5322, section 3.6.4), a number in the subject. Anybody can write anything into From.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from responder.domain.mail import Mail

_TAG = re.compile(r"[A-Za-z0-9._=-]{1,64}")
_WORD = re.compile(r"[^\W_][\w./#-]{2,63}")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/#-]{2,63}")
_LONGEST_SUBJECT = 500
_MOST_TAGS, _MOST_IDS, _MOST_NUMBERS, _MOST_PLUSES = 5, 50, 20, 10


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnAddress:
    """How mails reach us, such as help@example.org, and the domain that all of our Message-IDs end with."""

    address: str
    id_domain: str
    other_addresses: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    """From which contact forms write, in lower case: who filled them in stands in Reply-To."""

    @property
    def all(self) -> tuple[str, ...]:
        return (self.address, *self.other_addresses)


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """What in a mail may lead to a ticket. Nothing of it is proven: `numbers` are words that may be a number."""

    tags: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def traces(mail: Mail, own: OwnAddress) -> Traces:
    """What leads from a mail to tickets, the likeliest first, each kind bounded."""
    tags = (tag_in(recipient.address, own) for recipient in mail.recipients)
    ids = (one for one in (*mail.in_reply_to, *reversed(mail.references)) if is_own_id(one, own))
    return Traces(
        tags=_first(filter(None, tags), _MOST_TAGS),
        ids=_first(ids, _MOST_IDS),
        numbers=_first(_numbers(mail.subject[:_LONGEST_SUBJECT]), _MOST_NUMBERS),
    )


def tag_in(address: str, own: OwnAddress) -> str:
    """The tag in local+TAG@domain if the address is one of ours; else empty. Its letters stay as they came."""
    local, _, domain = address.rpartition("@")
    # From the right: an own address may have a plus of its own.
    name, _, tag = local.rpartition("+")
    is_ours = f"{name}@{domain}".casefold() in {one.casefold() for one in own.all}
    return tag if is_ours and _TAG.fullmatch(tag) else ""


def is_own(address: str, own: OwnAddress) -> bool:
    """Whether mails to this address come to us, with a tag or without."""
    local, _, domain = address.rpartition("@")
    own_addresses = {one.casefold() for one in own.all}
    words = local.casefold().split("+")[:_MOST_PLUSES]
    return any(f"{'+'.join(words[:end])}@{domain.casefold()}" in own_addresses for end in range(1, len(words) + 1))


def is_own_id(message_id: str, own: OwnAddress) -> bool:
    return message_id.rpartition("@")[2].casefold() == own.id_domain.casefold()


def _numbers(subject: str) -> list[str]:
    """Every word with a digit; in Chinese text a number stands in the middle of a word."""
    words = [*_WORD.findall(subject), *_PLAIN_WORD.findall(subject)]
    plain = (word.rstrip("./#-").removeprefix("#") for word in words)
    return [word for word in plain if any(letter.isdigit() for letter in word)]


def _first(found: Iterable[str], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))[:most]


# --- whose mail it is -----------------------------------------------------------------------------------------


class Trace(StrEnum):
    TAG = "tag"
    ID = "id"
    NUMBER = "number"


@dataclass(frozen=True, kw_only=True, slots=True)
class Led:
    """A trace that leads to a ticket. Of tags only those whose signature is right; `reporter` is a mail address."""

    trace: Trace
    ticket_id: int
    number: str
    reporter: str = ""
    was_proven: bool = False
    """Whether the mail with which the reporter began it was proven to be theirs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who sends: the address in From, the known person behind it (proven, see mail_trust), and what is proven of it."""

    address: str
    person: str = ""
    claimed: str = ""
    """The person whose address it bears, proven or not."""
    is_authentic: bool = False
    is_refuted: bool = False
    """Whether our own mail server says that the mail is not from there, such as dmarc=fail."""


class Role(StrEnum):
    REPORTER = "reporter"
    COLLEAGUE = "colleague"
    STRANGER = "stranger"
    NEW = "new"


@dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    """Where a mail goes. With `Role.NEW` it is a report of its own; `mentions` are tickets that it only names."""

    role: Role
    why: str
    ticket_id: int | None = None
    number: str = ""
    mentions: tuple[str, ...] = ()
    person: str = ""
    """The person of the service who is proven to have written it, also where they write as the reporter."""
    rivals: tuple[str, ...] = ()
    """Other tickets to which it leads as much as to this one, so that no command in it is clear."""

    @property
    def is_answer_of_the_reporter(self) -> bool:
        """Whether it may confirm, reopen and score; whatever else is only a note."""
        return self.role is Role.REPORTER

    @property
    def may_command(self) -> bool:
        """Whether its first line may be a colleague's command."""
        return bool(self.person)


def thread_of(led: Sequence[Led], sender: Sender) -> Thread:
    """Where a mail goes, by what its traces have led to. The strongest trace decides, whatever the others say."""
    order = list(Trace)
    ranked = sorted(led, key=lambda one: order.index(one.trace))
    if not ranked:
        return Thread(role=Role.NEW, why="Nothing in the mail leads to a ticket.")
    first = ranked[0]
    role, why = _role(first, sender)
    others = tuple(dict.fromkeys(one.number for one in ranked if role is Role.NEW or one.ticket_id != first.ticket_id))
    if role is Role.NEW:
        return Thread(role=role, why=why, mentions=others)
    return Thread(
        role=role,
        why=why,
        ticket_id=first.ticket_id,
        number=first.number,
        mentions=others,
        person="" if sender.is_refuted else sender.person,
        rivals=_rivals(first, ranked),
    )


def _rivals(first: Led, ranked: Sequence[Led]) -> tuple[str, ...]:
    """Of Message-IDs the first one decides: it is that of the letter that is answered."""
    alike = (one for one in ranked if one.trace is first.trace and first.trace is not Trace.ID)
    return tuple(dict.fromkeys(one.number for one in alike if one.ticket_id != first.ticket_id))


def _role(led: Led, sender: Sender) -> tuple[Role, str]:
    is_theirs = _is_reporter(led, sender) and not sender.is_refuted
    if is_theirs and (_knows_us(led) or sender.is_authentic):
        if led.was_proven and not sender.is_authentic:
            return Role.STRANGER, f"The first mail about {led.number} was proven to be its reporter's; this one is not."
        return Role.REPORTER, f"The reporter of {led.number} answers: {_PROOF[led.trace]}."
    if sender.person and not sender.is_refuted:
        return Role.COLLEAGUE, f"{sender.person} writes about {led.number}: {_PROOF[led.trace]}."
    if led.trace is Trace.TAG:
        return Role.STRANGER, f"Somebody who is not proven to be the reporter answers a letter about {led.number}."
    whose = f"the reporter of {led.number}" if is_theirs else "" if sender.is_refuted else sender.claimed
    if whose:
        return Role.STRANGER, f"It bears the address of {whose}, but nothing proves that it is from there."
    return Role.NEW, f"It names {led.number}, but its sender has no part in it; so it is a report of its own."


def _is_reporter(led: Led, sender: Sender) -> bool:
    return bool(led.reporter) and led.reporter.casefold() == sender.address.casefold()


def _knows_us(led: Led) -> bool:
    """Whether only who got a letter of ours can have written it; numbers can be guessed."""
    return led.trace in (Trace.TAG, Trace.ID)


_PROOF = {
    Trace.TAG: "it came to the address of this ticket",
    Trace.ID: "it answers one of our letters",
    Trace.NUMBER: "its subject names the number",
}
