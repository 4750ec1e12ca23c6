"""The row about first aid: from an alert's last byte to the start of the first command on a real sshd."""

from __future__ import annotations

import http.client
import socket
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import orjson
import paramiko

from benchmarks.alerts import envelope
from benchmarks.client import Order, quantile
from benchmarks.configuration import Files
from benchmarks.rows import Row, Settings
from benchmarks.services import Running, limit, ours, run_client
from tests.servers.ports import free_port
from tests.servers.sshd import Sshd

_WARM = 100
_COLD = 5
_BEFORE_WARM = 5
_PATIENCE = timedelta(seconds=30)
_IDLE = timedelta(seconds=1)
_RUNBOOK = "stamp"


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host on which a script writes down when it was started."""

    sshd: Sshd
    folder: Path

    @property
    def script(self) -> Path:
        return self.folder / "stamp.sh"

    def install(self) -> None:
        self.script.write_text(f'#!/bin/sh\ndate +%s.%N > "{self.folder}/$1.part"\n'
                               f'mv "{self.folder}/$1.part" "{self.folder}/$1"\n')  # fmt: skip
        self.script.chmod(0o755)

    def started_at(self, stamp: str) -> float:
        """Waits for the script's mark."""
        until, mark = time.monotonic() + _PATIENCE.total_seconds(), self.folder / stamp
        while not mark.exists():
            if time.monotonic() > until:
                raise RuntimeError(f"the command for alert {stamp} never started")
            time.sleep(0.002)
        return float(mark.read_text())

    def files(self) -> Files:
        step = {"name": "stamp", "ssh": {"check": [str(self.script), "{{ stamp }}"], "run": ["true"]}}
        rule = {"name": "stamp", "when": ['alertname="Stamp"'], "runbook": _RUNBOOK, "target": "instance"}
        runbook = {
            "runbook": _RUNBOOK,
            "summary": "Write down when the command started",
            "parameters": {"stamp": {"type": "integer", "label": "stamp"}},
            "cooldown": "0s",
            "runs_per_hour": 1_000_000,
            "steps": [step],
        }
        return Files(
            port=free_port(),
            sink=free_port(),
            targets=(self.sshd.target("web-1"),),
            first_aid=(rule,),
            runbooks=(runbook,),
            ssh={"idle": f"{_IDLE.seconds}s"},
        )


def row(settings: Settings) -> Iterator[Row]:
    """Warm, cold in both senses, and the limit, on one sshd."""
    with tempfile.TemporaryDirectory(prefix="bench-sshd-") as name, Sshd(Path(name)) as sshd:
        host = Host(sshd=sshd, folder=Path(name))
        host.install()
        stamps = count(1)
        exec_p50 = _bare_exec(host, stamps)
        http_p50 = _one_post()
        warm = _warm(host, stamps, settings)
        fresh, reconnected = _cold(host, stamps, settings)
    yield Row(
        name="alert → command",
        unit="ms",
        ours=quantile(warm, 0.5),
        limit=exec_p50 + http_p50,
        rounds=1,
        more={
            "p50": quantile(warm, 0.5),
            "p99": quantile(warm, 0.99),
            "cold_process_p50": quantile(fresh, 0.5),
            "cold_connection_p50": quantile(reconnected, 0.5),
            "limit_exec_p50": exec_p50,
            "limit_http_and_commit_p50": http_p50,
            "alerts": len(warm),
        },
    )


# --- ours ------------------------------------------------------------------------------------------


def _warm(host: Host, stamps: Iterator[int], settings: Settings) -> list[float]:
    with ours(_files(host, settings), server=settings.server) as running:
        for _ in range(_BEFORE_WARM):
            _alert_to_command(host, running, next(stamps))
        return sorted(_alert_to_command(host, running, next(stamps)) for _ in range(_WARM))


