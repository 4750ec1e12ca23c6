"""Reporters whose report was merged into another ticket are heard there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from responder.domain.reporter_answers import MOST_ANSWERS_PER_HOUR, Answer, AnswerKind, Effect, Heard
from responder.errors import Refused
from responder.flows.reporter import erase_contacts
from responder.flows.reporter_answers import reporter_says
from responder.store.database import Database
from tests.flows.reports import CONTACT, DAY, Reports
from tests.world import texts


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> Reports:
    """Three reports of one trouble: the third was merged into the second, and that into the first, which lars has."""
    world = Reports(tmp_path, database)
    for _ in range(3):
        await world.opens()
    await world.do("merge", key="3", into="2")
    await world.do("merge", key="2", into="1")
    await world.do("acknowledge", "lars")
    return world


async def says(world: Reports, kind: AnswerKind, text: str = "", actor: str = "reporter", **more: Any) -> Heard:
    heard = await reporter_says(world.desk, "3", actor, Answer(kind=kind, text=text, **more))
    await world.work()
    return heard


@pytest.mark.parametrize(
    ("kind", "spoken"),
    [
        (AnswerKind.INFORMATION, "says more: it hums"),
        (AnswerKind.NOT_SOLVED, "says that it is not solved: it hums"),
        (AnswerKind.SOLVED, "says that it is solved: it hums"),
    ],
)
async def test_what_they_say_reaches_the_ticket_that_took_their_report_in(
    world: Reports, kind: AnswerKind, spoken: str
) -> None:
    own = (await world.ticket(3))["number"]
    heard = await says(world, kind, "it hums")
    assert (heard.effect, heard.ticket.id) == (Effect.NOTED, 1)
    sentence = f"The reporter of {own}, which was merged into it, {spoken}"
    assert sentence in texts(await world.ticket(1))
    (told,) = await world.messages_to("lars")
    assert sentence in told
    assert f"It was passed on to {heard.ticket.number}." in texts(await world.ticket(3))


async def test_it_moves_nothing_even_where_the_trouble_seems_over(world: Reports) -> None:
    await world.do("restore", "lars", reason="a new fuse")
    before = await world.ticket(1)
    # Of their own report, which has had no second episode: what a page shows for a merged one is not bound to it.
    await says(world, AnswerKind.NOT_SOLVED, "dark again", episode=2)
    after = await world.ticket(1)
    assert (after["status"], after["episode"]) == ("restored", 1)
    assert after["dossier"] == before["dossier"]
    assert ((await world.ticket(3))["status"], (await world.ticket(2))["status"]) == ("closed", "closed")


async def test_who_heard_it_on_the_phone_stands_beside_it_and_a_score_is_told_as_one(world: Reports) -> None:
    await says(world, AnswerKind.SCORE, "quick", actor="rosa", score=4)
    assert "merged into it, says how it was (4 of 5) (rosa heard it): quick" in texts(await world.ticket(1))


async def test_their_contact_stays_out_of_the_other_ticket(world: Reports) -> None:
    await says(world, AnswerKind.INFORMATION, f"write to {CONTACT}")
    assert CONTACT not in texts(await world.ticket(1))
    assert CONTACT not in "".join(await world.messages_to("lars"))


async def test_answers_that_say_nothing_or_are_too_many_are_refused(world: Reports) -> None:
    with pytest.raises(Refused, match="The text is missing"):
        await says(world, AnswerKind.INFORMATION)
    for _ in range(MOST_ANSWERS_PER_HOUR):
        await says(world, AnswerKind.INFORMATION, "and more")
    with pytest.raises(Refused, match="a lot within an hour"):
        await says(world, AnswerKind.INFORMATION, "and more")


async def test_whom_we_have_forgotten_is_not_heard(world: Reports) -> None:
    await world.advance(181 * DAY)
    await erase_contacts(world.desk)
    with pytest.raises(Refused, match="is no longer known"):
        await says(world, AnswerKind.INFORMATION, "it hums")
