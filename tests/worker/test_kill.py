"""kill -9 at any instant: nothing that was accepted is lost, and nothing acts twice."""

from __future__ import annotations

import asyncio
import getpass
import multiprocessing
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from responder.adapters.ssh_server import DemoSshServer, write_key
from responder.config.configuration import read
from responder.store.database import Database
from responder.web.shapes import whole_ticket
from tests.databases import opened
from tests.servers.ports import free_port
from tests.servers.postgres import Postgres
from tests.worker import crashing
from tests.world import write_files

ROOT = Path(__file__).parents[2]
SIGKILLED = -signal.SIGKILL
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.worker.crashing"])
RUNBOOK = """
runbook: restart-app
summary: Four acts, each of which leaves a line
cooldown: 1h
steps:
  - name: a command with a check
    ssh: {run: [sh, -c, "echo checked >> acts; touch done"], check: [test, -e, done]}
  - name: a restart
    service_restart:
      manager: commands
      status: [cat, pid]
      restart: [sh, -c, "echo restarted >> acts; echo $$ > pid"]
      grace: 1s
      stable_for: 0s
  - name: a wait
    wait: {for: 20ms}
  - name: a command that runs once
    ssh: {run: [sh, -c, "echo once >> acts"], once: because nothing tells afterwards whether it ran}
"""
MAIN = """
listen: 127.0.0.1:{port}
console: open
runbooks: [runbooks]
sources: [{{name: main, open: true}}]
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[DemoSshServer]:
    (tmp_path / "host").mkdir()
    key = write_key(tmp_path / "key")
    state = {"RESPONDER_STATE": str(tmp_path / "host" / "state"), "PATH": "/usr/bin:/bin"}
    server = DemoSshServer(user=getpass.getuser(), public_key=key, cwd=tmp_path / "host", env=state)
    server.start()
    yield server
    server.stop()


def files(folder: Path, host: DemoSshServer | None, port: int = 9180, database: str = "") -> Path:
    where = (
        f"port: {host.port}, host_key: {host.host_key}"
        if host
        else "port: 22, host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    )
    inventory = f"targets:\n  - {{name: node, address: 127.0.0.1, user: {getpass.getuser()}, key_file: key, {where}}}\n"
    policy = "extends: p1-p4\nfirst_aid: [{name: r, when: ['alertname=\"Down\"'], runbook: restart-app}]\n"
    main = MAIN.format(port=port) + (f"database: {database}\n" if database else "")
    if not database:
        opened(folder / "responder.db").close()
    return write_files(folder, main=main, inventory=inventory, policy=policy, runbook=RUNBOOK)


def run_until_killed(config: Path, kill_at: int, when: str, patience: float = 60) -> int:
    """The exit code. Forked from a process that has everything imported: there are many of them."""
    process = FORKS.Process(target=crashing.run, args=(config, kill_at, when))
    process.start()
    process.join(patience)
    assert process.exitcode is not None, f"it neither ends nor dies within {patience} s"
    return process.exitcode


@pytest.mark.timeout(300)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_process_killed_around_every_transaction_of_a_run_never_acts_twice(
    tmp_path: Path, host: DemoSshServer, when: str, part: int
) -> None:
    outcomes: Counter[str] = Counter()
    kill_at, code = 1 + part, SIGKILLED
    while code == SIGKILLED:
        folder = tmp_path / f"{when}-{kill_at}"
        folder.mkdir()
        (folder / "key").write_bytes((tmp_path / "key").read_bytes())
        (folder / "key").chmod(0o600)
        for left in (tmp_path / "host").iterdir():
            if left.is_file():
                left.unlink()
        config = files(folder, host)
        code = run_until_killed(config, kill_at, when)
        assert run_until_killed(config, 0, when) == 0
        outcomes[_checked(tmp_path / "host" / "acts", config, f"killed {when} transaction {kill_at}")] += 1
        kill_at += 3
    assert code == 0
    assert outcomes["helped"] >= 3
    assert sum(outcomes.values()) >= 5


@pytest.mark.timeout(200)
@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("kill_at", [3, 6, 9])
def test_another_replica_takes_over_from_one_that_was_killed_and_nothing_acts_twice(
    tmp_path: Path, host: DemoSshServer, postgres: Postgres, kill_at: int
) -> None:
    config = files(tmp_path, host, database=postgres.url(postgres.create(template="template_of_ours")))
    assert run_until_killed(config, kill_at, "after") == SIGKILLED
    assert run_until_killed(config, 0, "after", patience=120) == 0
    _checked(tmp_path / "host" / "acts", config, f"killed after transaction {kill_at}")


def _checked(acts_file: Path, config: Path, where: str) -> str:
    acts = Counter(acts_file.read_text().split() if acts_file.exists() else [])
    database = Database(read(config).database_url)
    ticket = asyncio.run(database.read(lambda tx: whole_ticket(tx, "1")))
    database.close()
    assert len(ticket["runs"]) == 1, f"{where}: {ticket['events']}"
    run = ticket["runs"][0]
    assert all(count == 1 for count in acts.values()), f"{where}: {acts}"
    if run["outcome"] == "helped":
        assert acts == {"checked": 1, "restarted": 1, "once": 1}, where
    else:
        assert run["outcome"] == "unknown", f"{where}: {run}"
        assert ticket["status"] == "handed_over", where
        assert "Nobody can tell from here whether this ran to its end on node: " in run["sentence"], where
    return str(run["outcome"])


class Server:
    """`responder serve` in a process of its own."""

    def __init__(self, config: Path, port: int) -> None:
        self._config = config
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, session: aiohttp.ClientSession) -> None:
        command = [sys.executable, "-m", "responder.cli", "serve", "--config", str(self._config)]
        log = (self._config.parent / "log").open("ab")
        self._process = subprocess.Popen(command, cwd=ROOT, stderr=log, stdout=log)
        async with asyncio.timeout(30):
            while not await self._is_ready(session):
                assert self._process.poll() is None, (self._config.parent / "log").read_text()
                await asyncio.sleep(0.05)

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/-/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def end(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(30)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_every_alert_that_was_answered_is_on_a_ticket_after_the_process_was_ended(
    tmp_path: Path, number: int
) -> None:
    port = free_port()
    (tmp_path / "key").touch()
    server = Server(files(tmp_path, None, port), port)
    answered: set[str] = set()

    async def send(session: aiohttp.ClientSession, lane: int) -> None:
        for count in range(100_000):
            name = f"n{lane}-{count}"
            labels = {"alertname": "Any", "severity": "info", "instance": name}
            body = {"alerts": [{"status": "firing", "labels": labels}]}
            async with session.post(f"{server.url}/webhooks/alertmanager", json=body) as answer:
                if answer.status == 200:
                    answered.add(name)

    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            await server.start(session)
            senders = [asyncio.create_task(send(session, lane)) for lane in range(8)]
            goal = len(answered) + 150
            async with asyncio.timeout(60):
                while len(answered) < goal:
                    await asyncio.sleep(0.005)
            server.end(number)
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)
        await server.start(session)
        found: Counter[str] = Counter()
        before: int | None = 10**9
        while before:
            async with session.get(f"{server.url}/api/v1/tickets?limit=500&before={before}") as answer:
                page = await answer.json()
            found.update(ticket["labels"]["instance"] for ticket in page["tickets"])
            before = page["before"]
        server.end(signal.SIGTERM)

    assert answered <= set(found)
    assert set(found.values()) == {1}
