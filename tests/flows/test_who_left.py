"""Who has left: what a person may still do by other ways than the console once their account is disabled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from responder.domain.access import Role
from responder.domain.accounts import User
from responder.domain.mail_record import Taken
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from tests.flows.test_mail_commands import Commanded


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Commanded:
    return Commanded(tmp_path, database)


async def test_a_mail_does_nothing_for_an_account_that_is_disabled(world: Commanded) -> None:
    now = world.clock.now()
    user = User(name="Mei", role=Role.RESPONDER, created_at=now, disabled_at=now)
    kept = await world.database.write(lambda tx: tx.accounts.add(user))
    await world.fires()

    assert (await world.says("ack")).taken is Taken.NOTE
    assert (await world.ticket())["acknowledged_by"] == ""
    assert "The account of mei is disabled, so no mail acts for it." in await world.refused()
    (entry,) = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(actor="mei"), 5))
    assert (entry.via, entry.outcome) == ("mail", "refused")

    await world.database.write(lambda tx: tx.accounts.change(replace(kept, disabled_at=None)))
    assert (await world.says("ack")).taken is Taken.COMMAND
