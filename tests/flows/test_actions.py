"""Actions after a review: listed, done, moved, and told about when they are overdue."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.actions import ActionItem
from responder.domain.sla import Alarm, Notify
from responder.errors import NotFound, Refused
from responder.flows.actions import escalate_overdue, finish_action, move_action
from responder.flows.handle import acknowledge
from responder.flows.review import write_review
from responder.store.database import Database
from tests.flows.test_reviews import Outside, a_form, actions_of, outside, restored, under, world
from tests.world import World, alert, resolved, texts

__all__ = ["outside", "world"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def promised(world: World, *owners: str) -> None:
    """A closed and reviewed ticket whose actions are due one day after the other, the first in a day."""
    await restored(world)
    await world.advance(HOUR)
    await world.advance(10 * DAY)
    assert (await world.ticket())["status"] == "closed"
    start = world.clock.now()
    items = tuple(
        ActionItem(text=f"Improve {number}", owner=owner, due_at=start + number * DAY)
        for number, owner in enumerate(owners, 1)
    )
    await write_review(world.desk, "1", "ines", a_form(world, actions=items))
    await world.work()
    world.sender.sent.clear()


async def a_day_passes(world: World) -> list[str]:
    """Who is told on that day that something is overdue."""
    world.sender.sent.clear()
    for _ in range(4):
        world.clock.advance(6 * HOUR)
        await escalate_overdue(world.desk)
        await escalate_overdue(world.desk)
        await world.work()
    return world.sender.people()


# --- overdue ---------------------------------------------------------------------------------------


async def test_the_owner_is_told_when_it_is_due_and_the_team_each_day_after(world: World) -> None:
    await promised(world, "mei")
    assert await escalate_overdue(world.desk) == 0
    assert await a_day_passes(world) == ["mei"]
    (_, subject, body) = world.sender.sent[0]
    assert "Action 1 of mei was due " in subject + body
    assert "Improve 1. Say what came of it (responder actions done 1 RESULT)" in body
    assert await a_day_passes(world) == ["ines"]
    assert await a_day_passes(world) == ["ines"]
    (action,) = await actions_of(world)
    assert (action.escalations, action.escalated_at) == (3, world.clock.now())
    shown = await world.ticket()
    assert shown["status"] == "closed"
    assert texts(shown).count("Action 1 of mei was due ") == 3
    assert "To tell: mei by pager (mei by name): Action 1 of mei was due " in texts(shown)
    assert not [one for one in shown["messages"] if one["state"] == "overtaken"]


async def test_all_channels_of_the_owner_are_told(tmp_path: Path, database: Database) -> None:
    people = """
people:
  - name: mei
    channels: [{name: pager, url: "json://127.0.0.1:9/pager"}, {name: mail, url: "json://127.0.0.1:9/mail"}]
  - {name: ines, channels: [{name: mail, url: "json://127.0.0.1:9/ines"}]}
teams:
  - {name: ops, tiers: {1: [ines]}}
