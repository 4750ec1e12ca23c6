"""The dossier: what people find out and decide about a ticket, beside what the machine knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Verifier(StrEnum):
    """Who or what has looked whether the trouble is gone."""

    MONITOR = "monitor"
    TEST = "test"
    REPORTER = "reporter"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """One look at a solution, in one episode of the ticket: good or not, by whom, with what was seen."""

    by: Verifier
    is_good: bool
    actor: str
    at: datetime
    text: str = ""
    episode: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How a trouble is to be solved. `resources` maps numbers of spare parts to how many are needed."""

    kind: str
    steps: tuple[str, ...]
    owner: str
    due_at: datetime | None = None
    resources: Mapping[str, int] = field(default_factory=dict)
    proposed_by: str = ""
    proposed_at: datetime | None = None
    round: int = 1
    approved_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """What was learnt: the root cause by five whys, what contributed, and what will be improved (see `actions`).

    `timeline` holds (instant, line) drafted from the events and edited by people.
    """

    root_cause: str
    cause_class: str
    whys: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    improvements: str = ""
    timeline: tuple[tuple[datetime, str], ...] = ()
    written_by: str = ""
    written_at: datetime | None = None
    meeting_at: datetime | None = None
    participants: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Dossier:
    """All of it. `fields` is what the report's form says (product, model, version, symptom, …)."""

    fields: Mapping[str, str] = field(default_factory=dict)
    diagnosis: str = ""
    diagnosed_by: str = ""
    plan: Plan | None = None
    verifications: tuple[Verification, ...] = ()
    cause_class: str = ""
    cause: str = ""
    solution: str = ""
    guide: str = ""
    review: Review | None = None
    satisfaction: int | None = None
    satisfaction_text: str = ""
    followed_up_by: str = ""

    def is_verified_by(self, verifier: Verifier, episode: int) -> bool:
        """Whether the newest look of this kind in this episode was good."""
        looks = [one for one in self.verifications if one.by is verifier and one.episode == episode]
        return bool(looks) and looks[-1].is_good


EMPTY = Dossier()
