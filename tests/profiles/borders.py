"""Borders of numbers: a moment before nothing has happened yet, and at the instant it has."""

from __future__ import annotations

from datetime import datetime, timedelta

from responder.flows.watch import watch_heartbeats
from tests.profiles.walking import MINUTE, Walk
from tests.world import alert

SECOND = timedelta(seconds=1)


async def goes_on_after(walk: Walk, duration: timedelta, before: str, after: str) -> None:
    """A minute before `duration` is over the ticket is `before`, then it is `after`."""
    await walk.leaps(duration - MINUTE)
    assert await walk.status() == before
    await walk.leaps(MINUTE)
    assert await walk.status() == after


async def heals_by_itself(walk: Walk, severity: str, quiet: timedelta, **labels: str) -> None:
    """An alert fires and clears; it is resolved once it has been quiet for so long."""
    await walk.fires(severity, **labels)
    await walk.leaps(MINUTE)
    await walk.clears(severity, **labels)
    await goes_on_after(walk, quiet, "restored", "resolved")


async def told_at(walk: Walk, instant: datetime) -> list[str]:
    """Who of our people is told at this instant; fails if somebody is told in the minute before."""
    await walk.leaps_to(instant - MINUTE)
    count = len(walk.told())
    await walk.leaps_to(instant - SECOND)
    assert walk.told()[count:] == []
    await walk.leaps_to(instant)
    return sorted(walk.told()[count:])


async def letters_at(walk: Walk, instant: datetime) -> list[str]:
    """What is written to the reporter at this instant; fails if something is in the minute before."""
    await walk.leaps_to(instant - MINUTE)
    count = len(walk.letters())
    await walk.leaps_to(instant - SECOND)
    assert walk.letters()[count:] == []
    await walk.leaps_to(instant)
    return walk.letters()[count:]


async def a_watchdog_is_missed_after(walk: Walk, within: timedelta) -> None:
    """Its silence is a ticket of its own."""
    await walk.post(alert("Watchdog", severity="none"))
    walk.clock.advance(within - SECOND)
    assert await watch_heartbeats(walk.desk) == 0
    walk.clock.advance(2 * SECOND)
    assert await watch_heartbeats(walk.desk) == 1
