"""Schemathesis asks the API whatever its document allows, and whatever it forbids; nothing may surprise it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import schemathesis
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

from responder.clock import SystemClock
from responder.config.settings import digest
from responder.flows.batcher import Batcher
from responder.store.switchboard import Token
from responder.web.context import Context
from responder.web.openapi import described
from responder.web.server import build
from tests.databases import opened
from tests.web.conftest import GUARDED
from tests.world import World, alert

T = TypeVar("T")
TOKEN = {"Authorization": "Bearer secret"}
KNOWN = {
    "key": ["1", "2", "none"],
    "id": [1, 2, 77],
    "person": ["mei", "none"],
    "name": ["restart-app", "mei", "first", "none"],
}
# An endless answer; what else it does, its own tests say.
ENDLESS = "/api/v1/events"
ALL = SchemathesisConfig.from_dict(
    {
        "checks": {
            # What the policy and the inventory know is in no document: a name that fits, and that nobody has, is a 422.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "413", "422", "503"]},
            "negative_data_rejection": {"expected-statuses": ["4xx"]},
        },
        "generation": {"allow-x00": True},
    }
)


class Site:
    """The API of a desk with some tickets, on a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.database = opened(folder / "responder.db")
        self.world = World(folder, self.database, main=GUARDED)
        self.server = self.awaited(self._opened())

    def awaited(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _opened(self) -> TestServer:
        desk = self.world.desk
        token = Token(name="t", digest=digest("secret"), scope="admin", created_at=self.world.clock.now())
        await self.database.write(lambda tx: tx.switchboard.add_token(token))
        await self.world.post(alert(), alert("DiskFull"), alert("Noise", severity="info"))
        context = Context(
            desk=desk, batcher=Batcher(desk, 3), reload=_nothing, is_ready=_ready, changes=self.database.changes
        )
        server = TestServer(build(context))
        await server.start_server()
        return server

    def close(self) -> None:
        self.awaited(self.server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self.database.close()


async def _nothing() -> None: ...


async def _ready() -> str:
    return ""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


def _document() -> dict[str, Any]:
    """The document, with names that there are among those that are tried."""
    # Its routes are all that counts here: nothing is asked of it.
    desk: Any = SimpleNamespace(
        clock=SystemClock(), configuration=SimpleNamespace(settings=SimpleNamespace(intake=SimpleNamespace(max_body=1)))
    )
    context: Any = SimpleNamespace(desk=desk, changes=None)
    content = described(build(context))
    for operations in content["paths"].values():
        for operation in operations.values():
            for one in operation["parameters"]:
                if one["in"] == "path" and one["name"] in KNOWN:
                    one["schema"] = {"enum": KNOWN[one["name"]]}
    return content


@schemathesis.serializer("message/rfc822", "text/calendar")
def _as_it_is(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


schema = schemathesis.openapi.from_dict(_document(), config=ALL).exclude(path=ENDLESS)


@schema.parametrize()
@settings(
    max_examples=3,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_finds_what_the_document_does_not_say(site: Site, case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(base_url=str(site.server.make_url("")), headers=TOKEN)
