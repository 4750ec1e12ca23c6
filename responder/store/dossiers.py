"""Dossiers: what people found out and decided about a ticket. Most tickets have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection

from responder.clock import from_microseconds, microseconds
from responder.domain.dossier import EMPTY, Dossier, Plan, Review, Verification, Verifier
from responder.store.changes import touch
from responder.store.tables import articles, dossiers, reporters

_REPORTERS = select(func.count()).where(reporters.c.ticket_id == bindparam("ticket"))
_ARTICLES = select(func.count()).where(articles.c.ticket_id == bindparam("ticket"), articles.c.state == "published")
_TUPLES = ("steps", "whys", "factors", "participants")


class DossierStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_ticket(self, ticket_id: int) -> Dossier:
        """The ticket's dossier, an empty one if it has none."""
        content = self._connection.execute(select(dossiers.c.content).where(_of(ticket_id))).scalar()
        return EMPTY if content is None else _read(content)

    def has_reporter(self, ticket_id: int) -> bool:
        """Whether a person has reported it."""
        return bool(self._connection.execute(_REPORTERS, {"ticket": ticket_id}).scalar())

    def has_article(self, ticket_id: int) -> bool:
        """Whether the knowledge base has a published article about it."""
        return bool(self._connection.execute(_ARTICLES, {"ticket": ticket_id}).scalar())

    def keep(self, ticket_id: int, dossier: Dossier) -> None:
        """Writes the whole dossier; the caller holds the ticket's row, so nothing of another is lost."""
        values = {
            "cause_class": dossier.cause_class,
            "satisfaction": dossier.satisfaction,
            "content": _written(asdict(dossier)),
        }
        if not self._connection.execute(dossiers.update().where(_of(ticket_id)).values(values)).rowcount:
            self._connection.execute(dossiers.insert().values(ticket_id=ticket_id, **values))
        touch(self._connection, tickets=[ticket_id])


def _of(ticket_id: int) -> Any:
    return dossiers.c.ticket_id == ticket_id


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, Mapping):
        return {key: _written(entry) for key, entry in value.items()}
    return [_written(entry) for entry in value] if isinstance(value, list | tuple) else value


def _read(content: dict[str, Any]) -> Dossier:
    plan, review = content["plan"], content["review"]
    return Dossier(
        **{
            **content,
            "plan": Plan(**_part(plan)) if plan else None,
            "review": Review(**_part(review)) if review else None,
            "verifications": tuple(
                Verification(**{**_part(one), "by": Verifier(one["by"])}) for one in content["verifications"]
            ),
        }
    )


def _part(content: dict[str, Any]) -> dict[str, Any]:
    return {name: _part_value(name, value) for name, value in content.items()}


def _part_value(name: str, value: Any) -> Any:
    if name == "timeline":
        return tuple((from_microseconds(at), line) for at, line in value)
    if name in _TUPLES:
        return tuple(value)
    is_instant = value is not None and (name == "at" or name.endswith("_at"))
    return from_microseconds(value) if is_instant else value
