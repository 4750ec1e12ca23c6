from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from responder.config.settings import digest
from responder.domain.access import Role
from responder.domain.accounts import User
from responder.flows.batcher import Batcher
from responder.flows.sign_in import Visit, begin_session
from responder.store.database import Database
from responder.store.switchboard import Token
from responder.web.context import Context
from responder.web.identity import cookie_name
from responder.web.server import build
from tests.web.document import watch
from tests.world import MAIN, World

Client = TestClient[web.Request, web.Application]
MONITORED = "monitoring: {open_to: [127.0.0.0/8]}\n"
GUARDED = (
    MAIN.replace("console: open", "console: token")
    .replace(
        "- {name: main, open: true}",
        f"""- {{name: main, bearer_sha256: {digest("main-token")}}}
  - {{name: old, basic: {{user: prom, password_sha256: {digest("secret")}}}}}""",
    )
    .replace("kill_switch_file", "intake: {max_body: 20000, max_waiting: 3}\n" + MONITORED + "kill_switch_file")
)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED)


async def _not_here() -> None:
    raise AssertionError("reload is tested with a whole service")


async def _ready() -> str:
    return ""


@pytest.fixture
async def client(world: World, aiohttp_client) -> Client:  # type: ignore[no-untyped-def]
    changes = world.database.changes
    context = Context(
        desk=world.desk, batcher=Batcher(world.desk, 3), reload=_not_here, is_ready=_ready, changes=changes
    )
    application = build(context)
    watch(application)
    made: Client = await aiohttp_client(TestServer(application))
    return made


@pytest.fixture
async def act(world: World) -> dict[str, str]:
    """The header of somebody who may act."""
    return await header(world, "act")


async def header(world: World, scope: str) -> dict[str, str]:
    made = Token(name=f"{scope}-token", digest=digest(f"secret-{scope}"), scope=scope, created_at=world.clock.now())
    await world.database.write(lambda tx: tx.switchboard.add_token(made))
    return {"Authorization": f"Bearer secret-{scope}"}


async def account(world: World, role: str, name: str = "", **more: Any) -> User:
    """Somebody with an account of this role, called like the role if not otherwise."""
    made = User(name=name or role, role=Role(role), created_at=world.clock.now(), **more)
    return await world.database.write(lambda tx: tx.accounts.named(made.name) or tx.accounts.add(made))


async def cookie(world: World, role: str, name: str = "", **more: Any) -> dict[str, str]:
    """What the browser of somebody sends who is signed in and has one of our pages open."""
    user = await account(world, role, name, **more)
    made = await begin_session(world.desk, user, Visit(address="127.0.0.1", agent="a test"), by="a test")
    kept = cookie_name(world.desk.configuration.settings)
    return {"Cookie": f"{kept}={made.secret.value}", "Sec-Fetch-Site": "same-origin"}


__all__ = ["Client", "account", "cookie", "header"]
