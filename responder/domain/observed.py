"""What a decision adds to the statistics: the same facts as the sums behind the metrics, each kept with its ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Measure(StrEnum):
    """What is timed, each from the beginning of a ticket's episode."""

    ACKNOWLEDGE = "acknowledge"
    RESTORE = "restore"
    RESOLVE = "resolve"


class ClockEnd(StrEnum):
    """What became of a round of a clock. Excluded: its ticket counts in no service level."""

    MET = "met"
    BREACHED = "breached"
    EXCLUDED = "excluded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Timed:
    """How long something took; `by` is machine, human or itself."""

    measure: Measure
    by: str
    lasted: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """So many rounds of a clock that ended in one way."""

    clock: str
    end: ClockEnd
    rounds: int = 1


Observation = Timed | Ended
