"""Hosts of their own on this machine: a network namespace each, behind a bridge, with an sshd inside.

Needs root. Every network has names and addresses of its own, and is taken away again whatever happens.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.program import Program
from tests.servers.sshd import Sshd, wait_for_end

NAMED = Path(__file__).with_name("named.py")
SERVICE_PORT = 8080


@cache
def users_may_be_mapped() -> bool:
    """Whether this user may run something under another user id; tried once."""
    command = ("unshare", "-U", "--map-user=12345", "true")
    return (
        shutil.which("unshare") is not None and not subprocess.run(command, check=False, capture_output=True).returncode
    )


@cache
def may_be_made() -> bool:
    """Whether this user may make namespaces, links and a bridge here; tried once."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"rp{os.getpid() % 100000}"
    try:
        _ip("netns", "add", name)
        _ip("link", "add", name, "type", "bridge")
    except CannotBeMade:
        return False
    finally:
        _ip_quietly("link", "del", name)
        _ip_quietly("netns", "del", name)
    return True


class CannotBeMade(Exception):
    """The machine refused; the text is what `ip` said."""


class Network:
    """A bridge of this machine with the address .1 of a network of its own, and the hosts behind it."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._names = names
        self._stack = ExitStack()
        self.bridge = ""
        self.prefix = ""
        self.hosts: dict[str, NetHost] = {}

    def __enter__(self) -> Self:
        try:
            self._make_bridge()
            for number, name in enumerate(self._names):
                host = NetHost(self, name, 11 + number, self._folder / name)
                self._stack.callback(host.remove)
                host.make()
                self.hosts[name] = host
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def address(self, last: int) -> str:
        return f"{self.prefix}.{last}"

    def _make_bridge(self) -> None:
        """The first free one: making its bridge is what claims a network, also from other processes."""
        for number in range(1, 255):
            name = f"rb{number}"
            try:
                _ip("link", "add", name, "type", "bridge")
            except CannotBeMade:
                continue
            self._stack.callback(_ip_quietly, "link", "del", name)
            self.bridge, self.prefix = name, f"10.213.{number}"
            _ip("addr", "add", f"{self.prefix}.1/24", "dev", name)
            _ip("link", "set", name, "up")
            return
        raise CannotBeMade("all networks are taken")


class NetHost:
    """One host: its namespace, its address, its sshd, and a service that answers with the host's name."""

    def __init__(self, network: Network, name: str, number: int, folder: Path) -> None:
        self.name = name
        self.network = network
        self.folder = folder
        self.address = network.address(number)
        self.namespace = f"{network.bridge}-{name}"
        self.link = f"{network.bridge}v{number}"
        self.inside = ("ip", "netns", "exec", self.namespace)
        folder.mkdir(parents=True, exist_ok=True)
        self.sshd = Sshd(folder / "ssh", key_types=("ed25519",), address=self.address, inside=self.inside)
        self.service = Program(
            [*self.inside, sys.executable, NAMED, name, str(SERVICE_PORT)],
            folder / "service.log",
            ready_url=f"http://{self.address}:{SERVICE_PORT}/",
        )

    def make(self) -> None:
        _ip("netns", "add", self.namespace)
        _ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        _ip("link", "set", self.link, "master", self.network.bridge, "up")
        _ip("-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", self.namespace, "link", "set", device, "up")

    def remove(self) -> None:
        """Ends what still runs inside, and takes everything away."""
        with suppress(OSError, TimeoutError):
            self.sshd.stop()
        self.service.stop()
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in self.pids():
            with suppress(TimeoutError):
                wait_for_end(pid)
        _ip_quietly("netns", "del", self.namespace)
        _ip_quietly("link", "del", self.link)

    def pids(self) -> list[int]:
        """The processes inside."""
        done = subprocess.run(
            ["ip", "netns", "pids", self.namespace], capture_output=True, text=True, check=False, timeout=10
        )
        return [int(word) for word in done.stdout.split()]

    def run(self, *argv: str) -> str:
        """What a command inside prints."""
        done = subprocess.run([*self.inside, *argv], capture_output=True, text=True, check=False, timeout=20)
        return done.stdout

    def addresses(self) -> set[str]:
        shown: list[dict[str, Any]] = json.loads(self.run("ip", "-j", "addr", "show", "eth0") or "[]")
        return {str(one["local"]) for link in shown for one in link.get("addr_info", ())}


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False, timeout=10)
    if done.returncode:
        raise CannotBeMade(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _ip_quietly(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=False, timeout=10)
