"""The mailbox: its mails are taken one after another, and put away only once they are stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import structlog

from responder.adapters.mailbox import Fetched, Mailbox, backoff, round_of
from responder.domain.report import Signal
from responder.errors import MailboxFailed, StoreUnavailable
from responder.flows.desk import Desk
from responder.flows.mail_desk import Delivered, mail_desk
from responder.flows.mail_in import take_mail
from responder.flows.receive import file_reports, internal_report

log = structlog.get_logger()
TOLD_AFTER = 5
"""Failures in a row until it is a ticket: half a minute, which a restart of the mail server does not take."""
_LABELS = {"alertname": "ResponderMailboxUnreachable", "severity": "error"}

Pause = Callable[[timedelta], Awaitable[None]]


class _Take(Protocol):
    async def __call__(self, fetched: Fetched) -> bool: ...


async def follow_mailbox(desk: Desk, mailbox: Mailbox, pause: Pause) -> None:
    """Goes on until it is cancelled. A mailbox that cannot be reached is a ticket, which clears when it is back."""
    # After a restart nobody knows whether there is such a ticket.
    failures, is_told = 0, True
    while True:
        try:
            await round_of(mailbox, _taker(desk))
            if is_told:
                await _tell(desk, Signal.CLEARED, "The mailbox can be reached.")
            failures, is_told = 0, False
            await mailbox.news()
        except MailboxFailed as error:
            failures += 1
            log.warning("the mailbox cannot be used", error=str(error), failures=failures)
            if failures == TOLD_AFTER:
                await _tell(desk, Signal.FIRING, f"Mails are not taken in: {error}")
                is_told = True
            await pause(backoff(failures))


def _taker(desk: Desk) -> _Take:
    async def take(fetched: Fetched) -> bool:
        """Whether the mail is stored; if not, it stays where it is and comes again."""
        mails = mail_desk(desk)
        if mails is None:
            return False
        delivered = Delivered(content=fetched.raw, way="imap", is_cut=fetched.is_cut)
        try:
            await take_mail(desk, mails, delivered)
        except StoreUnavailable as error:
            log.warning("a mail stays in the mailbox for now", error=str(error))
            return False
        return True

    return take


async def _tell(desk: Desk, signal: Signal, summary: str) -> None:
    now = desk.clock.now()
    report = internal_report(_LABELS, summary, now, signal=signal)
    try:
        await desk.store.write(lambda tx: file_reports(tx, [report], desk.policy, now))
    except StoreUnavailable as error:
        log.warning("what is wrong with the mailbox could not be written down", error=str(error))
