"""The kill switch and maintenance from the command line, with a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import asked, begun, run
from tests.cli.test_commands import server
from tests.world import HOST_KEY

__all__ = ["server"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = begun(tmp_path / "ops")
    targets = "".join(f"  - {{name: {name}, key_file: key, host_key: {HOST_KEY}, groups: [web]}}\n" for name in "ab")
    (made / "inventory.yml").write_text(f"targets:\n{targets}")
    return made


@pytest.fixture
def there(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    made = asked("token", "create", "me", "--scope", "act", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    return ("--server", server)


def test_a_night_with_switches_and_maintenance(folder: Path, there: tuple[str, str]) -> None:
    off = asked("automation", "off", "--target", "a", "--for", "2h", "--reason", "fragile", *there)
    assert (off["on"], "fragile (target a switched off by" in off["reason"]) == (True, True)
    shown = run("automation", "status", *there).stdout
    assert shown.startswith("automation is on\noff: target a: fragile (target a switched off by")
    assert run("automation", "status", "--target", "a", *there).stdout.startswith("automation is off: fragile")
    assert run("automation", "off", "--runbook", "restart-unit", "--reason", "[x]", *there).exit_code == 0
    assert "off: target a: fragile" in run("automation", "on", "--runbook", "restart-unit", *there).stdout
    assert run("automation", "on", "--target", "a", *there).stdout == "automation is on\n"

    nobody = run("automation", "off", "--target", "c", "--reason", "x", *there)
    assert (nobody.exit_code, "There is no target c in the inventory." in nobody.output) == (1, True)
    silent = run("automation", "off", *there)
    assert (silent.exit_code, "Say why" in silent.output) == (2, True)
    assert run("automation", "off", "--reason", "x", "--for", "soon", *there).exit_code == 1
    assert run("automation", "status", *there).stdout == "automation is on\n"

    (folder / "automation-off").write_text("target b\n")
    assert "off: target b: the file" in run("automation", "status", *there).stdout
    (folder / "automation-off").unlink()

    begun = asked("maintenance", "start", "--group", "web", "--for", "2h", "--reason", "[new] kernel", *there)
    assert ([one["target"] for one in begun["maintenance"]], begun["at_work"]) == (["a", "b"], [])
    left = run("maintenance", "end", "a", *there).stdout
    assert ("[new] kernel" in left, "\nb " in left, "\na " in left) == (True, True, False)
    assert run("maintenance", "end", *there).exit_code == 1
    assert run("maintenance", "start", "a", "--reason", "x", *there).exit_code == 2
    assert run("maintenance", "end", "--group", "web", *there).stdout == "nothing is in maintenance\n"
    assert asked("maintenance", "list", *there)["maintenance"] == []

    wish = ("--match", 'job="db"', "--match", "env=test", "--for", "2h", "--reason", "[big] upgrade")
    shown = run("maintenance", "start", *wish, *there).stdout
    assert ('window 1: job="db", env="test"' in shown or "window 1: job=" in shown, "[big] upgrade" in shown) == (
        True,
        True,
    )
    both = run("maintenance", "start", "a", *wish, *there)
    assert (both.exit_code, "either a target or a group, or matchers" in both.output) == (2, True)
    mute = run("maintenance", "start", "--match", 'job=~".*"', "--for", "1h", "--reason", "x", *there)
    assert (mute.exit_code, "would mute every alert" in mute.output) == (1, True)
    assert run("maintenance", "end", "--window", "1", *there).stdout == "nothing is in maintenance\n"
    assert run("maintenance", "end", "--window", "1", *there).exit_code == 1


def test_a_night_without_any_alert_has_no_noise(there: tuple[str, str]) -> None:
    assert asked("noise", "--since", "7d", *there)["rules"] == []
    said = "no page in 7d that can be judged; that of an open ticket can after a day\n"
    assert run("noise", "--since", "7d", *there).stdout == said
    assert run("noise", "--since", "soon", *there).exit_code == 1


def test_a_login_called_like_responder_acts_in_the_name_of_its_token(
    there: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the container everybody is the user responder; at night that must not keep anybody from the kill switch."""
    monkeypatch.setenv("LOGNAME", "responder")
    off = asked("automation", "off", "--reason", "fragile", *there)
    assert "switched off by me" in off["reason"]
    monkeypatch.setenv("RESPONDER_AS", "policy")
    refused = run("automation", "off", "--reason", "x", *there)
    assert (refused.exit_code, "is what responder itself is called" in refused.output) == (1, True)
