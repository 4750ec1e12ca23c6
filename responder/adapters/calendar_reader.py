"""Calendars read in a process of their own: what somebody made to take for ever takes ten seconds, and stops nothing.

`python -m responder.adapters.calendar_reader START UNTIL ZONE` reads a calendar from its input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from responder.adapters.calendar_file import Occurrence, occurrences
from responder.errors import Refused

_PATIENCE = timedelta(seconds=10)


async def read_calendar(
    content: bytes, start: datetime, until: datetime, zone: ZoneInfo, *, within: timedelta = _PATIENCE
) -> list[Occurrence]:
    """As `occurrences`, without holding up anything else. Raises Refused, also for what takes too long."""
    # -P: no module is taken from the folder that we happen to run in.
    arguments = ("-P", "-m", __name__, start.isoformat(), until.isoformat(), zone.key)
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    try:
        async with asyncio.timeout(within.total_seconds()):
            said, _ = await process.communicate(content)
    except TimeoutError as error:
        seconds = round(within.total_seconds())
        raise Refused(
            f"The calendar takes longer than {seconds} s to be understood. Leave out events that repeat and have ended "
            "long ago, or that never come."
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _understood(said)


def _understood(said: bytes) -> list[Occurrence]:
    if not said:
        raise Refused("The calendar could not be read: the process that reads it has ended.")
    answer = json.loads(said)
    if "refused" in answer:
        raise Refused(answer["refused"])
    return [
        Occurrence(summary=summary, start=datetime.fromisoformat(start), until=datetime.fromisoformat(until))
        for summary, start, until in answer["found"]
    ]


def _main(start: str, until: str, zone: str) -> None:
    instants = datetime.fromisoformat(start), datetime.fromisoformat(until)
    answer: dict[str, object]
    try:
        found = occurrences(sys.stdin.buffer.read(), *instants, ZoneInfo(zone))
        answer = {"found": [(one.summary, one.start.isoformat(), one.until.isoformat()) for one in found]}
    except Refused as error:
        answer = {"refused": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _main(*sys.argv[1:])
