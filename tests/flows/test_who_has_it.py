"""To whom a ticket can be given, and under which name it is then theirs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from responder.domain.access import OF_TOKEN, Identity, Role, Via
from responder.domain.accounts import User
from responder.errors import Refused
from responder.flows.handle import do
from responder.store.database import Database
from tests.flows.people import KINDS, Team
from tests.world import texts


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> Team:
    made = Team(tmp_path, database)
    await made.fires()
    return made


async def account(world: Team, name: str, role: Role = Role.RESPONDER, **more: Any) -> None:
    made = User(name=name, role=role, created_at=world.clock.now(), **more)
    await world.database.write(lambda tx: tx.accounts.add(made))


async def refused(world: Team, verb: str, who: str = "mei", **content: Any) -> str:
    with pytest.raises(Refused) as caught:
        await world.do(verb, who, **content)
    ticket = await world.ticket()
    assert (ticket["assignee"], ticket["acknowledged_by"]) == ("", "")
    assert str(caught.value) in texts(ticket)
    return str(caught.value)


@pytest.mark.parametrize("role", [Role.REPORTER, Role.VIEWER])
async def test_who_may_not_act_is_given_nothing(world: Team, role: Role) -> None:
    await account(world, "vera", role)
    number = (await world.ticket())["number"]
    why = f"vera may not act on tickets, so {number} cannot be theirs."
    assert await refused(world, "assign", to="vera") == why
    assert "vera may not act on tickets" in await refused(world, "acknowledge", "vera")


@pytest.mark.parametrize("more", [{"teams": ("hardware",)}, {"teamless": True}])
async def test_who_acts_for_other_teams_is_given_nothing_of_this_one(world: Team, more: dict[str, Any]) -> None:
    await account(world, "ines", **more)
    assert "ines does not act for the team ops, so " in await refused(world, "assign", to="ines")


async def test_who_acts_for_the_team_may_have_it(world: Team) -> None:
    await account(world, "ines", teams=("hardware", "ops"))
    assert (await world.do("assign", "mei", to="ines")).assignee == "ines"


async def test_who_is_in_the_people_file_may_have_it_whatever_their_account(world: Team) -> None:
    await account(world, "lars", Role.VIEWER, teams=("hardware",))
    assert (await world.do("assign", "mei", to="lars")).assignee == "lars"


@pytest.mark.parametrize(("typed", "written"), [("ANNA", "Anna"), ("anna", "Anna"), ("LARS", "lars"), ("Lars", "lars")])
async def test_it_is_theirs_under_the_name_that_is_their_own(world: Team, typed: str, written: str) -> None:
    await account(world, "Anna")
    ticket = await world.do("assign", "mei", to=typed)
    assert (ticket.assignee, ticket.acknowledged_by) == (written, written)
    assert f"mei has given it to {written}." in texts(await world.ticket())


@pytest.mark.parametrize("verb", ["acknowledge", "take-over"])
async def test_who_takes_it_in_other_letters_has_it_in_their_own(world: Team, verb: str) -> None:
    await account(world, "anna")
    ticket = await world.do(verb, "ANNA")
    assert (ticket.assignee, ticket.acknowledged_by) == ("anna", "anna")
    assert "anna has taken it." in texts(await world.ticket())


@pytest.mark.parametrize(
    ("typed", "written"), [("ANNA", "Anna"), ("Lars", "lars"), ("Nobody-Known", "Nobody-Known"), ("Anna", "Anna")]
)
async def test_whatever_they_do_is_written_under_the_name_that_is_their_own(
    world: Team, typed: str, written: str
) -> None:
    await account(world, "Anna")
    await world.do("note", typed, text="I look at it")
    await world.do("escalate", typed, reason="beyond me")
    with pytest.raises(Refused):
        await world.do("resume", typed, reason="it is there")
    events = (await world.ticket())["events"]
    assert {one["actor"] for one in events} - {"responder"} == {written}
    assert f"{written} hands it to tier 2: beyond me" in texts(await world.ticket())


async def test_a_token_in_its_own_name_is_not_taken_for_somebody_with_other_capitals(world: Team) -> None:
    bot = Identity(name="LARS", via=Via.TOKEN, scopes=OF_TOKEN["admin"])
    await do(world.desk, "note", "1", actor="LARS", content={"text": "I look at it"}, who=bot)
    assert (await world.ticket())["events"][-1]["actor"] == "LARS"


async def test_where_no_people_are_known_an_account_has_its_own_spelling_too(world: Team) -> None:
    await account(world, "anna")
    world.desk.take_over(replace(world.desk.configuration, people={}))
    assert (await world.do("acknowledge", "ANNA")).acknowledged_by == "anna"


async def test_who_learns_that_their_own_ticket_is_another_team_s_is_not_told_of_it(world: Team) -> None:
    world.rule(kinds=KINDS)
    await world.do("acknowledge", "Mei")
    world.sender.sent.clear()
    await world.do("classify", "MEI", kind="hardware")
    assert world.sender.people() == []


async def test_an_account_is_not_taken_for_somebody_whose_name_has_other_capitals(world: Team) -> None:
    await account(world, "Lars")
    assert (await world.do("assign", "mei", to="Lars")).assignee == "Lars"
    assert (await world.do("assign", "mei", to="LARS")).assignee == "lars"


@pytest.mark.parametrize("name", ["a" * 81, "ab.c@" * 1800])
async def test_what_is_longer_than_any_name_is_refused_at_once(world: Team, name: str) -> None:
    assert await refused(world, "assign", to=name) == "no name is longer than 80 letters."


async def test_the_names_of_accounts_are_not_told_to_all_who_read_the_ticket(world: Team) -> None:
    await account(world, "anna-of-the-board")
    said = await refused(world, "assign", to="anna-of-the-bord")
    assert "there are " in said
    assert "anna-of-the-board" not in texts(await world.ticket())


# --- and why ------------------------------------------------------------------------------------------------


async def test_why_somebody_takes_it_over_stands_in_the_history_and_is_told_to_who_had_it(world: Team) -> None:
    await world.do("acknowledge", "lars")
    world.sender.sent.clear()
    await world.do("take-over", "mei", reason="I know this disk")
    assert "mei takes it over from lars: I know this disk" in texts(await world.ticket())
    [(person, _, body)] = world.sender.sent
    assert person == "lars"
    assert "mei takes it over from lars: I know this disk" in body


async def test_why_somebody_takes_over_what_nobody_has_stands_in_the_history_as_by_an_acknowledgement(
    world: Team,
) -> None:
    await world.do("take-over", "mei", reason="I know this disk")
    event = (await world.ticket())["events"][-1]
    assert (event["actor"], event["text"]) == ("mei", "I know this disk")


@pytest.mark.parametrize("has_it", [True, False])
async def test_who_gives_no_reason_takes_it_over_without_one(world: Team, has_it: bool) -> None:
    if has_it:
        await world.do("acknowledge", "lars")
    await world.do("take-over", "mei")
    expected = "mei takes it over from lars." if has_it else "mei has taken it."
    assert expected in [one["text"] for one in (await world.ticket())["events"]]
