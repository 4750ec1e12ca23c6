"""The bookshelf of the configuration in use: read and linted once for each, and never on the event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from responder.config.bookshelf import Bookshelf, read_bookshelf
from responder.config.configuration import Configuration


@dataclass(kw_only=True)
class KeptBookshelf:
    """Whoever asks first for a configuration lets it be read; the others wait for the same.

    Files that were wrong are read again: somebody is at work on them.
    """

    _of: Configuration | None = field(default=None, init=False)
    _reading: asyncio.Task[Bookshelf] | None = field(default=None, init=False)

    async def of(self, configuration: Configuration) -> Bookshelf:
        """What the files say by now of a configuration. Raises OSError when a file cannot be read."""
        if self._reading is None or self._of is not configuration or _is_void(self._reading):
            self._of = configuration
            self._reading = asyncio.create_task(asyncio.to_thread(read_bookshelf, configuration), name="bookshelf")
        return await asyncio.shield(self._reading)


def _is_void(reading: asyncio.Task[Bookshelf]) -> bool:
    return reading.done() and (
        reading.cancelled() or reading.exception() is not None or bool(reading.result().problems)
    )
