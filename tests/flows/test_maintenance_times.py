"""Windows of the policy as they are written, on the nights on which the clocks change, and what is wrong with one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from responder.config.configuration import read
from responder.domain.maintenance import MaintenanceWindow, Once
from responder.errors import ConfigError
from responder.store.database import Database
from tests.flows.people import ALERTS_ONLY, HOUR, MINUTE, TEAM, Team
from tests.world import texts, write_files

SECOND = timedelta(seconds=1)
PAGED = ["lars", "mei"]


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


def write(world: Team, *windows: str) -> None:
    """A policy with these windows, as the server would read it."""
    lines = "".join(f"  - {window}\n" for window in windows)
    policy = f"{ALERTS_ONLY}zone: Europe/Berlin\nmaintenance:\n{lines}"
    write_files(world.path.parent, people=TEAM, policy=policy)
    world.desk.take_over(read(world.path))


def go_to(world: Team, text: str) -> None:
    """Moves the clock to an instant of UTC; never back."""
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    assert at > world.clock.now()
    world.clock.advance(at - world.clock.now())


@pytest.mark.parametrize(
    ("night", "hours", "opens", "ends"),
    [
        # The clocks jump from 02:00 to 03:00 at 01:00 UTC: half of the window is left out.
        ("2027-03-28", ("01:30", "03:30"), "00:30", "01:30"),
        ("2027-03-28", ("02:30", "03:30"), "01:00", "01:30"),
        # They go back from 03:00 to 02:00 at 01:00 UTC: an hour is shown twice.
        ("2027-10-31", ("01:30", "03:30"), "23:30", "02:30"),
        ("2027-10-31", ("02:15", "02:45"), "00:15", "00:45"),
    ],
)
async def test_a_weekly_window_on_a_night_on_which_the_clocks_change(
    world: Team, night: str, hours: tuple[str, str], opens: str, ends: str
) -> None:
    write(
        world, f'{{name: patching, when: [\'job="web"\'], weekly: {{days: sun, from: "{hours[0]}", to: "{hours[1]}"}}}}'
    )
    go_to(world, f"{night} {opens}" if opens < "12" else f"2027-10-30 {opens}")
    await world.fires(job="web")
    assert f"In maintenance until {night} {ends} UTC" in texts(await world.ticket())
    last = datetime.fromisoformat(f"{night} {ends}").replace(tzinfo=UTC) - world.clock.now()
    await world.advance(last - SECOND)
    assert world.sender.sent == []
    await world.advance(SECOND)
    assert sorted(world.sender.people()) == PAGED


async def test_before_a_window_opens_on_such_a_night_people_are_paged(world: Team) -> None:
    write(world, '{name: w, when: [\'job="web"\'], weekly: {days: sun, from: "01:30", to: "03:30"}}')
    go_to(world, "2027-03-28 00:29")
    await world.fires(job="web")
    assert sorted(world.sender.people()) == PAGED


async def test_a_window_from_one_wall_time_to_another_says_its_end_in_utc(world: Team) -> None:
    write(world, "{name: move, when: ['job=\"web\"'], from: 2027-03-28 01:00, until: 2027-03-28 04:00}")
    go_to(world, "2027-03-28 00:30")
    await world.fires(job="web")
    assert "In maintenance until 2027-03-28 02:00 UTC (move)" in texts(await world.ticket())
    await world.advance(90 * MINUTE - SECOND)
    assert world.sender.sent == []
    await world.advance(SECOND)
    assert sorted(world.sender.people()) == PAGED


@pytest.mark.parametrize("when", ["[]", "['job=~\".*\"']", "['instance=~\".+\"', 'job!=\"db\"']"])
async def test_a_window_that_would_mute_everything_is_named_and_changes_nothing(world: Team, when: str) -> None:
    with pytest.raises(ConfigError, match="would mute every alert") as refused:
        write(world, f'{{name: w, when: {when}, weekly: {{days: sun, from: "01:30", to: "03:30"}}}}')
    (problem,) = refused.value.problems
    assert (Path(problem.path).name, problem.line) == ("policy.yml", 5)
    await world.fires(job="web")
    assert sorted(world.sender.people()) == PAGED


async def test_a_window_of_the_policy_that_names_no_alerts_holds_nothing_even_if_nobody_checked_it(world: Team) -> None:
    now = world.clock.now()
    world.rule(maintenance=(MaintenanceWindow(name="w", when=(), times=(Once(start=now, end=now + HOUR),)),))
    await world.fires(job="web")
    assert sorted(world.sender.people()) == PAGED
