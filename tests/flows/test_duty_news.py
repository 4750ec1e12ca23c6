"""Who is told of a change by hand of who is on call, when, and which gaps it opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from responder.domain.delivery import ContactStep, QuietHours
from responder.domain.duty_news import Notice
from responder.domain.message import MessageState
from responder.domain.oncall import Channel
from responder.domain.rota import Override
from responder.errors import SendFailed
from responder.flows.calendars import Calendar, add_absence, import_shifts
from responder.flows.duty_news import Outcome
from responder.flows.overrides import Half, add_override, end_override, swap
from responder.flows.tell_duty import MOST_TRIES
from responder.store.cluster_jobs import ClusterJobs
from responder.store.database import Database
from responder.store.jobs import Jobs, LocalJobs
from tests.flows.people import ALERTS_ONLY, HOUR, MINUTE
from tests.flows.test_calendars import events
from tests.world import World, alert

DAY = timedelta(days=1)
PEOPLE = """
people:
  - {name: mei, language: zh, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
  - {name: rosa, channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
  - {name: boss, channels: [{name: phone, length: short, url: "json://127.0.0.1:9/boss"}]}
teams:
  - {name: ops, tiers: {1: {rota: first}, 2: [boss]}}
rotas:
  - name: first
    zone: Asia/Shanghai
    layers:
      - {people: [mei, lars], rotation: daily, start: DAY 08:00}
  - name: second
    zone: Europe/Berlin
    layers:
      - {people: [mei], start: 2026-01-05}
      - {people: [lars], start: 2026-01-05, windows: [{days: mon-fri}]}
"""


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    """It is noon of a day on which mei is on call in `first` until midnight of UTC."""
    day = datetime.combine(datetime.now(UTC).date() + DAY, time(12), UTC)
    made = World(tmp_path, database, people=PEOPLE.replace("DAY", f"{day:%Y-%m-%d}"), policy=ALERTS_ONLY)
    made.clock.advance(day - made.clock.now())
    return made


def wanted(world: World, person: str = "rosa", instead_of: str = "", *, after: float = 2, hours: float = 2) -> Override:
    now = world.clock.now()
    start = now + after * HOUR
    return Override(
        rota="first",
        person=person,
        instead_of=instead_of,
        start=start,
        until=start + hours * HOUR,
        reason="a dentist",
        actor="otto",
        made_at=now,
    )


def absence(world: World, person: str = "mei", *, after: float = 0, hours: float = 2) -> Override:
    return replace(wanted(world, after=after, hours=hours), rota="", person="", instead_of=person, reason="ill")


def sleeps(world: World, *names: str) -> None:
    """These people are in quiet hours for the next three hours."""
    configuration, now = world.desk.configuration, world.clock.now()
    zone = configuration.rotas["first"].zone
    quiet = QuietHours(
        start=(now - HOUR).astimezone(zone).time(), end=(now + 3 * HOUR).astimezone(zone).time(), zone=zone
    )
    people = {name: replace(configuration.people[name], quiet_hours=(quiet,)) for name in names}
    world.desk.take_over(replace(configuration, people={**configuration.people, **people}))


def calendar(*named: tuple[str, datetime, datetime]) -> Calendar:
    return replace(events(*named), actor="otto")


async def notices(world: World, made: Outcome) -> list[Notice]:
    ids = [one.id for one in made.overrides]
    found: list[Notice] = await world.read(lambda tx: tx.duty_notices.about(ids, world.clock.now() - 9 * DAY))
    return found


def told(world: World) -> dict[str, str]:
    """What each person has read last."""
    return {person: f"{subject}\n{body}" for person, subject, body in world.sender.sent}


# --- who is told ----------------------------------------------------------------------------------------------


async def test_whoever_is_put_on_call_and_whoever_is_taken_off_are_told_in_their_language(world: World) -> None:
    made = await add_override(world.desk, wanted(world))
    assert world.sender.sent == []
    await world.work()
    day = world.clock.now()
    assert told(world) == {
        "rosa": f"You are on call in first from {day:%a %Y-%m-%d} 22:00 until {day + DAY:%a %Y-%m-%d} 00:00 CST\n"
        f"You are on call in first from {day:%a %Y-%m-%d} 22:00 until {day + DAY:%a %Y-%m-%d} 00:00 CST\n"
        "Changed by otto: a dentist\n",
        "mei": f"您不再在 first 值班：{day:%Y-%m-%d} 22:00 至 {day + DAY:%Y-%m-%d} 00:00（Asia/Shanghai）\n"
        f"您不再在 first 值班：{day:%Y-%m-%d} 22:00 至 {day + DAY:%Y-%m-%d} 00:00（Asia/Shanghai）\n"
        "由 otto 更改：a dentist\n",
    }
    assert {(one.person, one.state, one.told_at) for one in await notices(world, made)} == {
        (name, MessageState.SENT, day) for name in ("mei", "rosa")
    }


async def test_the_end_of_an_override_is_told_too(world: World) -> None:
    made = await add_override(world.desk, wanted(world))
    await world.work()
    world.clock.advance(3 * HOUR)
    world.sender.sent.clear()
    await end_override(world.desk, "first", made.overrides[0].id, "lars")
    await world.work()
    assert told(world)["rosa"].startswith("You are not on call in first now until ")
    assert told(world)["rosa"].endswith("Ended by lars: a dentist\n")
    assert "您在 first 值班：即刻起 至 " in told(world)["mei"]
    assert sorted(told(world)) == ["mei", "rosa"]


async def test_whoever_changes_it_for_themself_is_not_told(world: World) -> None:
    await add_override(world.desk, replace(wanted(world), actor="Rosa"))
    await world.work()
    assert world.sender.people() == ["mei"]


async def test_in_a_swap_each_is_told_once_of_both_shifts(world: World) -> None:
    await swap(world.desk, "first", (Half(person="mei"), Half(person="lars")), actor="otto", reason="a wedding")
    await world.work()
    assert sorted(world.sender.people()) == ["lars", "mei"]
    subject, *lines = told(world)["lars"].splitlines()
    assert subject == f"{lines[0]} …"
    assert [line.startswith(("You are on call", "You are not on call")) for line in lines] == [True, True, False]
    assert ("You are on call in first now until" in lines[0], "not on call in first from" in lines[1]) == (True, True)


async def test_an_absence_tells_those_who_take_over_below_and_nobody_whom_it_does_not_touch(world: World) -> None:
    await add_absence(world.desk, absence(world, "lars", after=24 * 2, hours=24))
    await world.work()
    assert "lars" in told(world)
    assert set(told(world)) <= {"lars", "mei"}
    assert "boss" not in told(world)
    world.sender.sent.clear()
    await add_absence(world.desk, absence(world, "rosa"))
    await world.work()
    assert world.sender.sent == []


async def test_a_calendar_tells_each_person_once_and_says_nothing_when_it_comes_again_as_it_was(world: World) -> None:
    now = world.clock.now()
    days = [("rosa", now + number * DAY, now + number * DAY + HOUR) for number in range(1, 11)]
    await import_shifts(world.desk, "first", calendar(*days))
    await world.work()
    assert sorted(world.sender.people()) == ["lars", "mei", "rosa"]
    assert told(world)["rosa"].count("You are on call") == 7
    assert "and 4 more" in told(world)["rosa"]
    world.sender.sent.clear()
    assert (await import_shifts(world.desk, "first", calendar(*days))).notices == ()
    await import_shifts(world.desk, "first", calendar(*days[1:]))
    await world.work()
    assert len(world.sender.sent) == 2
    assert "You are not on call in first" in told(world)["rosa"]


async def test_a_refused_override_tells_nobody(world: World) -> None:
    await add_override(world.desk, wanted(world))
    await world.work()
    world.sender.sent.clear()
    with pytest.raises(Exception, match="overlaps override"):
        await add_override(world.desk, wanted(world, "boss"))
    await world.work()
    assert world.sender.sent == []


async def test_a_short_channel_gets_a_short_text(world: World) -> None:
    await add_override(world.desk, wanted(world, "boss"))
    await world.work()
    assert len(told(world)["boss"]) <= 161
    assert told(world)["boss"].startswith("\nYou are on call in first from ")


# --- when -----------------------------------------------------------------------------------------------------


async def test_who_is_in_quiet_hours_is_told_when_they_end(world: World) -> None:
    sleeps(world, "rosa")
    made = await add_override(world.desk, wanted(world, after=20))
    assert [(one.person, one.due_at is not None) for one in made.notices] == [("rosa", True), ("lars", False)]
    await world.work()
    assert world.sender.people() == ["lars"]
    await world.advance(3 * HOUR - MINUTE)
    assert world.sender.people() == ["lars"]
    await world.advance(MINUTE)
    assert world.sender.people() == ["lars", "rosa"]


async def test_what_takes_effect_at_once_while_a_ticket_pages_wakes_its_reader(world: World) -> None:
    sleeps(world, "rosa")
    await world.post(alert(severity="critical"))
    await world.work()
    world.sender.sent.clear()
    await add_override(world.desk, wanted(world, after=20))
    await world.work()
    assert "rosa" not in world.sender.people()
    await add_override(world.desk, wanted(world, after=0))
    await world.work()
    assert "You are on call in first now until" in told(world)["rosa"]


async def test_without_a_page_what_takes_effect_at_once_waits_for_the_morning(world: World) -> None:
    sleeps(world, "rosa")
    await add_override(world.desk, wanted(world, after=0, hours=8))
    await world.work()
    assert world.sender.people() == ["mei"]


async def test_what_was_taken_back_before_its_reader_knew_of_it_is_not_told_at_all(world: World) -> None:
    sleeps(world, "rosa")
    made = await add_override(world.desk, wanted(world, after=20))
    await world.work()
    await end_override(world.desk, "first", made.overrides[0].id, "otto")
    await world.advance(4 * HOUR)
    assert world.sender.people() == ["lars", "lars"]
    assert [(one.person, one.state) for one in await notices(world, made)] == [
        ("rosa", MessageState.OVERTAKEN),
        ("lars", MessageState.SENT),
        ("lars", MessageState.SENT),
    ]


async def test_a_held_notice_tells_only_what_is_still_so(world: World) -> None:
    sleeps(world, "rosa")
    await add_override(world.desk, wanted(world, after=20, hours=4))
    await add_absence(world.desk, absence(world, "rosa", after=22, hours=4))
    await world.advance(4 * HOUR)
    assert world.sender.people().count("rosa") == 1
    until = (world.clock.now() + 18 * HOUR).astimezone(world.desk.configuration.rotas["first"].zone)
    assert f"until {until:%a %Y-%m-%d %H:%M}" in told(world)["rosa"]


# --- channels -------------------------------------------------------------------------------------------------


async def test_a_channel_that_refuses_makes_way_for_the_next_one(world: World) -> None:
    configuration = world.desk.configuration
    channels = (Channel(name="phone", scheme="json"), Channel(name="mail", scheme="json"))
    steps = (ContactStep(channels=("mail",)), ContactStep(channels=("phone",), after=HOUR))
    rosa = replace(configuration.people["rosa"], channels=channels, contact=steps)
    addresses = {**configuration.addresses}
    phone = next(one for one in addresses if one.person == "rosa")
    addresses[replace(phone, channel="mail")] = addresses[phone]
    people = {**configuration.people, "rosa": rosa}
    world.desk.take_over(replace(configuration, people=people, addresses=addresses))
    world.sender.failures.append(SendFailed("busy."))
    await add_override(world.desk, replace(wanted(world), actor="mei"))
    await world.work()
    assert world.sender.people() == ["rosa"]


async def test_a_notice_that_does_not_leave_is_tried_again_and_in_the_end_says_so(world: World) -> None:
    world.sender.failures.extend([SendFailed("the line is dead.")] * (MOST_TRIES + 1))
    made = await add_override(world.desk, replace(wanted(world, hours=8), actor="mei"))
    await world.work()
    (notice,) = await notices(world, made)
    assert (notice.state, notice.error, notice.tries) == (MessageState.FAILED_FOR_NOW, "the line is dead.", 1)
    for _ in range(MOST_TRIES):
        await world.advance(5 * MINUTE)
    (notice,) = await notices(world, made)
    assert (notice.state, notice.tries, world.sender.sent) == (MessageState.FAILED, MOST_TRIES, [])


# --- gaps -----------------------------------------------------------------------------------------------------


async def test_a_gap_that_an_absence_opens_is_named_and_the_absence_is_made(world: World) -> None:
    now = world.clock.now()
    with capture_logs() as logs:
        made = await add_absence(world.desk, absence(world, after=1))
    assert [(one.rota, one.start, one.until) for one in made.gaps if one.rota == "first"] == [
        ("first", now + HOUR, now + 3 * HOUR)
    ]
    warned = [(one["rota"], one["start"]) for one in logs if one["log_level"] == "warning"]
    assert warned == [("first", (now + HOUR).isoformat())]
    again = await add_absence(world.desk, absence(world, after=1))
    assert again.gaps == ()


async def test_a_gap_that_is_far_away_is_named_without_a_warning(world: World) -> None:
    with capture_logs() as logs:
        made = await add_absence(world.desk, absence(world, after=24 * 20, hours=48))
    assert "first" in {one.rota for one in made.gaps}
    assert [one for one in logs if one["log_level"] == "warning"] == []


async def test_the_end_of_an_override_that_filled_a_gap_opens_it_again(world: World) -> None:
    await add_absence(world.desk, absence(world, after=1, hours=4))
    made = await add_override(world.desk, wanted(world))
    assert made.gaps == ()
    ended = await end_override(world.desk, "first", made.overrides[0].id, "otto")
    assert [(one.start, one.until) for one in ended.gaps] == [(made.overrides[0].start, made.overrides[0].until)]


async def test_all_is_written_in_one_transaction_or_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Jobs, promised: object) -> None:
        raise SendFailed(f"{self}: {promised}")

    monkeypatch.setattr(ClusterJobs if world.database.is_cluster else LocalJobs, "promise", broken)
    with pytest.raises(SendFailed):
        await add_override(world.desk, wanted(world))
    assert await world.read(lambda tx: tx.overrides.since(world.clock.now())) == []
    assert await world.read(lambda tx: tx.duty_notices.untold("rosa")) == []
