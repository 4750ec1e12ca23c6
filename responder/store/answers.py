"""Answers to requests that may be sent twice: the key is taken with the first thing that a request changes.

So a key that is taken says that it was done. What a crash between the doing and the answer leaves is a key without an
answer: that can be told from one that was never used, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from responder.errors import ResponderError
from responder.store.tables import answers

if TYPE_CHECKING:
    from responder.store.transaction import Transaction

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What was answered to a request under a key. Without a status: it was done, and not yet answered."""

    identity: str
    content: str
    status: int = 0
    kind: str = ""
    body: str = ""
    at: datetime


class KeyTaken(ResponderError):
    """A request under the same key was faster."""

    permanent = True

    def __init__(self, known: Answer) -> None:
        self.known = known
        super().__init__("A request with this Idempotency-Key was faster.")


@dataclass(kw_only=True, slots=True)
class Claim:
    """The key of the present request; it is taken with the first thing that it changes."""

    answer: Answer
    is_written: bool = False


_NOW: ContextVar[Claim | None] = ContextVar("claim", default=None)


@contextmanager
def claiming(claim: Claim) -> Iterator[Claim]:
    """What is written inside is written once for this key."""
    before = _NOW.set(claim)
    try:
        yield claim
    finally:
        _NOW.reset(before)


def with_claim(body: Callable[[Transaction], T]) -> tuple[Callable[[Transaction], T], Callable[[], None]]:
    """A body that also takes the key of its request, and what to call when it is committed. It raises KeyTaken."""
    claim = _NOW.get()
    if claim is None or claim.is_written:
        return body, _nothing
    is_taken = False

    def claimed(tx: Transaction) -> T:
        nonlocal is_taken
        store = AnswerStore(tx.connection)
        if (known := store.known(claim.answer.identity)) is not None:
            raise KeyTaken(known)
        result = body(tx)
        # What a rule refuses is not done: it may be asked for again.
        is_taken = not tx.refusal
        if is_taken:
            store.add(claim.answer)
        return result

    def committed() -> None:
        claim.is_written = is_taken

    return claimed, committed


def _nothing() -> None: ...


class AnswerStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, identity: str) -> Answer | None:
        """What was answered under this key before."""
        row = self._connection.execute(select(answers).where(answers.c.identity == identity)).first()
        return Answer(**row._mapping) if row else None

    def add(self, answer: Answer) -> None:
        """Takes a key. A second one of the same identity is a Conflict: then it is decided again."""
        self._connection.execute(answers.insert().values(asdict(answer)))

    def keep(self, answer: Answer) -> None:
        """Remembers what was answered."""
        self._connection.execute(answers.update().where(answers.c.identity == answer.identity).values(asdict(answer)))

    def free(self, identity: str) -> None:
        """Gives a key back: what it was used for was refused in the end."""
        self._connection.execute(delete(answers).where(answers.c.identity == identity))

    def forget_before(self, limit: datetime, most: int = 5000) -> int:
        """Ends the retention of answers, so many at a time; how many that were."""
        old = select(answers.c.identity).where(answers.c.at < limit).limit(most)
        return self._connection.execute(delete(answers).where(answers.c.identity.in_(old))).rowcount
