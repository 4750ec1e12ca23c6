"""A real PostgreSQL server on loopback, in a folder of its own."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import psycopg

from tests.servers.ports import free_port
from tests.servers.sshd import wait_for_end

_PREFIX = "responder-postgres-"
_numbers = count(1)
_ROOM = 1024**3
"""What the servers of all processes of a test run take, with a margin, in bytes."""


def initdb() -> Path | None:
    """Where the newest installed server's programs are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path) if on_path else None


def _memory() -> Path | None:
    """A folder in memory, where there is room for one: a disk takes longer over a database than most tests do."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        return None
    _sweep(shared)
    return shared if shutil.disk_usage(shared).free > _ROOM else None


def _sweep(shared: Path) -> None:
    """Memory is not for those who were killed: ends what they have left."""
    for folder in shared.glob(f"{_PREFIX}*"):
        with suppress(OSError), (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _end_orphan(folder / "data" / "postmaster.pid")
            shutil.rmtree(folder, ignore_errors=True)


def _locked(path: Path) -> IO[str]:
    """A file that this process holds from the instant at which it has its name."""
    unnamed = path.with_suffix(".new")
    lock = unnamed.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    unnamed.rename(path)
    return lock


def _end_orphan(pid_file: Path) -> None:
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text().split()[0])
        if Path(f"/proc/{pid}/comm").read_text().startswith("postgres"):
            os.kill(pid, signal.SIGQUIT)
            wait_for_end(pid)


def _strategy(connection: psycopg.Connection[Any]) -> str:
    return "STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""


class Postgres:
    """Starts on enter, stops on exit. Without fsync: these tests are not about the disk."""

    def __init__(self) -> None:
        # Not below pytest's own folder: the server's user must be able to reach it.
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_memory()))
        self._lock = _locked(self._folder / "lock")
        self._data = self._folder / "data"
        self.port = free_port()

    def __enter__(self) -> Postgres:
        if os.geteuid() == 0:
            # The server refuses to run as root.
            account = pwd.getpwnam("postgres")
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._lock.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        settings = (
            f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off "
            "-c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=32MB "
            "-c max_wal_size=64MB -c autovacuum=off "
            # In its own folder: what it shares in memory would outlive being stopped at once.
            "-c dynamic_shared_memory_type=mmap"
        )
        self._run("pg_ctl", "-D", str(self._data), "-o", settings, "-l", str(self._folder / "log"), "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def create(self, name: str = "", *, template: str = "template1") -> str:
        """A new database; gives its name."""
        name = name or f"test_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            # Copying the files is twice as fast as writing every page of the copy into the log.
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {_strategy(connection)}')
        return name

    def drop(self, name: str) -> None:
        """At once, whoever is still connected: thousands of files that are removed together later take minutes."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        where = initdb()
        assert where is not None
        command: Sequence[str] = [str(where.parent / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")
