"""The rows about intake: how many alerts become durable per second, beside the limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.client import Load, Order
from benchmarks.rows import Row, Settings, middle
from benchmarks.services import Running, Start, limit, ours, run_client

SHAPES = {
    "one new alert per POST": Order(port=0),
    "20 new alerts per POST": Order(port=0, at_once=20),
    "one connection": Order(port=0, connections=1),
    "repeats": Order(port=0, known=100),
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One service under load once."""

    load: Load
    rate: float
    cpu_per_post: float


def row(name: str, settings: Settings) -> Iterator[Row]:
    """One shape of load on the limit, on ours, and on ours without its worker, in turn."""
    order = replace(SHAPES[name], seconds=settings.seconds)
    starts: dict[str, Start] = {
        "limit": limit,
        "ours": partial(ours, server=settings.server),
        "ours_intake_only": partial(ours, server=settings.server, with_worker=False),
    }
    found: dict[str, list[Measured]] = {which: [] for which in starts}
    for _ in range(settings.rounds):
        for which, start in starts.items():
            found[which].append(measure(start, order))
    rates = {which: middle(one.rate for one in of) for which, of in found.items()}
    yield Row(
        name=name,
        unit="alerts/s" if order.at_once > 1 else "posts/s",
        ours=rates["ours"],
        limit=rates["limit"],
        rounds=settings.rounds,
        more={
            "ours_intake_only": rates["ours_intake_only"],
            "ratio_intake_only": rates["ours_intake_only"] / rates["limit"],
            **_latencies(found),
        },
    )


def measure(start: Start, order: Order) -> Measured:
    """Loads a fresh service, and checks that it holds every alert that it has accepted."""
    with start() as running:
        before = running.cpu_seconds()
        drain = order.known and running.has_worker
        load = run_client(replace(order, port=running.port, sink=running.sink, drain=int(drain)))
        used = running.cpu_seconds() - before
        check(running, load)
    return Measured(load=load, rate=load.posts * order.at_once / load.seconds, cpu_per_post=used / load.all_posts)


def check(running: Running, load: Load) -> None:
    """Raises RuntimeError when an answer was not 2xx, or when tickets and accepted alerts differ in number."""
    tickets = running.database.tickets() if running.database else load.accepted
    if load.refused or tickets != load.accepted:
        raise RuntimeError(f"{load.accepted} alerts accepted, {load.refused} posts refused, {tickets} tickets stored")


def _latencies(found: dict[str, list[Measured]]) -> dict[str, object]:
    """p50 and p99 in milliseconds, and processor time per post in microseconds, of each service."""
    more: dict[str, object] = {}
    for which, of in found.items():
        more[f"{which}_p50_ms"] = middle(one.load.p50 for one in of) * 1e3
        more[f"{which}_p99_ms"] = middle(one.load.p99 for one in of) * 1e3
        more[f"{which}_cpu_us_per_post"] = middle(one.cpu_per_post for one in of) * 1e6
    return more
