"""A real OpenSSH server, run by the test's own user on a loopback port."""

from __future__ import annotations

import getpass
import os
import re
import select
import signal
import subprocess
import threading
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from responder.domain.target import Target
from tests.servers.ports import free_port

SSHD = "/usr/sbin/sshd"
KEY_TYPES = ("ed25519", "ecdsa", "rsa")

_CONFIG = """\
Port {port}
ListenAddress {address}
PidFile none
{host_keys}
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
UseDNS no
MaxStartups 200
LogLevel VERBOSE
# Started by sshd, bash reads the user's ~/.bashrc unless it believes that it is not the first shell.
SetEnv SHLVL=2
{more}
"""


class Sshd:
    """Writes its own configuration and keys into a directory, and answers while it is entered.

    `more` is further configuration, such as `MaxSessions 2`. `inside` is put before its command, to start it elsewhere
    than here, where it then listens on `address` and port 22.
    """

    def __init__(
        self,
        directory: Path,
        *,
        key_types: tuple[str, ...] = KEY_TYPES,
        more: str = "",
        address: str = "127.0.0.1",
        inside: tuple[str, ...] = (),
    ) -> None:
        self.directory = directory
        self.address = address
        self.port = 22 if inside else free_port()
        self._inside = inside
        self.key_file = directory / "client_key"
        self._key_types = key_types
        self._more = more
        self._log = _Log()
        self._process: subprocess.Popen[str] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        write_key(self.key_file)
        self.authorize(self.key_file)
        for key_type in key_types:
            write_key(self.host_key_file(key_type), key_type)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        _make_privilege_separation_directory()
        config = self.directory / "sshd_config"
        host_keys = "\n".join(f"HostKey {self.host_key_file(key_type)}" for key_type in self._key_types)
        config.write_text(
            _CONFIG.format(
                port=self.port,
                address=self.address,
                directory=self.directory,
                host_keys=host_keys,
                more=self._more,
            )
        )
        self._process = subprocess.Popen(
            [*self._inside, SSHD, "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        starts = self._log.count("Server listening on")
        self._log.follow(self._process)
        self._log.wait_for("Server listening on", times=starts + 1)

    def stop(self) -> None:
        """Ends the server and the connections it has."""
        if self._process is None:
            return
        connections = self.connection_pids()
        self._process.terminate()
        self._process.wait(10)
        kill(connections)
        self._process = None

    def restart_with_other_host_key(self) -> None:
        self.stop()
        for key_type in self._key_types:
            write_key(self.host_key_file(key_type), key_type)
        self.start()

    def cut_connections(self) -> None:
        """Ends every connection from the server's side, as a crash would; the server itself stays."""
        kill(self.connection_pids())

    def connection_pids(self) -> list[int]:
        """The server's own processes behind the connections; not those of the commands."""
        if self._process is None:
            return []
        return [pid for pid in descendants(self._process.pid) if is_sshd(pid)]

    def logins(self) -> int:
        return self._log.count("Accepted publickey")

    def login_attempts(self) -> int:
        return self._log.count("authenticating user") + self._log.count("Failed publickey") + self.logins()

    def connections(self) -> int:
        return self._log.count("Connection from")

    def wait_for_hang_ups(self, times: int) -> None:
        """Waits until the server has written down that so many clients are gone."""
        self._log.wait_for("Connection (closed|reset) by", times=times)

    def authorize(self, key_file: Path) -> None:
        (self.directory / "authorized_keys").write_text(public_half(key_file) + "\n")

    def host_key_file(self, key_type: str = "ed25519") -> Path:
        return self.directory / f"host_{key_type}"

    def host_key(self, key_type: str = "ed25519") -> str:
        return public_half(self.host_key_file(key_type))

    def target(self, name: str = "web-1") -> Target:
        return Target(
            name=name,
            address=self.address,
            port=self.port,
            user=getpass.getuser(),
            key_file=self.key_file,
            host_key=self.host_key(self._key_types[0]),
        )


class _Log:
    """What the server wrote, and waiting for it to write something."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._grown = threading.Condition()

    def follow(self, process: subprocess.Popen[str]) -> None:
        threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def count(self, text: str) -> int:
        with self._grown:
            return sum(bool(re.search(text, line)) for line in self._lines)

    def wait_for(self, text: str, *, times: int, within: timedelta = timedelta(seconds=20)) -> None:
        with self._grown:
            found = self._grown.wait_for(
                lambda: sum(bool(re.search(text, line)) for line in self._lines) >= times, within.total_seconds()
            )
            if not found:
                raise TimeoutError(f"sshd never wrote {text!r}:\n" + "".join(self._lines))

    def _read(self, process: subprocess.Popen[str]) -> None:
        with process.stderr or nullcontext(()) as lines:
            for line in lines:
                with self._grown:
                    self._lines.append(line)
                    self._grown.notify_all()


def write_key(path: Path, key_type: str = "ed25519") -> None:
    """A new key pair in place of the one that may be there."""
    path.unlink(missing_ok=True)
    size = ["-b", "2048"] if key_type == "rsa" else []
    subprocess.run(["ssh-keygen", "-q", "-t", key_type, *size, "-N", "", "-C", "test", "-f", str(path)], check=True)


def public_half(key_file: Path) -> str:
    return key_file.with_name(key_file.name + ".pub").read_text().strip()


def descendants(pid: int) -> list[int]:
    parents = {int(entry.name): parent(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = [pid]
    for known in found:
        found += [child for child, of in parents.items() if of == known]
    return found[1:]


def parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def is_sshd(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("sshd")
    except OSError:
        return False


def kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in pids:
        wait_for_end(pid)


def wait_for_end(pid: int, within: timedelta = timedelta(seconds=10)) -> None:
    """Returns once the process has ended, also one that is not our child. Raises TimeoutError."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([process], [], [], within.total_seconds())[0]:
            raise TimeoutError(f"process {pid} still runs")
    finally:
        os.close(process)


def _make_privilege_separation_directory() -> None:
    """Started by root, sshd wants this directory; an init script would have made it."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
