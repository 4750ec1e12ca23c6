"""What an act has done, in words for the audit log: without secrets, and never longer than an entry."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from responder.domain.audit import Deed
from responder.domain.masking import masked
from responder.flows.desk import Desk
from responder.store.transaction import Transaction

_LONGEST_REASON = 300


def tell(desk: Desk, tx: Transaction, text: str, about: str = "") -> None:
    """Says in the entry of the present act what this transaction does; an act may also be nobody's, then it is lost."""
    tx.deed = Deed(text=clean(desk, text), about=clean(desk, about))


def clean(desk: Desk, text: str) -> str:
    """A text of somebody's as it may stand in a log that nobody can change afterwards."""
    return masked(desk.links.masked(" ".join(text.split())), desk.configuration.secrets)


def instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def until(at: datetime | None) -> str:
    return f"until {instant(at)} UTC" if at else "until somebody ends it"


def reason(desk: Desk, text: str) -> str:
    """Why somebody does it, so short that the rest has its place, too; masked first, for half a secret is not known."""
    return clean(desk, text)[:_LONGEST_REASON]


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "all"
