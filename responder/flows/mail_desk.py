"""What a mail is decided with: how mails reach us, the mail itself, and the transaction that it is taken in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from responder.adapters.mail_names import MailNames
from responder.config.configuration import Configuration
from responder.domain.mail import Mail
from responder.domain.mail_loop import AnswerBudget, Nature
from responder.domain.mail_record import MailRecord
from responder.domain.mail_rule import MailRule
from responder.domain.mail_thread import OwnAddress
from responder.domain.mail_trust import TrustedPath
from responder.flows.desk import Desk
from responder.intake.mail.limits import MailLimits
from responder.store.transaction import Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class MailDesk:
    """By what mails are read: how they reach us, whose findings count, the rules of monitoring mails, the person behind
    each known address, how many answers may be sent, and the names that our letters carry."""

    own: OwnAddress
    names: MailNames
    trusted: TrustedPath = field(default_factory=TrustedPath)
    rules: tuple[MailRule, ...] = ()
    monitors: tuple[str, ...] = ()
    """Senders of monitoring mails that speak for each other: addresses, or domains with a leading @."""
    people: Mapping[str, str] = field(default_factory=dict)
    budget: AnswerBudget = field(default_factory=AnswerBudget)
    limits: MailLimits = field(default_factory=MailLimits)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """A mail as it was delivered, by a way in such as `imap` or `api`."""

    content: bytes
    way: str
    envelope_from: str | None = None
    envelope_to: tuple[str, ...] = ()
    """Our addresses that it was sent to, whatever its headers say."""
    is_cut: bool = False
    """Whether these are only its first bytes, because it is larger than may be."""
    receipt: str = ""
    """The name under which its bytes are to be kept; made where none is given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """One mail that is decided on in this transaction."""

    desk: Desk
    tx: Transaction
    mails: MailDesk
    mail: Mail
    nature: Nature
    record: MailRecord
    quotes_us: bool = False
    """Whether our links or tags stood in its text; they stand there no more."""

    @property
    def now(self) -> datetime:
        return self.record.received_at


def is_certain(mail: Mail, nature: Nature, mails: MailDesk) -> bool:
    """Whether a mail of such a nature may be left. Of people of the service one sign is enough: they get pages by mail,
    and a ticket of each answer of their absence assistant would be the next page."""
    return nature.is_sure or mail.sender.address.casefold() in mails.people


def mail_desk(desk: Desk) -> MailDesk | None:
    """By what mails are read as the configuration stands now; None where it says nothing of mail."""
    return mails_of(desk.configuration)


def mails_of(configuration: Configuration) -> MailDesk | None:
    setup = configuration.mail
    if setup is None:
        return None
    given = setup.settings
    # A name of its own, below the desk's: colleagues of the same domain have Message-IDs of theirs.
    own = OwnAddress(
        address=given.address,
        id_domain=f"responder.{given.address.rpartition('@')[2]}",
        other_addresses=given.aliases,
        forms=given.contact_forms,
    )
    people = configuration.people.values()
    return MailDesk(
        own=own,
        names=MailNames(configuration.secret),
        trusted=TrustedPath(servers=given.trusted_authserv_ids),
        rules=setup.rules,
        monitors=given.monitoring.senders,
        people={address.casefold(): person.name for person in people for address in person.mails},
        budget=AnswerBudget(**given.answers.model_dump()),
        limits=MailLimits(size=given.limits.size, file_size=given.limits.file_size, files=given.limits.files),
    )
