"""Gates: moves that need the consent of roles, by when, and what happens when time runs out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from responder.domain.ticket import Action, Ticket


class OnTimeout(StrEnum):
    """What happens when nobody has answered in time."""

    REMIND = "remind"
    ESCALATE = "escalate"
    REJECT = "reject"
    PASS = "pass"  # noqa: S105 no password, but a way through


@dataclass(frozen=True, kw_only=True, slots=True)
class GateRule:
    """Before `move` these roles must say yes: with `each`, one person of every role; else `needed` of any of them.

    Empty `grades` or `kinds`: for all of them. `inform` names roles that are told of the decision.
    """

    name: str
    move: Action
    roles: tuple[str, ...]
    each: bool = False
    needed: int = 1
    grades: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    within: timedelta | None = None
    on_timeout: OnTimeout = OnTimeout.REMIND
    inform: tuple[str, ...] = ()

    def applies(self, move: Action, ticket: Ticket) -> bool:
        return (
            move is self.move
            and (not self.grades or ticket.grade in self.grades)
            and (not self.kinds or ticket.kind in self.kinds)
        )


def gate_for(gates: tuple[GateRule, ...], move: Action, ticket: Ticket) -> GateRule | None:
    """The first gate that stands before this move of this ticket; None lets it pass."""
    return next((gate for gate in gates if gate.applies(move, ticket)), None)
