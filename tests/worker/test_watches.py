"""What is looked at again and again: a mistake in one watch ends neither the others nor itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.app import watched
from responder.errors import StoreUnavailable
from responder.flows.desk import Desk
from responder.metrics import watch_failures_total
from responder.store.database import Database
from tests.world import World


@pytest.mark.parametrize("error", [KeyError("a mistake of ours"), StoreUnavailable("The database is away.")])
async def test_a_watch_that_fails_is_counted_and_goes_on_in_the_next_round(
    tmp_path: Path, database: Database, error: Exception
) -> None:
    world, rounds = World(tmp_path, database), []

    async def breaks(desk: Desk) -> None:
        rounds.append(desk)
        raise error

    before = watch_failures_total.labels("breaks")._value.get()
    for _ in range(2):
        await watched(breaks, world.desk)
    assert len(rounds) == 2
    assert watch_failures_total.labels("breaks")._value.get() == before + 2
