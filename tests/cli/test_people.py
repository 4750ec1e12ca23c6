"""People from the command line, with a real server and real channels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.sink import Sink
from tests.cli.calling import asked, begun, run
from tests.cli.test_commands import server
from tests.servers.ports import free_port

__all__ = ["server"]


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def folder(tmp_path: Path, sink: Sink) -> Path:
    made = begun(tmp_path / "ops")
    (made / "people.yml").write_text(f"""
people:
  - name: mei
    channels: [{{name: pager, url: "{sink.address}/mei"}}, {{name: dead, url: "json://127.0.0.1:{free_port()}/x"}}]
  - {{name: lars, channels: [{{name: pager, url: "{sink.address}/lars"}}]}}
teams:
  - {{name: ops, tiers: {{1: [mei]}}}}
  - {{name: db, tiers: {{1: {{rota: first}}}}}}
rotas:
  - {{name: first, layers: [{{people: [mei], start: 2026-01-05}}, {{people: [lars], start: 2099-01-05}}]}}
""")
    return made


def test_an_hour_with_the_people(folder: Path, sink: Sink, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked("token", "create", "me", "--scope", "act", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    there = ("--server", server)
    shown = run("people", *there).stdout
    assert ("mei" in shown, "ops 1" in shown, "pager json://***" in shown, "127.0.0.1" in shown) == (*[True] * 3, False)
    assert run("people", "list", *there).stdout == shown
    words = " ".join(shown.split())
    assert ("ops 1, db 1 (on duty)" in words, "db 1 (not now)" in words) == (True, True)
    with sink:
        tried = run("people", "test", "mei", "--as", "lars", *there)
        assert (tried.exit_code, len(sink.pages)) == (0, 1), tried.output
        assert sink.pages[0].text == "lars tries whether this channel reaches you. There is nothing to do."
        assert tried.stdout.splitlines() == ["pager (json): taken", "dead (json): json did not take the message."]
        assert asked("people", "test", "mei", "--channel", "pager", *there)["channels"][0]["is_taken"] is True

        assert run("people", "drill", "--report", *there).stdout == "there was no drill yet\n"
        begun = run("people", "drill", "--as", "lars", *there).stdout
        assert ("drill 1: began" in begun, "mei" in begun, "not yet" in begun) == (True, True, True)
        while not asked("people", "drill", "--report", *there)["drills"][0]["answers"][0]["told_at"]:
            pass
        assert "pager: taken; dead: json did not take the message." in run("people", "drill", "--report", *there).stdout
        assert "/drill/" in sink.pages[-1].text
        assert run("people", "drill", *there).exit_code == 1

    dead = run("people", "test", "mei", "--channel", "dead", *there)
    assert (dead.exit_code, "did not take" in dead.stdout) == (1, True)
    nobody = run("people", "test", "eve", *there)
    assert (nobody.exit_code, "Nobody is called eve" in nobody.output) == (1, True)

    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    assert run("rota", "override", "first", "lars", "--until", until, "--reason", "x", *there).exit_code == 0
    words = " ".join(run("people", *there).stdout.split())
    assert ("ops 1, db 1 (not now)" in words, "db 1 (on duty until " in words) == (True, True)
