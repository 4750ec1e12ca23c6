"""Shipped runbooks about databases, programs and jobs on a real PostgreSQL, supervisor and file system, by real SSH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from responder.domain.runbook import RunOutcome, StepSpec
from responder.domain.target import Target
from tests.runbooks.for_real import run_for_real, shipped
from tests.servers.postgres import Postgres
from tests.servers.sshd import SSHD, Sshd
from tests.servers.supervisor import Supervisor


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Markers of acts go into a folder of the test's own."""
    running = Sshd(tmp_path_factory.mktemp("sshd"), key_types=("ed25519",), more="PermitUserEnvironment yes")
    keys = running.directory / "authorized_keys"
    keys.write_text(f'environment="RESPONDER_STATE={running.directory}/state" {keys.read_text()}')
    with running:
        yield running


def a_target(sshd: Sshd, name: str = "db-1", groups: tuple[str, ...] = (), **variables: str) -> Target:
    return replace(sshd.target(name), groups=groups, variables=variables)


# --- free-connections ------------------------------------------------------------------------------


class Sessions:
    """Sessions on a server of its own, each kept open until the end."""

    def __init__(self, server: Postgres, stack: ExitStack) -> None:
        self.port = str(server.port)
        self._server = server
        self._stack = stack
        with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
            admin.execute("CREATE ROLE responder LOGIN IN ROLE pg_monitor, pg_signal_backend")
            admin.execute("CREATE ROLE app LOGIN")

    def open(self, *, role: str = "app", application: str = "shop", statement: str = "") -> int:
        """One that ran a statement in a transaction which it does not end, or that ran nothing; gives its number."""
        url = self._server.url("postgres").replace("postgres@", f"{role}@")
        session = psycopg.connect(url, application_name=application)
        self._stack.callback(session.close)
        number = session.info.backend_pid
        if statement:
            session.execute(statement.encode())
        return number

    def alive(self) -> set[int]:
        with psycopg.connect(self._server.url("postgres")) as admin:
            return {pid for (pid,) in admin.execute("SELECT pid FROM pg_stat_activity").fetchall()}


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with Postgres() as server, ExitStack() as stack:
        yield Sessions(server, stack)


def database(sshd: Sshd, sessions: Sessions) -> Target:
    return a_target(sshd, pg_host="127.0.0.1", pg_port=sessions.port)


ALERT = {"alertname": "PostgresqlTooManyConnections", "instance": "db-1:9187"}


@pytest.mark.needs("postgresql", "psql", SSHD)
async def test_only_forgotten_transactions_of_the_application_are_ended(sshd: Sshd, sessions: Sessions) -> None:
    forgotten = {sessions.open(statement="SELECT 1") for _ in range(12)}
    kept = {
        sessions.open(),
        sessions.open(application="pg_dump", statement="SELECT 1"),
        sessions.open(role="postgres", statement="SELECT 1"),
    }
    # 5 % of the 200 that the server has are 10.
    runbook = shipped("free-connections", full_at="5", older_minutes="0", most="99")

    ran = await run_for_real(runbook, database(sshd, sessions), ALERT)

    assert ran.ended.outcome is RunOutcome.HELPED, ran.ended.sentence
    assert len(ran.acts) == 1
    alive = sessions.alive()
    assert kept <= alive
    assert not forgotten & alive
    assert "12 | idle in transaction" in ran.output_of("SELECT count(*)")


@pytest.mark.needs("postgresql", "psql", SSHD)
async def test_no_more_are_ended_than_allowed_and_people_get_what_is_left(sshd: Sshd, sessions: Sessions) -> None:
    forgotten = [sessions.open(statement="SELECT 1") for _ in range(14)]
    runbook = shipped("free-connections", full_at="5", older_minutes="0", most="3")

    ran = await run_for_real(runbook, database(sshd, sessions), ALERT)

    assert ran.ended.outcome is RunOutcome.FAILED
    assert "full: 12 of 200" in ran.ended.sentence
    assert set(forgotten) - sessions.alive() == set(forgotten[:3])


@pytest.mark.needs("postgresql", "psql", SSHD)
async def test_transactions_that_are_young_are_let_alone(sshd: Sshd, sessions: Sessions) -> None:
    young = {sessions.open(statement="SELECT 1") for _ in range(14)}

    ran = await run_for_real(shipped("free-connections", full_at="5"), database(sshd, sessions), ALERT)

    assert ran.ended.outcome is RunOutcome.FAILED
    assert young <= sessions.alive()


