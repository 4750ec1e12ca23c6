"""The service itself, as a process, started and asked as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
from pathlib import Path
from typing import Any

from tests.servers.program import Program, asked, asked_for_json, environment


class Responder(Program):
    """`responder serve` with a configuration, and the other commands beside it."""

    def __init__(self, config: Path, port: int, *, log_file: Path | None = None) -> None:
        self.config = config
        self.url = f"http://127.0.0.1:{port}"
        self._token = ""
        argv = [*_COMMAND, "serve", "--config", str(config)]
        super().__init__(argv, log_file or config.parent / "responder.log", ready_url=f"{self.url}/-/ready")

    def command(self, *words: str) -> str:
        """What one of the other commands prints."""
        return command(*words, "--config", str(self.config))

    def log_in(self, scope: str) -> None:
        """Makes a token; from now on the API is asked with it."""
        made = self.command("token", "create", "acceptance", "--scope", scope, "--json")
        self._token = json.loads(made)["token"]

    def api(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        return asked_for_json(f"{self.url}/api/v1/{path}", headers=headers)

    def tried(self, path: str, content: dict[str, Any]) -> tuple[int, Any]:
        """The status and the answer to a POST, whether it was done or refused."""
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            answer = asked(f"{self.url}/api/v1/{path}", data=json.dumps(content).encode(), headers=headers)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        return 200, json.loads(answer)

    def post(self, path: str, content: dict[str, Any]) -> Any:
        """The answer to a POST that must be done."""
        status, answer = self.tried(path, content)
        assert status == 200, f"{path}: {status} {answer}"
        return answer

    def tickets(self) -> list[dict[str, Any]]:
        """All tickets, oldest first, each with all that is known of it."""
        listed = self.api("tickets?limit=500")["tickets"]
        return [self.ticket(line["number"]) for line in reversed(listed)]

    def ticket(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api(f"tickets/{number}")
        return found


_COMMAND = (sys.executable, "-m", "responder.cli")


def command(*words: str) -> str:
    """What a command prints. Raises AssertionError when it fails."""
    done = subprocess.run(
        [*_COMMAND, *words], capture_output=True, text=True, check=False, timeout=60, env=environment()
    )
    assert done.returncode == 0, f"responder {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout
