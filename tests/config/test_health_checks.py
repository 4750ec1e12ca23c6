"""Health checks in policy.yml: what they become, when they are due, and the place of every mistake."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from responder.domain.health_check import Every, HealthCheckRule, next_time, parse_every
from tests.config.test_configuration import Folder

INVENTORY = """\
defaults: {key_file: id_ed25519}
targets:
  - {name: web-1, aliases: [web-1.example], groups: [web]}
  - {name: web-2, groups: [web]}
  - {name: db-1, groups: [db]}
"""
LOOK = """\
runbook: look
summary: Look
steps:
  - check: {command: [uptime]}
"""
GOOD = """\
extends: p1-p4
default_team: ops
zone: Europe/Berlin
health_checks:
  - {name: weekly, runbook: look, targets: [web-1.example, db-1], every: mon at 06:00}
  - {name: monthly, runbook: look, groups: [web], every: 1st at 23:30, zone: Asia/Shanghai, grade_by: warning}
"""
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = ("mon",)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("inventory.yml", INVENTORY)
    made.write("runbooks/look.yml", LOOK)
    made.write("policy.yml", GOOD)
    return made


def test_checks_are_taken_as_written(folder: Folder) -> None:
    weekly, monthly = folder.read().policy.health_checks
    assert weekly == HealthCheckRule(
        name="weekly", runbook="look", targets=("web-1.example", "db-1"), every=Every(at=time(6), days=MONDAY)
    )
    assert (weekly.severity, monthly.severity, monthly.groups) == ("info", "warning", ("web",))
    assert (monthly.every, monthly.zone) == (Every(at=time(23, 30), month_day=1), ZoneInfo("Asia/Shanghai"))


def test_targets_and_groups_make_each_target_one(folder: Folder) -> None:
    folder.change("policy.yml", "targets: [web-1.example, db-1]", "targets: [web-1.example, db-1], groups: [web, db]")
    read = folder.read()
    assert [one.name for one in read.policy.health_checks[0].members(read.targets)] == ["web-1", "db-1", "web-2"]


def test_without_the_key_there_are_none(folder: Folder) -> None:
    folder.write("policy.yml", "extends: p1-p4\ndefault_team: ops\n")
    assert folder.read().policy.health_checks == ()


# --- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "place", "mistake"),
    [
        ("runbook: look, t", "runbook: lock, t", "5:20", "there is no runbook lock; there are ask-then-restart"),
        ("web-1.example", "web-9", "5:5", "'web-9' is no target in the inventory"),
        ("groups: [web]", "groups: [app]", "6:5", "no target of the inventory is in the group 'app'"),
        ("groups: [web], ", "", "6:5", "say what is looked at: targets: or groups:"),
        ("name: monthly", "name: weekly", "6:6", "there is another health check called weekly"),
        ("mon at 06:00", "moon at 06:00", "5:67", "'moon' is no day; there are daily, mon, tue, wed"),
        ("mon at 06:00", "mon at 6", "5:67", "'mon at 6' is no schedule; write it like 'mon at 06:00'"),
        ("1st at", "31st at", "6:51", "'31st at 23:30' names a day that some month has not; write 1st to 28th"),
        ("Asia/Shanghai", "Asia/Shanghigh", "6:72", "'Asia/Shanghigh' is no time zone; write it like Europe/Berlin"),
        ("grade_by: warning", "grade_by: 'a b'", "6:93", "grade_by: expected String should match pattern"),
        ("grade_by: warning", "severity: warning", "6:93", "severity"),
    ],
)
def test_every_mistake_has_its_place(folder: Folder, old: str, new: str, place: str, mistake: str) -> None:
    folder.change("policy.yml", old, new)
    (found,) = folder.mistakes()
    assert found.startswith(f"policy.yml:{place}: ")
    assert mistake in found


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("ssh: {run: [fix], check: [uptime]}", "look can act (step 'ssh', ssh), and a health check only looks"),
        ("service_restart: {unit: a.service}", "look can act (step 'service_restart', service_restart)"),
        ("http: {url: 'http://a/', method: POST, once: x}", "look can act (step 'http', http)"),
        ("notify: {text: hello}", "look turns to people (step 'notify'), and a health check only looks"),
        ("approval: {question: may I}", "look turns to people (step 'approval'), and a health check only looks"),
        ("check: {command: ['{{ vars.tool }}']}", "look cannot look at web-1: "),
    ],
)
def test_only_a_runbook_that_looks_and_fits_each_target_is_let_through(folder: Folder, step: str, why: str) -> None:
    name = step.partition(":")[0]
    folder.write("runbooks/look.yml", f"{LOOK}  - name: {name}\n    {step}\n")
    mistakes = folder.mistakes()
    assert [one.partition(": ")[0] for one in mistakes] == ["policy.yml:5:20", "policy.yml:6:21"]
    assert why in mistakes[0]


def test_what_can_act_after_a_failure_is_no_look_either(folder: Folder) -> None:
    folder.write("runbooks/look.yml", LOOK + "on_failure:\n  - {name: fix, ssh: {run: [fix], once: x}}\n")
    assert "look can act (step 'fix', ssh)" in folder.mistakes()[0]


def test_another_file_that_cannot_be_read_is_not_held_against_a_check(folder: Folder) -> None:
    folder.write("inventory.yml", "targets: 3\n")
    assert [one for one in folder.mistakes() if one.startswith("policy.yml")] == []


# --- when ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "every", "shown"),
    [
        ("daily at 06:00", Every(at=time(6)), "daily at 06:00"),
        ("mon at 06:00", Every(at=time(6), days=MONDAY), "mon at 06:00"),
        ("Monday at 06:00", Every(at=time(6), days=MONDAY), "mon at 06:00"),
        ("thu, mon at 23:59", Every(at=time(23, 59), days=("mon", "thu")), "mon,thu at 23:59"),
        ("1st at 00:00", Every(at=time(), month_day=1), "1st at 00:00"),
        ("22nd at 06:00", Every(at=time(6), month_day=22), "22nd at 06:00"),
        ("11th at 06:00", Every(at=time(6), month_day=11), "11th at 06:00"),
    ],
)
def test_a_schedule_is_read_and_shown(text: str, every: Every, shown: str) -> None:
    assert (parse_every(text), str(every)) == (every, shown)


@pytest.mark.parametrize("text", ["", "daily", "at 06:00", "daily at 24:00", "0th at 06:00", "monster at 06:00"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no schedule|is no day|names a day"):
        parse_every(text)


def due(every: str, zone: ZoneInfo, after: str) -> str:
    """The next time in the zone, as ISO 8601."""
    rule = HealthCheckRule(name="x", runbook="look", every=parse_every(every))
    found = next_time(rule, zone, datetime.fromisoformat(after))
    assert found.tzinfo is UTC
    return found.astimezone(zone).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("every", "after", "at"),
    [
        ("daily at 06:00", "2026-11-20T05:59+01:00", "2026-11-20T06:00+01:00"),
        ("daily at 06:00", "2026-11-20T06:00+01:00", "2026-11-21T06:00+01:00"),
        ("daily at 00:00", "2026-11-20T23:30+00:00", "2026-11-22T00:00+01:00"),
        ("mon at 06:00", "2026-11-20T10:00+01:00", "2026-11-23T06:00+01:00"),
        ("mon at 06:00", "2026-11-23T06:00+01:00", "2026-11-30T06:00+01:00"),
        ("mon,thu at 06:00", "2026-11-23T06:00+01:00", "2026-11-26T06:00+01:00"),
        ("1st at 06:00", "2026-12-01T06:00+01:00", "2027-01-01T06:00+01:00"),
        ("28th at 06:00", "2027-01-28T07:00+01:00", "2027-02-28T06:00+01:00"),
        # Clocks go forward on 2026-03-29 at 02:00, back on 2026-10-25 at 03:00.
        ("daily at 02:30", "2026-03-28T03:00+01:00", "2026-03-29T03:30+02:00"),
        ("daily at 02:30", "2026-03-29T03:30+02:00", "2026-03-30T02:30+02:00"),
        ("daily at 02:30", "2026-10-24T03:00+02:00", "2026-10-25T02:30+02:00"),
        ("daily at 02:30", "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"),
        ("daily at 06:00", "2026-10-24T06:00+02:00", "2026-10-25T06:00+01:00"),
    ],
)
def test_a_check_is_due_by_the_clock_on_the_wall_once_a_day_also_when_clocks_are_changed(
    every: str, after: str, at: str
) -> None:
    assert due(every, BERLIN, after) == at


def test_a_zone_that_skipped_a_whole_day_has_no_check_twice() -> None:
    apia = ZoneInfo("Pacific/Apia")
    first = due("daily at 06:00", apia, "2011-12-29T06:00-10:00")
    assert first == "2011-12-31T06:00+14:00"
    assert due("daily at 06:00", apia, first) == "2012-01-01T06:00+14:00"


def test_where_it_is_still_yesterday_the_check_of_yesterday_is_still_to_come() -> None:
    new_york = ZoneInfo("America/New_York")
    assert due("daily at 23:00", new_york, "2026-11-20T02:00+00:00") == "2026-11-19T23:00-05:00"
    assert due("daily at 03:00", ZoneInfo("Asia/Shanghai"), "2026-11-20T18:00+00:00") == "2026-11-21T03:00+08:00"


def test_the_zone_of_a_check_goes_before_the_policys() -> None:
    rule = HealthCheckRule(name="x", runbook="look", every=Every(at=time(6)), zone=ZoneInfo("Asia/Shanghai"))
    assert next_time(rule, BERLIN, datetime(2026, 11, 20, tzinfo=UTC)) == datetime(2026, 11, 20, 22, tzinfo=UTC)