@pytest.mark.needs("postgresql", "psql", SSHD)
async def test_nothing_is_ended_while_there_is_room(sshd: Sshd, sessions: Sessions) -> None:
    old = sessions.open(statement="SELECT 1")

    ran = await run_for_real(shipped("free-connections", older_minutes="0"), database(sshd, sessions), ALERT)

    assert ran.ended.outcome is RunOutcome.REFUSED
    assert "room: 2 of 200" in ran.ended.sentence
    assert ran.acts == []
    assert old in sessions.alive()


# --- diagnose-replica-lag --------------------------------------------------------------------------


@pytest.mark.needs("postgresql", "psql", SSHD)
async def test_a_server_that_is_no_replica_is_handed_over_with_what_both_ends_say(
    sshd: Sshd, sessions: Sessions
) -> None:
    known = {"pg_cluster": "orders", "pg_host": "127.0.0.1", "pg_port": sessions.port}
    replica = a_target(sshd, "db-2", ("orders",), **known)
    primary = a_target(sshd, "db-1", ("orders",), **known)

    ran = await run_for_real(shipped("diagnose-replica-lag"), replica, {}, [primary, replica])

    assert ran.ended.outcome is RunOutcome.DIAGNOSED
    assert "it is no replica" in ran.ended.sentence
    assert ran.acts == []
    assert {one.host for one in ran.attempts} == {"db-1", "db-2"}
    assert "ERROR" not in ran.output_of("psql")
    assert "Filesystem" in ran.output_of("df -hPT")


class Replica(Postgres):
    """Follows another server."""

    def __init__(self, primary: Postgres) -> None:
        super().__init__()
        self._primary = primary

    def __enter__(self) -> Replica:
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        source = ("-h", "127.0.0.1", "-p", str(self._primary.port), "-U", "postgres")
        self._run("pg_basebackup", *source, "-D", str(self._data), "-R", "--checkpoint=fast", "--no-sync")
        self.start()
        return self


@pytest.mark.needs("postgresql", "psql", SSHD)
async def test_people_hear_how_far_a_replica_is_behind_and_that_it_is_not(sshd: Sshd) -> None:
    runbook = shipped("diagnose-replica-lag", behind_seconds="0")
    with Postgres() as primary, Replica(primary) as server:
        known = {"pg_cluster": "orders", "pg_host": "127.0.0.1", "pg_user": "postgres"}
        replica = a_target(sshd, "db-2", ("orders",), **known, pg_port=str(server.port))
        inventory = [a_target(sshd, "db-1", ("orders",), **known, pg_port=str(primary.port)), replica]
        with psycopg.connect(primary.url("postgres"), autocommit=True) as admin:
            _wait_until_it_streams(admin)

            assert (await run_for_real(runbook, replica, {}, inventory)).ended.outcome is RunOutcome.DIAGNOSED

            with psycopg.connect(server.url("postgres"), autocommit=True) as there:
                there.execute("SELECT pg_wal_replay_pause()")
            admin.execute("CREATE TABLE t AS SELECT generate_series(1, 10000)")
            _wait_until_it_streams(admin)
            ran = await run_for_real(runbook, replica, {}, inventory)

    assert ran.ended.outcome is RunOutcome.DIAGNOSED
    assert re.search(r"behind by .*, \d+ kB to replay", ran.ended.sentence), ran.ended.sentence
    assert "streaming" in ran.output_of("pg_stat_replication")
    assert "is_paused       | t" in ran.output_of("pg_stat_wal_receiver")


def _wait_until_it_streams(admin: psycopg.Connection) -> None:
    """Until the replica has received all that is written now."""
    for _ in range(200):
        found = admin.execute(
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND flush_lsn >= pg_current_wal_lsn()"
        ).fetchone()
        if found == (1,):
            return
        admin.execute("SELECT pg_sleep(0.05)")
    raise TimeoutError("the replica does not follow")


# --- diagnose-host ---------------------------------------------------------------------------------


@pytest.mark.needs(SSHD)
async def test_neighbours_look_at_a_host_that_does_not_answer(sshd: Sshd) -> None:
    closed = replace(a_target(sshd, "web-1", neighbours="rack", ssh_port="1"), port=1)
    neighbours = [a_target(sshd, name, ("rack",)) for name in ("web-2", "web-3")]

    ran = await run_for_real(shipped("diagnose-host"), closed, {}, [closed, *neighbours])

    assert ran.ended.outcome is RunOutcome.DIAGNOSED
    assert "web-1 (127.0.0.1:1) cannot be reached" in ran.ended.sentence
    assert {one.host for one in ran.attempts} == {"web-2", "web-3"}
    assert "STREAM" in ran.output_of("getent ahosts 127.0.0.1")


# --- diagnose-high-load ----------------------------------------------------------------------------


