"""Errors of the database: what they say may stand in a log."""

from __future__ import annotations

import traceback

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from responder.store.database import Database

SOMEBODY = "li.wei@example.org"


async def test_an_error_of_the_database_names_no_parameter(database: Database) -> None:
    with database.engine.connect() as connection:
        try:
            connection.execute(text("SELECT * FROM nowhere WHERE address = :address"), {"address": SOMEBODY})
        except SQLAlchemyError as error:
            told = "".join(traceback.format_exception(error))
    assert "nowhere" in told
    assert SOMEBODY not in told
