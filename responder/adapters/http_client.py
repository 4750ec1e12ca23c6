"""Questions over HTTP: to Prometheus, and to what a runbook wants to see answered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from responder.domain.acts import Fetch, Page, Query, Request, Sample
from responder.errors import HostUnreachable, QueryFailed, Refused, ResponderError

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
        headers = _with_credential({}, fetch.credential_file)
        status, text = await self._request(fetch.method, fetch.url, fetch.timeout, headers=headers)
        return Page(status=status, text=text)

    async def send(self, request: Request) -> Page:
        """What a URL answers to a request that changes something. Raises HostUnreachable when it was certainly not
        received, QueryFailed when nobody knows."""
        headers = _with_credential(request.headers, request.credential_file)
        body = request.body.encode() if request.body else None
        status, text = await self._request(
            request.method, request.url, request.timeout, data=body, headers=headers, unreached=HostUnreachable
        )
        return Page(status=status, text=text)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _request(
        self,
        method: str,
        url: str,
        timeout: timedelta,
        *,
        data: dict[str, str] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        unreached: type[ResponderError] = QueryFailed,
    ) -> tuple[int, str]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        limit = aiohttp.ClientTimeout(total=timeout.total_seconds())
        try:
            async with self._session.request(
                method, url, data=data, headers=headers, timeout=limit, allow_redirects=False
            ) as answer:
                kept = await _beginning(answer.content)
                return answer.status, kept.decode("utf-8", "replace").replace("\x00", "\ufffd")
        except TimeoutError as error:
            raise QueryFailed(f"{url} gave no answer within {timeout.total_seconds():g} s.") from error
        except aiohttp.ClientConnectorError as error:
            raise unreached(f"{url} cannot be reached: {error}") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise QueryFailed(f"{url} could not be asked: {error}") from error


def _with_credential(headers: Mapping[str, str], path: str) -> dict[str, str]:
    """The headers with the Authorization that a file holds: read now, so that it is kept nowhere else."""
    if not path:
        return dict(headers)
    try:
        return {**headers, "Authorization": Path(path).read_text(encoding="utf-8").strip()}
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"The credential file {path} cannot be read: {error}.") from error


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """The first bytes of a body, in however many pieces it comes."""
    kept = bytearray()
    async for piece in content.iter_any():
        kept += piece
        if len(kept) >= _KEPT:
            break
    return bytes(kept[:_KEPT])


def _samples(answer: dict[str, Any]) -> tuple[Sample, ...]:
    if answer["status"] != "success":
        raise QueryFailed(f"Prometheus refused the query: {answer.get('error', 'no reason given')}")
    data = answer["data"]
    if data["resultType"] == "scalar":
        return (Sample(labels={}, value=float(data["result"][1])),)
    found = [Sample(labels=series["metric"], value=float(series["value"][1])) for series in data["result"]]
    return tuple(sorted(found, key=lambda sample: math.inf if math.isnan(sample.value) else -sample.value))
