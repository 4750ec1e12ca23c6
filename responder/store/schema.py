"""Brings a database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from responder.errors import Refused, StoreUnavailable
from responder.store.database import Database

# Two replicas that start together must not migrate together; the number is arbitrary but ours.
_ADVISORY_LOCK = 7_305_711_902


def upgrade(database: Database) -> tuple[str | None, str]:
    """Migrates to the newest revision, as (before, after). Raises StoreUnavailable or Refused."""
    try:
        with database.engine.begin() as connection:
            if database.is_cluster:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
            before = _revision(connection)
            _refuse_newer(before)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return before, _head()
    except OperationalError as error:
        raise StoreUnavailable(f"The database cannot be used: {getattr(error, 'orig', None) or error}") from error


def is_current(database: Database) -> bool:
    """True if the database has the schema of this version."""
    try:
        with database.engine.connect() as connection:
            return _revision(connection) == _head()
    except OperationalError as error:
        raise StoreUnavailable(f"The database cannot be used: {getattr(error, 'orig', None) or error}") from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _head() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _refuse_newer(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise Refused(f"The database has revision {revision}, which is newer than this version of responder knows.")
