"""Absences, and shifts that come from calendars."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from responder.adapters.calendar_file import occurrences
from responder.adapters.links import CalendarClaim
from responder.domain.rota import Override
from responder.errors import NotFound, Refused
from responder.flows.calendars import Calendar, add_absence, feed_link, feed_of, import_absences, import_shifts
from responder.flows.duty import on_duty
from responder.flows.overrides import add_override, end_override
from tests.flows.people import HOUR
from tests.flows.test_rotas import DAY, called, make, monday_of, wanted, world
from tests.world import World

__all__ = ["world"]


def events(*named: tuple[str, datetime, datetime]) -> Calendar:
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{name}-{start:%Y%m%d%H%M%S}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:{name}\r\n"
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDTEND:{until:%Y%m%dT%H%M%SZ}\r\nEND:VEVENT\r\n"
        for name, start, until in named
    )
    content = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{body}END:VCALENDAR\r\n".encode()
    return Calendar(content=content, source="team.ics", actor="mei")


async def people_at(world: World, at: datetime) -> tuple[str, ...]:
    found = await world.read(lambda tx: on_duty(world.desk, tx, "first", at))
    return tuple(found.people)


async def kept(world: World) -> list[Override]:
    found: list[Override] = await world.read(lambda tx: tx.overrides.since(world.clock.now()))
    return [one for one in found if one.holds_after(world.clock.now())]


async def test_the_events_of_a_calendar_are_who_is_on_call(world: World) -> None:
    now = world.clock.now()
    both = events(("Rosa", now - HOUR, now + HOUR), ("lars", now + DAY, now + 2 * DAY))
    made = await import_shifts(world.desk, "first", both)
    assert [(one.person, one.actor, one.reason) for one in made.overrides] == [
        ("rosa", "mei", "Rosa (calendar team.ics)"),
        ("lars", "mei", "lars (calendar team.ics)"),
    ]
    assert "rosa" in (await called(world))[0]
    assert await people_at(world, now + 30 * HOUR) == ("lars",)


async def test_a_calendar_that_comes_again_changes_only_what_it_says_otherwise(world: World) -> None:
    now = world.clock.now()
    stays, goes = ("rosa", now - HOUR, now + 3 * HOUR), ("lars", now + DAY, now + 2 * DAY)
    first = (await import_shifts(world.desk, "first", events(stays, goes))).overrides
    world.clock.advance(HOUR)
    new = await import_shifts(world.desk, "first", events(stays, ("boss", now + DAY, now + 2 * DAY)))
    assert [(one.person, one.ended_by) for one in new.overrides] == [("boss", ""), ("lars", "mei")]
    assert {one.person for one in await kept(world)} == {"rosa", "boss"}
    assert first[0].id in {one.id for one in await kept(world)}
    ended = await world.read(lambda tx: tx.overrides.one(first[1].id))
    assert ended.ended_by == "mei"


async def test_a_calendar_with_an_event_that_cannot_be_meant_changes_nothing(world: World) -> None:
    now = world.clock.now()
    before = (await import_shifts(world.desk, "first", events(("boss", now, now + HOUR)))).overrides
    both = events(("eve", now, now + 2 * HOUR), ("lars", now, now + 2 * HOUR))
    with pytest.raises(Refused, match=r"“eve” at .* names nobody; there are mei, lars"):
        await import_shifts(world.desk, "first", both)
    assert [one.id for one in await kept(world)] == [one.id for one in before]
    with pytest.raises(NotFound):
        await import_shifts(world.desk, "second", events())


async def test_events_that_overlap_put_all_their_people_on_call_in_the_same_order(world: World) -> None:
    now = world.clock.now()
    early, late = ("rosa", now + HOUR, now + 5 * HOUR), ("lars", now + 2 * HOUR, now + 3 * HOUR)
    await import_shifts(world.desk, "first", events(late, early))
    assert await people_at(world, now + HOUR) == ("rosa",)
    assert await people_at(world, now + 2 * HOUR) == ("rosa", "lars")
    assert await people_at(world, now + 3 * HOUR) == ("rosa",)
    await import_shifts(world.desk, "first", events(early, ("boss", now + HOUR, now + 5 * HOUR), late))
    assert await people_at(world, now + 2 * HOUR) == ("boss", "rosa", "lars")
    world.clock.advance(2 * HOUR)
    assert "lars" in (await called(world))[0]


async def test_what_is_made_by_hand_wins_over_a_calendar_that_comes_before_and_after(world: World) -> None:
    now = world.clock.now()
    mine = ("rosa", now, now + 4 * HOUR)
    await import_shifts(world.desk, "first", events(mine))
    made = await make(world, wanted(world, "boss", hours=2))
    assert await people_at(world, now) == ("boss",)
    await import_shifts(world.desk, "first", events(mine, ("lars", now, now + 4 * HOUR)))
    assert (await people_at(world, now), await people_at(world, now + 2 * HOUR)) == (("boss",), ("lars", "rosa"))
    with pytest.raises(Refused, match=rf"overlaps override {made.id} "):
        await add_override(world.desk, wanted(world, "mei"))
    stands_in = await make(world, wanted(world, "mei", "rosa", after=3, hours=1))
    assert await people_at(world, now + 3 * HOUR) == ("lars", "mei")
    assert stands_in.id


async def test_while_somebody_is_away_the_call_goes_up_and_no_one_can_put_them_on_call(world: World) -> None:
    now = world.clock.now()
    (made,) = (await import_absences(world.desk, "mei", events(("Holidays", now - DAY, now + DAY)))).overrides
    people, why = await called(world)
    assert (people, "nobody is on call in first" in why) == (["boss"], True)
    nobody = await world.read(lambda tx: on_duty(world.desk, tx, "first", now))
    assert nobody.why == "no layer has anybody; mei is away (Holidays (calendar team.ics))"
    await end_override(world.desk, "", made.id, "mei")
    assert await people_at(world, now) == ("mei",)
    with pytest.raises(NotFound):
        await import_absences(world.desk, "eve", events())


async def test_an_absence_is_written_by_hand_and_one_that_cannot_be_meant_is_refused(world: World) -> None:
    now = world.clock.now()
    absence = Override(
        rota="", person="", instead_of="mei", start=now, until=now + DAY, reason="ill", actor="lars", made_at=now
    )
    (made,) = (await add_absence(world.desk, absence)).overrides
    assert (str(made), await people_at(world, now)) == ("mei is away (ill)", ())
    for changed, sentence in (({"until": now}, "before it starts"), ({"instead_of": "eve"}, "Nobody is called eve.")):
        with pytest.raises(Refused, match=sentence):
            await add_absence(world.desk, Override(**{**_fields(absence), **changed}))  # type: ignore[arg-type]


def _fields(override: Override) -> dict[str, object]:
    return {name: getattr(override, name) for name in Override.__dataclass_fields__}


async def test_a_feed_has_the_shifts_with_what_was_changed_and_its_link_says_whose(world: World) -> None:
    now = world.clock.now()
    await import_shifts(world.desk, "first", events(("rosa", now, now + HOUR)))
    rota = feed_link(world.desk, CalendarClaim(rota="first"))
    claim = world.desk.links.read_calendar(rota.rpartition("/")[2].removesuffix(".ics"))
    assert claim == CalendarClaim(rota="first")
    zone = world.desk.configuration.rotas["first"].zone
    found = occurrences(await feed_of(world.desk, claim), now - DAY, now + timedelta(days=14), zone)
    assert [one.summary for one in found][:3] == [
        "On call: mei (first)",
        "On call: rosa (first)",
        "On call: mei (first)",
    ]
    mine = occurrences(await feed_of(world.desk, CalendarClaim(person="rosa")), now - DAY, now + 14 * DAY, zone)
    assert [(one.summary, one.start, one.until) for one in mine] == [("On call: first", now, now + HOUR)]
    assert found[0].start == monday_of(world) + HOUR
    with pytest.raises(NotFound):
        feed_link(world.desk, CalendarClaim(rota="second"))
    with pytest.raises(Refused, match="was not made here"):
        world.desk.links.read_calendar(claim.rota)
