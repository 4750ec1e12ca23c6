"""A host to try shipped runbooks on, as they are: a real sshd in a mount namespace of its own.

What the runbooks may change (/etc, /tmp, /var/lib, /var/log, /var/tmp) is the stage's own, and is gone with it.
It needs root.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from responder.adapters.http_client import HttpClient
from responder.adapters.ssh import SshHosts
from responder.domain.runbook import RunOutcome
from responder.domain.target import Target
from responder.firstaid.engine import Engine
from responder.firstaid.loader import load_runbook
from responder.firstaid.plan import from_snapshot, snapshot
from responder.firstaid.ports import Ended
from responder.flows.hands import TargetHands
from tests.fakes import REPOSITORY, Disk, FakeClock, MemoryJournal
from tests.servers.ports import free_port
from tests.servers.sshd import Sshd, wait_for_end

SHIPPED = REPOSITORY / "responder" / "runbooks"
_PATIENCE = timedelta(seconds=30)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# $1: the stage's folder, which stays visible; $2: what else is to be done inside; then the sshd.
_INSIDE = r"""
set -e
here=$1 more=$2; shift 2
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/tmp
for d in etc var/lib; do
  mkdir -p "/mnt/up/$d" "/mnt/work/$d"
  mount -t overlay -o "lowerdir=/$d,upperdir=/mnt/up/$d,workdir=/mnt/work/$d" overlay "/$d"
done
mkdir -p /var/lib/logrotate
case $here in /tmp/*)
  mkdir -p "/mnt$here"
  mount --bind "$here" "/mnt$here"
esac
chmod 1777 /mnt/tmp
mount --rbind /mnt/tmp /tmp
mount -t tmpfs -o size=64m,mode=755 tmpfs /var/log
mount -t tmpfs -o size=64m,nr_inodes=1000,mode=1777 tmpfs /var/tmp
eval "$more"
exec "$@"
"""


@cache
def may_be_set() -> bool:
    """Whether this user may make a mount namespace, with an overlay in it."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    script = (
        "mount -t tmpfs tmpfs /mnt && mkdir /mnt/up /mnt/work && "
        "mount -t overlay -o lowerdir=/etc,upperdir=/mnt/up,workdir=/mnt/work overlay /etc"
    )
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
    return subprocess.run(argv, capture_output=True, check=False, timeout=20).returncode == 0


@dataclass(frozen=True, kw_only=True)
class Played:
    """How a run ended, and what it did and kept."""

    ended: Ended
    acts: tuple[str, ...]
    kept: Mapping[str, str]

    @property
    def outcome(self) -> RunOutcome:
        return self.ended.outcome

    @property
    def sentence(self) -> str:
        return self.ended.sentence


class Stage:
    """Answers while it is entered. Programs in `tools` come before the machine's own.

    `more` is a shell's text that is run inside, before its sshd starts; processes that write their number into a
    file `*.pid` of `directory` are ended with the stage.
    """

    def __init__(self, directory: Path, *, more: str = "") -> None:
        self.directory = directory
        self.tools = directory / "tools"
        self.tools.mkdir(parents=True)
        inside = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _INSIDE, "sh", str(directory), more)
        options = "PermitUserEnvironment yes"
        self._sshd = Sshd(directory, key_types=("ed25519",), inside=inside, more=options)
        self._sshd.port = free_port()
        environment = {"PATH": f"{self.tools}:{_PATH}", "RESPONDER_STATE": f"{directory}/state"}
        said = ",".join(f'environment="{name}={value}"' for name, value in environment.items())
        keys = directory / "authorized_keys"
        keys.write_text(f"{said} {keys.read_text()}")

    def __enter__(self) -> Self:
        try:
            self._sshd.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end_all()
        self._sshd.stop()

    @property
    def target(self) -> Target:
        return self._sshd.target()

    def tool(self, name: str, script: str) -> None:
        """A program of the stage's own, for what cannot run here."""
        path = self.tools / name
        path.write_text(f"#!/bin/sh\nhere={self.directory}\n{script}")
        path.chmod(0o755)

    async def sh(self, script: str) -> str:
        """What a shell on the host prints. Raises AssertionError when it does not exit with 0."""
        hosts = SshHosts()
        try:
            answer = await hosts.run(self.target, ("sh", "-c", script), timeout=_PATIENCE)
        finally:
            await hosts.close()
        assert answer.exit_code == 0, answer.stderr
        return answer.stdout

    async def play(self, name: str, variables: Mapping[str, str] | None = None, **labels: str) -> Played:
        """One run of a shipped runbook to its end. Where it waits, only its clock moves on."""
        hosts, web, clock, disk = SshHosts(), HttpClient(), FakeClock(datetime.now(UTC)), Disk()
        target = replace(self.target, variables=dict(variables or {}))
        try:
            plan = from_snapshot(snapshot(load_runbook(SHIPPED / f"{name}.yml"), labels, target, nonce=uuid4().hex))
            engine = Engine(
                plan=plan,
                target=target.name,
                hands=TargetHands(hosts=hosts, web=web, target=target),
                journal=MemoryJournal(clock, disk),
                clock=clock,
                started_at=clock.now(),
            )
            for _ in range(100):
                result = await engine.run()
                if isinstance(result, Ended):
                    return _played(result, disk)
                clock.advance_to(result.until)
            raise AssertionError(f"{name} waits for ever")
        finally:
            await web.close()
            await hosts.close()

    def _end_all(self) -> None:
        for file in self.directory.glob("*.pid"):
            with suppress(ValueError, ProcessLookupError, FileNotFoundError):
                _kill(int(file.read_text()))


def _kill(pid: int) -> None:
    """Ends a process, with all of its group if that is its own."""
    if os.getpgid(pid) == pid:
        os.killpg(pid, signal.SIGKILL)
    else:
        os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)


def _played(ended: Ended, disk: Disk) -> Played:
    done = [one for one in disk.attempts if one.kind != "harmless"]
    kept = {one.label: one.output for one in disk.attempts if one.kind == "harmless"}
    return Played(ended=ended, acts=tuple(" ".join(one.command) for one in done), kept=kept)
