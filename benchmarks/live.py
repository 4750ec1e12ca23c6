"""The rows about live pages: from an alert's post to the event at those who listen, and to the page in a browser."""

from __future__ import annotations

import asyncio
import http.client
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median

import orjson

from benchmarks.alerts import one_alert
from benchmarks.client import Order, quantile
from benchmarks.rows import Row, Settings
from benchmarks.services import Running, limit, ours, run_client
from tests.browser.chromium import PROGRAM, launched

_LISTENERS, _ALERTS, _APART, _PATIENCE = 50, 40, 0.3, 20.0
_ON_PAGE, _QUIET = 15, 1.0
# When a text is on the page, by the clock that is ours, too.
_SHOWN_AT = """text => new Promise(done => {
    const look = () => { if (document.body.innerText.includes(text)) { seen.disconnect(); done(Date.now()); } };
    const seen = new MutationObserver(look);
    seen.observe(document.documentElement, {childList: true, subtree: true, characterData: true});
})"""


@dataclass(kw_only=True)
class _Listener:
    """One open stream, and when it first told of each ticket."""

    at: dict[str, float] = field(default_factory=dict)
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        try:
            while line := await reader.readline():
                now = time.time()
                if line.startswith(b"event: ready"):
                    self.is_ready.set()
                elif line.startswith(b"data: {") and b'"topics"' in line:
                    for topic in orjson.loads(line[6:])["topics"]:
                        self.at.setdefault(topic, now)
        finally:
            writer.close()


def rows(settings: Settings) -> Iterator[Row]:
    """To the listeners, and where there is a Chromium, to the page."""
    post = _bare()
    taken: list[float] = []
    for _ in range(settings.rounds):
        with ours(server=settings.server) as running:
            taken += asyncio.run(_to_listeners(running))
    yield _row(f"live update, {_LISTENERS} listeners: alert → event", taken, post, settings)
    if shutil.which(PROGRAM) is None:
        print("live update to a page: skipped, there is no Chromium", file=sys.stderr)
        return
    with ours(server=settings.server) as running:
        shown = asyncio.run(_to_page(running))
    yield _row("live update: alert → changed page in Chromium", shown, post, settings)


def _row(name: str, taken: list[float], post: float, settings: Settings) -> Row:
    ordered = sorted(taken)
    more: dict[str, object] = {"p99_ms": quantile(ordered, 0.99), "worst_ms": ordered[-1], "measured": len(ordered)}
    return Row(name=name, unit="ms", ours=median(ordered), limit=post, rounds=settings.rounds, more=more)


def _bare() -> float:
    """Milliseconds for one post with one commit to the limit server."""
    with limit() as running:
        return run_client(Order(port=running.port, connections=1, seconds=0.5)).p50 * 1e3


async def _to_listeners(running: Running) -> list[float]:
    listeners = [_Listener() for _ in range(_LISTENERS)]
    async with AsyncExitStack() as at_end:
        for one in listeners:
            following = asyncio.create_task(one.follow(running.port))
            at_end.callback(following.cancel)
        await asyncio.gather(*(one.is_ready.wait() for one in listeners))
        sent = [await _post(running.port, number) for number in range(_ALERTS)]
        await asyncio.sleep(_APART)
    told = [[one.at[f"ticket:{number}"] for one in listeners] for number in range(1, _ALERTS + 1)]
    return [(at - since) * 1e3 for since, those in zip(sent, told, strict=True) for at in those]


async def _to_page(running: Running) -> list[float]:
    taken: list[float] = []
    async with launched() as browser:
        page = await browser.new_page()
        for number in range(_ON_PAGE):
            # Anew each time: a page on which much has changed asks for what is new less often.
            await page.goto(f"http://127.0.0.1:{running.port}/")
            await page.wait_for_selector("[data-live-badge=live]")
            waiting = asyncio.create_task(page.evaluate(_SHOWN_AT, _title(number)))
            await asyncio.sleep(_QUIET)
            since = await _post(running.port, number)
            taken.append(await asyncio.wait_for(waiting, _PATIENCE) - since * 1e3)
    return taken


def _title(number: int) -> str:
    return str(orjson.loads(one_alert(number, "warning"))["alerts"][0]["annotations"]["summary"])


async def _post(port: int, number: int) -> float:
    """Sends an alert and lets its work be done; gives the instant of its sending."""
    since = await asyncio.to_thread(_posted, port, number)
    await asyncio.sleep(_APART)
    return since


def _posted(port: int, number: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    body = one_alert(number, "warning")
    since = time.time()
    connection.request("POST", "/webhooks/alertmanager", body)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"answered {answer.status}: {said!r}")
    return since
