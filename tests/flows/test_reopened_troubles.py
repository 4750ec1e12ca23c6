"""An older ticket of a trouble is reopened, and the trouble shows again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from responder.store.database import Database
from tests.flows.people import Team
from tests.world import alert, resolved

LATER = timedelta(hours=3)
LABELS = {"severity": "warning"}


async def test_an_alert_whose_older_ticket_was_reopened_belongs_to_that_ticket(
    tmp_path: Path, database: Database
) -> None:
    world = Team(tmp_path, database)
    for key in ("1", "2"):
        await world.post(alert("DiskFull", **LABELS))
        await world.work()
        await world.do("dismiss", key=key, **{"as": "false_alarm", "reason": "nothing"})
        await world.post(resolved("DiskFull", **LABELS))
        await world.advance(LATER)
    await world.do("reopen", key="1", reason="it was something")
    await world.advance(LATER)

    await world.post(alert("DiskFull", **LABELS))
    statuses = [(await world.ticket(key))["status"] for key in (1, 2)]
    assert (statuses[0] != "closed", statuses[1]) == (True, "closed")
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 2
