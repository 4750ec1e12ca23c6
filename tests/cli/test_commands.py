"""The command line as people use it: real files, a real server, a real SSH server."""

from __future__ import annotations

import getpass
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from responder.adapters.ssh_server import DemoSshServer, write_key
from responder.store import schema
from tests.cli.calling import asked, begun, run
from tests.servers.ports import free_port
from tests.servers.responder import Responder

__all__ = ["asked", "folder", "run", "server"]
NEWEST = schema.revisions()[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return begun(tmp_path / "ops")


def test_what_init_writes_is_right_and_its_secrets_are_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "ops"
    assert run("init", str(folder)).exit_code == 0
    result = run("check", "--config", str(folder / "responder.yml"))
    assert (result.exit_code, "all files are right" in result.stdout) == (0, True)
    for name in ("secret.key", "tokens/alertmanager", "secrets/first-pager"):
        assert (folder / name).stat().st_mode & 0o077 == 0


def test_the_files_are_right_from_whichever_folder_the_command_is_given(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for here, config in (
        (tmp_path, "ops/responder.yml"),
        (folder, "responder.yml"),
        (Path("/"), str(folder / "responder.yml")),
    ):
        monkeypatch.chdir(here)
        result = run("check", "--config", config)
        assert (result.exit_code, result.output.startswith("all files are right")) == (0, True), result.output


def test_init_overwrites_nothing(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = run("init", str(folder))
    assert (result.exit_code, "nothing was written" in result.output) == (1, True)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_mistake_is_shown_with_its_place_and_exit_code_2(folder: Path) -> None:
    (folder / "policy.yml").write_text("extends: p1-p4\nzone: Mars/Olympus\nrefire_window: soon\n")
    (folder / "people.yml").write_text("people: []\nteams: [{name: ops, tiers: {1: [nobody]}}]\n")
    result = run("check", "--config", str(folder / "responder.yml"))
    assert result.exit_code == 2
    assert f"{folder}/policy.yml:2:1: zone: 'Mars/Olympus' is no time zone" in result.output
    assert f"{folder}/policy.yml:3:1: refire_window: 'soon' is not a duration" in result.output
    assert "nobody is called nobody" in result.output


def test_explain_names_the_rule_the_reason_and_the_people(folder: Path) -> None:
    config = ("--config", str(folder / "responder.yml"))
    found = asked("explain", "severity=critical", "alertname=X", *config)
    assert (found["grade"], found["rule"]) == ("P1", "core business is interrupted")
    assert found["people"] == ["first by pager"]
    by_annotation = asked("explain", "alertname=X", "-a", "affected_users=500", *config)
    assert (by_annotation["grade"], by_annotation["rule"]) == ("P2", "some hundred users are affected")
    assert run("explain", "no-equals-sign", *config).exit_code == 2


def test_a_token_is_shown_once_and_only_its_digest_is_stored(folder: Path) -> None:
    config = ("--config", str(folder / "responder.yml"))
    secret = asked("token", "create", "me", "--scope", "act", *config)["token"]
    assert secret.encode() not in (folder / "responder.db").read_bytes()
    assert [one["name"] for one in asked("token", "list", *config)] == ["me"]
    assert run("token", "create", "me", *config).exit_code == 1
    assert run("token", "create", "x", "--scope", "root", *config).exit_code == 2
    assert run("token", "create", "x", "--expires", "zz", *config).exit_code == 2
    assert run("token", "remove", "me", *config).exit_code == 0
    assert asked("token", "list", *config) == []


def test_the_schema_is_upgraded_once(folder: Path) -> None:
    config = ("--config", str(folder / "responder.yml"))
    (folder / "responder.db").unlink()
    assert asked("db", "upgrade", *config) == {"before": None, "after": NEWEST}
    assert asked("db", "upgrade", *config) == {"before": NEWEST, "after": NEWEST}


def test_the_json_schema_knows_every_kind_of_step() -> None:
    schema = json.loads(run("schema").stdout)
    assert {"ssh", "service_restart", "promql", "http", "wait", "collect"} <= set(schema["$defs"]["Step"]["properties"])


def test_a_server_that_is_not_there_is_said_with_exit_code_3() -> None:
    result = run("tickets", "list", "--server", f"http://127.0.0.1:{free_port()}")
    assert (result.exit_code, "cannot be reached" in result.output) == (3, True)


@pytest.fixture
def host(tmp_path: Path, folder: Path) -> Iterator[DemoSshServer]:
    (tmp_path / "host").mkdir()
    server = DemoSshServer(
        user=getpass.getuser(),
        public_key=write_key(tmp_path / "key"),
        cwd=tmp_path / "host",
        env={"PATH": "/usr/bin:/bin"},
    )
    server.start()
    (folder / "inventory.yml").write_text(
        f"targets: [{{name: web-1, address: 127.0.0.1, port: {server.port}, user: {getpass.getuser()}, "
        f"key_file: {tmp_path / 'key'}, host_key: {server.host_key}}}]\n"
    )
    (folder / "runbooks" / "touch.yml").write_text(
        "runbook: touch\nsummary: Make a file\nparameters: {file: {type: name, label: file}}\n"
        'steps: [{ssh: {run: [touch, "{{ file }}"], check: [test, -e, "{{ file }}"]}}]\n'
    )
    yield server
    server.stop()


def test_a_dry_run_shows_the_exact_arguments_and_acts_never(tmp_path: Path, folder: Path, host: DemoSshServer) -> None:
    words = ("run", "touch", "--target", "web-1", "--config", str(folder / "responder.yml"), "--label")
    rehearsed = asked(*words, "file=a.b", "--dry-run")
    assert rehearsed == [
        {
            "name": "ssh",
            "kind": "ssh",
            "host": "web-1",
            "phase": "steps",
            "seen": {"as_wanted": False, "check_exit_code": 1},
            "unseen": "",
            "acts": [{"host": "web-1", "command": ["touch", "a.b"], "stdin": ""}],
        }
    ]
    assert list((tmp_path / "host").iterdir()) == []
    (tmp_path / "host" / "a.b").touch()
    assert asked(*words, "file=a.b", "--dry-run")[0]["acts"] == []
    assert "is not a name" in run(*words, "file=a b;", "--dry-run").output
    assert run(*words, "file=a.b").exit_code == 2


def test_a_dry_run_on_a_host_that_is_away_says_so_and_ends_with_1(folder: Path, host: DemoSshServer) -> None:
    host.stop()
    words = ("run", "touch", "--target", "web-1", "--label", "file=a", "--dry-run")
    config = ("--config", str(folder / "responder.yml"))
    shown = run(*words, *config)
    assert (shown.exit_code, "cannot be reached" in shown.output) == (1, True)
    assert "1 of 1 step could not be looked at; what they would do is not known." in shown.output
    as_json = run(*words, *config, "--json")
    (step,) = orjson.loads(as_json.stdout)
    assert (as_json.exit_code, step["acts"], bool(step["unseen"])) == (1, [], True)


def test_a_dry_run_shows_no_secret(folder: Path, host: DemoSshServer) -> None:
    (folder / "runbooks" / "touch.yml").write_text(
        "runbook: touch\nsummary: Log in\n"
        "steps: [{ssh: {run: [app, --password, hunter22, TOKEN=hunter33], check: [test, -e, nothing]}}]\n"
    )
    words = ("run", "touch", "--target", "web-1", "--dry-run", "--config", str(folder / "responder.yml"))
    shown, as_json = run(*words).stdout, run(*words, "--json").stdout
    assert ("hunter" in shown, "hunter" in as_json) == (False, False)
    assert "app --password '***' 'TOKEN=***'" in shown


def test_a_host_shows_its_keys_and_is_tried(folder: Path, host: DemoSshServer) -> None:
    config = ("--config", str(folder / "responder.yml"))
    assert [one["key"] for one in asked("hosts", "scan", "web-1", *config)] == [host.host_key]
    assert asked("hosts", "try", *config) == [{"target": "web-1", "ok": True, "why": ""}]


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    port = free_port()
    config = folder / "responder.yml"
    config.write_text(config.read_text().replace("9180", str(port)))
    serving = Responder(config, port)
    serving.start()
    try:
        yield serving.url
    finally:
        ended = serving.stop()
    assert ended == 0


def test_serving_where_something_else_listens_says_so_and_names_the_key_of_the_file(folder: Path) -> None:
    config = folder / "responder.yml"
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        config.write_text(config.read_text().replace("127.0.0.1:9180", address))
        command = [sys.executable, "-m", "responder.cli", "serve", "--config", str(config)]
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    told = " ".join(said.stderr.split())
    assert said.returncode == 1
    assert f"Cannot listen on {address}: something else listens there" in told
    assert "listen: in" in told
    assert "Errno" not in told


def test_a_test_alert_says_which_server_took_it(folder: Path, server: str) -> None:
    sent = ("send-test-alert", "--server", server, "--token-file", str(folder / "tokens/alertmanager"))
    assert f"taken in by {server} as " in run(*sent).stdout
    assert asked(*sent)["server"] == server


def test_an_evening_with_the_command_line(folder: Path, server: str) -> None:
    config = ("--config", str(folder / "responder.yml"))
    there = ("--server", server)
    me = {"RESPONDER_TOKEN": asked("token", "create", "me", "--scope", "act", *config)["token"]}
    assert run("tickets", "list", *there).exit_code == 1
    with_a_line_break = {"RESPONDER_TOKEN": f"{me['RESPONDER_TOKEN']}\n"}
    assert asked("tickets", "list", *there, env=with_a_line_break)["tickets"] == []

    sent = ("send-test-alert", "alertname=Full", "severity=info", *there)
    assert run(*sent).exit_code == 1
    assert run(*sent, "--token-file", str(folder / "tokens" / "alertmanager")).exit_code == 0
    number = asked("tickets", "list", *there, env=me)["tickets"][0]["number"]

    for command in (
        ("tickets", "show", f"{number}/clocks"),
        ("tickets", "ack", f"{number}/clocks"),
        ("reviews", "show", f"{number}/clocks?"),
        ("explain", "clock", f"{number}/clocks"),
    ):
        nothing = run(*command, *there, env=me)
        assert (nothing.exit_code, "Traceback" in nothing.output, number in nothing.output) == (1, False, True), command
    assert run("tickets", "note", number, "looking", "--as", "first", *there, env=me).exit_code == 0
    nobody = run("tickets", "ack", number, "--as", "frist", *there, env=me)
    assert (nobody.exit_code, "there are first." in " ".join(nobody.output.split())) == (1, True)
    assert asked("tickets", "ack", number, "--as", "first", *there, env=me)["acknowledged_by"] == "first"
    again = run("tickets", "ack", number, "--as", "admin", *there, env=me)
    assert (again.exit_code, "already acknowledged by first" in again.output) == (1, True)
    picture = folder / "disk.png"
    picture.write_bytes(b"\x89PNG\x00\xff")
    kept = run("tickets", "attach", number, str(picture), *there, env=me)
    assert kept.exit_code == 0, kept.output
    shown = run("tickets", "show", number, *there, env=me).stdout
    assert "disk.png" in shown
    assert "first: looking" in shown
    assert "first has taken it." in shown

    who = ("--name", "Li Wei", "--contact", "li.wei@example.org", "-f", "description=Model: X200")
    reported = asked("reporters", "open", "Printer is dead", *who, *there, env=me)["number"]
    assert "field Model: X200 (It stands behind “Model”.)" in run("tickets", "show", reported, *there, env=me).stdout

    assert asked("automation", "off", "we move the rack", *there, env=me)["on"] is True
    assert "we move the rack" in run("automation", "status", *there, env=me).stdout
    assert asked("automation", "on", *there, env=me)["on"] is False

    doctor = run("doctor", "--json", *config)
    findings = {one["what"]: one for one in json.loads(doctor.stdout)}
    assert (findings["server"]["ok"], findings["database"]["ok"]) == (True, True)
    assert doctor.exit_code == 1
    assert "still the one that init wrote" in findings["channel pager of first"]["problem"]

    (folder / "automation-off").touch()
    assert f"the file {folder}/automation-off exists" in run("automation", "status", *there, env=me).stdout
    assert "exists" in run("automation", "on", *there, env=me).stdout

    assert run(*sent).exit_code == 1
    refused = asked("quarantine", "list", *there, env=me)["quarantine"]
    assert (refused[0]["source"], "accepts this credential" in refused[0]["reason"]) == ("unknown", True)
    assert "Full" in run("quarantine", "show", refused[0]["receipt"], *there, env=me).stdout


def test_a_reload_with_a_mistake_changes_nothing_and_a_good_one_is_taken(folder: Path, server: str) -> None:

    admin = asked("token", "create", "admin", "--scope", "admin", "--config", str(folder / "responder.yml"))["token"]
    hook = ("send-test-alert", "severity=info", "--server", server, "--token-file", str(folder / "tokens/alertmanager"))

    def reload() -> tuple[int, str]:
        import asyncio

        import aiohttp

        async def ask() -> tuple[int, str]:
            headers = {"Authorization": f"Bearer {admin}"}
            async with aiohttp.ClientSession(headers=headers) as session, session.post(f"{server}/-/reload") as answer:
                return answer.status, await answer.text()

        return asyncio.run(ask())

    policy = folder / "policy.yml"
    good = policy.read_text()
    policy.write_text(good + "default_grade: P9\n")
    status, text = reload()
    assert status == 400
    assert "policy.yml" in text
    assert "there is no grade P9" in text
    assert run(*hook, "alertname=A").exit_code == 0

    policy.write_text(good + 'number: "T-{seq}"\n')
    assert reload()[0] == 200
    assert run(*hook, "alertname=B").exit_code == 0
    me = {"RESPONDER_TOKEN": admin}
    numbers = {ticket["number"] for ticket in asked("tickets", "list", "--server", server, env=me)["tickets"]}
    assert any(number.startswith("INC-") for number in numbers)
    assert "T-1" in numbers
