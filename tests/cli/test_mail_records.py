"""`responder mail list`, `show`, `again` and `drop` with a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import asked, begun, run
from tests.cli.test_commands import server

__all__ = ["server"]
RAW = b"From: Li Wei <li.wei@example.org>\r\nSubject: [b]x[/b]\r\nMessage-ID: <1@example.org>\r\n\r\n\xff\xfe odd\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = begun(tmp_path / "ops")
    main = made / "responder.yml"
    main.write_text(f"{main.read_text()}\nmail: {{address: desk@example.org}}\n")
    return made


@pytest.fixture
def there(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    made = asked("token", "create", "me", "--scope", "act", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    return ("--server", server)


def taken(raw: bytes, there: tuple[str, str]) -> int:
    return run("mail", "take", *there, given=raw).exit_code


def test_what_came_is_listed_and_shown_as_it_came(there: tuple[str, str]) -> None:
    assert run("mail", "list", *there).stdout == "no mail came\n"
    assert (taken(RAW, there), taken(b"no sender", there)) == (0, 0)
    found = asked("mail", "list", *there)["mails"]
    assert [(one["id"], one["taken"]) for one in found] == [(2, "quarantined"), (1, "report")]
    assert asked("mail", "list", "--taken", "report", "--since", "1d", *there)["mails"] == found[1:]
    rows = run("mail", "list", "--limit", "1", *there).stdout
    assert ("quarantined" in rows, rows.endswith("for older ones: --before 2\n")) == (True, True)
    shown = run("mail", "show", "1", *there).stdout
    assert shown.startswith(f"report {found[1]['number']}: ")
    assert f"{len(RAW)} bytes are kept" in shown
    assert run("mail", "show", "1", "--raw", *there).stdout_bytes == RAW


def test_what_cannot_be_shown_or_taken_again_ends_with_its_sentence(there: tuple[str, str]) -> None:
    assert taken(b"no sender", there) == 0
    again = run("mail", "again", "1", *there)
    assert (again.exit_code, "It still cannot be taken" in again.output) == (1, True)
    for words in (("show", "7"), ("show", "7", "--raw"), ("again", "7")):
        done = run("mail", *words, *there)
        assert (done.exit_code, "There is no mail 7." in done.output) == (1, True)


def test_what_can_never_be_taken_is_dropped_with_a_reason(there: tuple[str, str]) -> None:
    assert taken(b"no sender", there) == 0
    assert run("mail", "drop", "1", *there).exit_code == 2
    done = run("mail", "drop", "1", "--reason", "[b]rubbish", "--as", "mei", *there)
    assert (done.exit_code, "Dropped by mei: [b]rubbish" in done.stdout) == (0, True)
    assert asked("mail", "list", "--taken", "quarantined", *there)["mails"] == []
