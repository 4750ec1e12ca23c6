"""The commands' way to a running server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated, Any, NoReturn
from urllib.parse import urlencode

import aiohttp
import orjson
import typer

from responder.cli.common import FAILED, UNREACHABLE, awaited, fail, login
from responder.domain.accounts import objection_to_actor

ServerOption = Annotated[
    str, typer.Option("--server", "-s", envvar="RESPONDER_SERVER", help="The server's address.", show_default=True)
]
DEFAULT_SERVER = "http://127.0.0.1:9180"
_ELSEWHERE = "If the server is elsewhere, give its address with --server or in RESPONDER_SERVER."


def ask(method: str, server: str, path: str, content: object = None, *, token: str | None = None) -> Any:
    """What the server answers, as parsed JSON. Bytes are sent as they are, the rest as JSON. The token comes from
    RESPONDER_TOKEN."""
    sent = _in_a_name(content) if isinstance(content, dict) else content
    return awaited(lambda: _ask(method, server.rstrip("/") + path, sent, token))


def _in_a_name(content: dict[str, Any]) -> dict[str, Any]:
    """The content without who acts, where that is a login called like responder itself, as in its container: then the
    token's own name counts."""
    own = login()
    if not objection_to_actor(own):
        return content
    return {key: value for key, value in content.items() if key not in ("actor", "taken_by") or value != own}


def every(server: str, path: str, name: str) -> Iterator[Any]:
    """All lines of a list that comes page by page; a page is asked for when the one before has been read."""
    for page in pages(server, path):
        yield from page[name]


def pages(server: str, path: str) -> Iterator[Any]:
    """Each page of a list, the first one even if it is empty."""
    following: str | None = ""
    while following is not None:
        sign = "&" if "?" in path else "?"
        page = ask("GET", server, f"{path}{sign}{urlencode({'cursor': following})}" if following else path)
        yield page
        following = page["next"]


def fetch(server: str, path: str) -> bytes:
    """The bytes that the server gives for download."""
    url = server.rstrip("/") + path
    status, content = awaited(lambda: _answer("GET", url, None, None))
    return content if status < 400 else _refused(_parsed(url, status, content))


async def _ask(method: str, url: str, content: object, token: str | None) -> Any:
    status, text = await _answer(method, url, content, token)
    found = _parsed(url, status, text)
    return found if status < 400 else _refused(found)


async def _answer(method: str, url: str, content: object, token: str | None) -> tuple[int, bytes]:
    # A file that was read into it ends with a line break.
    secret = (os.environ.get("RESPONDER_TOKEN", "") if token is None else token).strip()
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    data = content if content is None or isinstance(content, bytes) else orjson.dumps(content)
    timeout = aiohttp.ClientTimeout(total=30)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.request(method, url, data=data) as answer,
        ):
            return answer.status, await answer.read()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        fail(f"{url} cannot be reached: {_why(error)}\n{_ELSEWHERE}", UNREACHABLE)


def _parsed(url: str, status: int, text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        fail(f"{url} answered {status} with something else than JSON; is this a responder?", UNREACHABLE)


def _refused(found: Any) -> NoReturn:
    fail(str(found.get("detail", found)), FAILED)


def _why(error: Exception) -> str:
    """The reason without what a library says around it."""
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        return os.strerror(number) if number > 0 else str(error.os_error)
    return str(error) or "no answer in time"
