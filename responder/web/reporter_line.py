"""A reporter as programs see one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from responder.domain.masking import MASK
from responder.domain.reporter import Reporter

_HIDDEN = ("name", "contact")


def reporter_line(reporter: Reporter, *, may_see: bool) -> dict[str, Any]:
    """The reporter's row; name and contact only for who may act on tickets."""
    line = {name: _plain(value) for name, value in asdict(reporter).items()}
    hidden = {name: MASK for name in _HIDDEN if line[name]}
    return line if may_see else {**line, **hidden}


def _plain(value: object) -> object:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
