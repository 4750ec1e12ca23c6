"""Dealing with the reporter of one ticket within one transaction: the way to them, and what they were asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from responder.adapters.notifier import Secret, scheme_of
from responder.clock import microseconds
from responder.config.reporters import CONTACT
from responder.domain.access import Identity
from responder.domain.oncall import Recipient, addressed
from responder.domain.policy import Policy
from responder.domain.reporter import Asked, Reporter, contact_of, dialled, is_mail, look_again_at
from responder.domain.ticket import Change, Ticket
from responder.flows.desk import Desk
from responder.flows.moves import refuse_other_teams
from responder.flows.telling import team_of, write_notice
from responder.store.transaction import Transaction

_MAIL_SCHEMES = frozenset({"mailto", "mailtos"})


@dataclass(kw_only=True, slots=True)
class Talk:
    """One ticket that is ours in this transaction, what changes of it, and its reporter."""

    desk: Desk
    tx: Transaction
    change: Change
    reporter: Reporter

    @classmethod
    def about(cls, desk: Desk, tx: Transaction, ticket_id: int, who: Identity | None = None) -> Talk:
        """Takes the ticket's row. Raises NotTheirs if `who` has signed in and may not touch it, NotFound if nobody
        reported it."""
        known = tx.tickets.one(ticket_id, locked=True)
        refuse_other_teams(who, known.ticket)
        change = Change.of(known.ticket, known.clocks)
        return cls(desk=desk, tx=tx, change=change, reporter=tx.reporters.one(ticket_id))

    @property
    def now(self) -> datetime:
        return self.desk.clock.now()

    @property
    def policy(self) -> Policy:
        return self.desk.policy

    @property
    def ticket(self) -> Ticket:
        return self.change.after

    def keep(self, **values: object) -> None:
        """Changes the reporter's row."""
        after = replace(self.reporter, **values)  # type: ignore[arg-type]
        if after != self.reporter:
            self.tx.reporters.keep(after)
            self.reporter = after

    def ask(self, asked: Asked) -> None:
        """From now on an answer is awaited."""
        self.keep(asked_at=self.now, asked_for=asked, reminders=0)
        self.promise_silence()

    def stop_asking(self) -> None:
        """Nothing is awaited any more."""
        self.keep(asked_at=None, asked_for=Asked.NOTHING, reminders=0)

    def promise_silence(self) -> None:
        """Promises a look at the silence, when something is to be done about it."""
        again_at, asked_at = look_again_at(self.reporter, self.policy.reporter), self.reporter.asked_at
        if again_at is not None and asked_at is not None:
            self.change.promise("reporter_silent", again_at, asked_at=microseconds(asked_at))

    def write(self) -> Ticket:
        """Writes what has changed, and gives the ticket as it is now."""
        return next(iter(self.tx.apply([self.change], self.now)), self.change.after)


# --- the way to a reporter ------------------------------------------------------------------------------------


def address_of(desk: Desk, reporter: Reporter) -> Secret | None:
    """Where letters to this reporter go; None if no channel leads there."""
    url, contact = desk.configuration.reporter_url, contact_of(reporter.contact)
    if url is None or not contact or (scheme_of(url.value) in _MAIL_SCHEMES and not is_mail(contact)):
        return None
    return Secret(url.value.replace(CONTACT, quote(dialled(contact), safe="")))


def goes_by_mail(desk: Desk, reporter: Reporter) -> bool:
    """Whether letters to this reporter go out by the desk's own mail server, in the thread of their mails."""
    setup = desk.configuration.mail
    return setup is not None and setup.server is not None and is_mail(contact_of(reporter.contact))


def is_reachable(desk: Desk, reporter: Reporter) -> bool:
    """Whether any way leads to this reporter."""
    return goes_by_mail(desk, reporter) or address_of(desk, reporter) is not None


def reporter_address(desk: Desk, tx: Transaction, ticket_id: int) -> Secret | None:
    """The address of a ticket's reporter, made when a letter leaves and kept nowhere."""
    reporter = tx.reporters.of_ticket(ticket_id)
    return address_of(desk, reporter) if reporter else None


# --- who is told of what reporters do -------------------------------------------------------------------------


def tell_responsible(desk: Desk, tx: Transaction, change: Change, text: str, *, stem: str) -> None:
    """Tells whoever has the ticket, else those whom its grade calls."""
    purpose = f"{stem}-{next_number(tx, change.after.id, stem)}"
    write_notice(desk, tx, change, responsible(desk, tx, change.after), purpose=purpose, text=text)


def responsible(desk: Desk, tx: Transaction, ticket: Ticket) -> tuple[Recipient, ...]:
    """Who has the ticket, else whom its grade calls."""
    told, _ = addressed([ticket.assignee] if ticket.assignee else [], (), desk.configuration.people)
    return told or team_of(desk, tx, ticket, desk.policy.promises_of(ticket.grade).tiers)[0]


def next_number(tx: Transaction, ticket_id: int, stem: str) -> int:
    """The number of the next message of this sort; the caller holds the ticket's row."""
    purposes = {one.purpose for one in tx.messages.of_ticket(ticket_id)}
    return 1 + sum(purpose.startswith(f"{stem}-") for purpose in purposes)
