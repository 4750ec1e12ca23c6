"""Names that our letters carry and answers bring back: a tag in the address, and our own Message-IDs, both signed.

They are lower case and survive a way on which somebody changes the case of an address.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from dataclasses import dataclass

from responder.adapters.notifier import Secret
from responder.domain.masking import MASK

_SIGNED = re.compile(r"(?P<number>[1-9][0-9]{0,17})-(?P<signature>[a-z2-7]{16})")
"""80 bits: an answer with a guessed tag costs its sender a mail each time."""
_IN_A_TEXT = re.compile(rf"(?<!\d){_SIGNED.pattern}(?![a-z2-7])", re.IGNORECASE)


@dataclass(frozen=True)
class MailNames:
    """Signs and reads with the secret of the service; another secret ends all names that were given out."""

    secret: Secret

    def tag(self, ticket_id: int) -> str:
        """What stands behind the plus of the address to which answers about a ticket go."""
        return self._signed("ticket", ticket_id)

    def ticket_of(self, tag: str) -> int | None:
        """The id of the ticket that a tag names; None if it was not made here."""
        return self._read("ticket", tag)

    def message_id(self, message_id: int, domain: str) -> str:
        """The Message-ID of a letter of ours, without angle brackets."""
        return f"{self._signed('letter', message_id)}@{domain}"

    def message_of(self, message_id: str) -> int | None:
        """The id of the letter that a Message-ID names, without angle brackets; None if it is none of ours."""
        return self._read("letter", message_id.partition("@")[0])

    def masked(self, text: str) -> str:
        """The text without the tags and Message-IDs that were made here: whoever has one may write as who got it."""
        return _IN_A_TEXT.sub(lambda found: MASK if self._is_ours(found[0]) else found[0], text)

    def _is_ours(self, name: str) -> bool:
        return self.ticket_of(name) is not None or self.message_of(name) is not None

    def _signed(self, purpose: str, number: int) -> str:
        return f"{number}-{self._signature(purpose, number)}"

    def _read(self, purpose: str, name: str) -> int | None:
        found = _SIGNED.fullmatch(name.lower())
        if found is None:
            return None
        number = int(found["number"])
        is_ours = hmac.compare_digest(found["signature"], self._signature(purpose, number))
        return number if is_ours else None

    def _signature(self, purpose: str, number: int) -> str:
        made = hmac.digest(self.secret.value.encode(), f"mail/{purpose}/{number}".encode(), hashlib.sha256)
        return b32encode(made[:10]).decode().lower()
