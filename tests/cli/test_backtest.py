"""`responder backtest`: the stored reports under another policy. It changes nothing, and the same gives the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from responder.errors import BadReport
from responder.flows.backtest import backtest
from responder.flows.receive import Post, quarantine, receipt, receive
from responder.intake.alertmanager import parse
from responder.store.database import Database
from responder.store.reports import Body
from responder.store.tables import metadata
from responder.store.transaction import Transaction
from tests.cli.calling import run
from tests.fakes import HOUR, MINUTE, FakeClock, material_folder
from tests.world import MAIN, PEOPLE, POLICY, RUNBOOK, World, alert, resolved, write_files

ASKING = """
extends: p1-p4
first_aid:
  - name: restart it
    when: ['alertname="ServiceDown"']
    runbook: restart-app
    autonomy: {level}
    approval: {{within: 15m}}
"""
WITHOUT_FIRST_AID = "extends: p1-p4\n"
NOTHING_IS_GRAVE = POLICY + "grade_rules: [{name: all is slight, grade: P4, when: ['alertname!=\"\"']}]\n"
ONE_PER_NAME = POLICY + "correlation: [{name: by-name, when: ['alertname!=\"\"'], by: [alertname]}]\n"


@pytest.fixture
def world(tmp_path: Path, database: Database, database_url: str) -> World:
    """Two days ago: what is posted lies inside the last three."""
    made = World(tmp_path, database, main=MAIN.replace("sqlite:///unused.db", database_url))
    made.clock = FakeClock(datetime.now(UTC).replace(microsecond=0) - timedelta(days=2))
    made.desk = made.another_desk()
    return made


async def asked(world: World, *words: str, policy: str | None = None) -> Result:
    """The command as it is given beside a server that has the database open."""
    given = ["backtest", "--since", "3d", "--config", str(world.path), *words]
    if policy is not None:
        (world.path.parent / "new.yml").write_text(policy)
        given += ["--policy", str(world.path.parent / "new.yml")]
    return await asyncio.to_thread(run, *given)


async def differing(world: World, policy: str | None, *words: str) -> dict[str, Any]:
    result = await asked(world, "--json", *words, policy=policy)
    assert result.exit_code == 1, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


async def post_bytes(world: World, body: bytes) -> None:
    """As the webhook takes it, or sets it aside."""
    now = world.clock.now()
    kept = Body(id=receipt(now), source="main", received_at=now, body=body)
    try:
        parsed = parse(body, source="main", received_at=now, receipt=kept.id)
    except BadReport as error:
        refused = Body(id=kept.id, source="main", received_at=now, body=body, quarantined_because=f"422: {error}")
        await quarantine(world.desk, refused)
        return
    await receive(world.desk, [Post(body=kept, reports=parsed.reports, complaints=parsed.complaints)])


def everything(tx: Transaction) -> dict[str, list[Any]]:
    return {table.name: list(tx.connection.execute(table.select())) for table in metadata.sorted_tables}


async def test_the_unchanged_policy_makes_no_difference(world: World) -> None:
    await world.post(alert(), alert("Other", instance="web-2"))
    world.clock.advance(HOUR)
    await world.post(resolved())
    result = await asked(world)
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "no difference")
    assert "3 reports in 2 bodies, 0 of them in quarantine" in result.output
    assert (await asked(world, policy=POLICY)).exit_code == 0
    assert (await asked(world, "--config-new", str(world.path))).exit_code == 0


async def test_collected_bodies_make_no_difference_and_the_same_text_twice(world: World) -> None:
    folder = material_folder() / "webhooks"
    if not folder.is_dir():
        pytest.skip("the collected bodies are not here")
    files = sorted(path for path in folder.glob("*.json") if path.name != "index.json")
    for path in files:
        await post_bytes(world, path.read_bytes())
        world.clock.advance(7 * MINUTE)
    first, second = await asked(world, "--json"), await asked(world, "--json")
    assert first.exit_code == 0, first.output
    assert first.stdout == second.stdout
    found = json.loads(first.stdout)
    assert (found["bodies"], found["differ"], found["differences"]) == (len(files), {"troubles": 0}, [])
    assert found["quarantined"]["count"] == len(found["quarantined"]["first"]) > 0
    assert found["troubles"]["before"] > 20
    one, other = [await asked(world, policy=NOTHING_IS_GRAVE) for _ in range(2)]
    assert (one.exit_code, one.output) == (1, other.output)


async def test_a_runbook_taken_away_shows_its_commands_and_the_page_in_its_place(world: World) -> None:
    await world.post(alert())
    world.clock.advance(2 * MINUTE)
    await world.post(resolved())
    (one,) = (await differing(world, WITHOUT_FIRST_AID))["differences"]
    assert one["fields"] == ["runbooks", "targets", "pages", "commands"]
    assert (one["before"]["runbooks"], one["after"]["runbooks"]) == ({"restart-app": 1}, {})
    assert (one["before"]["targets"], one["before"]["pages"]) == ({"web-1": 1}, {})
    assert one["after"]["pages"] == {"lars by phone": 1, "mei by pager": 1}
    settings = one["before"]["commands"][0]["steps"][0]["settings"]
    assert settings["restart"] == ["svc", "restart", "app"]

    shown = (await asked(world, policy=WITHOUT_FIRST_AID)).output
    assert "  runbook   restart-app → none\n" in shown
    assert "  pages     none → lars by phone, mei by pager\n" in shown
    assert "    - restart-app on web-1\n" in shown
    assert "1 troubles differ: runbook 1, target 1, pages 1, commands 1" in shown


async def test_first_aid_without_an_all_clear_in_time_still_pages(world: World) -> None:
    await world.post(alert())
    world.clock.advance(HOUR)
    await world.post(resolved())
    (one,) = (await differing(world, WITHOUT_FIRST_AID))["differences"]
    assert one["fields"] == ["runbooks", "targets", "commands"]
    assert one["before"]["pages"] == {"lars by phone": 1, "mei by pager": 1}


@pytest.mark.parametrize(("level", "pages_at_once"), [("suggest", True), ("approve", False)])
async def test_a_rule_that_only_suggests_or_asks_pages_where_automation_did_not(
    world: World, level: str, pages_at_once: bool
) -> None:
    await world.post(alert())
    world.clock.advance(2 * MINUTE)
    await world.post(resolved())
    asking = ASKING.format(level=level)
    (one,) = (await differing(world, asking))["differences"]
    assert one["after"]["commands"][0]["autonomy"] == level
    assert bool(one["after"]["pages"]) is pages_at_once
    assert f"    + restart-app on web-1 ({level})\n" in (await asked(world, policy=asking)).output

    world.clock.advance(24 * HOUR)
    await world.post(alert(instance="web-2:9100"))
    world.clock.advance(HOUR)
    await world.post(alert("Odd"))
    later = next(one for one in (await differing(world, asking))["differences"] if "web-2" in one["title"])
    assert later["after"]["pages"]


async def test_a_changed_grade_changes_the_rule_and_who_is_paged(world: World) -> None:
    await world.post(alert("Odd"))
    (one,) = (await differing(world, NOTHING_IS_GRAVE))["differences"]
    assert one["fields"] == ["grades", "rules", "pages"]
    assert (one["before"]["grades"], one["after"]["grades"]) == ({"P1": 1}, {"P4": 1})
    assert (one["after"]["rules"], one["after"]["pages"]) == ({"all is slight": 1}, {})


async def test_a_changed_runbook_shows_its_steps_before_and_after(world: World) -> None:
    await world.post(alert())
    folder = world.path.parent / "tried"
    folder.mkdir()
    write_files(folder, main=world.path.read_text(), runbook=RUNBOOK.replace("[svc, restart,", "[svc, reload,"))
    (one,) = (await differing(world, None, "--config-new", str(folder / "responder.yml")))["differences"]
    assert one["fields"] == ["commands"]
    assert [one[side]["commands"][0]["steps"][0]["settings"]["restart"][1] for side in ("before", "after")] == [
        "restart",
        "reload",
    ]


async def test_first_aid_that_would_be_refused_says_why(world: World) -> None:
    await world.post(alert(instance="nowhere"))
    (one,) = (await differing(world, WITHOUT_FIRST_AID))["differences"]
    assert one["before"]["refused"] == {"'nowhere' is no target in the inventory": 1}
    assert one["fields"] == ["runbooks", "refused"]


async def test_troubles_that_become_one_are_compared_together(world: World) -> None:
    for host in ("web-1", "web-2", "web-3"):
        await world.post(alert("Odd", instance=host))
    await world.post(alert("Else"))
    found = await differing(world, ONE_PER_NAME)
    assert (found["troubles"], found["tickets"]) == ({"before": 4, "after": 2}, {"before": 4, "after": 2})
    (one,) = found["differences"]
    assert one["title"] == "Odd on web-1"
    assert (one["before"]["tickets"], one["after"]["tickets"]) == (3, 1)


async def test_a_silent_source_is_found_in_the_replay(world: World) -> None:
    await world.post(alert("Watchdog"))
    world.clock.advance(8 * MINUTE)
    await world.post(alert("Watchdog"))
    world.clock.advance(MINUTE)
    await world.post(alert("Odd"))
    impatient = POLICY + "heartbeats: [{name: watchdog, when: ['alertname=\"Watchdog\"'], within: 5m}]\n"
    (one,) = (await differing(world, impatient))["differences"]
    assert "has not sent watchdog for 5m" in one["title"]
    assert (one["before"]["tickets"], one["after"]["tickets"]) == (0, 1)


async def test_bodies_in_quarantine_are_listed_and_make_the_ticket_that_they_made(world: World) -> None:
    await post_bytes(world, b'{"alerts": 5}')
    await post_bytes(world, b"no json \x00\xff")
    result = await asked(world)
    lines = result.output.splitlines()
    assert (result.exit_code, lines[2]) == (0, "0 reports in 2 bodies, 2 of them in quarantine")
    assert all(line.startswith("quarantined ") and "422: " in line for line in lines[:2])
    assert lines[3] == "troubles 1 → 1; tickets 1 → 1; pages 2 → 2"


async def test_nothing_is_written(world: World) -> None:
    await world.post(alert(), alert("Odd"))
    before = await world.read(everything)
    await asked(world, policy=WITHOUT_FIRST_AID)
    assert await world.read(everything) == before
    assert (world.fleet.commands, world.sender.sent) == ([], [])


async def test_many_bodies_of_one_instant_are_each_read_once(world: World) -> None:
    for number in range(120):
        await world.post(alert(f"A{number % 7}", instance=f"h{number}"))
    result = await asked(world)
    assert "120 reports in 120 bodies" in result.output
    assert "troubles 120 → 120; tickets 120 → 120; pages 240 → 240" in result.output
    shown = (await asked(world, "--limit", "2", policy=NOTHING_IS_GRAVE)).output
    assert "… and 118 more troubles that differ" in shown
    assert "120 troubles differ: grade 120, rule 120, pages 120" in shown


async def test_only_the_period_asked_for_is_replayed(world: World) -> None:
    await world.post(alert("Old"))
    world.clock.advance(timedelta(days=1, hours=12))
    await world.post(alert("New"))
    assert "1 reports in 1 bodies" in (await asked(world, "--since", "1d")).output
    assert "2 reports in 2 bodies" in (await asked(world, "--since", "2d12h")).output


async def lived(world: World, *evening: tuple[timedelta, Mapping[str, Any]]) -> tuple[int, int]:
    """Lets it happen with all that follows; how many tickets and pages there were."""
    for pause, what in evening:
        for _ in range(pause // HOUR):
            await world.advance(HOUR)
        await world.advance(pause % HOUR)
        await world.post(what)
        await world.work()
    return len(await world.read(lambda tx: tx.tickets.listed(limit=1000))), len(world.sender.sent)


async def test_the_replay_opens_and_pages_as_the_service_did(tmp_path: Path, database: Database) -> None:
    world, minor = World(tmp_path, database), {"severity": "warning"}
    began = world.clock.now()
    happened = await lived(
        world,
        (MINUTE, alert("Odd")),
        (MINUTE, alert("Odd")),
        (MINUTE, resolved("Odd")),
        (2 * MINUTE, alert("Odd")),
        (MINUTE, resolved("Odd")),
        (MINUTE, alert("Minor", **minor)),
        (20 * MINUTE, resolved("Minor", **minor)),
        (30 * MINUTE, alert("Minor", **minor)),
        (MINUTE, alert("ServiceDown", instance="nowhere")),
        (MINUTE, resolved("Minor", **minor)),
        (30 * HOUR, alert("Minor", **minor)),
        (MINUTE, alert("Watchdog")),
    )
    loaded = world.desk.configuration
    found = await backtest(world.database, loaded, loaded, (began, world.clock.now() + MINUTE))
    assert (found.tickets[0], found.pages[0]) == happened == (4, 9)
    assert found.differences == ()


async def test_a_raised_grade_and_another_team_page_in_the_replay_as_they_did(
    tmp_path: Path, database: Database
) -> None:
    policy = ONE_PER_NAME + "teams: [{when: ['job=\"redis\"'], team: databases}]\n"
    people = PEOPLE + "  - {name: databases, tiers: {1: [lars]}}\n"
    world = World(tmp_path, database, policy=policy, people=people)
    began = world.clock.now()
    happened = await lived(
        world,
        (MINUTE, alert("Odd", severity="warning")),
        (MINUTE, alert("Odd", instance="web-2")),
        (MINUTE, alert("Slow", job="redis")),
    )
    loaded = world.desk.configuration
    found = await backtest(world.database, loaded, loaded, (began, world.clock.now() + MINUTE))
    assert (found.tickets[0], found.pages[0]) == happened == (2, 4)
    assert world.sender.people() == ["mei", "mei", "lars", "lars"]


async def test_exit_code_2_is_for_mistakes_in_files_and_arguments(world: World) -> None:
    bad = await asked(world, policy="extends: p1-p4\nzone: Mars/Olympus\n")
    assert (bad.exit_code, "new.yml:2:1: zone" in bad.output) == (2, True)
    assert (await asked(world, "--since", "soon")).exit_code == 2
    assert (await asked(world, "--since", "36500d")).exit_code == 0
    assert (await asked(world, "--policy", "a.yml", "--config-new", "b.yml")).exit_code == 2
    assert (await asked(world, "--config-new", "nowhere.yml")).exit_code == 2


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = write_files(tmp_path)
    result = run("backtest", "--config", str(path))
    assert (result.exit_code, "There is no database" in result.output) == (3, True)
    assert not (tmp_path / "unused.db").exists()
