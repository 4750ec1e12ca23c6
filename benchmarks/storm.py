"""The rows about storms: a thousand alerts in ten seconds, a P1 in the midst of them, and what one person is sent."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.alerts import one_alert
from benchmarks.client import Order
from benchmarks.configuration import Files
from benchmarks.rows import Row, Settings, middle
from benchmarks.services import Running, limit, ours, run_client
from tests.servers.ports import free_port

_ALERTS, _SECONDS, _P1_AT, _SENDERS = 1000, 10.0, 500, 16
_PATIENCE = 30.0


@dataclass(frozen=True, kw_only=True)
class _Storm:
    """What came of one storm: milliseconds to the P1's page, messages until then and some seconds after the end."""

    p1_ms: float
    messages: int
    took: float


@dataclass(kw_only=True)
class _Sink:
    """The pager of the one person: titles with the instant of their last byte."""

    arrived: list[tuple[float, str]] = field(default_factory=list)
    p1_is_here: threading.Event = field(default_factory=threading.Event)


def rows(settings: Settings) -> Iterator[Row]:
    """Once with storm mode, once with bundles alone."""
    bare = middle(_bare() for _ in range(settings.rounds))
    for name, is_held in (("held as a storm", True), ("bundled", False)):
        storms = [_one(settings, is_held=is_held) for _ in range(settings.rounds)]
        yield Row(
            name=f"1000 alerts in 10 s, {name}: P1 → its page",
            unit="ms",
            ours=middle(storm.p1_ms for storm in storms),
            limit=bare,
            rounds=settings.rounds,
            more={
                "worst_ms": max(storm.p1_ms for storm in storms),
                "messages_to_one_person": max(storm.messages for storm in storms),
                "seconds_for_all_posts": max(storm.took for storm in storms),
            },
        )


def _one(settings: Settings, *, is_held: bool) -> _Storm:
    with _sink() as (sink, port):
        files = Files(port=free_port(), sink=port, has_storms=is_held)
        with ours(files, server=settings.server) as running:
            return _played(running, sink)


def _played(running: Running, sink: _Sink) -> _Storm:
    began = time.monotonic()
    with ThreadPoolExecutor(_SENDERS) as senders:
        sent_at = list(senders.map(lambda number: _post_in_time(running.port, number, began), range(_ALERTS)))
    took = time.monotonic() - began
    if not sink.p1_is_here.wait(_PATIENCE):
        raise RuntimeError("the page of the P1 did not come")
    # Whatever is still on its way counts too.
    time.sleep(3.0)
    arrived_at = next(at for at, title in sink.arrived if _is_the_p1(title))
    return _Storm(p1_ms=(arrived_at - sent_at[_P1_AT]) * 1e3, messages=len(sink.arrived), took=took)


def _is_the_p1(title: str) -> bool:
    """Not the ticket about the storm, which may be a P1 too."""
    return title.startswith("[P1]") and "CPU load" in title


def _post_in_time(port: int, number: int, began: float) -> float:
    """Sends one alert when its time has come; gives that instant."""
    time.sleep(max(0.0, began + number * _SECONDS / _ALERTS - time.monotonic()))
    sent_at = time.time()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    body = one_alert(number, "critical" if number == _P1_AT else "warning")
    connection.request("POST", "/webhooks/alertmanager", body)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"answered {answer.status}: {said!r}")
    return sent_at


def _bare() -> float:
    """Milliseconds for one post with one commit to the limit server, and one post more to the sink."""
    with _sink() as (_, port), limit() as running:
        post = run_client(Order(port=running.port, connections=1, seconds=0.5)).p50
        began = time.perf_counter()
        for _ in range(50):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
            connection.request("POST", "/", json.dumps({"title": "bare", "message": "bare"}))
            connection.getresponse().read()
        return (post + (time.perf_counter() - began) / 50) * 1e3


@contextmanager
def _sink() -> Iterator[tuple[_Sink, int]]:
    sink = _Sink()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(sink))
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    try:
        yield sink, int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def _handler(sink: _Sink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            title = str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["title"])
            sink.arrived.append((time.time(), title))
            if _is_the_p1(title):
                sink.p1_is_here.set()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 named by the base class
            """What arrived is counted."""

    return Handler
