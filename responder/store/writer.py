"""The writer of SQLite: one thread, one connection, and one commit for all that waits at that moment.

Intake goes first, since a sender waits for it; but in every commit some of the other work gets its turn too, so
that a storm of reports cannot keep a page from leaving.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from responder.errors import Conflict, StoreUnavailable
from responder.store.transaction import Transaction

Body = Callable[[Transaction], Any]
_BESIDE_URGENT = 4
_TOGETHER = 16


class Writer:
    """Runs bodies in transactions. A body that fails is undone alone; the others of its commit are kept."""

    def __init__(self, engine: Engine, translate: Callable[[SQLAlchemyError], Exception]) -> None:
        self._engine = engine
        self._translate = translate
        self._urgent: deque[tuple[Body, Future[Any]]] = deque()
        self._other: deque[tuple[Body, Future[Any]]] = deque()
        self._something = threading.Condition()
        self._closing = False
        self._connection: Connection | None = None
        self.on_promise: Callable[[], None] = lambda: None
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

    def _next(self) -> list[tuple[Body, Future[Any]]]:
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

    def _commit(self, batch: list[tuple[Body, Future[Any]]]) -> None:
        answers: list[tuple[Future[Any], Any, BaseException | None]] = []
        promised = False
        try:
            connection = self._connected()
            with connection.begin():
                for body, future in batch:
                    transaction, result, error = self._once(connection, body, alone=len(batch) == 1)
                    promised = promised or (error is None and transaction.has_promised)
                    answers.append((future, result, error))
        except SQLAlchemyError as error:
            self._forget_connection()
            _answer([(future, None, self._translate(error)) for _, future in batch])
            return
        if promised:
            self.on_promise()
        _answer(answers)

    def _once(
        self, connection: Connection, body: Body, *, alone: bool
    ) -> tuple[Transaction, Any, BaseException | None]:
        raise NotImplementedError

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
        self._connection = None


def _answer(answers: list[tuple[Future[Any], Any, BaseException | None]]) -> None:
    for future, result, error in answers:
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
