"""To whom a ticket can be given, and under which name it is then theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from responder.domain.access import Role
from responder.domain.accounts import User
from responder.errors import Refused
from responder.store.database import Database
from tests.flows.people import Team
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
