"""A real Alertmanager on loopback, without the gossip of a cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.servers.ports import free_port
from tests.servers.program import Program


class Alertmanager(Program):
    """Serves a configuration file, which amtool checks before it starts."""

    def __init__(self, folder: Path, config: Path, *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._config = config
        argv = [
            "prometheus-alertmanager",
            f"--config.file={config}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
            "--cluster.listen-address=",
        ]
        super().__init__(argv, folder / "alertmanager.log", ready_url=f"{self.url}/-/ready")

    def check(self) -> str:
        """What amtool says. Raises AssertionError for a configuration that it refuses."""
        done = subprocess.run(
            ["amtool", "check-config", str(self._config)], capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
