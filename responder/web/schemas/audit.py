"""What the audit log is asked, and what it answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from responder.web.schemas.asked import Instant, Listed

_Exact = Annotated[str, Field(max_length=500)]


class AuditQuery(Listed):
    """Which entries: all that are given must fit, each as a whole."""

    actor: _Exact | None = None
    action: _Exact | None = None
    object: _Exact | None = None
    outcome: Literal["done", "refused", "failed", ""] | None = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None


class AuditLine(TypedDict):
    """`status` is that of the answer, 0 where there was none; `text` is what was done, or why it was
    refused."""

    id: int
    at: datetime
    actor: str
    via: str
    address: str
    action: str
    object: str
    outcome: str
    status: int
    text: str


class AuditPage(TypedDict):
    entries: list[AuditLine]
    next: str | None
