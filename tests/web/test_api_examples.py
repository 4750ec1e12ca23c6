"""The examples of docs/api.md do what they say, run by a shell with curl as people would."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest

from responder.web.problem_kinds import KINDS
from tests.flows.reports import Reports
from tests.web.conftest import GUARDED, Client, header
from tests.world import alert

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
EXAMPLES = [block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "curl" in block]


@pytest.fixture
def world(tmp_path: Path, database: object) -> Reports:
    return Reports(tmp_path, database, main=GUARDED + "reporters: {url_file: reporters-url}\n")  # type: ignore[arg-type]


@pytest.mark.needs("curl")
async def test_every_example_does_what_it_says(client: Client, world: Reports) -> None:
    await world.post(alert("DiskFull"), alert())
    secret = (await header(world, "act"))["Authorization"].removeprefix("Bearer ")
    server = str(client.make_url("")).rstrip("/")
    environment = {**os.environ, "RESPONDER_TOKEN": secret, "RESPONDER_SERVER": server}
    said = []
    for example in EXAMPLES:
        code, out, wrong = await done(example, environment)
        assert (code, wrong) == (0, ""), example
        said.append(out)

    assert len(said) >= 8
    whole = "\n".join(said)
    assert '"openapi":"3.1.0"' in whole
    assert '"acknowledged_by":"mei"' in whole
    assert "responder_tickets_open" in whole
    notes = [event["text"] for event in (await world.ticket())["events"] if event["kind"] == "note"]
    assert [text for text in notes if text in ("Nobody was faster.", "Once.")] == ["Nobody was faster.", "Once."]


@pytest.mark.needs("curl")
async def test_an_example_that_is_refused_fails_and_prints_why(client: Client, world: Reports) -> None:
    server = str(client.make_url("")).rstrip("/")
    environment = {**os.environ, "RESPONDER_TOKEN": "unknown", "RESPONDER_SERVER": server}
    code, out, _ = await done(EXAMPLES[0], environment)
    assert (code, "/problems/unauthenticated" in out, PAGE.count("curl -f")) == (22, True, 0)


async def done(example: str, environment: dict[str, str]) -> tuple[int | None, str, str]:
    shell = await asyncio.create_subprocess_exec(
        "bash", "-euc", example, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, wrong = await shell.communicate()
    return shell.returncode, out.decode(), wrong.decode()


def test_the_page_lists_every_kind_of_error() -> None:
    assert [f"| {kind.status} | `{kind.type}` | {kind.text} |" in PAGE for kind in KINDS.values()] == [True] * len(
        KINDS
    )


@pytest.mark.parametrize(
    ("verb", "body", "status", "pointers"),
    [
        ("note", {"text": "x", "tex": "y"}, 422, ["/tex"]),
        ("note", {}, 422, []),
        ("regrade", {"grade": 1, "reason": "x"}, 422, []),
        ("regrade", {"grade": "P9", "reason": "x"}, 409, []),
        ("classify", {"kind": "nope"}, 409, []),
        ("runs", {"runbook": "nope", "target": "web-1"}, 409, []),
        ("assign", {"to": "nobody"}, 409, []),
        ("merge", {"into": "77"}, 404, []),
    ],
)
async def test_what_a_body_gets_wrong_is_told_as_the_page_says(
    client: Client, world: Reports, verb: str, body: dict[str, object], status: int, pointers: list[str]
) -> None:
    await world.post(alert("DiskFull"))
    answer = await client.post(f"/api/v1/tickets/1/{verb}", json=body, headers=await header(world, "act"))
    told = await answer.json()
    assert (answer.status, told["type"], bool(told["detail"])) == (status, KINDS[status].type, True)
    # Places that are given beyond what the page promises are no mistake.
    assert not pointers or [one["pointer"] for one in told["errors"]] == pointers


async def test_the_type_of_an_error_is_the_address_of_a_page(client: Client, world: Reports) -> None:
    read = await header(world, "read")
    told = await (await client.get("/api/v1/tickets/none", headers=read)).json()
    page = await client.get(told["type"], headers=read)
    assert (page.status, "There is nothing of this name" in await page.text()) == (200, True)
    assert (await client.get("/problems/none", headers=read)).status == 404
