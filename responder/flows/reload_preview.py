"""What a reload would change: the files are read anew, checked whole, and compared with what is in use."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from responder.config.configuration import Configuration, read
from responder.config.differences import Difference, differences
from responder.errors import ConfigError, Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """With mistakes nothing would be taken over."""

    mistakes: tuple[Problem, ...] = ()
    differences: tuple[Difference, ...] = ()


@dataclass(kw_only=True)
class Previews:
    """The files are read once for all who ask at the same time, and never on the event loop."""

    _of: Configuration | None = field(default=None, init=False)
    _reading: asyncio.Task[Preview] | None = field(default=None, init=False)

    async def of(self, present: Configuration) -> Preview:
        """What a reload would change now."""
        if self._reading is None or self._reading.done() or self._of is not present:
            self._of = present
            self._reading = asyncio.create_task(asyncio.to_thread(preview, present), name="reload preview")
        return await asyncio.shield(self._reading)


def preview(present: Configuration) -> Preview:
    """The same, at once and at length."""
    try:
        changed = read(present.path)
    except ConfigError as error:
        return Preview(mistakes=tuple(error.problems))
    return Preview(differences=tuple(differences(present, changed)))
