"""Schemathesis asks the API whatever its document allows, and whatever it forbids; nothing may surprise it."""

from __future__ import annotations

import asyncio
import re
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
            # A 422 only for the reasons below.
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "304", "401", "403", "404", "409", "412", "413", "422", "503"]
            },
            "negative_data_rejection": {"expected-statuses": ["4xx"]},
        },
        "generation": {"allow-x00": True},
    }
)

# What fits the document, and is refused for what no document can say.
REASONS = (
    # Names that the policy, the settings or the people file do not have.
    r"“(grade|kind|team|source|outcome)”: “.*” is not known; there (are|is) .*",
    r"“(grade|kind)” is none of .*",
    r"“kind”: this policy has none.*",
    r"'.*' is no team; there are .*",
    r"There is no time zone .*",
    # Words for which there is a grammar.
    r"“\w+”:? .*is no (date and time|day or time|day); write it like .*",
    r"“\w+”:? .*is (longer than a hundred years|no time at all).",
    r"“(from|to)” must be between .*",
    r"“reporter.contact” is neither: .*",
    # Parts that must fit each other.
    r"Name either a rota or a person.",
    r"Say what to change: .*",
    r"A period has at most .*",
    r"“from” .* is after “to” .*",
    r"The password holds the name.",
    r"“title” is missing: what the trouble is called.",
    r"A line of the “timeline” does not say .*",
    r"“(due|root_cause)” is missing: .*",
    # A cursor is opaque; no database keeps U+0000; and 1.0 is no whole number for us.
    r"“cursor” is none of ours: .*",
    r"“\w+” holds a character that no text has \(U\+0000\).",
    r"“\w+” is not a whole number.",
)
# Which fields a verb reads, /api/v1/verbs says.
OF_VERBS = (
    r"“[\w/]+” is missing: a text that says why or what.",
    r"“.*” is not known; there are actor, version.*",
)


def refused_for_a_reason(context: Any, response: Any, case: schemathesis.Case[Any]) -> None:
    """A request that fits the document is refused as unfit only where the document cannot know better."""
    if response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    detail = response.json()["detail"]
    reasons = [*REASONS, *(OF_VERBS if "{verb}" in case.path else ())]
    assert any(re.fullmatch(one, detail, re.DOTALL) for one in reasons), detail


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
    case.call_and_validate(
        base_url=str(site.server.make_url("")), headers=TOKEN, additional_checks=[refused_for_a_reason]
    )
