"""Many sessions on one SSH connection, with hosts that end or refuse them at awkward moments."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic

import paramiko
import pytest
from paramiko.common import (
    AUTH_SUCCESSFUL,
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_DATA,
    OPEN_FAILED_RESOURCE_SHORTAGE,
    OPEN_SUCCEEDED,
)
from paramiko.packet import Packetizer

from responder.adapters.ssh import SshHosts
from responder.adapters.ssh_connect import connect
from responder.adapters.ssh_pool import Connection
from responder.adapters.ssh_server import write_key
from responder.domain.target import Target
from responder.errors import ConnectionCut, HostError
from tests.servers import sshd as server
from tests.servers.sshd import Sshd

SECOND = timedelta(seconds=1)
SOON = 20 * SECOND
SMALLEST_WINDOW = 32 * 1024


class Host(paramiko.ServerInterface):
    """A host inside the test. It lets everybody in, and does with sessions what the test says."""

    def __init__(self, directory: Path) -> None:
        self.key_file = directory / "key"
        self.host_key = write_key(self.key_file)
        self.closes: list[int] = []
        self.sessions: list[paramiko.Channel] = []
        self.refusals: list[int] = []
        self.has_refused = threading.Event()
        self.logins = 0
        self.on_command: Callable[[paramiko.Channel], bool] = lambda _: True
        self.on_input: Callable[[paramiko.Channel], None] = lambda _: None
        self._transports: list[paramiko.Transport] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._welcome, daemon=True).start()

    @property
    def target(self) -> Target:
        port = self._listener.getsockname()[1]
        return Target(
            name="web-1", address="127.0.0.1", port=port, key_file=self.key_file, host_key=self.host_key, user="anybody"
        )

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for transport in self._transports:
            transport.close()

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.logins += 1
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if not self.refusals:
            return OPEN_SUCCEEDED
        self.has_refused.set()
        return self.refusals.pop(0)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.sessions.append(channel)
        return self.on_command(channel)

    def _welcome(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                transport = paramiko.Transport(
                    sock, default_window_size=SMALLEST_WINDOW, packetizer_class=self._listening()
                )
                transport.add_server_key(paramiko.Ed25519Key(filename=self.key_file))
                transport.start_server(event=threading.Event(), server=self)
                self._transports.append(transport)

    def _listening(self) -> type[Packetizer]:
        host = self

        class Listening(Packetizer):
            def read_message(self) -> tuple[int, paramiko.Message]:
                kind, message = super().read_message()
                if kind == MSG_CHANNEL_CLOSE:
                    host.closes.append(int.from_bytes(message.asbytes()[:4]))
                if kind == MSG_CHANNEL_DATA:
                    host.on_input(host.sessions[-1])
                return kind, message

        return Listening


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.stop()


@pytest.fixture
def connection(host: Host) -> Iterator[Connection]:
    connection = Connection(connect(host.target, SOON))
    yield connection
    connection.transport.close()


def opened(connection: Connection) -> paramiko.Channel:
    return connection.open_channel(answer=SOON.total_seconds(), until=monotonic() + SOON.total_seconds())


def end(session: paramiko.Channel) -> None:
    """The host's own way to end a session: with an exit code, and without waiting for anything."""
    session.send_exit_status(3)
    session.close()


def ask_there_and_back(connection: Connection) -> None:
    """When this returns, both sides have dealt with all that the other had sent before."""
    for _ in range(2):
        opened(connection)


# --- ends --------------------------------------------------------------------------------------------


def test_the_hosts_end_of_a_session_is_answered_only_when_its_user_is_through(
    host: Host, connection: Connection
) -> None:
    # What the user sends after such an answer makes sshd end the whole connection.
    session = opened(connection)
    session.exec_command("true")
    end(host.sessions[0])
    ask_there_and_back(connection)
    assert connection.transport.was_closed_there(session)
    assert session.remote_chanid not in host.closes
    connection.release(session)
    ask_there_and_back(connection)
    assert host.closes.count(session.remote_chanid) == 1


async def test_a_command_that_ends_before_it_has_read_its_input_gives_what_it_gave(host: Host) -> None:
    hosts = SshHosts()
    host.on_input = end
    for _ in range(2):
        result = await hosts.run(host.target, ["true"], timeout=SOON, stdin="x" * 3 * SMALLEST_WINDOW)
        assert result.exit_code == 3
    assert host.logins == 1
    await hosts.close()


async def test_a_session_that_ends_without_an_answer_to_its_command_may_have_run_it(host: Host) -> None:
    over = threading.Event()

    def never_answer(session: paramiko.Channel) -> bool:
        session.close()
        return over.wait(30)

    hosts = SshHosts()
    host.on_command = never_answer
    with pytest.raises(ConnectionCut, match="not known"):
        await hosts.run(host.target, ["true"], timeout=SOON)
    over.set()
    await hosts.close()


async def test_a_command_that_the_host_answers_with_no_did_not_run(host: Host) -> None:
    hosts = SshHosts()
    host.on_command = lambda _: False
    with pytest.raises(HostError, match="it did not run"):
        await hosts.run(host.target, ["true"], timeout=SOON)
    await hosts.close()


@pytest.mark.needs(server.SSHD)
async def test_commands_that_read_no_input_do_not_cost_the_others_their_connection(tmp_path: Path) -> None:
    hosts = SshHosts()
    with Sshd(tmp_path / "sshd", key_types=("ed25519",)) as sshd:
        for _ in range(5):
            runs = (hosts.run(sshd.target(), ["echo", f"{n}"], timeout=SOON, stdin="unread") for n in range(20))
            assert [result.stdout for result in await asyncio.gather(*runs)] == [f"{n}\n" for n in range(20)]
        assert sshd.logins() == 1
    await hosts.close()


# --- refusals ----------------------------------------------------------------------------------------


def test_a_host_that_has_not_put_away_the_last_session_yet_is_asked_again(host: Host, connection: Connection) -> None:
    connection.release(opened(connection))
    host.refusals = [OPEN_FAILED_RESOURCE_SHORTAGE]
    assert opened(connection).active
    assert host.refusals == []


def test_a_refused_session_waits_for_the_next_one_to_end(host: Host, connection: Connection) -> None:
    first = opened(connection)
    host.refusals = [OPEN_FAILED_RESOURCE_SHORTAGE, OPEN_FAILED_RESOURCE_SHORTAGE]
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(opened, connection)
        assert host.has_refused.wait(20)
        connection.release(first)
        assert second.result(20).active


@pytest.mark.needs(server.SSHD)
async def test_several_commands_on_a_host_that_allows_none_are_all_told_at_once(tmp_path: Path) -> None:
    # They do not wait for each other: none of them has a session that could end.
    hosts = SshHosts()
    with Sshd(tmp_path / "closed", key_types=("ed25519",), more="MaxSessions 0") as sshd:
        runs = (hosts.run(sshd.target(), ["true"], timeout=timedelta(hours=1)) for _ in range(9))
        results = await asyncio.wait_for(asyncio.gather(*runs, return_exceptions=True), 20)
    assert {type(result) for result in results} == {HostError}
    assert all("allows no further session" in str(result) for result in results)
    await hosts.close()
