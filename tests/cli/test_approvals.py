"""Suggestions, approvals and orders from the command line, with a real server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.calling import asked, begun, run
from tests.cli.test_commands import server
from tests.flows.asking import PEOPLE
from tests.world import HOST_KEY, RUNBOOK

__all__ = ["server"]
POLICY = """
extends: p1-p4
first_aid:
  - {name: restart it, when: ['alertname="ServiceDown"'], runbook: restart-app, autonomy: suggest}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = begun(tmp_path / "ops")
    # Nothing listens there: the run must fail, but it must have begun.
    target = f"{{name: web-1, address: 127.0.0.1, port: 9, key_file: key, host_key: {HOST_KEY}}}"
    (made / "inventory.yml").write_text(f"targets:\n  - {target}\n")
    (made / "people.yml").write_text(PEOPLE)
    (made / "policy.yml").write_text(POLICY)
    (made / "runbooks" / "restart-app.yml").write_text(RUNBOOK)
    return made


@pytest.fixture
def there(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    made = asked("token", "create", "me", "--scope", "act", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    return ("--server", server)


def test_a_suggestion_is_seen_refused_approved_and_judged(folder: Path, there: tuple[str, str]) -> None:
    assert run("approvals", "list", *there).stdout == "nothing waits for an answer\n"
    assert "restart it" in run("runbooks", "list", *there).stdout
    assert run("runbooks", "history", "restart-app", *there).stdout == "restart-app has no judged run yet\n"
    token = str(folder / "tokens" / "alertmanager")
    sent = run("send-test-alert", "alertname=ServiceDown", "instance=web-1", *there, "--token-file", token)
    assert sent.exit_code == 0, sent.output
    _until(lambda: asked("approvals", "list", *there)["approvals"])

    assert "suggestion" in run("approvals", "list", *there).stdout
    shown = run("approvals", "show", "1", *there).stdout
    assert "1. restart (service_restart on web-1)" in shown
    assert "restart: svc restart app" in shown
    stranger = run("approvals", "approve", "1", "--as", "eve", *there)
    assert (stranger.exit_code, "Nobody is called 'eve' in the people file" in stranger.output) == (1, True)
    done = run("approvals", "approve", "1", "--as", "mei", "--reason", "go", *there)
    assert (done.exit_code, "restart-app on web-1: mei said yes: go." in done.stdout) == (0, True), done.output
    late = run("approvals", "reject", "1", "--as", "lars", *there)
    assert (late.exit_code, "It is decided already: mei said yes: go." in late.output) == (1, True)

    _until(lambda: asked("runbooks", "history", "restart-app", *there)["judged_runs"])
    history = run("runbooks", "history", "restart-app", *there).stdout
    assert "run 1: not proved" in history
    assert asked("approvals", "list", "--all", *there)["approvals"][0]["state"] == "given"


def test_an_order_needs_a_ticket_and_its_refusal_is_a_sentence(folder: Path, there: tuple[str, str]) -> None:
    bare = run("run", "restart-app")
    assert (bare.exit_code, "say --ticket, send an alert, or --dry-run" in bare.output) == (2, True)
    token = str(folder / "tokens" / "alertmanager")
    run("send-test-alert", "alertname=Other", "instance=web-1", *there, "--token-file", token)
    _until(lambda: asked("tickets", "list", *there)["tickets"])
    nowhere = run("run", "restart-app", "--ticket", "1", "--target", "web-9", *there)
    assert (nowhere.exit_code, "'web-9' is no target in the inventory." in nowhere.output) == (1, True)
    begun = run("run", "restart-app", "--ticket", "1", "--as", "mei", *there)
    assert begun.stdout == "restart-app on web-1 has started (run 1)\n", begun.output
    _until(lambda: asked("tickets", "show", "1", *there)["runs"][0]["outcome"])
    again = run("run", "restart-app", "--ticket", "1", *there)
    assert (again.exit_code, "its cooldown of 15m" in again.output) == (1, True)
    assert run("run", "restart-app", "--ticket", "77", *there).exit_code == 1


def _until(seen: object) -> None:
    deadline = time.monotonic() + 30
    while not seen():  # type: ignore[operator]
        assert time.monotonic() < deadline
