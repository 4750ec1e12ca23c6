"""What would leave somebody at night without an answer is named by `responder check`, at its line and column.

An override is not written in files, so it cannot overlap itself in one: a second one for the same seat is refused when
it is made. What files can say twice are the windows of a layer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import begun, run

PEOPLE = """\
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, roles: [head], channels: [{name: pager, url: "json://127.0.0.1:9/lars"}]}
teams:
  - {name: ops, tiers: {1: {rota: first}, 2: [lars]}}
rotas:
  - name: first
    zone: Europe/Berlin
    layers:
      - name: all
        people: [mei, lars]
        start: 2026-01-05 09:00
"""
POLICY = """
escalation:
  - name: all
    steps:
      - tell: tier 1
      - {after: 5m, tell: tier 2}
"""
OF_MEI, OF_LARS = (
    ', channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]',
    (', channels: [{name: pager, url: "json://127.0.0.1:9/lars"}]'),
)
WEEKDAYS = '09:00\n        windows: [{days: mon-fri, from: "08:00", to: "16:00"}]'
TWICE = '09:00\n        windows:\n          - {to: "16:00"}\n          - {days: fri, from: "15:00"}'


def checked(folder: Path, people: str, policy: str = POLICY) -> tuple[int, list[str]]:
    """The exit code, and what is said without the folder."""
    made = begun(folder / "ops")
    (made / "people.yml").write_text(people)
    written = (made / "policy.yml").read_text()
    (made / "policy.yml").write_text(written + policy)
    shift = written.count("\n")
    result = run("check", "--config", str(made / "responder.yml"))
    lines = [
        line.replace(f"{made}/", "").replace(f"policy.yml:{shift + 6}", "policy.yml:+6")
        for line in result.output.splitlines()
    ]
    return result.exit_code, lines


def test_files_in_which_somebody_can_always_be_reached_are_right(tmp_path: Path) -> None:
    code, lines = checked(tmp_path, PEOPLE)
    assert (code, len(lines), lines[0].startswith("all files are right")) == (0, 1, True)


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        pytest.param(
            OF_MEI,
            "",
            0,
            "people.yml:2:5: warning: mei has no channel, so no call reaches them: rota first "
            "[docs/lint.md#person-without-channel]",
            id="a person without a channel",
        ),
        pytest.param(
            OF_LARS,
            "",
            2,
            "policy.yml:+6:21: this step reaches nobody of team ops: no channel in tier 2 or above",
            id="an escalation that reaches nobody",
        ),
        pytest.param(
            "json://127.0.0.1:9/mei",
            "jsn://127.0.0.1:9/mei",
            2,
            "people.yml:2:42: apprise knows no channel jsn://",
            id="an unknown scheme",
        ),
        pytest.param(
            "json://127.0.0.1:9/mei",
            "slack://",
            2,
            "people.yml:2:42: apprise does not understand the rest of this slack:// address",
            id="an address that lacks its half",
        ),
        pytest.param(
            'url: "json://127.0.0.1:9/mei"',
            "url_file: secrets/mei",
            2,
            "people.yml:2:42: secrets/mei cannot be read: No such file or directory",
            id="a file of an address that is not there",
        ),
        pytest.param(
            "09:00",
            WEEKDAYS,
            0,
            "people.yml:7:5: warning: nobody is on call in rota first from ",
            id="a rota with a hole",
        ),
        pytest.param(
            "start: 2026-01-05 09:00",
            "start: 2026-01-04 02:30",
            0,
            "people.yml:10:9: warning: rota first, layer all: the clocks show 02:30 on ",
            id="a hand-over that the clocks show twice",
        ),
        pytest.param(
            "start: 2026-01-05 09:00",
            "start: 2026-01-04 02:30",
            0,
            "people.yml:10:9: warning: rota first, layer all: the clocks leave out 02:30 on ",
            id="a hand-over that the clocks leave out",
        ),
        pytest.param(
            "09:00", TWICE, 2, "people.yml:15:13: rota first, layer all: the windows ", id="windows that overlap"
        ),
    ],
)
def test_what_leaves_a_call_without_an_answer_is_named_at_its_place(
    tmp_path: Path, old: str, new: str, code: int, said: str
) -> None:
    assert old in PEOPLE
    found, lines = checked(tmp_path, PEOPLE.replace(old, new, 1))
    assert any(line.startswith(said) for line in lines), lines
    assert found == code


@pytest.mark.parametrize("step", ["person mei", "[person mei, tier 2]"])
def test_a_step_for_people_without_a_channel_reaches_nobody(tmp_path: Path, step: str) -> None:
    silent = PEOPLE.replace(OF_MEI, "") if step == "person mei" else PEOPLE.replace(OF_MEI, "").replace(OF_LARS, "")
    code, lines = checked(tmp_path, silent, POLICY.replace("tell: tier 2", f"tell: {step}"))
    assert code == 2
    assert any(line.startswith("policy.yml:+6:21: this step reaches nobody") for line in lines), lines
