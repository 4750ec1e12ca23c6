"""The audit log: who did what, or was refused, when, from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One act or one refusal. `status` is that of the HTTP answer, 0 where there was none; `text` says what was done as
    far as the action does not, or why it was refused."""

    id: int = 0
    at: datetime
    actor: str
    via: str
    address: str = ""
    action: str
    object: str = ""
    outcome: Outcome = Outcome.DONE
    status: int = 0
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """What a transaction has done, for its entry. `about` is to what, where the action has no place for that."""

    text: str
    about: str = ""


def outcome_of(status: int) -> Outcome:
    """What an answer of this status means: a fault of ours is no refusal."""
    if status < 400:
        return Outcome.DONE
    return Outcome.REFUSED if status < 500 else Outcome.FAILED


FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_cell(text: str) -> str:
    """A text for a spreadsheet, which must not take it for a formula (OWASP, CSV Injection)."""
    return f"'{text}" if text.startswith(FORMULA) else text
