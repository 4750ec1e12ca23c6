"""The back channel to a provider of sign-ins: what is asked there, and how much of its answers we bear."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from responder.adapters.mail_servers import hint
from responder.errors import SignInFailed

LARGEST = 256 * 1024
"""Tokens with hundreds of groups have some ten kilobytes."""
_PIECE = 16 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    status: int
    content: dict[str, Any]


class Line:
    """One session for all questions; it keeps no cookies and follows nobody elsewhere."""

    def __init__(self, timeout: timedelta, ca_file: Path | None = None) -> None:
        self._timeout = timeout
        self._ca_file = ca_file
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self, what: str, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The JSON object that answers; with `form` it is posted.

        Raises SignInFailed; its text names `what` and the address, and nothing of what was sent or came back.
        """
        limit = aiohttp.ClientTimeout(total=self._timeout.total_seconds())
        own = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        try:
            async with self._opened().request(
                "GET" if form is None else "POST", url, data=form, headers=own, timeout=limit, allow_redirects=False
            ) as answer:
                body = await _limited(answer, what)
        except TimeoutError as error:
            raise SignInFailed(f"{what} gave no answer within {self._timeout.total_seconds():g} s: {url}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SignInFailed(f"{what} cannot be reached: {url}: {_reason(error)}") from error
        if 300 <= answer.status < 400:
            raise SignInFailed(f"{what} sends us elsewhere, which is not followed: {url}")
        return Answer(status=answer.status, content=_read(body, f"{what} ({url}, status {answer.status})"))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=self._ca_file))
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


async def _limited(answer: aiohttp.ClientResponse, what: str) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_chunked(_PIECE):
        body += piece
        if len(body) > LARGEST:
            raise SignInFailed(f"{what} answers with more than {LARGEST // 1024} KiB: {answer.url.with_query(None)}")
    return bytes(body)


def _read(body: bytes, where: str) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise SignInFailed(f"{where} answers something else than a JSON object.")
    return content


def _reason(error: Exception) -> str:
    """Why, without what was sent: texts of the library may hold a URL, and never a body."""
    is_told = isinstance(error, aiohttp.ClientConnectorError | ssl.SSLError | OSError)
    return f"{error}{hint(str(error), 'tls')}" if is_told else type(error).__name__
