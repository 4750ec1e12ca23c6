"""The service with a log that cannot be written, as on a disk that is full: `/dev/full` takes nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cli.calling import begun, run
from tests.servers.ports import free_port
from tests.servers.program import Program
from tests.servers.responder import Responder


def test_reports_are_taken_where_there_is_no_place_for_a_log_at_all(tmp_path: Path) -> None:
    folder, port = begun(tmp_path / "ops"), free_port()
    config = folder / "responder.yml"
    config.write_text(config.read_text().replace("9180", str(port)))
    serve = [sys.executable, "-m", "responder.cli", "serve", "--config", str(config)]
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh", *serve]
    url = f"http://127.0.0.1:{port}"
    with Program(closed, tmp_path / "log", ready_url=f"{url}/-/ready"):
        sent = run("send-test-alert", "--server", url, "--token-file", str(folder / "tokens/alertmanager"))
    assert f"taken in by {url} as " in sent.stdout


def test_reports_become_tickets_though_no_line_of_the_log_can_be_written(tmp_path: Path) -> None:
    folder, port = begun(tmp_path / "ops"), free_port()
    config = folder / "responder.yml"
    config.write_text(config.read_text().replace("9180", str(port)))
    with Responder(config, port, log_file=Path("/dev/full")) as serving:
        sent = run("send-test-alert", "--server", serving.url, "--token-file", str(folder / "tokens/alertmanager"))
        assert f"taken in by {serving.url} as " in sent.stdout
        serving.log_in("admin")
        (ticket,) = serving.tickets()
    assert ticket["labels"]["alertname"] == "ResponderTest"
