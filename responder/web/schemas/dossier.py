"""The dossier of a ticket as the API answers it: what people found out and decided."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import TypedDict

from responder.domain.dossier import Verifier


class VerificationLine(TypedDict):
    by: Verifier
    is_good: bool
    actor: str
    at: datetime
    text: str
    episode: int


class PlanLine(TypedDict):
    """`resources` has how many are needed of each spare part."""

    kind: str
    steps: list[str]
    owner: str
    due_at: datetime | None
    resources: dict[str, int]
    proposed_by: str
    proposed_at: datetime | None
    round: int
    approved_at: datetime | None


class ReviewInDossier(TypedDict):
    root_cause: str
    cause_class: str
    whys: list[str]
    factors: list[str]
    improvements: str
    timeline: list[tuple[datetime, str]]
    written_by: str
    written_at: datetime | None
    meeting_at: datetime | None
    participants: list[str]


class DossierLine(TypedDict):
    """`fields` is what the report's form says."""

    fields: dict[str, str]
    diagnosis: str
    diagnosed_by: str
    plan: PlanLine | None
    verifications: list[VerificationLine]
    cause_class: str
    cause: str
    solution: str
    guide: str
    review: ReviewInDossier | None
    satisfaction: int | None
    satisfaction_text: str
    followed_up_by: str
