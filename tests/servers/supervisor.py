"""A real supervisord with one program, run by the test's own user, reached by its own socket."""

from __future__ import annotations

import getpass
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers.program import Program

_CONFIG = """\
[unix_http_server]
file={folder}/supervisor.sock

[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
{user}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{folder}/supervisor.sock

[program:{name}]
command={command}
autorestart=false
startsecs=1
startretries=0
redirect_stderr=true
stdout_logfile={folder}/{name}.log
"""


class Supervisor(Program):
    """Ready once its program runs. The program is not restarted by supervisor itself."""

    def __init__(self, folder: Path, name: str, command: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.config = folder / "supervisord.conf"
        self.log_file = folder / f"{name}.log"
        self._log = folder / "supervisord.log"
        # As root it wants to be told that this is meant.
        user = f"user={getpass.getuser()}" if os.geteuid() == 0 else ""
        text = _CONFIG.format(folder=folder, name=name, command=shlex.join(command), user=user)
        self.config.write_text(text)
        super().__init__(["supervisord", "--nodaemon", "-c", self.config], folder / "supervisord.out")

    def is_ready(self) -> bool:
        """By its log: asking supervisorctl again and again would be the dearest part of a start."""
        return self._log.exists() and f"success: {self.name} entered RUNNING state" in self._log.read_text()

    def control(self, *words: str) -> str:
        """What supervisorctl prints."""
        argv = ["supervisorctl", "-c", str(self.config), *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout + done.stderr

    def pid(self) -> int | None:
        """The program's process id, while it runs."""
        words = self.control("status", self.name).split()
        if len(words) < 4 or words[1] != "RUNNING":
            return None
        return int(words[words.index("pid") + 1].rstrip(","))

    def kill_program(self) -> None:
        """Ends the program as a crash would. Raises RuntimeError when it does not run."""
        pid = self.pid()
        if pid is None:
            raise RuntimeError(f"{self.name} does not run: {self.control('status')}")
        os.kill(pid, signal.SIGKILL)
