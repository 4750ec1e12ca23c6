"""A real haproxy on a host of its own, with its runtime socket and a small command to talk to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from tests.servers.namespaces import SERVICE_PORT, NetHost
from tests.servers.program import Program

_CONFIG = """\
global
  stats socket {folder}/haproxy.sock mode 600 level admin
  log stderr local0 info
defaults
  mode http
  timeout connect 500ms
  timeout client 5s
  timeout server 5s
frontend users
  bind {address}:{port}
  default_backend web
backend web
{servers}
"""

_TELL = """\
import socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.settimeout(5)
    line.connect(sys.argv[1])
    line.sendall(sys.argv[2].encode() + b"\\n")
    while part := line.recv(65536):
        sys.stdout.write(part.decode())
"""


class Haproxy(Program):
    """`servers`: name → address; all but the first are in maintenance until somebody says otherwise."""

    def __init__(self, host: NetHost, servers: Mapping[str, str]) -> None:
        self.host = host
        self.url = f"http://{host.address}:{SERVICE_PORT}/"
        tell = host.folder / "tell.py"
        tell.write_text(_TELL)
        self.helper = [sys.executable, str(tell), str(host.folder / "haproxy.sock")]
        lines = [
            f"  server {name} {address}:{SERVICE_PORT} check inter 200ms fall 2 rise 1{'' if first else ' disabled'}"
            for first, (name, address) in zip([True] + [False] * len(servers), servers.items(), strict=False)
        ]
        config = host.folder / "haproxy.cfg"
        config.write_text(
            _CONFIG.format(folder=host.folder, address=host.address, port=SERVICE_PORT, servers="\n".join(lines))
        )
        super().__init__(
            [*host.inside, "haproxy", "-db", "-f", config], host.folder / "haproxy.log", ready_url=self.url
        )

    def tell(self, words: str) -> str:
        """What haproxy answers to a runtime command."""
        done = subprocess.run([*self.helper, words], capture_output=True, text=True, check=True, timeout=10)
        return done.stdout

    def state(self, server: str) -> str:
        """UP, DOWN, MAINT, DRAIN …"""
        for line in self.tell("show stat web 4 -1").splitlines():
            words = line.split(",")
            if words[:2] == ["web", server]:
                return words[17]
        return ""
