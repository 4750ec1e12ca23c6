"""`responder user` and the first account that `responder init` makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from responder.adapters.passwords import fits
from responder.domain.accounts import User
from responder.domain.audit import Entry
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from tests.cli.calling import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ops")
    result = run("init", str(made), "--admin", "ines", "--json")
    (made / "said").write_text(result.output)
    return made


def account(folder: Path, name: str) -> User:
    database = Database(f"sqlite:///{folder / 'responder.db'}")
    found = database.write_now(lambda tx: tx.accounts.named(name))
    database.close()
    assert found is not None
    return found


def log(folder: Path) -> list[Entry]:
    database = Database(f"sqlite:///{folder / 'responder.db'}")
    found = database.write_now(lambda tx: tx.audit_log.listed(AuditFilter(), 100))
    database.close()
    return found


def user(folder: Path, *arguments: str) -> str:
    result = run("user", *arguments, "--config", str(folder / "responder.yml"))
    assert result.exit_code == 0, result.output
    return str(result.output)


def refused(folder: Path, *arguments: str) -> str:
    result = run("user", *arguments, "--config", str(folder / "responder.yml"))
    assert result.exit_code != 0
    return " ".join(result.output.split())


def test_init_makes_the_first_admin_and_shows_the_password_once(folder: Path) -> None:
    said = json.loads((folder / "said").read_text())

    made = account(folder, "ines")
    assert (said["admin"], made.role) == ("ines", "admin")
    assert fits(said["password"], made.password_hash)
    assert said["password"] not in repr(
        [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "said"]
    )


def test_an_account_from_its_beginning_to_its_end(folder: Path) -> None:
    (folder / "word").write_text("correct horse battery\n")
    assert "mei is responder" in user(folder, "add", "mei", "--team", "ops", "--password-file", str(folder / "word"))
    assert fits("correct horse battery", account(folder, "mei").password_hash)
    assert "mei is approver, for ops" in user(folder, "role", "mei", "approver")
    assert "for all teams" in user(folder, "teams", "mei")
    shown = json.loads(user(folder, "password", "mei", "--json"))
    assert fits(shown["password"], account(folder, "mei").password_hash)
    assert "0 sessions ended" in user(folder, "sign-out", "mei")
    assert "disabled" in user(folder, "disable", "mei")
    listed = {one["name"]: one for one in json.loads(user(folder, "list", "--json"))}
    assert listed["mei"]["disabled_at"]
    assert "mei is approver" in user(folder, "enable", "mei")
    actions = [(one.action, one.object, one.via) for one in log(folder)]
    assert ("responder user disable", "mei", "shell") in actions
    assert ("responder init", "ines", "shell") in actions


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "INES"), "already an account called ines"),
        (("add", "a b"), "is no name"),
        (("add", "lars", "--role", "root"), "no role; there are reporter, viewer, responder, approver, admin"),
        (("add", "lars", "--team", "nowhere"), "nowhere"),
        (("add", "lars", "--password-file", "/nowhere"), "cannot be read"),
        (("disable", "ines"), "last admin"),
        (("role", "ines", "viewer"), "last admin"),
        (("disable", "nobody"), "no account"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(folder: Path, arguments: tuple[str, ...], why: str) -> None:
    assert why in refused(folder, *arguments)


def test_a_role_that_there_is_not_is_a_wrong_argument(folder: Path) -> None:
    for words in (("role", "ines", "nope"), ("add", "lars", "--role", "nope")):
        assert run("user", *words, "--config", str(folder / "responder.yml")).exit_code == 2


def test_tokens_are_made_and_removed_in_the_log(folder: Path) -> None:
    config = ("--config", str(folder / "responder.yml"))
    secret = run("token", "create", "grafana", *config).output.strip()
    run("token", "remove", "grafana", *config)

    removed, created = log(folder)[:2]
    assert [removed.action, created.action] == ["responder token remove", "responder token create --scope read"]
    assert secret not in repr(log(folder))
