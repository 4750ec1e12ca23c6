"""A small town's mail: one server takes letters by SMTP and puts them into everybody's mailbox by LMTP."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.dovecot import Dovecot
from tests.servers.smtpd import SmtpSink


class MailTown(SmtpSink):
    """Listens while it is entered; whoever is in it reads at `dovecot`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, security="starttls")
        self.dovecot = Dovecot()

    def __enter__(self) -> Self:
        self.dovecot.start()
        return super().__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        super().__exit__(kind, error, at)
        self.dovecot.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        assert isinstance(envelope.content, bytes)
        await asyncio.to_thread(
            self.dovecot.hand_over,
            envelope.content,
            sender=envelope.mail_from or "",
            recipients=[str(one) for one in envelope.rcpt_tos],
        )
        return answer

    def send(self, letter: EmailMessage) -> None:
        """Sends as somebody's mail program does."""
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.starttls()
            client.send_message(letter)
