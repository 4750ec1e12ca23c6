"""The service with a log that cannot be written, as on a disk that is full: `/dev/full` takes nothing."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calling import begun, run
from tests.servers.ports import free_port
from tests.servers.responder import Responder


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
