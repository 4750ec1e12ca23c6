"""Brings a database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from responder.errors import Refused, StoreUnavailable
from responder.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
# Two replicas that start together must not migrate together; the number is arbitrary but ours.
_ADVISORY_LOCK = 7_305_711_902


def upgrade(database: Database) -> tuple[str | None, str]:
    """Migrates to the newest revision, as (before, after). Raises StoreUnavailable or Refused."""
    try:
        with database.engine.begin() as connection:
            if database.is_cluster:
                connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
            before = _revision(connection)
            if before is not None and before not in revisions():
                raise Refused(
                    f"The database has revision {before}, which is newer than this version of responder knows."
                )
            if before != revisions()[-1]:
                _migrate(connection)
            return before, revisions()[-1]
    except OperationalError as error:
        raise StoreUnavailable(f"The database cannot be used: {error.orig or error}") from error


def is_current(database: Database) -> bool:
    """True if the database has the schema of this version."""
    try:
        with database.engine.connect() as connection:
            return _revision(connection) == revisions()[-1]
    except OperationalError as error:
        raise StoreUnavailable(f"The database cannot be used: {error.orig or error}") from error


def revisions() -> list[str]:
    """All revisions, oldest first: the numbers that the migrations' file names begin with."""
    return sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _migrate(connection: Connection) -> None:
    # Here, because almost every start finds the schema current and needs none of this.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
