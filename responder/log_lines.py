"""Where logs go, and in which form. No line of the log is worth a page that is not sent."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TextIO, cast

import structlog


class _StandardError(io.TextIOBase):
    """Standard error as it is when something is written. What cannot be written is lost, and nothing else is.

    The disk under a log gets full, and whoever reads a pipe may end: that must stop neither reports nor pages.
    """

    def write(self, text: str) -> int:
        try:
            return sys.stderr.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        try:
            sys.stderr.flush()
        except (OSError, ValueError):
            return


def set_up_logging() -> None:
    """JSON lines when nobody looks, colours at a terminal; always to stderr."""
    if sys.stderr is None:
        # It was closed before we began. Whatever is opened next would get its number, and what libraries write to it.
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 it stays open as long as the process
    at_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if at_terminal else [structlog.processors.format_exc_info]),
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if at_terminal
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )
