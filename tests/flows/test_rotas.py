"""Rotas in use: who is called, by plan and by what people have changed by hand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from responder.domain.escalation import Callees, EscalationPlan, Step
from responder.domain.rota import Override
from responder.errors import NotFound, Refused
from responder.flows.duty import Duty, on_duty
from responder.flows.overrides import Half, add_override, end_override, swap
from responder.flows.watch_rotas import gap_seconds, warn_of_gaps, watch_rotas
from responder.store.database import Database
from tests.flows.people import ALERTS_ONLY, HOUR
from tests.world import World, alert

DAY = timedelta(days=1)
WED, SAT, SUN = 2 * DAY + 12 * HOUR, 5 * DAY + 12 * HOUR, 6 * DAY + 12 * HOUR
FRIDAY_NIGHT, HAND_OVER = 4 * DAY + 16 * HOUR, 7 * DAY + HOUR
PEOPLE = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
  - {name: rosa, channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
  - {name: boss, channels: [{name: phone, url: "json://127.0.0.1:9/boss"}]}
  - {name: mute}
teams:
  - {name: ops, tiers: {1: {rota: first}, 2: [boss]}}
rotas:
  - name: first
    zone: Asia/Shanghai
    layers:
      - {name: weekdays, people: [mei, lars], start: MONDAY 09:00, windows: [{days: mon-fri}]}
  - name: both
    may_be_empty: true
    layers:
      - {people: [[mei, lars]], start: 2026-01-05}
"""


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    monday = datetime.combine(datetime.now(UTC).date(), time(), UTC)
    monday += DAY * (7 - monday.weekday())
    people = PEOPLE.replace("MONDAY", f"{monday:%Y-%m-%d}")
    made = World(tmp_path, database, people=people, policy=ALERTS_ONLY)
    made.clock.advance(monday - made.clock.now())
    move(made, WED)
    return made


def move(world: World, offset: timedelta) -> None:
    """To an instant of the week that begins on MONDAY."""
    world.clock.advance(monday_of(world) + offset - world.clock.now())


def monday_of(world: World) -> datetime:
    """Monday 00:00 UTC; in the rota's zone it is eight hours later."""
    start = world.desk.configuration.rotas["first"].layers[0].rotation.start
    return datetime.combine(start.date(), time(), UTC)


def wanted(world: World, person: str = "rosa", instead_of: str = "", *, hours: int = 8, after: int = 0) -> Override:
    now = world.clock.now()
    start = now + after * HOUR
    return Override(
        rota="first",
        person=person,
        instead_of=instead_of,
        start=start,
        until=start + hours * HOUR,
        reason="a dentist",
        actor="mei",
        made_at=now,
    )


async def make(world: World, override: Override) -> Override:
    (made,) = (await add_override(world.desk, override)).overrides
    return made


async def duty(world: World, rota: str = "first") -> Duty:
    found: Duty = await world.read(lambda tx: on_duty(world.desk, tx, rota, world.clock.now()))
    return found


async def people_after(world: World, *hours: int) -> list[str]:
    """Who is on call in `first` so many hours from now."""
    now = world.clock.now()
    found = await world.read(lambda tx: [on_duty(world.desk, tx, "first", now + hour * HOUR).people for hour in hours])
    return [", ".join(people) for people in found]


async def called(world: World, instance: str = "web-1:9100") -> tuple[list[str], str]:
    """Who gets the page of a new trouble, and why them."""
    await world.post(alert(instance=instance, severity="critical"))
    await world.work()
    newest = await world.read(lambda tx: tx.tickets.listed(open_only=True, status="", grade="", before=None, limit=1))
    messages = await world.read(lambda tx: tx.messages.of_ticket(newest[0].id))
    events = await world.read(lambda tx: tx.tickets.events(newest[0].id))
    why = next(event.text for event in events if event.text.startswith("To tell:"))
    return sorted({message.person for message in messages}), why


# --- who is called ---------------------------------------------------------------------------------


async def test_the_page_goes_to_whoever_is_on_call_and_says_in_which_rota(world: World) -> None:
    assert (await duty(world)).people == ("mei",)
    people, why = await called(world)
    assert (people[-1], "mei, on call in first" in why) == ("mei", True)
    assert "lars" not in people


async def test_after_the_hand_over_the_next_one_is_called(world: World) -> None:
    move(world, HAND_OVER)
    found = await duty(world)
    assert (found.people, found.why) == (("lars",), "layer weekdays, turn 2")
    assert found.until == monday_of(world) + 7 * DAY + FRIDAY_NIGHT
    assert "lars" in (await called(world))[0]


async def test_with_nobody_on_call_the_call_goes_up_and_says_why(world: World) -> None:
    move(world, SAT)
    assert (await duty(world)).people == ()
    people, why = await called(world)
    assert people == ["boss"]
    assert "nobody is on call in first" in why


async def test_two_who_are_on_call_are_both_called(world: World) -> None:
    configuration = world.desk.configuration
    rota = replace(configuration.tiers["ops"][0], rota="both")
    world.desk.take_over(replace(configuration, tiers={"ops": (rota,)}))
    assert (await duty(world, "both")).until is None
    assert (await called(world))[0] == ["lars", "mei"]


