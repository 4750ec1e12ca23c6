"""What a reporter's confirmation settles."""

from __future__ import annotations

from responder.domain.correlation import all_clear
from responder.domain.report import Signal
from responder.domain.ticket import EventKind, Status
from responder.flows.moves import resolve_if_ready
from responder.flows.reporter_talk import Talk


def confirmed(talk: Talk, reason: str) -> None:
    """The reporter is content: where nothing watches the trouble that is its all-clear, and if the ticket waited for
    this alone it is resolved."""
    change = talk.change
    if change.after.status is not Status.RESTORED:
        return
    if not change.after.firing and change.after.signal is not Signal.CLEARED:
        all_clear(change, talk.policy, now=talk.now, reason=reason)
    if why := resolve_if_ready(talk.desk, talk.tx, change):
        change.note(talk.now, EventKind.REFUSED, f"The reporter has confirmed it, but it stays restored: {why}")
