"""Questions over HTTP: to Prometheus, and to what a runbook wants to see answered."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import aiohttp
import orjson

from responder.domain.runbook import Fetch, Page, Query, Sample
from responder.errors import QueryFailed

_KEPT = 64 * 1024


class HttpClient:
    """One session for all requests; opened with the first, closed with the service."""

    def __init__(self, prometheus_url: str = "") -> None:
        self._prometheus_url = prometheus_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def query(self, query: Query) -> tuple[Sample, ...]:
        """The series of an instant query, largest value first. Raises QueryFailed."""
        if not self._prometheus_url:
            raise QueryFailed("No prometheus url is configured, so promql cannot be asked.")
        url = f"{self._prometheus_url}/api/v1/query"
        _, text = await self._request("POST", url, query.timeout, data={"query": query.promql})
        try:
            return _samples(orjson.loads(text))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise QueryFailed(f"Prometheus answered something else than a result: {text[:200]!r}") from error

    async def fetch(self, fetch: Fetch) -> Page:
        """What a URL answers, without following redirects. Raises QueryFailed when nothing answers."""
        status, text = await self._request(fetch.method, fetch.url, fetch.timeout)
        return Page(status=status, text=text)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _request(
        self, method: str, url: str, timeout: timedelta, data: dict[str, str] | None = None
    ) -> tuple[int, str]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        limit = aiohttp.ClientTimeout(total=timeout.total_seconds())
        try:
            async with self._session.request(method, url, data=data, timeout=limit, allow_redirects=False) as answer:
                kept = await answer.content.read(_KEPT)
                return answer.status, kept.decode("utf-8", "replace").replace("\x00", "\ufffd")
        except TimeoutError as error:
            raise QueryFailed(f"{url} gave no answer within {timeout.total_seconds():g} s.") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise QueryFailed(f"{url} could not be asked: {error}") from error


def _samples(answer: dict[str, Any]) -> tuple[Sample, ...]:
    if answer["status"] != "success":
        raise QueryFailed(f"Prometheus refused the query: {answer.get('error', 'no reason given')}")
    data = answer["data"]
    if data["resultType"] == "scalar":
        return (Sample(labels={}, value=float(data["result"][1])),)
    found = [Sample(labels=series["metric"], value=float(series["value"][1])) for series in data["result"]]
    return tuple(sorted(found, key=lambda sample: math.inf if math.isnan(sample.value) else -sample.value))
