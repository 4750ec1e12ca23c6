"""The listener: what mail servers hand in is taken, and an own look finds out when nobody can hand in anything."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import structlog

from responder.adapters.mail_servers import MailDoor
from responder.domain.mail_thread import is_own
from responder.domain.report import Signal
from responder.errors import ResponderError, StoreUnavailable
from responder.flows.desk import Desk
from responder.flows.mail_desk import Delivered, mail_desk
from responder.flows.mail_in import take_mail
from responder.flows.receive import file_reports, internal_report
from responder.intake.mail.limits import MailLimits

log = structlog.get_logger()
LOOK_EVERY = timedelta(seconds=30)
TOLD_AFTER = 3
"""Looks in a row that found nobody who can hand in mails until it is a ticket."""
_NO_MAIL = "responder.yml has no mail: any more."

Pause = Callable[[timedelta], Awaitable[None]]


class _Handed(Protocol):
    """A mail with its envelope, as the listener gives it."""

    @property
    def content(self) -> bytes: ...
    @property
    def sender(self) -> str: ...
    @property
    def recipients(self) -> tuple[str, ...]: ...


class _Listener(Protocol):
    async def look(self) -> str: ...


class HandedIn:
    """Takes what mail servers hand in, by the configuration as it stands at that moment."""

    def __init__(self, desk: Desk, door: MailDoor) -> None:
        self._desk = desk
        self._way = door.protocol

    @property
    def largest(self) -> int:
        mails = mail_desk(self._desk)
        return (mails.limits if mails else MailLimits()).size

    def objection_to(self, recipient: str) -> str:
        """Why mails to this address are refused for good; empty if they are for us."""
        mails = mail_desk(self._desk)
        # Without settings nobody knows whose address it is; the mail itself will be put off.
        is_ours = mails is None or is_own(recipient, mails.own)
        return "" if is_ours else "No mails to this address are taken here."

    async def take(self, handed: _Handed) -> str:
        """Raises StoreUnavailable; then the mail was not taken."""
        mails = mail_desk(self._desk)
        if mails is None:
            raise StoreUnavailable(_NO_MAIL)
        delivered = Delivered(
            content=handed.content, way=self._way, envelope_from=handed.sender, envelope_to=handed.recipients
        )
        record = await take_mail(self._desk, mails, delivered)
        return f"Taken as {record.receipt}"


async def follow_listener(desk: Desk, listener: _Listener, address: str, pause: Pause) -> None:
    """Goes on until it is cancelled. That nobody can hand in mails is a ticket, which clears when somebody can."""
    failures = 0
    # After a restart nobody knows whether there is such a ticket.
    is_told: bool | None = None
    while True:
        problem = await listener.look()
        failures = failures + 1 if problem else 0
        if problem:
            log.warning("mails cannot be handed in", address=address, problem=problem, failures=failures)
        if failures >= TOLD_AFTER and is_told is not True:
            is_told = await _tell(desk, address, f"Mails cannot be handed in at {address}: {problem}") or is_told
        elif not problem and is_told is not False:
            is_told = not await _tell(desk, address, f"Mails can be handed in at {address}.", Signal.CLEARED)
        await pause(LOOK_EVERY)


async def _tell(desk: Desk, address: str, summary: str, signal: Signal = Signal.FIRING) -> bool:
    """Whether it could be written down."""
    now = desk.clock.now()
    labels = {
        "alertname": "ResponderMailListenerUnreachable",
        "severity": "error",
        "host": socket.gethostname(),
        "address": address,
    }
    report = internal_report(labels, summary, now, signal=signal)
    try:
        await desk.store.write(lambda tx: file_reports(tx, [report], desk.policy, now))
    except ResponderError as error:
        log.warning("what is wrong with the mail listener could not be written down", error=str(error))
        return False
    return True