# --- overrides -------------------------------------------------------------------------------------


async def test_whoever_stands_for_the_one_on_call_gets_the_page(world: World) -> None:
    made = await make(world, wanted(world, instead_of="mei"))
    found = await duty(world)
    assert found.people == ("rosa",)
    assert found.why == "layer weekdays, turn 1; override: rosa instead of mei, by mei: a dentist"
    assert "rosa" in (await called(world))[0]
    world.clock.advance(8 * HOUR)
    assert (await duty(world)).people == ("mei",)
    assert (await world.sums("overrides_total")) == {(("rota", "first"),): 1}
    assert made.id


async def test_an_override_that_is_ended_holds_no_longer_and_stays_written_down(world: World) -> None:
    made = await make(world, wanted(world))
    world.clock.advance(HOUR)
    (ended,) = (await end_override(world.desk, "first", made.id, "lars")).overrides
    assert (ended.ended_by, (await duty(world)).people) == ("lars", ("mei",))
    kept = await world.read(lambda tx: tx.overrides.one(made.id))
    assert (kept.ended_by, kept.ends) == ("lars", world.clock.now())
    with pytest.raises(Refused, match="is over"):
        await end_override(world.desk, "first", made.id, "lars")
    with pytest.raises(NotFound, match="in rota both"):
        await end_override(world.desk, "both", made.id, "lars")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"person": "eve"}, "Nobody is called eve."),
        ({"instead_of": "eve"}, "Nobody is called eve."),
        ({"person": "mute"}, "mute has no channel, so a call would reach nobody."),
        ({"instead_of": "rosa"}, "rosa cannot stand for rosa."),
        ({"instead_of": "lars"}, "lars is not on call in rota first in that time, so nothing would change."),
        ({"start": timedelta(hours=9)}, "It would end .* before it starts"),
        ({"start": timedelta(hours=-3), "until": timedelta(hours=-2)}, "It lies in the past: it would have ended"),
        ({"start": timedelta(hours=-3)}, "who was on call then cannot be changed any more"),
        ({"until": timedelta(days=400)}, "longer than 370 days"),
    ],
)
async def test_an_override_that_cannot_be_meant_is_refused_in_a_sentence(
    world: World, changed: dict[str, object], sentence: str
) -> None:
    now = world.clock.now()
    asked = {name: now + value if isinstance(value, timedelta) else value for name, value in changed.items()}
    with pytest.raises(Refused, match=sentence):
        await add_override(world.desk, replace(wanted(world), **asked))  # type: ignore[arg-type]
    assert await world.read(lambda tx: tx.overrides.since(now - DAY)) == []


async def test_an_override_of_an_unknown_rota_is_refused(world: World) -> None:
    with pytest.raises(NotFound, match="There is no rota second; there are first, both"):
        await add_override(world.desk, replace(wanted(world), rota="second"))


async def test_two_overrides_of_one_seat_cannot_overlap_but_may_touch(world: World) -> None:
    first = await make(world, wanted(world))
    with pytest.raises(
        Refused, match=rf"overlaps override {first.id} \(rosa, by mei: a dentist\).* end that one first"
    ):
        await add_override(world.desk, wanted(world, "lars", after=7))
    await add_override(world.desk, wanted(world, "lars", after=8))
    await end_override(world.desk, "first", first.id, "mei")
    await add_override(world.desk, wanted(world, "boss"))
    assert (await duty(world)).people == ("boss",)


async def test_who_stands_for_everybody_goes_before_who_stood_for_one_of_them_until_then(world: World) -> None:
    await make(world, wanted(world, "rosa", "mei", hours=8))
    await make(world, wanted(world, "boss", hours=4, after=2))
    assert await people_after(world, 0, 2, 5, 6, 8) == ["rosa", "boss", "boss", "rosa", "mei"]


async def test_who_stands_for_somebody_beside_one_who_stands_for_everybody_is_refused_or_counts_around_it(
    world: World,
) -> None:
    await make(world, wanted(world, "boss", hours=4, after=2))
    with pytest.raises(Refused, match="mei is not on call in rota first in that time, so nothing would change"):
        await add_override(world.desk, wanted(world, "rosa", "mei", hours=4, after=2))
    await make(world, wanted(world, "rosa", "mei", hours=8))
    await make(world, wanted(world, "lars", "boss", hours=2, after=4))
    assert await people_after(world, 0, 2, 4, 6, 8) == ["rosa", "boss", "lars", "rosa", "mei"]


