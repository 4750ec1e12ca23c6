"""Somebody who signs in by a password, as tests do it."""

from __future__ import annotations

from aiohttp import ClientResponse

from responder.adapters.passwords import hashed
from responder.domain.audit import Entry
from responder.store.audit_log import AuditFilter
from tests.web.conftest import Client
from tests.world import World

PASSWORD = "correct horse battery"
HASH = hashed(PASSWORD)
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
PAGE = {"Accept": "text/html"}


async def sign_in(client: Client, name: str = "mei", password: str = PASSWORD, **fields: str) -> ClientResponse:
    form = {"name": name, "password": password, **fields}
    return await client.post("/sign-in", data=form, headers=FROM_HERE, allow_redirects=False)


async def log(world: World) -> list[Entry]:
    found: list[Entry] = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), 100))
    return found


def given_cookie(answer: ClientResponse) -> dict[str, str]:
    (kept,) = answer.cookies.values()
    return {"Cookie": f"{kept.key}={kept.value}", **FROM_HERE}


async def no_reload() -> None: ...


async def ready() -> str:
    return ""
