"""Rotas from the command line, with a real server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from responder.cli.rota_common import joined
from tests.cli.calling import asked, begun, run
from tests.cli.test_commands import server

__all__ = ["server"]
PEOPLE = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: pager, url: "json://127.0.0.1:9/lars"}]}
  - {name: rosa, channels: [{name: pager, url: "json://127.0.0.1:9/rosa"}]}
teams:
  - {name: ops, tiers: {1: {rota: first}, 2: [rosa]}}
rotas:
  - name: first
    zone: Asia/Shanghai
    layers:
      - {name: all, people: [mei, lars], start: 2026-01-05 09:00}
  - name: weekdays
    layers:
      - {name: all, people: [mei], start: 2026-01-05, windows: [{days: mon-fri}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = begun(tmp_path / "ops")
    (made / "people.yml").write_text(PEOPLE)
    return made


@pytest.fixture
def there(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    made = asked("token", "create", "me", "--scope", "act", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    return ("--server", server)


def test_a_week_with_rotas(there: tuple[str, str]) -> None:
    # Times without an offset are of the policy's zone.
    whose = asked("who", "--at", "2026-01-06T12:00", *there)
    (first, second) = whose["teams"][0]["tiers"]
    assert (first["people"], first["rota"], first["why"]) == (["mei"], "first", "layer all, turn 1")
    assert first["until"] == "2026-01-12T01:00:00Z"
    assert (second["people"], second["until"]) == (["rosa"], None)
    shown = run("who", "--team", "ops", *there).stdout
    assert ("ops" in shown, "first: layer all, turn" in shown) == (True, True)
    assert run("who", "--team", "dev", *there).exit_code == 1
    assert "is no date and time" in run("who", "--at", "soon", *there).output
    for said in ("tomorrow", "tomorrow 09:00", "monday 09:00", "+8h"):
        assert run("who", "--at", said, *there).exit_code == 0

    assert {one["rota"] for one in asked("rota", "list", *there)["rotas"]} == {"first", "weekdays"}
    calendar = run("rota", "show", "first", "--weeks", "2", "--from", "2026-01-07", *there).stdout
    assert "09:00 mei" in calendar
    assert "09:00 lars" in calendar
    assert "2026-01-12" in calendar
    assert run("rota", "gaps", "first", *there).stdout == "somebody is on call in rota first at every time\n"
    gaps = run("rota", "gaps", "weekdays", "--weeks", "2", *there)
    assert (gaps.exit_code, gaps.stdout.count("\n") in {3, 4}) == (1, True)

    until = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    wish = ("--until", until, "--reason", "[a] dentist", *there)
    assert "[a] dentist" in run("rota", "override", "first", "rosa", *wish).stdout
    now = asked("who", *there)["teams"][0]["tiers"][0]
    assert (now["people"], "override: rosa, by" in now["why"]) == (["rosa"], True)
    assert "rosa *" in run("rota", "show", "first", *there).stdout
    again = run("rota", "override", "first", "lars", *wish)
    assert (again.exit_code, "end that one first" in again.output) == (1, True)
    assert "(ended by" in run("rota", "end", "first", "1", *there).stdout
    assert run("rota", "overrides", "first", *there).stdout == "there is no override\n"

    swapped = asked("rota", "swap", "first", "mei", "lars", "--reason", "a wedding", *there)["overrides"]
    assert [(one["person"], one["instead_of"]) for one in swapped] == [("lars", "mei"), ("mei", "lars")]
    assert len(asked("rota", "end", "first", str(swapped[0]["id"]), *there)["overrides"]) == 2
    unknown = run("rota", "show", "second", *there)
    assert (unknown.exit_code, "There is no rota second; there are first, weekdays." in unknown.output) == (1, True)


def test_a_hole_is_a_warning_of_the_check_and_with_strict_a_mistake(folder: Path) -> None:
    config = ("--config", str(folder / "responder.yml"))
    checked = run("check", *config)
    assert (checked.exit_code, "nobody is on call in rota weekdays from" in checked.output) == (0, True)
    assert "docs/lint.md#rota-with-a-hole" in checked.output
    assert run("check", "--strict", *config).exit_code == 2


def test_the_doctor_names_the_next_time_without_anybody(folder: Path) -> None:
    text = (folder / "people.yml").read_text()
    (folder / "people.yml").write_text(text.replace("rota: first", "rota: weekdays"))
    shown = run("doctor", "--config", str(folder / "responder.yml")).stdout
    assert "nobody is on call from S" in shown


def test_calendars_come_in_as_files_and_go_out_as_addresses(there: tuple[str, str], tmp_path: Path) -> None:
    now = datetime.now(UTC)
    times = f"DTSTART:{now:%Y%m%dT%H%M%SZ}\r\nDTEND:{now + timedelta(days=2):%Y%m%dT%H%M%SZ}\r\n"
    event = f"BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Rosa\r\n{times}END:VEVENT\r\n"
    file = tmp_path / "team.ics"
    file.write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event}END:VCALENDAR\r\n")
    assert "Rosa (calendar team.ics)" in run("rota", "import", "first", str(file), *there).stdout
    assert asked("who", *there)["teams"][0]["tiers"][0]["people"] == ["rosa"]
    assert run("rota", "import", "first", str(file), *there).stdout == "all of it was known already\n"

    away = run("rota", "away", "rosa", "--file", str(file), "--source", "holidays", *there).stdout
    assert ("rosa" in away, "Rosa (calendar holidays)" in away) == (True, True)
    assert asked("who", *there)["teams"][0]["tiers"][0]["people"] != ["rosa"]
    (absence,) = asked("rota", "absences", *there)["overrides"]
    assert "(ended by" in run("rota", "back", str(absence["id"]), *there).stdout
    assert run("rota", "absences", *there).stdout == "nobody is away\n"
    over = run("rota", "back", str(absence["id"]), *there)
    assert f"Absence {absence['id']} is over." in over.stderr
    assert "There is no absence 99." in run("rota", "back", "99", *there).stderr
    assert "There is no override 99 in rota first." in run("rota", "end", "first", "99", *there).stderr
    assert run("rota", "away", "rosa", *there).exit_code == 2
    assert run("rota", "away", "rosa", "--file", str(file), "--reason", "x", *there).exit_code == 2
    until = (now + timedelta(hours=1)).isoformat()
    assert "ill" in run("rota", "away", "mei", "--until", until, "--reason", "ill", *there).stdout

    assert run("rota", "feed", "first", *there).stdout.strip().endswith(".ics")
    assert "/calendars/" in asked("rota", "feed", "--person", "mei", *there)["url"]
    assert run("rota", "feed", *there).exit_code == 1


def test_what_a_renamed_rota_loses_is_listed_and_ended_under_its_old_name(there: tuple[str, str], folder: Path) -> None:
    assert run("rota", "lost", *there).stdout == "every override counts\n"
    until = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    assert run("rota", "override", "first", "rosa", "--until", until, "--reason", "ill", *there).exit_code == 0
    renamed = PEOPLE.replace("rota: first", "rota: primary").replace("- name: first", "- name: primary")
    (folder / "people.yml").write_text(renamed)
    made = asked("token", "create", "boss", "--scope", "admin", "--config", str(folder / "responder.yml"))
    request = Request(f"{there[1]}/-/reload", method="POST", headers={"Authorization": f"Bearer {made['token']}"})
    with urlopen(request) as answer:
        assert answer.status == 200

    shown = run("rota", "lost", *there)
    assert (shown.exit_code, "there is no rota first" in shown.stdout) == (1, True)
    (one,) = json.loads(run("rota", "lost", "--json", *there).stdout)["overrides"]
    assert (one["rota"], one["person"]) == ("first", "rosa")
    assert "(ended by" in run("rota", "end", "first", str(one["id"]), *there).stdout
    assert run("rota", "lost", *there).exit_code == 0


def test_gaps_that_touch_are_told_as_one() -> None:
    gaps = [{"start": "a", "until": "b"}, {"start": "b", "until": "c"}, {"start": "d", "until": "e"}]
    assert joined(gaps) == [("a", "c"), ("d", "e")]
    assert joined([]) == []