async def test_two_people_swap_their_shifts_in_one_act(world: World) -> None:
    halves = (Half(person="mei"), Half(person="lars"))
    mine, theirs = (await swap(world.desk, "first", halves, actor="mei", reason="a wedding")).overrides
    assert (mine.person, mine.start) == ("lars", world.clock.now())
    assert mine.until == monday_of(world) + FRIDAY_NIGHT
    assert (theirs.person, theirs.instead_of) == ("mei", "lars")
    assert (await duty(world)).people == ("lars",)
    await end_override(world.desk, "first", theirs.id, "lars")
    assert (await duty(world)).people == ("mei",)
    assert all(one.ended_at for one in await world.read(lambda tx: tx.overrides.of_act(mine.act)))


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("mei", "mei", "on call at the same time"),
        ("eve", "mei", "Nobody is called eve."),
        ("rosa", "mei", "rosa is not on call in rota first in the next year."),
    ],
)
async def test_a_swap_that_cannot_be_meant_changes_nothing(
    world: World, first: str, second: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        await swap(world.desk, "first", (Half(person=first), Half(person=second)), actor="mei", reason="x")
    assert await world.read(lambda tx: tx.overrides.since(world.clock.now())) == []


async def test_a_swap_of_a_shift_that_is_somebody_elses_is_refused(world: World) -> None:
    halves = (Half(person="mei", at=world.clock.now() + 7 * DAY), Half(person="lars"))
    with pytest.raises(Refused, match="mei is not on call in rota first at "):
        await swap(world.desk, "first", halves, actor="mei", reason="x")


# --- nobody there ----------------------------------------------------------------------------------


async def test_nobody_on_call_is_a_trouble_of_its_own_until_somebody_is(world: World) -> None:
    assert await watch_rotas(world.desk) == 0
    move(world, SAT)
    assert (await watch_rotas(world.desk), await watch_rotas(world.desk)) == (1, 0)
    await world.work()
    ticket = await world.ticket()
    assert (ticket["labels"]["alertname"], ticket["grade"]) == ("ResponderNobodyOnCall", "P1")
    assert (
        ticket["annotations"]["summary"]
        == "Nobody is on call in rota first (no layer has anybody): calls go to the next tier."
    )
    assert {message["person"] for message in ticket["messages"]} == {"boss"}
    await add_override(world.desk, wanted(world))
    assert (await watch_rotas(world.desk), await watch_rotas(world.desk)) == (1, 0)
    assert (await world.ticket())["signal"] == "cleared"


async def test_a_rota_that_is_gone_from_the_files_is_no_trouble_any_more(world: World) -> None:
    move(world, SAT)
    await watch_rotas(world.desk)
    world.desk.take_over(replace(world.desk.configuration, rotas={}))
    assert await watch_rotas(world.desk) == 1
    assert (await world.ticket())["signal"] == "cleared"


async def test_on_call_without_a_channel_is_nobody_on_call(world: World) -> None:
    configuration = world.desk.configuration
    people = {**configuration.people, "mei": replace(configuration.people["mei"], channels=())}
    world.desk.take_over(replace(configuration, people=people))
    assert await watch_rotas(world.desk) == 1
    assert (await world.ticket())["title"].startswith("mei, on call in rota first, has no channel")


async def test_gaps_ahead_are_measured_and_told_once(world: World) -> None:
    assert await world.read(lambda tx: gap_seconds(world.desk, tx)) == {"first": 4 * DAY.total_seconds()}
    assert (await warn_of_gaps(world.desk), await warn_of_gaps(world.desk)) == (1, 0)
    move(world, SUN)
    assert await warn_of_gaps(world.desk) == 0
    move(world, HAND_OVER)
    assert await warn_of_gaps(world.desk) == 1


async def test_an_override_that_is_ended_before_it_began_never_was(world: World) -> None:
    made = await make(world, wanted(world, after=4))
    await end_override(world.desk, "first", made.id, "mei")
    with pytest.raises(Refused, match="is over"):
        await end_override(world.desk, "first", made.id, "mei")
    await add_override(world.desk, wanted(world, "lars", after=2))
    world.clock.advance(5 * HOUR)
    assert (await duty(world)).people == ("lars",)


async def test_of_two_overrides_at_the_same_time_one_is_refused(world: World) -> None:
    asked = (add_override(world.desk, wanted(world, name)) for name in ("rosa", "lars", "boss"))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Refused)]
    assert (len(refused), all("overlaps override" in str(one) for one in refused)) == (2, True)
    assert len(await world.read(lambda tx: tx.overrides.since(world.clock.now()))) == 1


async def test_a_call_after_the_hand_over_goes_to_whoever_is_on_call_then(world: World) -> None:
    again = Step(callees=Callees(tiers=(1,)), after=timedelta(minutes=30))
    plan = EscalationPlan(name="twice", steps=(Step(callees=Callees(tiers=(1,))), again))
    configuration = world.desk.configuration
    world.desk.take_over(replace(configuration, policy=replace(configuration.policy, escalation=(plan,))))
    move(world, HAND_OVER - timedelta(minutes=10))

    await world.post(alert(severity="critical"))
    await world.work()
    ticket = await world.ticket()
    foreseen = next(event["data"] for event in ticket["events"] if "steps" in event["data"])
    assert [step["who"] for step in foreseen["steps"]] == [["mei"], ["lars"]]
    assert {message["person"] for message in ticket["messages"]} == {"mei"}
    await world.advance(timedelta(minutes=31))
    assert {message["person"] for message in (await world.ticket())["messages"]} == {"mei", "lars"}
