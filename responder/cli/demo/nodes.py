"""Two nodes of the demo: each an SSH server and a small web service that can be broken."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from responder.adapters.ssh_server import DemoSshServer, write_key
from responder.cli.common import login

SSHD = Path("/usr/sbin/sshd")

_SERVICE = """#!/bin/sh
# The demo's service manager: status prints the process id, restart starts anew unless the config is broken.
here={here}
case "$1" in
  status)
    pid=$(cat "$here/pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null && echo "$pid" && exit 0
    echo "not running"; exit 3 ;;
  restart)
    "$0" stop
    if [ -e "$here/broken" ]; then echo "webapp: config line 7: unknown option 'listn'" >&2; exit 1; fi
    cd "$here/www" && nohup {python} -m http.server --bind 127.0.0.1 {port} >"$here/log" 2>&1 </dev/null &
    echo $! > "$here/pid" ;;
  stop)
    pid=$(cat "$here/pid" 2>/dev/null) && kill "$pid" 2>/dev/null
    rm -f "$here/pid"; exit 0 ;;
esac
"""

_SSHD_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {here}/host_key
AuthorizedKeysFile {here}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Node:
    """A folder with a service in it, reached by SSH: a real sshd if one is installed, else one in this process."""

    def __init__(self, name: str, folder: Path, client_key: str) -> None:
        self.name = name
        self.folder = folder / name
        self.user = login()
        self.service_port = free_port()
        self.ssh_port = 0
        self.host_key = ""
        self.is_real = False
        self._client_key = client_key
        self._sshd: subprocess.Popen[bytes] | None = None
        self._server: DemoSshServer | None = None

    @property
    def service(self) -> Path:
        return self.folder / "webapp"

    def start(self, *, builtin_ssh: bool = False) -> None:
        (self.folder / "www").mkdir(parents=True)
        (self.folder / "www" / "index.html").write_text("webapp answers\n")
        script = _SERVICE.format(here=self.folder, port=self.service_port, python=sys.executable)
        self.service.write_text(script)
        self.service.chmod(0o755)
        self.is_real = not builtin_ssh and SSHD.exists() and self._start_sshd()
        if not self.is_real:
            self._server = DemoSshServer(user=self.user, public_key=self._client_key, cwd=self.folder, env={})
            self._server.start()
            self.ssh_port, self.host_key = self._server.port, self._server.host_key
        self.run("restart")

    def stop(self) -> None:
        self.run("stop")
        if self._sshd is not None:
            self._sshd.terminate()
            self._sshd.wait(5)
        if self._server is not None:
            self._server.stop()

    def kill_service(self) -> None:
        """What a crash would do."""
        self.run("stop")

    def break_config(self) -> None:
        """From now on no restart helps."""
        (self.folder / "broken").touch()
        self.run("stop")

    def run(self, verb: str) -> None:
        subprocess.run([str(self.service), verb], check=False, capture_output=True, timeout=10)

    def _start_sshd(self) -> bool:
        self.host_key = write_key(self.folder / "host_key")
        (self.folder / "authorized_keys").write_text(self._client_key + "\n")
        self.ssh_port = free_port()
        config = self.folder / "sshd_config"
        config.write_text(_SSHD_CONFIG.format(here=self.folder, port=self.ssh_port))
        with suppress(OSError):
            # As root, sshd wants this folder; it is empty and stays.
            Path("/run/sshd").mkdir(exist_ok=True)
        log = (self.folder / "sshd.log").open("wb")
        self._sshd = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(config)], stdout=log, stderr=log)
        if self._answers():
            return True
        self._sshd.kill()
        self._sshd.wait()
        self._sshd = None
        return False

    def _answers(self) -> bool:
        for _ in range(100):
            if self._sshd is None or self._sshd.poll() is not None:
                return False
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.ssh_port), 1):
                return True
            time.sleep(0.05)
        return False


def has_timeout_command() -> bool:
    """The hosts need GNU timeout, which ends a hung command on the host itself."""
    return shutil.which("timeout") is not None
