"""A host: a real sshd, a real supervisord, and the service that it manages."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.acceptance import webapp
from tests.servers.ports import free_port, wait_for_port
from tests.servers.sshd import Sshd
from tests.servers.supervisor import Supervisor

SERVICE = "webapp"


class Node:
    """Its folder holds everything; whatever lies in it as `broken` keeps the service from starting."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder / name
        self.port = free_port()
        self.sshd = Sshd(self.folder / "ssh", key_types=("ed25519",))
        command = [sys.executable, webapp.__file__, str(self.port), str(self.folder)]
        self.supervisor = Supervisor(self.folder, SERVICE, command)

    def start(self) -> None:
        self.sshd.start()
        self.supervisor.start()
        wait_for_port(self.port)

    def stop(self) -> None:
        self.supervisor.stop()
        self.sshd.stop()

    def kill_service(self) -> float:
        """As a crash would; gives the instant."""
        self.supervisor.kill_program()
        return time.time()

    def break_for_good(self) -> float:
        """From now on no restart helps; gives the instant at which the service died."""
        (self.folder / "broken").touch()
        return self.kill_service()

    def repair_by_hand(self) -> None:
        (self.folder / "broken").unlink()
        self.supervisor.control("start", SERVICE)
