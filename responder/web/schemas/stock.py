"""What the API answers about what is kept: mails, spare parts, and the knowledge base."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import TypedDict


class MailTaken(TypedDict):
    taken: str
    why: str
    number: str
    receipt: str


class MailLine(TypedDict):
    """A mail without what it says; its sender only for who may act."""

    id: int
    message_id: str
    way: str
    receipt: str
    taken: str
    received_at: datetime
    ticket_id: int | None
    answered: bool
    why: str
    number: str
    sender: str


class MailShown(MailLine):
    size: int | None


class MailPage(TypedDict):
    mails: list[MailLine]
    before: int | None
    next: str | None


class PartLine(TypedDict):
    number: str
    name: str
    place: str
    stock: int
    minimum: int
    changed_at: datetime
    reserved: int
    free: int
    is_low: bool


class Parts(TypedDict):
    parts: list[PartLine]


class StockMoveLine(TypedDict):
    id: int
    part: str
    count: int
    reason: str
    actor: str
    at: datetime


class ReservationLine(TypedDict):
    id: int
    ticket_id: int
    part: str
    count: int
    state: str
    actor: str
    at: datetime
    ended_at: datetime | None
    ticket: str


class PartShown(PartLine):
    moves: list[StockMoveLine]
    reservations: list[ReservationLine]


class ReservationPage(TypedDict):
    reservations: list[ReservationLine]
    next: str | None


class ArticleLine(TypedDict):
    id: int
    ticket_id: int | None
    title: str
    symptom: str
    cause: str
    solution: str
    state: str
    labels: dict[str, str]
    actor: str
    created_at: datetime
    changed_at: datetime


class ArticlePage(TypedDict):
    articles: list[ArticleLine]
    before: int | None
    next: str | None


class HitLine(TypedDict):
    """`title_hits` and `excerpt_hits` are places of the words: first and last-plus-one character."""

    source: str
    id: int
    name: str
    title: str
    title_hits: list[list[int]]
    excerpt: str
    excerpt_hits: list[list[int]]
    score: float


class Found(TypedDict):
    found: list[HitLine]


class MatchLine(TypedDict):
    source: str
    id: int
    name: str
    title: str
    score: float
    words: list[str]
    solution: str
    times: int


class Similar(TypedDict):
    recurring: bool
    sentence: str
    similar: list[MatchLine]
