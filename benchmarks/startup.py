"""The rows about starting: time from exec to the first 200 of /-/ready, and memory after three idle seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from benchmarks.rows import Row, Settings, middle
from benchmarks.services import Start, limit, ours

_IDLE_SECONDS = 3.0
_MB = 1e6


def rows(settings: Settings) -> Iterator[Row]:
    """Both figures from the same starts."""
    starts: dict[str, Start] = {"limit": limit, "ours": partial(ours, server=settings.server)}
    found: dict[str, list[tuple[float, float]]] = {which: [] for which in starts}
    for _ in range(settings.rounds):
        for which, start in starts.items():
            found[which].append(_measure(start))
    for position, (name, unit) in enumerate((("start to ready", "s"), ("idle memory", "MB"))):
        medians = {which: middle(one[position] for one in of) for which, of in found.items()}
        yield Row(name=name, unit=unit, ours=medians["ours"], limit=medians["limit"], rounds=settings.rounds)


def _measure(start: Start) -> tuple[float, float]:
    with start() as running:
        time.sleep(_IDLE_SECONDS)
        return running.ready_after, running.resident_bytes() / _MB
