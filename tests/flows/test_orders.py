"""Orders: a person lets a runbook run for a ticket, and goes around nobody who is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from responder.domain.approval import ApprovalState
from responder.errors import Refused
from responder.flows.consent import answer
from responder.flows.orders import Wish, order_run
from responder.store.database import Database
from tests.flows.asking import (
    APPROVE,
    SUGGEST,
    a_world,
    fired,
    purposes,
    the_approval,
)
from tests.world import resolved, texts


async def test_a_person_orders_a_run_for_a_ticket_that_nobody_named_a_runbook_for(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, "grades: [P1]")
    await fired(world, severity="warning")
    run = await order_run(world.desk, "1", Wish(runbook="restart-app"), "mei")
    assert (run.target, run.ordered_by) == ("web-1", "mei")
    with pytest.raises(Refused, match="restart-app is at work for INC-"):
        await order_run(world.desk, "1", Wish(runbook="restart-app", target="web-2"), "mei")
    await world.work()
    ticket = await world.ticket()
    assert (ticket["status"], ticket["runs"][0]["outcome"]) == ("handed_over", "helped")
    assert await purposes(world, "mei") == ["run-1-outcome"]


@pytest.mark.parametrize(
    ("runbook", "target", "sentence"),
    [
        ("reboot-all", "", "There is no runbook reboot-all"),
        ("restart-app", "db-9", "'db-9' is no target in the inventory"),
    ],
)
async def test_an_order_that_cannot_be_carried_out_is_refused_on_the_ticket_too(
    tmp_path: Path, database: Database, runbook: str, target: str, sentence: str
) -> None:
    world = a_world(tmp_path, database, SUGGEST)
    await fired(world)
    with pytest.raises(Refused, match=sentence):
        await order_run(world.desk, "1", Wish(runbook=runbook, target=target), "mei")
    assert sentence in texts(await world.ticket())


async def test_an_order_for_a_ticket_that_has_cleared_is_refused(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, SUGGEST)
    await fired(world)
    await world.post(resolved())
    with pytest.raises(Refused, match="has cleared, so there is nothing to run for"):
        await order_run(world.desk, "1", Wish(runbook="restart-app"), "mei")


async def test_an_order_while_people_are_asked_starts_first_aid_and_ends_the_question(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await fired(world)
    await order_run(world.desk, "1", Wish(runbook="restart-app"), "mei")
    await world.work()
    assert (await world.ticket())["status"] == "restored"
    assert (await the_approval(world)).state is ApprovalState.OVERTAKEN


@pytest.mark.parametrize(
    ("text", "actor", "needed", "elsewhere"),
    [
        (APPROVE, "ann", "1 of role dba", False),
        ("autonomy: suggest, approval: {roles: [dba]}", "ann", "1 of role dba", True),
        ("autonomy: approve, approval: {roles: [dba], needed: 2}", "mei", "2 of role dba", False),
    ],
)
async def test_an_order_is_no_way_around_those_who_are_asked(
    tmp_path: Path, database: Database, text: str, actor: str, needed: str, elsewhere: bool
) -> None:
    world = a_world(tmp_path, database, text)
    await fired(world)
    sentence = f"Others are asked already: restart-app on web-1 needs the yes of {needed}."
    with pytest.raises(Refused, match=re.escape(sentence)):
        await order_run(world.desk, "1", Wish(runbook="restart-app"), actor)
    await world.work()
    ticket = await world.ticket()
    assert ticket["runs"] == []
    assert f"Refused: restart-app, ordered by {actor}: {sentence}" in texts(ticket)
    # A run anywhere else would end the question of a ticket that has not begun, and nothing would hold them then.
    other = order_run(world.desk, "1", Wish(runbook="restart-app", target="web-2"), actor)
    if elsewhere:
        assert (await other).target == "web-2"
    else:
        with pytest.raises(Refused, match=re.escape(sentence)):
            await other
    assert (await the_approval(world)).is_waiting


async def test_whoever_is_asked_may_order_and_answer_however_they_spell_their_name(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await fired(world)
    await fired(world, instance="web-2:9100")
    assert (await order_run(world.desk, "1", Wish(runbook="restart-app"), "Mei")).ordered_by == "mei"
    await world.work()
    answered = await answer(world.desk, 2, "MEI", yes=True)
    assert [one.person for one in answered.answers] == ["mei"]


@pytest.mark.parametrize("text", [APPROVE, "autonomy: suggest, approval: {roles: [dba]}"])
async def test_nobody_else_orders_what_was_refused_while_the_trouble_lasts(
    tmp_path: Path, database: Database, text: str
) -> None:
    world = a_world(tmp_path, database, text)
    await fired(world)
    await answer(world.desk, 1, "mei", yes=False, reason="It is being backed up")
    await world.work()
    sentence = "restart-app on web-1 was refused for this ticket: mei said no: It is being backed up."
    with pytest.raises(Refused, match=re.escape(sentence)):
        await order_run(world.desk, "1", Wish(runbook="restart-app"), "ann")
    assert sentence in texts(await world.ticket())
    assert (await order_run(world.desk, "1", Wish(runbook="restart-app"), "mei")).ordered_by == "mei"
