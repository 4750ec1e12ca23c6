"""A real Prometheus on loopback."""

from __future__ import annotations

import subprocess
import urllib.parse
from pathlib import Path
from typing import Any

from tests.servers.ports import free_port
from tests.servers.program import Program, asked_for_json


class Prometheus(Program):
    """Serves a configuration file, which promtool checks before it starts."""

    def __init__(self, folder: Path, config: Path, *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._config = config
        argv = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
            # What fires before it has found its Alertmanagers is lost until it is sent again: by default 1 minute.
            "--rules.alert.resend-delay=5s",
        ]
        super().__init__(argv, folder / "prometheus.log", ready_url=f"{self.url}/-/ready")

    def check(self) -> str:
        """What promtool says. Raises AssertionError for a configuration or a rule that it refuses."""
        done = subprocess.run(
            ["promtool", "check", "config", str(self._config)], capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def query(self, promql: str) -> list[tuple[dict[str, str], float]]:
        """The series of an instant query."""
        words = urllib.parse.urlencode({"query": promql})
        found = asked_for_json(f"{self.url}/api/v1/query?{words}")["data"]["result"]
        return [(series["metric"], float(series["value"][1])) for series in found]

    def alertmanagers(self) -> list[str]:
        """Those that it has found, and sends to."""
        found = asked_for_json(f"{self.url}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        return [one["url"] for one in found]

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, with how its last evaluation went."""
        groups = asked_for_json(f"{self.url}/api/v1/rules")["data"]["groups"]
        return [rule | {"group": group["name"], "file": group["file"]} for group in groups for rule in group["rules"]]
