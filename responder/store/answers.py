"""Answers to requests that may be sent twice: the key is taken with the first thing that a request changes.

So a key that is taken says that it was done. What a crash between the doing and the answer leaves is a key without an
answer: that can be told from one that was never used, and nothing is done twice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from responder.errors import ResponderError
from responder.store.tables import answers

if TYPE_CHECKING:
    from responder.store.transaction import Transaction


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

    def before(self, tx: Transaction) -> None:
        """Raises KeyTaken."""
        if (known := tx.answers.known(self.answer.identity)) is not None:
            raise KeyTaken(known)

    def after(self, tx: Transaction) -> None:
        # What a rule refuses is not done: it may be asked for again.
        if not tx.refusal:
            tx.answers.add(self.answer)

    def committed(self, refusal: str) -> None:
        self.is_written = not refusal


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
