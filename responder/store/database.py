"""The database: one writer thread and readers beside it on SQLite, a small pool of threads on PostgreSQL."""

from __future__ import annotations

import asyncio
import fcntl
import secrets
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from responder.errors import Conflict, Refused, StoreUnavailable
from responder.store.changes import Changes
from responder.store.transaction import Transaction
from responder.store.with_first_write import written
from responder.store.writer import Writer

if TYPE_CHECKING:
    from responder.store.replicas import Replicas

T = TypeVar("T")
_TRIES = 6
# PostgreSQL: serialization failure, deadlock. Another replica was first; deciding again is the answer.
_COLLISIONS = {"40001", "40P01"}


class Store(Protocol):
    """What flows need of a database. Jobs of tickets of `first_grades` go before those of all others."""

    first_grades: Collection[str]

    async def write(self, body: Callable[[Transaction], T], *, urgent: bool = False) -> T: ...

    async def read(self, body: Callable[[Transaction], T]) -> T: ...


class Database:
    """Runs plain functions as transactions on threads of its own."""

    def __init__(self, url: str, *, readers: int = 4, writers: int = 4) -> None:
        self.url = _with_driver(url)
        self.is_cluster = self.url.get_backend_name() == "postgresql"
        self.engine = _engine(self.url, readers + writers + 1)
        self._writers = ThreadPoolExecutor(writers, "store-writer") if self.is_cluster else None
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        errors, make = self._driver_error, self._transaction
        self._writer = None if self.is_cluster else Writer(self.engine, errors, self._ours, make)
        self._readers = ThreadPoolExecutor(readers, "store-reader")
        self._lock: IO[str] | None = None
        self.changes = Changes()
        if self._writer is not None:
            self._writer.on_change = self.changes.tell
        self._origin = secrets.token_hex(8)
        self._replicas: Replicas | None = None
        self._on_promise: Callable[[], None] = lambda: None
        self.first_grades: Collection[str] = ()

    @property
    def on_promise(self) -> Callable[[], None]:
        """Called, on a thread of the store, after each commit that holds a new promise."""
        return self._on_promise

    @on_promise.setter
    def on_promise(self, call: Callable[[], None]) -> None:
        self._on_promise = call
        if self._writer is not None:
            self._writer.on_promise = call

    async def write(self, body: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        """Runs `body` in a transaction that is durable when this returns.

        `body` may run several times: when another replica was first, it gathers and decides again. `urgent`
        goes before what waits, for somebody outside waits for it. The first change of a request is written with
        what the request needs beside it (`with_first_write`).
        Raises StoreUnavailable when the database is away, and whatever `body` raises.
        """
        return await written(body, lambda whole: self._written(whole, urgent=urgent))

    async def _written(self, body: Callable[[Transaction], T], *, urgent: bool) -> T:
        if self._writer is not None:
            result: T = await asyncio.wrap_future(self._writer.submit(body, urgent=urgent))
            return result
        return await asyncio.get_running_loop().run_in_executor(self._writers, self.write_now, body)

    async def read(self, body: Callable[[Transaction], T]) -> T:
        """Runs `body` on a snapshot; what it writes is thrown away. Raises StoreUnavailable."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read_now, body)

    def write_now(self, body: Callable[[Transaction], T]) -> T:
        """As `write`, for those who cannot wait otherwise."""
        if self._writer is not None:
            result: T = self._writer.submit(body).result()
            return result
        for _ in range(_TRIES - 1):
            try:
                return self._once(body)
            except Conflict:
                continue
        return self._once(body)

    def _once(self, body: Callable[[Transaction], T]) -> T:
        try:
            with self.engine.begin() as connection:
                transaction = self._transaction(connection)
                result = body(transaction)
                topics = self._notify_replicas(transaction)
        except (SQLAlchemyError, self._driver_error) as error:
            raise self._ours(error) from error
        if transaction.has_promised:
            self.on_promise()
        self.changes.tell(topics)
        return result

    def _notify_replicas(self, transaction: Transaction) -> frozenset[str]:
        from responder.store.replicas import notify

        topics = transaction.touched.topics()
        if topics:
            notify(transaction.connection, self._origin, topics)
        return topics

    def hear_replicas(self) -> Replicas | None:
        """From now on `changes` tells what other replicas commit, too; on SQLite there are none."""
        if self.is_cluster and self._replicas is None:
            # Here, because a quarter of a start on SQLite would go into what only PostgreSQL needs.
            from responder.store.replicas import Replicas

            self._replicas = Replicas(self.url, self._origin, self.changes.tell)
        return self._replicas

    def _transaction(self, connection: Connection) -> Transaction:
        return Transaction(connection, self.first_grades)

    def _read_now(self, body: Callable[[Transaction], T]) -> T:
        try:
            with self.engine.connect().execution_options(responder_reads=True) as connection:
                # Now, since a statement on the driver's own cursor begins nothing.
                connection.begin()
                return body(Transaction(connection))
        except (SQLAlchemyError, self._driver_error) as error:
            raise self._ours(error) from error

    def _ours(self, error: Exception) -> Exception:
        """Our error for the database's: taken by somebody else, away, or neither (then it is a mistake of ours)."""
        driver = self.engine.dialect.loaded_dbapi
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        if isinstance(cause, driver.IntegrityError):
            return Conflict(f"Somebody else was first: {cause}")
        if getattr(cause, "sqlstate", None) in _COLLISIONS:
            return Conflict(f"Another transaction was in the way: {cause}")
        lost = isinstance(error, PoolTimeout) or getattr(error, "connection_invalidated", False)
        if lost or isinstance(cause, driver.OperationalError | driver.InterfaceError):
            return StoreUnavailable(f"The database cannot be used now: {cause}")
        return error

    def lock_file(self) -> None:
        """Keeps a second server away from the same SQLite file. Raises Refused if one is there."""
        if self.is_cluster or not self.url.database or self.url.database == ":memory:":
            return
        path = Path(self.url.database + ".lock")
        handle = path.open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            raise Refused(
                f"Another responder serves {self.url.database} (it holds {path}). "
                "Several instances need PostgreSQL; see docs/operate.md."
            ) from error
        self._lock = handle

    def close(self) -> None:
        if self._replicas is not None:
            self._replicas.close()
        if self._writer is not None:
            self._writer.close()
        if self._writers is not None:
            self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.engine.dispose()
        if self._lock is not None:
            self._lock.close()


def _with_driver(url: str) -> URL:
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
    backend = parsed.drivername.split("+")[0]
    if backend not in drivers:
        raise Refused(f"{parsed.drivername} is not a database that can be used; use sqlite:/// or postgresql://")
    return parsed.set(drivername=drivers[backend])


def _engine(url: URL, connections: int) -> Engine:
    if url.get_backend_name() == "postgresql":
        return create_engine(
            url,
            # What stands in them, such as addresses and texts of people, must not get into logs with an error.
            hide_parameters=True,
            pool_size=connections,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=5,
            # A replica that was frozen or cut off in the middle of a transaction must not stop the others.
            connect_args={
                "options": "-c lock_timeout=5s -c idle_in_transaction_session_timeout=15s",
                "connect_timeout": 5,
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 3,
            },
        )
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        # It holds the bodies of alerts and the links of messages: for its owner alone, its companions like it.
        Path(url.database).touch(mode=0o600)
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 10},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN is deferred, and a deferred transaction that later writes can fail as busy.
    connection.isolation_level = None
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("responder_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
