"""Storm: so many tickets at once have one cause, and no restart of single hosts is its cure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from responder.domain.durations import spoken

MOST_COUNTED = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class StormRule:
    """From so many `tickets` opened `within` this time on, no automation starts."""

    tickets: int = 50
    within: timedelta = timedelta(minutes=5)

    @property
    def enough(self) -> int:
        """How many tickets are worth counting: beyond it the sentence gets no better."""
        return max(self.tickets, MOST_COUNTED)

    def objection(self, opened: int) -> str:
        """Why nothing starts after so many tickets were opened within the time; empty if it may."""
        if opened < self.tickets:
            return ""
        count = f"{opened} tickets or more" if opened >= self.enough else f"{opened} tickets"
        return f"Storm: {count} in {spoken(self.within)}; automation keeps its hands off."
