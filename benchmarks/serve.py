"""Starts ours where the command line does not reach: without the worker, or with a profile of its threads.

`python -m benchmarks.serve CONFIG [--no-worker] [--profile FOLDER]`
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import threading
from pathlib import Path

import orjson
import uvloop

from responder.app import Service
from responder.log_lines import set_up_logging

_TICKS = os.sysconf("SC_CLK_TCK")


async def _profiled(service: Service, folder: Path) -> None:
    """Profiles the event loop's thread and the writer's thread from being ready until being told to stop, and
    writes down what all threads used meanwhile."""
    loop, writer = cProfile.Profile(), cProfile.Profile()
    start, stop, before = service.start, service.stop, {}

    async def start_before_profile() -> None:
        await start()
        before.update(_seconds_by_thread())
        await service.database.write(lambda _: writer.enable())
        loop.enable()

    async def stop_after_profile() -> None:
        loop.disable()
        used = {name: seconds - before.get(name, 0.0) for name, seconds in _seconds_by_thread().items()}
        await service.database.write(lambda _: writer.disable())
        (folder / "threads.json").write_bytes(orjson.dumps(used))
        for name, profile in (("event loop", loop), ("writer", writer)):
            profile.dump_stats(folder / f"{name}.stats")
        await stop()

    service.start, service.stop = start_before_profile, stop_after_profile  # type: ignore[method-assign]
    await service.serve_until_told_to_stop()


def _seconds_by_thread() -> dict[str, float]:
    used: dict[str, float] = {}
    for thread in threading.enumerate():
        stat = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
        name = thread.name.rstrip("0123456789_-")
        used[name] = used.get(name, 0.0) + (int(stat[11]) + int(stat[12])) / _TICKS
    return used


async def _serve(arguments: argparse.Namespace) -> None:
    service = Service(arguments.config, with_worker=not arguments.no_worker)
    if arguments.profile:
        await _profiled(service, arguments.profile)
    else:
        await service.serve_until_told_to_stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--no-worker", action="store_true")
    parser.add_argument("--profile", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    set_up_logging()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(_arguments()))
