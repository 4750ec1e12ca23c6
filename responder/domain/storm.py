"""Storm: so many tickets at once have one cause. No restart of hosts is its cure, and no page for each ticket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.durations import spoken

MOST_COUNTED = 1000
OVER = timedelta(minutes=10)
_MOST_TOLD = 5
_A_TENTH = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class StormRule:
    """From so many `tickets` opened `within` this time on, no automation starts and new tickets wait, except those of
    the grades in `lane`. It is over when fewer than so many were opened in the time `over`."""

    tickets: int = 50
    within: timedelta = timedelta(minutes=5)
    over: timedelta = OVER
    lane: tuple[str, ...] = ("P1",)

    @property
    def enough(self) -> int:
        """How many tickets are worth counting: beyond it the sentence gets no better."""
        return max(self.tickets, MOST_COUNTED)

    def objection(self, opened: int) -> str:
        """Why nothing starts after so many tickets were opened within the time; empty if it may."""
        if opened < self.tickets:
            return ""
        return f"Storm: {self.counted(opened)} in {spoken(self.within)}; automation keeps its hands off."

    def counted(self, opened: int) -> str:
        """How many tickets that are, in words."""
        return f"{opened} tickets or more" if opened >= self.enough else f"{opened} tickets"

    def lasts(self, opened: int) -> bool:
        """Whether a storm goes on, or begins, after so many were opened in the time that counts for it."""
        return opened >= self.tickets


@dataclass(frozen=True, kw_only=True, slots=True)
class Storm:
    """A storm so far: since when, how many tickets it has opened, and what most of them have in common."""

    since: datetime
    opened: int
    labels: Sequence[Mapping[str, str]]

    def is_news(self, told: int) -> bool:
        """Whether it has grown enough to be told again: to twice as many as were told. So it is told a few times
        only, however large it gets."""
        return self.opened >= 2 * told

    @property
    def summary(self) -> str:
        """What people are told of it in place of its tickets."""
        common = ", ".join(f"{pair} ({count})" for pair, count in in_common(self.labels))
        text = f"Storm: {self.opened} tickets since {self.since:%H:%M} UTC"
        return f"{text}; {f'of the latest {len(self.labels)}: {common}' if common else 'they have little in common'}."


def in_common(labels: Iterable[Mapping[str, str]]) -> list[tuple[str, int]]:
    """The labels that most of them have, with how many: those of at least a tenth of them, and of more than one."""
    listed = list(labels)
    pairs = Counter(f'{name}="{value}"' for one in listed for name, value in one.items())
    ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(pair, count) for pair, count in ordered if count > 1 and count * _A_TENTH >= len(listed)][:_MOST_TOLD]
