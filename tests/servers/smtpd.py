"""A mail server that keeps what it is given, speaks TLS and asks for a password, or says no in the words it is told."""

from __future__ import annotations

import email
import email.policy
import ssl
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.dovecot import self_signed
from tests.servers.ports import free_port

USER, PASSWORD = b"desk", b"pass-word"


class SmtpSink:
    """Listens while it is entered. `says` is its answer to a command: RCPT, DATA (after the letter)."""

    def __init__(self, folder: Path, *, security: str = "none", asks_for_password: bool = False) -> None:
        self.envelopes: list[Envelope] = []
        self.users: list[str] = []
        self.says: dict[str, str] = {}
        self.certificate = folder / "cert.pem"
        self_signed(folder)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, folder / "key.pem")
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=free_port(),
            ssl_context=context if security == "tls" else None,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=self._authenticate if asks_for_password else None,
            auth_required=asks_for_password,
            auth_require_tls=False,
        )

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def letters(self) -> list[EmailMessage]:
        contents = [one.content for one in self.envelopes]
        return [
            email.message_from_bytes(one, policy=email.policy.default)
            for one in contents
            if isinstance(one, bytes)
        ]  # fmt: skip

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.says:
            return self.says["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.says:
            return self.says["DATA"]
        self.envelopes.append(envelope)
        return "250 OK"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        is_known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
        if is_known and isinstance(data, LoginPassword):
            self.users.append(data.login.decode())
        return AuthResult(success=is_known, handled=False)
