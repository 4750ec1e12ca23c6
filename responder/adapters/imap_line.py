"""The line to an IMAP server: how much may come over it for one command, and a handle by which it can be cut.

Somebody who waits for a server on another thread cannot be called back, but shutting the socket wakes them up.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
from collections.abc import Callable
from typing import Any

from imap_tools import BaseMailBox

from responder.adapters.mail_servers import ImapAccount

_BESIDE_A_MAIL = 32 * 1024 * 1024
"""Bytes for everything else that one command may bring; the numbers of a million mails are 10 MB."""
Keep = Callable[[socket.socket], None]
# IMAP's own words for it that imaplib does not know.
imaplib.Commands.setdefault("ID", ("NONAUTH", "AUTH", "SELECTED"))


class _Plain(imaplib.IMAP4):
    """`keep` gets a second handle of the socket as soon as there is one."""

    def __init__(self, account: ImapAccount, keep: Keep, **more: Any) -> None:
        self._most, self._came, self._keep = account.largest + _BESIDE_A_MAIL, 0, keep
        super().__init__(host=account.host, port=account.port, timeout=account.timeout.total_seconds(), **more)

    def read(self, size: int) -> bytes:
        # Before it is read: the room for all of it is taken at once.
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, size: int) -> None:
        self._came += size
        if self._came > self._most:
            raise self.abort(f"the server sends {self._came} bytes where at most {self._most} are taken")

    # imaplib has no public place where a command begins, or where its socket is made.
    def _command(self, name: str, *arguments: Any) -> bytes:
        self._came = 0
        made: bytes = super()._command(name, *arguments)  # type: ignore[misc]
        return made

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made: socket.socket = imaplib.IMAP4._create_socket(self, timeout)  # type: ignore[attr-defined]
        self._keep(made.dup())
        return made


class _Tls(_Plain, imaplib.IMAP4_SSL):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = super()._create_socket(timeout)
        made: socket.socket = self.ssl_context.wrap_socket(plain, server_hostname=self.host)
        return made


class ImapLine(BaseMailBox):
    """Connected, and greeted by the server; not logged in. Raises imaplib's errors and OSError."""

    def __init__(self, account: ImapAccount, keep: Keep) -> None:
        self._account, self._keep_handle = account, keep
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        account, keep = self._account, self._keep_handle
        if account.security == "none":
            return _Plain(account, keep)
        context = ssl.create_default_context(cafile=account.ca_file)
        if account.security == "tls":
            return _Tls(account, keep, ssl_context=context)
        made = _Plain(account, keep)
        made.starttls(context)
        return made
