"""Holds: reasons to let a ticket wait before automation touches it or anybody is paged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Why a ticket waits, in a sentence for its history, and when to look again at the latest.

    `name` is the kind of hold (maintenance, hold-off, storm, dependency): few values, used as a metric's label.
    """

    name: str
    sentence: str
    until: datetime
