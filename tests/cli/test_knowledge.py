"""The knowledge base from the command line, with a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import asked, run
from tests.cli.test_commands import folder, server

__all__ = ["folder", "server"]
PAIRS = Path(__file__).parents[1] / "knowledge" / "pairs.yml"


@pytest.fixture
def there(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    made = asked("token", "create", "me", "--scope", "act", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    return ("--server", server)


def test_an_article_from_its_first_word_to_its_end(there: tuple[str, str]) -> None:
    assert run("knowledge", "list", *there).stdout == "no article\n"
    made = asked("knowledge", "write", "磁盘已满 [log]", "--symptom", "No space left.", "--as", "mei", *there)
    number = str(made["id"])
    refused = run("knowledge", "publish", number, *there)
    assert (refused.exit_code, "it has no solution" in refused.output) == (1, True)
    assert run("knowledge", "edit", number, *there).exit_code == 2
    edited = run("knowledge", "edit", number, "--solution", "Delete old logs.", "--as", "lars", *there).stdout
    assert edited.startswith(f"article {number} (draft): 磁盘已满 [log]\nchanged by lars at ")
    assert "solution: Delete old logs.\n" in edited
    assert run("knowledge", "search", "disk", *there).stdout == "nothing in the case library holds these words\n"
    assert asked("knowledge", "publish", number, *there)["state"] == "published"
    found = run("knowledge", "search", "full", "disk", *there).stdout
    assert found == f"article {number}  磁盘已满 [log] (100%)\n  No space left. Delete old logs.\n"
    assert "磁盘已满 [log]" in run("knowledge", "list", "--state", "published", *there).stdout
    assert run("knowledge", "show", number, *there).exit_code == 0
    assert asked("knowledge", "retire", number, *there)["state"] == "retired"
    assert run("knowledge", "search", "的", *there).exit_code == 1


def test_a_ticket_is_compared_and_an_article_drafted_from_it(folder: Path, there: tuple[str, str]) -> None:
    token = str(folder / "tokens" / "alertmanager")
    assert run("send-test-alert", "alertname=Full", "severity=info", *there, "--token-file", token).exit_code == 0
    said = run("knowledge", "similar", "1", *there)
    assert (said.exit_code, said.stdout) == (0, "New: nothing in the knowledge base is like it.\n")
    assert asked("knowledge", "draft", "1", *there)["ticket_id"] == 1
    again = run("knowledge", "draft", "1", *there)
    assert (again.exit_code, "edit that one" in again.output) == (1, True)
    assert run("knowledge", "similar", "INC-0", *there).exit_code == 1


def test_the_labelled_set_is_measured_without_a_server(tmp_path: Path) -> None:
    found = asked("knowledge", "score", str(PAIRS))
    rows = {(row["half"], row["language"]): row for row in found["at_floor"]}
    assert set(rows) == {(half, one) for half in ("tune", "held_out") for one in ("all", "zh", "en", "mixed")}
    assert all(row["f1"] > 0.8 for row in rows.values())
    assert {row["floor"] for row in found["by_floor"]} >= {0.3, 0.5, 0.7}
    shown = run("knowledge", "score", str(PAIRS), "--floor", "0.6").stdout
    assert "pairs, at the floor 0.6:\nhalf " in shown
    missing = run("knowledge", "score", str(tmp_path / "none.yml"))
    assert (missing.exit_code, "cannot be read" in missing.output) == (2, True)
