"""What a send says of itself in its log, thread by thread: the library's answer is only whether it went well."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HTTP = re.compile(r"\berror=(\d{3})\b")
_SMTP = re.compile(r"\((\d{3}), b?['\"]")
# Of what a client may mend by waiting, the server says so itself: too slow, too early, too much.
_PASSING = frozenset({408, 409, 423, 425, 429})


class _Listener(logging.Handler):
    """Keeps the lines of those threads that listen. They may hold addresses, so they are shown to nobody."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.mine = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        lines: list[str] | None = getattr(self.mine, "lines", None)
        if lines is not None:
            lines.append(record.getMessage())


_listener = _Listener()


def listen_to(name: str) -> None:
    """From now on the lines of this logger are heard here, and nowhere else."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(_listener)


@contextmanager
def overheard() -> Iterator[list[str]]:
    """The lines that this thread logs meanwhile."""
    _listener.mine.lines = []
    try:
        yield _listener.mine.lines
    finally:
        _listener.mine.lines = None


def verdict(lines: list[str]) -> tuple[str, bool]:
    """What the other side answered, in words without an address, and whether it will always answer so."""
    text = "\n".join(lines)
    codes = [int(code) for code in _SMTP.findall(text)]
    if codes and any(400 <= code < 600 for code in codes):
        return f"the mail server answered {codes[-1]}", all(code >= 500 for code in codes)
    codes = [int(code) for code in _HTTP.findall(text)]
    if codes:
        return f"it answered {codes[-1]}", 400 <= codes[-1] < 500 and codes[-1] not in _PASSING
    return "", False