"""
    world = World(tmp_path, database, people=people)
    under(world, needs=())
    await promised(world, "mei")
    assert sorted(await a_day_passes(world)) == ["mail", "pager"]


async def test_two_replicas_tell_about_the_same_action_once(world: World) -> None:
    await promised(world, "mei")
    world.clock.advance(DAY)
    found = await asyncio.gather(escalate_overdue(world.desk), escalate_overdue(world.another_desk()))
    await world.work()
    assert sum(found) == 1
    assert world.sender.people() == ["mei"]


async def test_the_policy_says_who_is_told_after_the_owner(world: World) -> None:
    await restored(world)
    under(world, on_overdue_action=Alarm(tell=(Notify.ASSIGNEE, Notify.NEXT_TIER), roles=("dba",)))
    await promised(world, "mei")
    assert await a_day_passes(world) == ["mei"]
    # ines had the ticket, lars is tier 2 and a dba, mei is a dba.
    assert sorted(await a_day_passes(world)) == ["ines", "lars", "mei"]


async def test_an_alarm_that_names_nobody_leaves_it_with_the_owner(world: World) -> None:
    under(world, on_overdue_action=Alarm())
    await promised(world, "mei")
    assert await a_day_passes(world) == ["mei"]
    assert await a_day_passes(world) == ["mei"]


async def test_an_owner_who_has_left_is_nobody_so_the_team_is_told_at_once(world: World) -> None:
    await promised(world, "mei")
    people = {name: one for name, one in world.desk.configuration.people.items() if name != "mei"}
    world.desk.take_over(replace(world.desk.configuration, people=people))
    world.clock.advance(DAY)
    await escalate_overdue(world.desk)
    await world.work()
    assert world.sender.people() == ["ines"]
    assert "mei cannot be told any more; " in texts(await world.ticket())


async def test_a_ticket_that_is_open_again_is_no_reason_to_keep_silent(world: World) -> None:
    await restored(world)
    form = a_form(world)
    await write_review(
        world.desk, "1", "ines", replace(form, actions=(replace(form.actions[0], due_at=world.clock.now() + HOUR),))
    )
    await world.post(alert())
    await world.work()
    await acknowledge(world.desk, "1", "lars")
    world.sender.sent.clear()
    world.clock.advance(HOUR)
    assert await escalate_overdue(world.desk) == 1
    await world.work()
    assert "mei" in world.sender.people()


# --- done and moved --------------------------------------------------------------------------------


async def test_what_is_done_is_written_down_and_nobody_is_told_any_more(world: World) -> None:
    await promised(world, "mei")
    done = await finish_action(world.desk, 1, "lars", "not needed: the app is gone")
    assert (done.done_by, done.result, done.done_at) == ("lars", "not needed: the app is gone", world.clock.now())
    assert await actions_of(world) == [done]
    event = (await world.ticket())["events"][-1]
    assert (event["kind"], event["actor"]) == ("handled", "lars")
    assert event["text"] == "lars has done action 1: not needed: the app is gone"
    assert await a_day_passes(world) == []
    with pytest.raises(Refused, match=r"Action 1 was done already by lars at .*: not needed: the app is gone\."):
        await finish_action(world.desk, 1, "mei", "again")


async def test_two_people_who_finish_the_same_action_one_is_refused(world: World) -> None:
    await promised(world, "mei")
    found = await asyncio.gather(
        finish_action(world.desk, 1, "mei", "mine"),
        finish_action(world.another_desk(), 1, "lars", "no, mine"),
        return_exceptions=True,
    )
    (refused,) = [one for one in found if isinstance(one, Refused)]
    (action,) = await actions_of(world)
    assert f"done already by {action.done_by}" in str(refused)


async def test_a_moved_action_is_told_about_anew_when_its_new_day_has_come(world: World) -> None:
    await promised(world, "mei")
    assert await a_day_passes(world) == ["mei"]
    due_at = world.clock.now() + 2 * DAY
    moved = await move_action(world.desk, 1, due_at, actor="mei", reason="the parts are late")
    assert (moved.due_at, moved.escalated_at) == (due_at, None)
    text = f"mei moves action 1 to {due_at:%Y-%m-%d %H:%M} UTC: the parts are late"
    assert (await world.ticket())["events"][-1]["text"] == text
    assert await a_day_passes(world) == []
    assert await a_day_passes(world) == ["mei"]
    assert await a_day_passes(world) == ["ines"]


async def test_an_action_is_not_moved_into_the_past_or_without_a_reason(world: World) -> None:
    await promised(world, "mei")
    with pytest.raises(Refused, match=r"Say why action 1 is to be done by another day"):
        await move_action(world.desk, 1, world.clock.now() + DAY, actor="mei", reason="")
    with pytest.raises(Refused, match=r"is past; give a day to come\."):
        await move_action(world.desk, 1, world.clock.now(), actor="mei", reason="x")
    with pytest.raises(NotFound, match=r"There is no action 77\."):
        await move_action(world.desk, 77, world.clock.now() + DAY, actor="mei", reason="x")


# --- lists and counts ------------------------------------------------------------------------------


async def test_actions_are_listed_by_what_is_due_and_counted(world: World) -> None:
    await promised(world, "mei", "lars", "mei")
    await finish_action(world.desk, 1, "mei", "done")
    world.clock.advance(2 * DAY)
    now = world.clock.now()
    number = (await world.ticket())["number"]

    async def ids(**query: Any) -> list[int]:
        found = await world.read(lambda tx: tx.actions.listed(**query))
        assert {one for one, _ in found} <= {number}
        return [item.id for _, item in found]

    assert await ids() == [2, 3]
    assert await ids(open_only=False) == [2, 3, 1]
    assert await ids(owner="mei") == [3]
    assert await ids(overdue_at=now) == [2]
    assert await ids(open_only=False, limit=1) == [2]
    assert await world.read(lambda tx: tx.actions.counts(now)) == (2, 1)
    assert await world.read(lambda tx: tx.actions.counts(now + 9 * DAY)) == (2, 2)


async def test_what_is_done_cannot_be_overwritten_in_the_store(world: World) -> None:
    await promised(world, "mei")
    (before,) = await actions_of(world)
    done = await finish_action(world.desk, 1, "mei", "done")
    await world.database.write(lambda tx: tx.actions.keep(replace(before, text="other")))
    assert await actions_of(world) == [done]


# --- over HTTP and from the command line -----------------------------------------------------------


async def test_actions_are_listed_done_and_moved_from_outside(world: World, outside: Outside) -> None:
    await promised(world, "mei", "lars")
    world.clock.advance(DAY)
    listed = (await outside.asks("GET", "/api/v1/actions?overdue=1"))[1]["actions"]
    assert [(one["id"], one["state"], one["ticket"]) for one in listed] == [
        (1, "overdue", (await world.ticket())["number"])
    ]
    shown = await outside.runs("actions", "list")
    assert ("overdue" in shown.stdout, "Improve 2" in shown.stdout) == (True, True), shown.output
    moved = await outside.runs("actions", "move", "1", "14d", "--reason", "parts are late", "--as", "mei")
    assert (moved.exit_code, moved.stdout.startswith("action 1 of mei is open, due ")) == (0, True), moved.output
    done = await outside.runs("actions", "done", "1", "added disks", "--as", "mei")
    assert (done.exit_code, done.stdout) == (0, "action 1 of mei is done: added disks\n"), done.output
    again = await outside.runs("actions", "done", "1", "again")
    assert (again.exit_code, "Action 1 was done already by mei" in again.output) == (1, True)
    everything = json.loads((await outside.runs("actions", "list", "--all", "--json")).stdout)["actions"]
    assert [(one["id"], one["result"]) for one in everything] == [(2, ""), (1, "added disks")]
    assert (await outside.runs("actions", "list", "--owner", "ines")).stdout == "no action\n"
    assert (await outside.asks("POST", "/api/v1/actions/1/done", {}))[0] == 422
    assert (await outside.asks("POST", "/api/v1/actions/77/done", {"result": "x"}))[0] == 404
    past = await outside.asks("POST", "/api/v1/actions/2/move", {"due": "2020-01-01", "reason": "x"})
    assert (past[0], "is past" in past[1]["detail"]) == (409, True)


async def test_the_alarm_of_another_ticket_is_left_alone(world: World) -> None:
    await promised(world, "mei")
    await world.post(alert("Other", instance="web-2:9100"), resolved("Other", instance="web-2:9100"))
    await world.work()
    world.clock.advance(DAY)
    assert await escalate_overdue(world.desk) == 1
    assert "Action 1" not in texts(await world.ticket(2))
