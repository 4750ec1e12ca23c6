"""Ours and the limit as processes on loopback ports, each with an empty database in a folder of its own."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import orjson

from benchmarks.client import Load, Order
from benchmarks.configuration import Files, write
from benchmarks.databases import Database
from tests.servers.ports import free_port

_PATIENCE = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service that answers on its port; `ready_after` is the time from exec to its first 200 of /-/ready."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    ready_after: float
    sink: int = 0
    has_worker: bool = False
    database: Database | None = None

    def cpu_seconds(self) -> float:
        """What the process has used of the processors so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024


Start = Callable[[], AbstractContextManager[Running]]


@contextmanager
def limit() -> Iterator[Running]:
    """The limit server."""
    with tempfile.TemporaryDirectory(prefix="bench-limit-") as name:
        folder, port = Path(name), free_port()
        arguments = ["-m", "benchmarks.limit_server", str(port), str(folder / "limit.db")]
        with _process(arguments, folder, port) as (process, ready_after):
            yield Running(process=process, port=port, folder=folder, ready_after=ready_after)


@contextmanager
def ours(
    files: Files | None = None, *, server: str = "", with_worker: bool = True, profile: Path | None = None
) -> Iterator[Running]:
    """Ours; with a PostgreSQL `server`, on a new database there."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-ours-") as name,
        Database(server, Path(name) / "responder.db") as database,
    ):
        folder = Path(name)
        files = replace(files or Files(port=free_port(), sink=free_port()), database=database.url)
        config = write(files, folder)
        with _process(_command(config, with_worker, profile), folder, files.port) as (process, ready_after):
            yield Running(
                process=process,
                port=files.port,
                folder=folder,
                ready_after=ready_after,
                sink=files.sink,
                has_worker=with_worker,
                database=database,
            )


def _command(config: Path, with_worker: bool, profile: Path | None) -> list[str]:
    if with_worker and profile is None and has_command_line():
        return ["-m", "responder.cli", "serve", "--config", str(config)]
    more = [] if with_worker else ["--no-worker"]
    return ["-m", "benchmarks.serve", str(config), *more, *(["--profile", str(profile)] if profile else [])]


def has_command_line() -> bool:
    """Whether `python -m responder.cli` exists."""
    try:
        return find_spec("responder.cli.__main__") is not None
    except ModuleNotFoundError:
        return False


@contextmanager
def _process(arguments: list[str], folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    with (folder / "log").open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _wait_until_ready(process, port, folder / "log")
            yield process, time.perf_counter() - began
        finally:
            end(process)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.perf_counter() + _PATIENCE
    while not _is_ready(port):
        if process.poll() is not None or time.perf_counter() > until:
            raise RuntimeError(f"the service does not get ready:\n{log.read_text()[-3000:]}")
        time.sleep(0.005)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == 200
    return False


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process of ours: politely, and after a while for good."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run_client(order: Order) -> Load:
    """Loads a service from another process."""
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in vars(order).items()]
    command = [sys.executable, "-m", "benchmarks.client", *arguments]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=order.seconds + _PATIENCE)
    return Load(**orjson.loads(answer.stdout))