def _cold(host: Host, stamps: Iterator[int], settings: Settings) -> tuple[list[float], list[float]]:
    """The first alert of a process, and the first one after its connection was idle and therefore closed."""
    fresh, reconnected = [], []
    for _ in range(_COLD):
        with ours(_files(host, settings), server=settings.server) as running:
            fresh.append(_alert_to_command(host, running, next(stamps)))
            _wait_until_closed(host)
            reconnected.append(_alert_to_command(host, running, next(stamps)))
    return sorted(fresh), sorted(reconnected)


def _files(host: Host, settings: Settings) -> Files:
    if settings.server:
        raise ValueError("alert → command is measured on SQLite only; leave out --database for it")
    return host.files()


def _wait_until_closed(host: Host) -> None:
    until = time.monotonic() + _PATIENCE.total_seconds()
    while host.sshd.connection_pids():
        if time.monotonic() > until:
            raise RuntimeError("the idle connection was never closed")
        time.sleep(0.05)


def _alert_to_command(host: Host, running: Running, stamp: int) -> float:
    """Milliseconds from the request's last byte to the command's start; returns when the run has ended."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=_PATIENCE.total_seconds())
    connection.connect()
    body = orjson.dumps(envelope([_alert(stamp)]))
    connection.putrequest("POST", "/webhooks/alertmanager")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    sent_at = time.time()
    connection.send(body)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"answered {answer.status}: {answer.read()!r}")
    answer.read()
    took = host.started_at(str(stamp)) - sent_at
    _wait_until_restored(connection)
    return took * 1e3


def _alert(stamp: int) -> dict[str, object]:
    return {
        "status": "firing",
        "labels": {"alertname": "Stamp", "instance": "web-1", "severity": "warning", "stamp": str(stamp)},
        "annotations": {"summary": "Write down when the command starts"},
        "startsAt": "2026-03-02T08:15:42.371Z",
        "fingerprint": f"{stamp:016x}",
    }


def _wait_until_restored(connection: http.client.HTTPConnection) -> None:
    until = time.monotonic() + _PATIENCE.total_seconds()
    while (status := _newest_status(connection)) != "restored":
        if time.monotonic() > until or status == "handed_over":
            raise RuntimeError(f"first aid did not help: the ticket is {status}")
        time.sleep(0.01)
    connection.close()


def _newest_status(connection: http.client.HTTPConnection) -> str:
    connection.request("GET", "/api/v1/tickets?limit=1")
    return str(orjson.loads(connection.getresponse().read())["tickets"][0]["status"])


# --- the limit -------------------------------------------------------------------------------------


def _bare_exec(host: Host, stamps: Iterator[int]) -> float:
    """Milliseconds from exec over a warm paramiko connection to the command's start, p50."""
    target = host.sshd.target()
    with paramiko.SSHClient() as client:
        kind, key_text = target.host_key.split()[:2]
        key = paramiko.PKey.from_type_string(kind, b64decode(key_text))
        client.get_host_keys().add(f"[{target.address}]:{target.port}", kind, key)
        sock = socket.create_connection((target.address, target.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.connect(target.address, target.port, target.user, key_filename=str(target.key_file), sock=sock)
        return quantile(sorted(_exec(host, client, next(stamps)) for _ in range(_WARM)), 0.5)


def _exec(host: Host, client: paramiko.SSHClient, stamp: int) -> float:
    began_at = time.time()
    transport = client.get_transport()
    assert transport is not None
    # The channel itself: exec_command's stdin object can deadlock when it is collected.
    with transport.open_session() as channel:
        channel.exec_command(f"{host.script} {stamp}")
        channel.recv_exit_status()
    return (host.started_at(str(stamp)) - began_at) * 1e3


def _one_post() -> float:
    """Milliseconds for one HTTP round trip with one commit, p50."""
    with limit() as running:
        order = Order(port=running.port, connections=1, seconds=1.0)
        return run_client(replace(order, sink=0)).p50 * 1e3


def installed() -> bool:
    """Whether there is an OpenSSH server to measure with."""
    return subprocess.run(["test", "-x", "/usr/sbin/sshd"], check=False).returncode == 0
