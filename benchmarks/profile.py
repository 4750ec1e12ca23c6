"""Where the time goes in ours, from a profile of its threads under one of the intake loads."""

from __future__ import annotations

import pstats
import tempfile
from dataclasses import replace
from pathlib import Path

import orjson

from benchmarks.intake import SHAPES, check
from benchmarks.rows import Settings
from benchmarks.services import ours, run_client

_TOP = 30


def show(name: str, settings: Settings, *, with_worker: bool) -> None:
    """Prints the dearest functions of the event loop's thread and of the writer's thread."""
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as folder:
        with ours(server=settings.server, with_worker=with_worker, profile=Path(folder)) as running:
            order = replace(SHAPES[name], port=running.port, sink=running.sink, seconds=settings.seconds)
            order = replace(order, drain=int(order.known and with_worker))
            load = run_client(order)
            check(running, load)
        print(f"=== {name}, worker {'on' if with_worker else 'off'}: {load.posts / load.seconds:.0f} posts/s, profiled")
        threads = orjson.loads((Path(folder) / "threads.json").read_bytes())
        for thread, seconds in sorted(threads.items(), key=lambda one: -one[1]):
            print(f"    {thread}: {seconds:.2f} s of processor time, {seconds / load.all_posts * 1e6:.0f} µs per post")
        for part in ("event loop", "writer"):
            print(f"--- {part}")
            stats = pstats.Stats(str(Path(folder) / f"{part}.stats"))
            stats.strip_dirs().sort_stats("tottime").print_stats(_TOP)
            stats.sort_stats("cumulative").print_stats(_TOP)
