"""A store for what is made in one go: everything in one transaction, on the caller's own thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.engine import Connection

from responder.errors import StoreUnavailable
from responder.store.database import Database
from responder.store.transaction import Transaction

T = TypeVar("T")


class AtOnce(Database):
    """Within `whole` nothing is kept until its end, and then all of it: quick, and for nobody who is waited for."""

    _connection: Connection | None = None

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Keeps all that is written within, or nothing if an error leaves it."""
        with self.engine.begin() as connection:
            self._connection = connection
            try:
                yield
            finally:
                self._connection = None

    async def write(self, body: Callable[[Transaction], T], *, urgent: bool = False) -> T:  # noqa: ARG002
        """Runs `body`, which must not fail half-way. Raises StoreUnavailable outside `whole`."""
        return body(self._part())

    async def read(self, body: Callable[[Transaction], T]) -> T:
        """Runs `body` on what is written so far. Raises StoreUnavailable outside `whole`."""
        return body(self._part())

    def _part(self) -> Transaction:
        if self._connection is None:
            raise StoreUnavailable("Nothing is made at once now.")
        return Transaction(self._connection, self.first_grades)
