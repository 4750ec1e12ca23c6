"""The load, in a process of its own: keep-alive connections that each send the next alert when the last is answered.

It also is the sink that takes the messages to people. Prints one JSON line of `Load` at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import asdict, dataclass, field
from itertools import count
from math import inf
from time import perf_counter, time
from typing import cast

import orjson
import uvloop

from benchmarks.alerts import request

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_SINK_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be sent where. `known` > 0: that many alerts are sent first, and then again and again;
    with `drain` not before the service's own work about them is done."""

    port: int
    connections: int = 16
    at_once: int = 1
    seconds: float = 1.5
    warm_up: float = 0.4
    known: int = 0
    drain: int = 0
    sink: int = 0


@dataclass(kw_only=True)
class Load:
    """What was answered: `accepted` counts the different alerts of all 2xx, the warm-up's too."""

    accepted: int = 0
    refused: int = 0
    posts: int = 0
    all_posts: int = 0
    seconds: float = 0.0
    p50: float = 0.0
    p99: float = 0.0


@dataclass
class _Counts:
    until: float
    most: int = sys.maxsize
    sent: int = 0
    posts: int = 0
    accepted: int = 0
    refused: int = 0
    latencies: list[float] = field(default_factory=list)


class _Numbers:
    """Which alerts come next: ever new ones, or the known ones round and round."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._first = int(time()) % 10**9 * 1000
        self._counter = count(0, order.at_once)

    def __call__(self) -> range:
        at = next(self._counter)
        if self._order.known:
            at %= self._order.known
        return range(self._first + at, self._first + at + self._order.at_once)


class _Connection(asyncio.Protocol):
    def __init__(self, numbers: _Numbers, counts: _Counts) -> None:
        self._numbers = numbers
        self._counts = counts
        self._began = 0.0
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not _is_whole(self._received):
            return
        now = perf_counter()
        counts = self._counts
        counts.latencies.append(now - self._began)
        counts.posts += 1
        if self._received.startswith(b"HTTP/1.1 2"):
            counts.accepted += 1
        else:
            counts.refused += 1
            print(self._received[:200], file=sys.stderr)
        self._received = b""
        if now < counts.until and counts.sent < counts.most:
            self._send()
        elif self._transport:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(error)

    def _send(self) -> None:
        self._counts.sent += 1
        body = request(self._numbers())
        self._began = perf_counter()
        if self._transport:
            self._transport.write(body)


class _Sink(asyncio.Protocol):
    """Answers every message to people at once."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if _is_whole(self._received):
            self._transport.write(_SINK_ANSWER)
            self._transport.close()


def _is_whole(received: bytes) -> bool:
    head, separator, body = received.partition(_END_OF_HEAD)
    if not separator:
        return False
    at = head.lower().find(_LENGTH)
    if at < 0:
        return True
    return len(body) >= int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


async def _phase(order: Order, numbers: _Numbers, seconds: float, most: int = sys.maxsize) -> tuple[_Counts, float]:
    loop, began = asyncio.get_running_loop(), perf_counter()
    counts = _Counts(began + seconds, most)
    made = [
        loop.create_connection(lambda: _Connection(numbers, counts), "127.0.0.1", order.port)
        for _ in range(order.connections)
    ]
    for _, connection in await asyncio.gather(*made):
        await connection.ended
    return counts, perf_counter() - began


async def load(order: Order) -> Load:
    """Warms up, loads for the time, and waits for the last answers."""
    if order.sink:
        await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", order.sink)
    numbers = _Numbers(order)
    first = _Counts(0.0)
    if order.known:
        first, _ = await _phase(order, numbers, inf, order.known)
    if order.drain:
        await _until_idle(order.port)
    warm, _ = await _phase(order, numbers, order.warm_up)
    measured, seconds = await _phase(order, numbers, order.seconds)
    latencies = sorted(measured.latencies)
    new = first.accepted if order.known else warm.accepted + measured.accepted
    return Load(
        accepted=new * order.at_once,
        refused=first.refused + warm.refused + measured.refused,
        posts=measured.posts,
        all_posts=first.posts + warm.posts + measured.posts,
        seconds=seconds,
        p50=quantile(latencies, 0.5),
        p99=quantile(latencies, 0.99),
    )


async def _until_idle(port: int) -> None:
    """Waits until no job and no message of the service waits any more."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        lines = (await reader.read()).decode().splitlines()
        writer.close()
        waiting = [line for line in lines if line.startswith(("responder_jobs_", "responder_messages_waiting"))]
        if waiting and not any(float(line.rpartition(" ")[2]) for line in waiting if "set_aside" not in line):
            return
        await asyncio.sleep(0.1)


def quantile(ordered: list[float], share: float) -> float:
    """The value below which this share of an ordered list lies."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def _order(arguments: list[str]) -> Order:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.client", description=__doc__)
    for name, default in asdict(Order(port=0)).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    return Order(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(orjson.dumps(runner.run(load(_order(sys.argv[1:])))).decode())
