"""The kinds of steps, one file each. A new file with a `Step` in it is a new kind; nothing else changes."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from responder.firstaid.step import Step


@cache
def kinds() -> dict[str, type[Step]]:
    """Every kind of step by the word that runbooks use for it."""
    found: dict[str, type[Step]] = {}
    for module in pkgutil.iter_modules(__path__):
        content = importlib.import_module(f"{__name__}.{module.name}")
        found |= {
            value.kind: value
            for value in vars(content).values()
            if isinstance(value, type) and issubclass(value, Step) and value is not Step
        }
    return found
