"""What a transaction has touched, and who is told of it after the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy.engine import Connection

from responder.domain.topics import numbered

Told = Callable[[frozenset[str]], None]
_HERE = "responder touched"


class Touched:
    """Collects cheaply, since every transaction of the intake does; names are made once, for the whole commit."""

    __slots__ = ("general", "runs", "tickets")

    def __init__(self) -> None:
        self.general: set[str] = set()
        self.tickets: set[int] = set()
        self.runs: set[int] = set()

    def add(self, other: Touched) -> None:
        self.general |= other.general
        self.tickets |= other.tickets
        self.runs |= other.runs

    def topics(self) -> frozenset[str]:
        """The topics, of which there are never many."""
        return frozenset((*self.general, *numbered("ticket", self.tickets), *numbered("run", self.runs)))


def gather(connection: Connection, touched: Touched) -> None:
    """From now on, what is touched on this connection belongs to this transaction."""
    connection.info[_HERE] = touched


def touch(connection: Connection, *topics: str, tickets: Iterable[int | None] = (), run: int | None = None) -> None:
    """Notes what is being written. It is told if and when that is committed."""
    touched: Touched | None = connection.info.get(_HERE)
    if touched is None:
        return
    touched.general.update(topics)
    touched.tickets.update(one for one in tickets if one is not None)
    if run is not None:
        touched.runs.add(run)


class Changes:
    """Whom the database tells after each commit that touched something, on whatever thread made it."""

    def __init__(self) -> None:
        self._followers: tuple[Told, ...] = ()

    def follow(self, told: Told) -> Callable[[], None]:
        """Calls `told` with the topics, from now on until the function is called that this gives."""
        self._followers = (*self._followers, told)
        return lambda: self._forget(told)

    def tell(self, topics: frozenset[str]) -> None:
        for told in self._followers if topics else ():
            told(topics)

    def _forget(self, told: Told) -> None:
        self._followers = tuple(one for one in self._followers if one is not told)
