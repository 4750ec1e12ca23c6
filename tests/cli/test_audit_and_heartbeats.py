"""Heartbeats, the audit of pages and the dead man's switch from the command line, with a real server."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread

import orjson
import pytest

from tests.cli.calling import asked, begun, run
from tests.cli.test_commands import server

__all__ = ["server"]
JOBS = """
cron_jobs:
  backup: {cron: "0 2 * * *", zone: Europe/Berlin, grace: 1h}
  sync: {every: 15m}
"""


class Outside:
    """Somebody outside who waits for our beats; a real HTTP server."""

    def __init__(self) -> None:
        self.beats: list[str] = []
        self.is_asked = Event()
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.beats.append(self.path)
                self.send_response(200)
                self.end_headers()
                outer.is_asked.set()

            def log_message(self, *args: object) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}/beat/4711"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()
    yield made
    made.stop()


@pytest.fixture
def folder(tmp_path: Path, outside: Outside) -> Path:
    made = begun(tmp_path / "ops")
    with (made / "policy.yml").open("a") as file:
        file.write(JOBS)
    with (made / "responder.yml").open("a") as file:
        file.write("dead_man: {url_file: dead-man-url, every: 10s}\nmonitoring: {open_to: [127.0.0.0/8]}\n")
    (made / "dead-man-url").write_text(f"{outside.url}\n")
    return made


@pytest.fixture
def there(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    made = asked("token", "create", "me", "--scope", "act", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    return ("--server", server)


def fetched(url: str, token: str = "", body: bytes | None = None) -> str:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as answer:
        return str(answer.read().decode())


def test_a_job_reports_and_the_audit_agrees_and_the_beats_reach_the_outside(
    there: tuple[str, str], outside: Outside
) -> None:
    address = run("heartbeats", "--url", "backup", *there).stdout.strip()
    path = address.partition("/heartbeat/")[2]
    url = f"{there[1]}/heartbeat/{path}"
    assert fetched(url) == "OK\n"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetched(url[:-1])
    found = asked("heartbeats", *there)
    assert {one["name"]: one["state"] for one in found["cron_jobs"]} == {"backup": "up", "sync": "new"}
    assert "0 2 * * * (Europe/Berlin)" in run("heartbeats", *there).stdout

    assert fetched(f"{url}/3") == "OK\n"
    failed = run("heartbeats", *there)
    assert (failed.exit_code, "backup said that it failed with exit code 3." in failed.stdout) == (1, True)

    assert outside.is_asked.wait(60)
    assert outside.beats[0] == "/beat/4711"
    ready = fetched(f"{there[1]}/-/ready")
    assert ready.startswith("ready\ndead man's switch: last sent ")
    audited = run("audit", "pages", *there)
    assert (audited.exit_code, audited.stdout.endswith("they agree\n")) == (0, True)
    assert asked("audit", "pages", *there)["agrees"] is True
    nothing = run("audit", "accept", "1/none", "--reason", "x", *there)
    assert (nothing.exit_code, "found no difference 1/none" in nothing.output) == (1, True)


def test_the_audit_log_is_read_by_an_admin_only_and_a_refused_reload_is_no_secret(
    there: tuple[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = run("audit", "log", *there)
    assert (refused.exit_code, "scope admin" in refused.output) == (1, True)
    made = asked("token", "create", "chief", "--scope", "admin", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    run("automation", "off", "--reason", "we look first", *there)
    (entry,) = asked("audit", "log", "--actor", "chief", *there)["entries"]
    assert (entry["actor"], entry["outcome"]) == ("chief", "done")
    shown = run("audit", "log", "--limit", "1", *there).stdout
    assert ("chief" in shown, "older ones: --cursor " in shown) == (True, True)
    assert "no entry" in run("audit", "log", "--actor", "nobody", *there).stdout

    (folder / "policy.yml").write_text("grades: 7\n")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        fetched(f"{there[1]}/-/reload", made["token"], b"")
    health = orjson.loads(fetched(f"{there[1]}/api/v1/health", made["token"]))
    assert (health["state"], health["vitals"][0]["state"]) == ("bad", "bad")
    assert ("policy.yml:1" in health["reload"]["problems"], health["reload"]["refused_at"] is None) == (True, False)
    assert {one["name"]: one["goes_on"] for one in health["loops"]} == {"watch": True, "forget": True}
    assert (health["database"]["kind"], 0 < health["uptime_seconds"] < 300) == ("sqlite", True)
