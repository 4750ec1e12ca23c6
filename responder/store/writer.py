"""The writer of SQLite: one thread, one connection, and one commit for all that waits at that moment.

Intake goes first, since a sender waits for it; but in every commit some of the other work gets its turn too, so
that a storm of reports cannot keep a page from leaving.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from responder.errors import StoreUnavailable
from responder.store.changes import Touched
from responder.store.transaction import Transaction

Body = Callable[[Transaction], Any]
Waiting = tuple[Body, Future[Any]]
_BESIDE_URGENT = 2
_TOGETHER = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    result: Any = None
    error: Exception | None = None
    has_promised: bool = False
    touched: Touched | None = None


class Writer:
    """Runs bodies in transactions. A body that fails is undone alone; the others of its commit are kept."""

    def __init__(
        self,
        engine: Engine,
        driver_error: type[Exception],
        translate: Callable[[Exception], Exception],
        transaction: Callable[[Connection], Transaction],
    ) -> None:
        self._engine = engine
        self._database_errors = (SQLAlchemyError, driver_error)
        self._translate = translate
        self._transaction = transaction
        self._urgent: deque[Waiting] = deque()
        self._other: deque[Waiting] = deque()
        self._something = threading.Condition()
        self._closing = False
        self._connection: Connection | None = None
        self.on_promise: Callable[[], None] = lambda: None
        self.on_change: Callable[[frozenset[str]], None] = lambda _: None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, body: Body, *, urgent: bool = False) -> Future[Any]:
        """The future is done when the commit is durable."""
        future: Future[Any] = Future()
        with self._something:
            if self._closing:
                raise StoreUnavailable("The database is closed.")
            (self._urgent if urgent else self._other).append((body, future))
            self._something.notify()
        return future

    def close(self) -> None:
        """Writes what waits, and ends."""
        with self._something:
            self._closing = True
            self._something.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            running = [item for item in batch if item[1].set_running_or_notify_cancel()]
            if running:
                self._commit(running)
        if self._connection is not None:
            self._connection.close()

    def _next(self) -> list[Waiting]:
        with self._something:
            while not (self._urgent or self._other or self._closing):
                self._something.wait()
            batch = list(self._urgent)
            self._urgent.clear()
            room = _BESIDE_URGENT if batch else _TOGETHER
            while self._other and room:
                batch.append(self._other.popleft())
                room -= 1
            return batch

    def _commit(self, batch: list[Waiting]) -> None:
        outcomes: list[_Outcome] = []
        try:
            with self._connected().begin() as transaction:
                connection = transaction.connection
                outcomes = [_run(self._transaction(connection), body, alone=len(batch) == 1) for body, _ in batch]
                if all(outcome.error for outcome in outcomes):
                    transaction.rollback()
        except self._database_errors as error:
            # The commit itself failed: nothing of this batch is there, whatever its bodies returned.
            self._forget_connection()
            outcomes = [_Outcome(error=self._translate(error))] * len(batch)
        if any(outcome.has_promised and not outcome.error for outcome in outcomes):
            self.on_promise()
        self.on_change(_touched(outcomes))
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if outcome.error is None:
                future.set_result(outcome.result)
            else:
                future.set_exception(self._own(outcome.error))

    def _own(self, error: Exception) -> Exception:
        return self._translate(error) if isinstance(error, self._database_errors) else error

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
        self._connection = None


def _run(transaction: Transaction, body: Body, *, alone: bool) -> _Outcome:
    """Runs one body; among others inside a savepoint, so that its failure undoes nothing but itself."""
    # The driver's own cursor: a savepoint through the library costs more than many a body.
    cursor = transaction.connection.connection.cursor()
    if not alone:
        cursor.execute("SAVEPOINT body")
    try:
        result = body(transaction)
    except Exception as error:  # noqa: BLE001 whatever a body raises belongs to its caller, not to its neighbours
        if not alone:
            cursor.execute("ROLLBACK TO body")
            cursor.execute("RELEASE body")
        return _Outcome(error=error)
    if not alone:
        cursor.execute("RELEASE body")
    return _Outcome(result=result, has_promised=transaction.has_promised, touched=transaction.touched)


def _touched(outcomes: Sequence[_Outcome]) -> frozenset[str]:
    """What a commit changed, without what was undone in it."""
    together = Touched()
    for outcome in outcomes:
        if outcome.touched is not None:
            together.add(outcome.touched)
    return together.topics()
