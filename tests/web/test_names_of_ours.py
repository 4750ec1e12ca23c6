"""A name under which we write ourselves: whoever gives it as theirs is refused, and keeps what they typed."""

from __future__ import annotations

import pytest

from responder.flows.handle import do
from tests.web.conftest import Client
from tests.world import World, alert

TYPED = "it smells of burning"
WHY = "is what responder itself is called in histories"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/tickets/1/note", {"text": TYPED}),
        ("/tickets/1/runs", {"runbook": "restart-app", "target": "web-1", "reason": TYPED}),
        ("/inventory/maintenance", {"target": "web-1", "for": "1h", "reason": TYPED}),
        ("/inventory/windows", {"match": 'a="b"', "for": "1h", "reason": TYPED}),
        ("/automation/off", {"reason": TYPED}),
        ("/knowledge", {"title": TYPED, "text": "x"}),
    ],
)
async def test_what_was_typed_stands_there_again(
    client: Client, world: World, act: dict[str, str], path: str, form: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    answer = await client.post(path, data={**form, "actor": "Responder"}, headers=act)
    text = await answer.text()
    assert (answer.status, WHY in text) == (422, True)
    assert path == "/tickets/1/runs" or TYPED in text
    assert "wrong-off-target" not in text
    assert "wrong-window-match" not in text


@pytest.mark.parametrize("verb", ["merge", "split"])
async def test_another_ticket_that_is_not_there_costs_nothing_that_was_typed(
    client: Client, world: World, act: dict[str, str], verb: str
) -> None:
    await world.post(alert("DiskFull"))
    await world.post(alert("DiskFull", instance="web-2:9100"))
    # Only what others were merged into has something to split off.
    await do(world.desk, "merge", "2", actor="mei", content={"into": "1"})
    for number in (1, 9):
        form = {"into": "INC-2026-99999", "off": "INC-2026-99999", "reason": TYPED}
        answer = await client.post(f"/tickets/{number}/{verb}", data=form, headers=act)
        assert "There is no ticket" in await answer.text()
        assert (answer.status, TYPED in await answer.text()) == ((422, True) if number == 1 else (404, False))
