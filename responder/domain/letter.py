"""Letters to reporters: their occasions, and a house's own words in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Letter(StrEnum):
    """What a letter is about; a template of this name is its text."""

    RECEIVED = "received"
    PROGRESS = "progress"
    QUESTION = "question"
    RESTORED = "restored"
    RESOLVED = "resolved"
    CLOSED = "closed"
    AGAIN = "again"
    REMINDER = "reminder"


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnWords:
    """A template of the text, and a subject; what is empty stays as shipped."""

    text: str = ""
    subject: str = ""


OwnLetters = Mapping[str, Mapping[str, OwnWords]]
"""By letter and language."""
NAMES = (
    "number",
    "grade",
    "state",
    "next_news",
    "said",
    "words",
    "until",
    "best_score",
    "merged_into",
    "guide",
    "asks",
    "answers_by_mail",
    "shipped",
)
"""What own words may name: nothing else of a ticket gets into a letter. `shipped` is the text as it would be."""