@pytest.mark.needs("awk")
@pytest.mark.parametrize(("load", "exit_code"), [("0.50", 0), ("2.00", 0), ("2.01", 1), ("31.20", 1), ("10.00", 1)])
def test_the_load_is_compared_with_the_number_of_processors(tmp_path: Path, load: str, exit_code: int) -> None:
    check = shipped("diagnose-high-load").steps[-1]
    assert isinstance(check, StepSpec)
    command = check.settings["command"]
    assert isinstance(command, list)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\nmodel name\t: x\n")
    (tmp_path / "proc/loadavg").write_text(f"{load} 9.00 9.00 1/100 4711\n")
    argv = [str(word).replace("/proc/", f"{tmp_path}/proc/") for word in command]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (exit_code, f"load {load} on 2 processors\n")


# --- restart-supervisor-program --------------------------------------------------------------------


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "supervisor", "worker", ["sleep", "600"]) as running:
        yield running


def labels(name: str = "worker") -> Mapping[str, str]:
    return {"alertname": "SupervisorProgramDown", "instance": "app-1:9100", "group": "worker", "name": name}


@pytest.mark.needs("supervisord", SSHD)
async def test_a_program_that_crashed_is_started_again(sshd: Sshd, supervisor: Supervisor) -> None:
    before = supervisor.pid()
    supervisor.kill_program()
    target = a_target(sshd, supervisor_config=str(supervisor.config))

    ran = await run_for_real(shipped("restart-supervisor-program"), target, labels())

    assert ran.ended.outcome is RunOutcome.HELPED, ran.ended.sentence
    assert supervisor.pid() not in (None, before)


@pytest.mark.needs("supervisord", SSHD)
@pytest.mark.parametrize(
    ("words", "name", "said"),
    [
        (("status",), "worker", "RUNNING"),
        (("stop", "worker"), "worker", "STOPPED"),
        (("stop", "worker"), "other", "no such process"),
    ],
)
async def test_what_runs_or_was_stopped_by_a_person_is_let_alone(
    sshd: Sshd, supervisor: Supervisor, words: tuple[str, ...], name: str, said: str
) -> None:
    supervisor.control(*words)
    before = supervisor.pid()
    target = a_target(sshd, supervisor_config=str(supervisor.config))

    ran = await run_for_real(shipped("restart-supervisor-program"), target, labels(name))

    assert ran.ended.outcome is RunOutcome.REFUSED
    assert said in ran.ended.sentence
    assert ran.acts == []
    assert supervisor.pid() == before


# --- requeue-failed-jobs ---------------------------------------------------------------------------


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    for folder in ("pending", "failed"):
        (tmp_path / "mail" / folder).mkdir(parents=True)
    return tmp_path / "mail"


async def requeued(sshd: Sshd, queue: Path, most: str = "100") -> tuple[RunOutcome, str]:
    # There is no systemd here whose word the precheck could take.
    runbook = replace(shipped("requeue-failed-jobs", most=most), precheck=())
    target = a_target(sshd, spool=str(queue.parent), worker_unit="mail-worker.service")
    ran = await run_for_real(runbook, target, {"queue": "mail"})
    return ran.ended.outcome, ran.output_of("scripts/requeue")


@pytest.mark.needs(SSHD)
async def test_failed_jobs_are_put_back_once_and_never_again(sshd: Sshd, queue: Path) -> None:
    for name in ("a b.job", "-x.job", "c.job", "notes.txt"):
        (queue / "failed" / name).write_text(name)

    assert await requeued(sshd, queue) == (
        RunOutcome.HELPED,
        "put back: -x.job\nput back: a b.job\nput back: c.job\n3 put back",
    )
    assert {path.name for path in (queue / "pending").iterdir()} == {"a b.job", "-x.job", "c.job"}
    assert (queue / "failed" / "notes.txt").exists()

    (queue / "pending" / "c.job").rename(queue / "failed" / "c.job")
    outcome, said = await requeued(sshd, queue)
    assert outcome is RunOutcome.FAILED
    assert said == "left, it failed again: c.job\n0 put back"


@pytest.mark.needs(SSHD)
async def test_a_job_that_is_pending_too_is_not_overwritten_and_the_bound_holds(sshd: Sshd, queue: Path) -> None:
    for name in ("a.job", "b.job", "c.job"):
        (queue / "failed" / name).write_text("failed")
    (queue / "pending" / "a.job").write_text("pending")

    outcome, said = await requeued(sshd, queue, most="1")

    assert outcome is RunOutcome.FAILED
    assert said == "left, it is pending too: a.job\nput back: b.job\n1 put back"
    assert (queue / "pending" / "a.job").read_text() == "pending"
    assert (queue / "failed" / "c.job").exists()
