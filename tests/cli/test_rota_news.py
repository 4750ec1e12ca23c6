"""What a change of a rota says at once: who is told, which gaps it opens, and which times cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.sink import Sink
from tests.cli.calling import asked, begun, run
from tests.cli.test_commands import server

__all__ = ["server"]
PEOPLE = """
people:
  - {name: mei, channels: [{name: pager, url: "SINK/mei"}]}
  - {name: lars, channels: [{name: pager, url: "SINK/lars"}]}
  - {name: rosa, zone: Asia/Tokyo, channels: [{name: pager, url: "SINK/rosa"}]}
  - name: hans
    channels: [{name: pager, url: "SINK/hans"}]
    quiet_hours: [{from: "00:00", to: "12:00", zone: UTC}, {from: "12:00", to: "00:00", zone: UTC}]
teams:
  - {name: ops, tiers: {1: {rota: berlin}, 2: [rosa]}}
rotas:
  - name: berlin
    zone: Europe/Berlin
    layers: [{name: all, people: [mei], start: 2026-01-05 09:00}]
  - name: west
    zone: America/Chicago
    layers: [{name: all, people: [lars, hans], start: 2026-01-05 09:00}]
  - name: both
    zone: Asia/Shanghai
    may_be_empty: true
    layers: [{name: all, people: [[hans, lars]], start: 2026-01-05}]
"""


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def folder(tmp_path: Path, sink: Sink) -> Path:
    made = begun(tmp_path / "ops")
    (made / "people.yml").write_text(PEOPLE.replace("SINK", sink.address))
    return made


@pytest.fixture
def there(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    made = asked("token", "create", "me", "--scope", "act", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    return ("--server", server)


def hours_ahead(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def changes_of_clocks() -> tuple[datetime, datetime]:
    """Half past two on the last Sundays of March and of October of the next year, when the clocks of Berlin change."""
    ends = (datetime(datetime.now(UTC).year + 1, month, 31, 2, 30) for month in (3, 10))  # noqa: DTZ001
    spring, autumn = (end - timedelta(days=end.isoweekday() % 7) for end in ends)
    return spring, autumn


def states(there: tuple[str, str]) -> dict[str, str]:
    (made,) = asked("rota", "overrides", "berlin", *there)["overrides"]
    return {one["person"]: one["state"] for one in made["told"]}


def test_a_change_says_who_is_told_and_they_are(there: tuple[str, str], sink: Sink) -> None:
    with sink:
        wish = ("--until", hours_ahead(3), "--reason", "dentist", *there)
        shown = run("rota", "override", "berlin", "hans", *wish).stdout
        assert "mei is told" in shown
        assert "hans is in quiet hours, and is told " in shown
        assert "warning: hans is in quiet hours in that time, first from " in shown
        assert "pages of P2, P3, P4 are held until they end\n" in shown
        while not sink.pages:
            pass
        assert sink.pages[0].text.startswith("You are not on call in berlin now until ")
        assert sink.pages[0].text.rstrip().endswith(": dentist")
    while (listed := states(there))["mei"] == "sending":
        pass
    assert listed == {"mei": "sent", "hans": "held"}
    again = run("rota", "overrides", "berlin", *there).stdout
    assert ("mei is told" in again, "hans is in quiet hours" in again) == (False, True)


def test_an_absence_names_each_gap_that_it_opens_and_is_made(there: tuple[str, str]) -> None:
    near = run("rota", "away", "mei", "--until", hours_ahead(2), "--reason", "ill", *there)
    assert near.exit_code == 0
    assert "warning: nobody is on call in rota berlin from " in near.stdout
    far = ("--from", hours_ahead(24 * 20), "--until", hours_ahead(24 * 21))
    made = asked("rota", "away", "mei", *far, "--reason", "holidays", *there)
    (gap,) = made["gaps"]
    assert (gap["rota"], gap["is_near"], "CE" in gap["text"]) == ("berlin", False, True)
    assert (
        asked("rota", "away", "lars", "--until", hours_ahead(1), "--reason", "x", *there)["zone"] == "America/Chicago"
    )


def test_times_without_an_offset_are_of_the_zone_of_the_rota(there: tuple[str, str]) -> None:
    day = f"{datetime.now(UTC).year + 1}-01-15"
    span = ("--from", f"{day}T09:00", "--until", f"{day}T10:00", "--reason", "x", *there)
    assert asked("rota", "override", "west", "mei", *span)["overrides"][0]["start"] == f"{day}T15:00:00Z"
    assert asked("rota", "override", "berlin", "lars", *span)["overrides"][0]["start"] == f"{day}T08:00:00Z"
    assert asked("rota", "away", "mei", *span)["overrides"][0]["start"] == f"{day}T08:00:00Z"
    assert asked("rota", "away", "rosa", *span)["overrides"][0]["start"] == f"{day}T00:00:00Z"
    unclear = run("rota", "away", "lars", *span)
    assert unclear.exit_code == 1
    assert f"is {day} 15:00 UTC in America/Chicago, {day} 01:00 UTC in Asia/Shanghai" in unclear.output
    assert "write it with an offset" in unclear.output


def test_a_time_that_the_clocks_leave_out_or_show_twice_is_answered_with_both_readings(
    there: tuple[str, str],
) -> None:
    spring, autumn = changes_of_clocks()
    for command in (("override", "berlin", "lars"), ("away", "mei")):
        for local, said, readings in (
            (spring, "leave out", ("01:30+01:00 (CET)", "03:30+02:00 (CEST)")),
            (autumn, "show", ("02:30+02:00 (CEST)", "02:30+01:00 (CET)")),
        ):
            until = (local + timedelta(days=1)).isoformat()
            wish = ("--from", local.isoformat(timespec="minutes"), "--until", until, "--reason", "x", *there)
            answer = run("rota", *command, *wish)
            assert answer.exit_code == 1
            first, second = (f"{local:%Y-%m-%d}T{reading}" for reading in readings)
            text = " ".join(answer.output.split())
            assert f"the clocks in Europe/Berlin {said} {local:%Y-%m-%d %H:%M}" in text
            assert f"write {first} or {second}" in text
    chosen = (
        "--from",
        f"{autumn:%Y-%m-%d}T02:30+01:00",
        "--until",
        f"{autumn:%Y-%m-%d}T05:00",
        "--reason",
        "x",
        *there,
    )
    assert (
        asked("rota", "override", "berlin", "lars", *chosen)["overrides"][0]["start"] == f"{autumn:%Y-%m-%d}T01:30:00Z"
    )
    swap = run(
        "rota", "swap", "west", "lars", "hans", "--reason", "x", "--first-at", f"{spring:%Y-%m-%d}T25:00", *there
    )
    assert (swap.exit_code, "is no date and time" in swap.output) == (1, True)
