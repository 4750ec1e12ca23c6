"""Where a mail ends that comes in pieces: RFC 5321, sections 4.1.1.4 and 4.5.2."""

from __future__ import annotations

_LINE_END = b"\r\n"
_END = b"\r\n.\r\n"


class Arriving:
    """The bytes of one mail so far.

    Only CRLF . CRLF ends it: whoever takes less for an end can be made to find a second mail within the first.
    """

    def __init__(self) -> None:
        # The line end of the command before it counts for the end of an empty mail.
        self._bytes = bytearray(_LINE_END)
        self._end = -1

    def __len__(self) -> int:
        return len(self._bytes)

    def add(self, piece: bytes) -> bytes | None:
        """What came after the end of the mail, which may be nothing; None while the end has not come."""
        start = max(0, len(self._bytes) - len(_END) + 1)
        self._bytes += piece
        self._end = self._bytes.find(_END, start)
        if self._end < 0:
            return None
        rest = bytes(self._bytes[self._end + len(_END) :])
        del self._bytes[self._end + len(_LINE_END) :]
        return rest

    def forget(self) -> None:
        """Drops what has come, except for what may be the begin of its end."""
        del self._bytes[: 1 - len(_END)]

    def mail(self) -> bytes:
        """The mail, with the dot taken away that its sender put before each dot at the begin of a line."""
        return bytes(self._bytes).replace(b"\r\n.", _LINE_END)[len(_LINE_END) :]
