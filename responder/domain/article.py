"""Articles: what was learnt from a trouble, written by people for the next time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ArticleState(StrEnum):
    """Only what is published is recommended; what is retired is kept, but found no more."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """One known issue. `labels` say where it happens (service, product, model) and by which alert it shows."""

    id: int = 0
    ticket_id: int | None = None
    title: str
    symptom: str = ""
    cause: str = ""
    solution: str = ""
    state: ArticleState = ArticleState.DRAFT
    labels: Mapping[str, str] = field(default_factory=dict)
    actor: str = ""
    created_at: datetime
    changed_at: datetime

    @property
    def name(self) -> str:
        return f"article {self.id}"


EDITABLE = ("title", "symptom", "cause", "solution")


def refusal_to_publish(article: Article) -> str:
    """What an article still needs, as a sentence; empty if it can be published."""
    if article.state is ArticleState.RETIRED:
        return f"Article {article.id} is retired, so it cannot be published again; write a new one."
    lacking = [name for name in ("title", "symptom", "solution") if not getattr(article, name).strip()]
    if not lacking:
        return ""
    options = " ".join(f"--{name} …" for name in lacking)
    return (
        f"Article {article.id} cannot be published yet: it has no {' and no '.join(lacking)} "
        f"(responder knowledge edit {article.id} {options})."
    )


def refusal_to_edit(article: Article) -> str:
    """Why an article cannot be changed, as a sentence; empty if it can."""
    if article.state is ArticleState.RETIRED:
        return f"Article {article.id} is retired, so it is not changed any more; write a new one."
    return ""
