"""Questions over HTTP: answers that come in pieces are read to their end, and no further than is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from responder.adapters.http_client import HttpClient
from responder.domain.acts import Fetch, Query

_KEPT = 64 * 1024


def in_pieces(body: bytes, size: int) -> Any:
    """A handler whose answer comes in pieces, each once the one before it is on its way."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(body), size):
            await response.write(body[start : start + size])
            await asyncio.sleep(0)
        return response

    return answer


@pytest.fixture
async def origin(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    application = web.Application()
    application.add_routes([web.route("*", "/{path:.*}", request.param)])
    async with TestServer(application) as server:
        yield str(server.make_url("/"))


_SERIES = [{"metric": {"host": f"web-{number}"}, "value": [0, str(number)]} for number in range(200)]
_RESULT = json.dumps({"status": "success", "data": {"resultType": "vector", "result": _SERIES}}).encode()


@pytest.mark.parametrize("origin", [in_pieces(_RESULT, 1000)], indirect=True, ids=["in pieces"])
async def test_a_result_that_comes_in_pieces_is_read_whole(origin: str) -> None:
    client = HttpClient(origin)
    samples = await client.query(Query(promql="up"))
    await client.close()
    assert (len(samples), samples[0].labels) == (200, {"host": "web-199"})


@pytest.mark.parametrize("origin", [in_pieces(b"x" * 5000, 1000)], indirect=True, ids=["in pieces"])
async def test_a_page_that_comes_in_pieces_is_read_whole(origin: str) -> None:
    client = HttpClient()
    page = await client.fetch(Fetch(url=origin, timeout=timedelta(seconds=5)))
    await client.close()
    assert (page.status, len(page.text)) == (200, 5000)


@pytest.mark.parametrize("origin", [in_pieces(b"x" * 4 * _KEPT, 10_000)], indirect=True, ids=["large"])
async def test_of_a_large_page_only_the_beginning_is_kept(origin: str) -> None:
    client = HttpClient()
    page = await client.fetch(Fetch(url=origin, timeout=timedelta(seconds=5)))
    await client.close()
    assert len(page.text) == _KEPT
