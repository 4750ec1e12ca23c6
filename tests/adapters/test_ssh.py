"""Commands over SSH, against a real sshd; and the demo's own server."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

import paramiko
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from responder.adapters.ssh import ENDED_BY_SIGNAL, HostKey, SshHosts, parse_host_key, scan
from responder.adapters.ssh_server import DemoSshServer, write_key
from responder.domain.target import Target
from responder.errors import (
    AuthRefused,
    CommandTimedOut,
    ConnectionCut,
    HostError,
    HostKeyRefused,
    HostUnreachable,
    Refused,
)
from tests.servers import sshd as server
from tests.servers.ports import free_port
from tests.servers.sshd import Sshd, wait_for_end

needs_sshd = pytest.mark.needs(server.SSHD)

SECOND = timedelta(seconds=1)
SOON = 20 * SECOND


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path / "sshd", key_types=("ed25519",)) as running:
        yield running


@pytest.fixture
async def hosts() -> AsyncIterator[SshHosts]:
    hosts = SshHosts()
    yield hosts
    await hosts.close()


class Fifo:
    """How a command on the host tells the test something while it runs."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "fifo"
        os.mkfifo(self.path)

    async def read(self) -> str:
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        loop.add_reader(fd, told.set)
        try:
            await asyncio.wait_for(told.wait(), 20)
            return os.read(fd, 4096).decode().strip()
        finally:
            loop.remove_reader(fd)
            os.close(fd)


@pytest.fixture
def fifo(tmp_path: Path) -> Fifo:
    return Fifo(tmp_path)


def fingerprint(public_key: Path) -> str:
    """What a person sees who asks OpenSSH."""
    listed = subprocess.run(["ssh-keygen", "-lf", str(public_key)], check=True, capture_output=True, text=True)
    return listed.stdout.split()[1]


def sleeping(fifo: Fifo, before: str = "") -> list[str]:
    """A command that tells its process id and then hangs."""
    return ["sh", "-c", f'{before} echo $$ > "$0"; exec sleep 60', str(fifo.path)]


# --- what a command gives ----------------------------------------------------------------------------


@needs_sshd
async def test_a_command_gives_its_exit_code_and_both_streams(sshd: Sshd, hosts: SshHosts) -> None:
    result = await hosts.run(sshd.target(), ["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=SOON)
    assert (result.exit_code, result.stdout, result.stderr, result.truncated) == (3, "out\n", "err\n", False)
    assert timedelta() < result.duration < SOON


@needs_sshd
async def test_a_command_reads_nothing_from_its_input(sshd: Sshd, hosts: SshHosts) -> None:
    assert (await hosts.run(sshd.target(), ["cat"], timeout=SOON)).stdout == ""


@needs_sshd
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# What would run if the quoting were wrong does no harm.
@example(
    arguments=["; exit 9", "$(exit 9)", "`exit 9`", "a\nexit 9\n", "'", '"', "\\", "*", "~", "-n", "", "%s", "é漢🙈"]
)
@example(
    arguments=["' ; exit 9 ; '", "'\"'\"'", "$'\\x41'", "!!", "${IFS}", "|", "&", "2>&1", "\t", "\r\n", "#", "a=b"]
)
@given(arguments=st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=1, max_size=12))
async def test_every_argument_arrives_as_exactly_one_argument(
    sshd: Sshd, hosts: SshHosts, arguments: list[str]
) -> None:
    result = await hosts.run(sshd.target(), ["printf", "%s\\0", *arguments], timeout=SOON)
    assert result.stdout.encode() == b"".join(argument.encode() + b"\0" for argument in arguments)


@pytest.mark.parametrize("argv", [[], ["echo", "a\0b"], ["echo", "\ud800"]])
async def test_arguments_that_no_shell_can_take_are_refused(hosts: SshHosts, argv: list[str]) -> None:
    with pytest.raises(Refused):
        await hosts.run(Target(name="web-1", address="127.0.0.1"), argv, timeout=SOON)


@needs_sshd
async def test_ten_mebibytes_on_both_streams_are_drained_and_capped(sshd: Sshd, hosts: SshHosts) -> None:
    script = "{ echo head; head -c 10485760 /dev/zero; echo tail; }"
    result = await hosts.run(sshd.target(), ["sh", "-c", f"{script} & {script} >&2; wait"], timeout=3 * SOON)
    assert result.truncated
    for text in (result.stdout, result.stderr):
        assert text.startswith("head\n")
        assert text.endswith("tail\n")
        assert 60_000 < len(text) < 70_000
        assert "bytes left out" in text


@needs_sshd
async def test_output_that_is_not_text_is_shown_as_far_as_it_is(sshd: Sshd, hosts: SshHosts) -> None:
    assert (await hosts.run(sshd.target(), ["printf", r"a\377b"], timeout=SOON)).stdout == "a\ufffdb"


@needs_sshd
async def test_a_command_that_a_signal_ended_says_so(sshd: Sshd, hosts: SshHosts) -> None:
    result = await hosts.run(sshd.target(), ["sh", "-c", "echo before; kill -KILL $$"], timeout=SOON)
    assert (result.exit_code, result.stdout) == (ENDED_BY_SIGNAL, "before\n")


@needs_sshd
async def test_a_command_may_itself_exit_with_the_code_that_timeout_uses(sshd: Sshd, hosts: SshHosts) -> None:
    assert (await hosts.run(sshd.target(), ["sh", "-c", "exit 124"], timeout=SOON)).exit_code == 124


# --- the host's identity, and ours -------------------------------------------------------------------


@needs_sshd
async def test_a_swapped_host_key_is_refused_and_nothing_is_sent(sshd: Sshd, hosts: SshHosts) -> None:
    target = sshd.target()
    pinned = fingerprint(sshd.host_key_file().with_suffix(".pub"))
    sshd.restart_with_other_host_key()
    with pytest.raises(HostKeyRefused) as refused:
        await hosts.run(target, ["true"], timeout=SOON)
    shown = fingerprint(sshd.host_key_file().with_suffix(".pub"))
    for part in (f"web-1 (127.0.0.1:{sshd.port})", f"ssh-ed25519 {shown}", f"ssh-ed25519 {pinned}", "hosts scan web-1"):
        assert part in str(refused.value)
    sshd.wait_for_hang_ups(1)
    assert sshd.login_attempts() == 0


@needs_sshd
async def test_a_host_key_swapped_under_a_warm_connection_is_refused(sshd: Sshd, hosts: SshHosts) -> None:
    target = sshd.target()
    await hosts.run(target, ["true"], timeout=SOON)
    sshd.restart_with_other_host_key()
    with pytest.raises(HostKeyRefused):
        await hosts.run(target, ["true"], timeout=SOON)
    assert sshd.login_attempts() == 1


@needs_sshd
async def test_without_a_pinned_key_nothing_is_sent(sshd: Sshd, hosts: SshHosts) -> None:
    with pytest.raises(HostKeyRefused) as refused:
        await hosts.run(replace(sshd.target(), host_key=""), ["true"], timeout=SOON)
    assert fingerprint(sshd.host_key_file().with_suffix(".pub")) in str(refused.value)
    sshd.wait_for_hang_ups(1)
    assert sshd.login_attempts() == 0


@needs_sshd
@pytest.mark.parametrize("pinned", ["ssh-dss AAAA", "ssh-ed25519", "ssh-ed25519 %%%"])
async def test_a_pinned_key_that_cannot_be_read_is_refused(sshd: Sshd, hosts: SshHosts, pinned: str) -> None:
    with pytest.raises(HostKeyRefused, match="cannot be read"):
        await hosts.run(replace(sshd.target(), host_key=pinned), ["true"], timeout=SOON)


@needs_sshd
async def test_a_host_without_a_key_of_the_pinned_type_is_refused_by_the_key_it_has(
    sshd: Sshd, hosts: SshHosts, tmp_path: Path
) -> None:
    server.write_key(tmp_path / "other", "rsa")
    with pytest.raises(HostKeyRefused) as refused:
        await hosts.run(replace(sshd.target(), host_key=server.public_half(tmp_path / "other")), ["true"], timeout=SOON)
    assert f"ssh-ed25519 {fingerprint(sshd.host_key_file().with_suffix('.pub'))}" in str(refused.value)
    assert f"ssh-rsa {fingerprint(tmp_path / 'other.pub')}" in str(refused.value)


@needs_sshd
async def test_any_type_of_host_key_can_be_pinned_on_a_host_that_has_several(tmp_path: Path, hosts: SshHosts) -> None:
    with Sshd(tmp_path / "sshd") as sshd:
        for key_type in server.KEY_TYPES:
            target = replace(sshd.target(), host_key=sshd.host_key(key_type))
            assert (await hosts.run(target, ["true"], timeout=SOON)).exit_code == 0


@needs_sshd
@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa", "rsa"])
async def test_any_type_of_key_file_logs_in(sshd: Sshd, hosts: SshHosts, tmp_path: Path, key_type: str) -> None:
    server.write_key(tmp_path / "key", key_type)
    sshd.authorize(tmp_path / "key")
    result = await hosts.run(replace(sshd.target(), key_file=tmp_path / "key"), ["true"], timeout=SOON)
    assert result.exit_code == 0


@needs_sshd
async def test_a_key_that_is_not_authorised_is_refused(sshd: Sshd, hosts: SshHosts, tmp_path: Path) -> None:
    server.write_key(tmp_path / "stranger")
    with pytest.raises(AuthRefused, match=r"web-1 \(127\.0\.0\.1:\d+\) does not accept the key .*stranger for user"):
        await hosts.run(replace(sshd.target(), key_file=tmp_path / "stranger"), ["true"], timeout=SOON)


@needs_sshd
async def test_a_key_file_that_is_missing_or_no_key_is_refused(sshd: Sshd, hosts: SshHosts, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a key")
    locked = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(locked)], check=True)
    for key_file in (None, tmp_path / "missing", tmp_path / "text", locked):
        with pytest.raises(AuthRefused, match="web-1"):
            await hosts.run(replace(sshd.target(), key_file=key_file), ["true"], timeout=SOON)


@needs_sshd
async def test_the_left_overs_of_old_cryptography_are_not_spoken(tmp_path: Path, hosts: SshHosts) -> None:
    sshd = Sshd(tmp_path / "old", key_types=("ed25519",), more="Ciphers aes256-cbc,aes128-cbc")
    with sshd, pytest.raises(HostUnreachable, match="shares no algorithm with us"):
        await hosts.run(sshd.target(), ["true"], timeout=SOON)


@needs_sshd
async def test_scan_shows_each_key_as_ssh_keygen_does_and_tries_no_login(tmp_path: Path) -> None:
    with Sshd(tmp_path / "sshd") as sshd:
        found = await scan("127.0.0.1", sshd.port)
        public_keys = [sshd.host_key_file(key_type).with_suffix(".pub") for key_type in server.KEY_TYPES]
        assert [key.fingerprint for key in found] == [fingerprint(public_key) for public_key in public_keys]
        assert [str(key) for key in found] == [" ".join(path.read_text().split()[:2]) for path in public_keys]
        sshd.wait_for_hang_ups(3)
        assert sshd.login_attempts() == 0


@needs_sshd
async def test_scan_leaves_out_what_the_host_does_not_have(sshd: Sshd) -> None:
    assert await scan("127.0.0.1", sshd.port) == (parse_host_key(sshd.host_key()),)


async def test_scan_of_a_closed_port_says_that_nobody_answers() -> None:
    with pytest.raises(HostUnreachable):
        await scan("127.0.0.1", free_port())


# --- hosts that do not answer ------------------------------------------------------------------------

ANY_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFH8Cd3bGa0Jd9k68oq9aDpZ/h1t5ezbWt8lznmEf4F7"


@pytest.mark.parametrize("address", ["127.0.0.1", "no-such-host.invalid", "a" * 70 + ".example"])
async def test_a_host_that_cannot_be_reached_says_why(hosts: SshHosts, address: str) -> None:
    target = Target(name="web-1", address=address, port=free_port(), host_key=ANY_KEY)
    with pytest.raises(HostUnreachable, match=r"^web-1 .* cannot be reached: .*[.]$"):
        await hosts.run(target, ["true"], timeout=SOON)


async def test_a_server_that_never_speaks_is_given_up_in_time() -> None:
    hosts = SshHosts(connect_timeout=SECOND / 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = Target(name="web-1", address="127.0.0.1", port=silent.getsockname()[1], host_key=ANY_KEY)
        began = monotonic()
        with pytest.raises(HostUnreachable, match="did not answer as an SSH server in the time allowed"):
            await hosts.run(target, ["true"], timeout=SOON)
        assert monotonic() - began < 5
    await hosts.close()


@pytest.mark.parametrize(
    "greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-1.5-old\r\n", b"SSH-2.0-x\r\n" + 99 * b"\xff"]
)
async def test_a_server_that_speaks_something_else_is_unreachable(hosts: SshHosts, greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            with other.accept()[0] as guest:
                guest.sendall(greeting)
                guest.shutdown(socket.SHUT_WR)
                while guest.recv(4096):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        target = Target(name="web-1", address="127.0.0.1", port=other.getsockname()[1], host_key=ANY_KEY)
        with pytest.raises(HostUnreachable, match="accepts connections, but"):
            await hosts.run(target, ["true"], timeout=SOON)
        thread.join()


# --- commands that do not end ------------------------------------------------------------------------


@needs_sshd
async def test_a_hung_command_is_ended_on_the_host_too(sshd: Sshd, hosts: SshHosts, fifo: Fifo) -> None:
    hung = asyncio.create_task(hosts.run(sshd.target(), sleeping(fifo, "echo so far;"), timeout=SECOND))
    pid = int(await fifo.read())
    with pytest.raises(CommandTimedOut) as late:
        await hung
    assert (late.value.after, late.value.output) == (SECOND, "so far\n")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@needs_sshd
async def test_a_command_that_ignores_the_friendly_signal_is_killed(sshd: Sshd, hosts: SshHosts, fifo: Fifo) -> None:
    hung = asyncio.create_task(hosts.run(sshd.target(), sleeping(fifo, "trap '' TERM;"), timeout=SECOND / 2))
    pid = int(await fifo.read())
    with pytest.raises(CommandTimedOut):
        await hung
    await asyncio.to_thread(wait_for_end, pid)


@needs_sshd
async def test_a_child_left_in_the_background_does_not_hold_us(sshd: Sshd, hosts: SshHosts) -> None:
    began = monotonic()
    result = await hosts.run(sshd.target(), ["sh", "-c", "sleep 60 & echo $!; exit 4"], timeout=SOON)
    os.kill(int(result.stdout), signal.SIGKILL)
    assert (result.exit_code, result.truncated) == (4, True)
    assert monotonic() - began < 10


@needs_sshd
async def test_a_frozen_host_is_given_up_at_our_own_deadline(sshd: Sshd, hosts: SshHosts, fifo: Fifo) -> None:
    target = sshd.target()
    # It outlives its time by the five seconds before the unfriendly signal: enough to freeze the host while it runs.
    hung = asyncio.create_task(hosts.run(target, sleeping(fifo, "trap '' TERM;"), timeout=SECOND / 10))
    await fifo.read()
    frozen = sshd.connection_pids()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    with pytest.raises(CommandTimedOut, match="whether it still runs there is not known"):
        await hung
    assert (await hosts.run(target, ["echo", "over a new connection"], timeout=SOON)).exit_code == 0
    server.kill(frozen)


class Mute(paramiko.ServerInterface):
    """Lets everybody in and never says whether it runs a command."""

    def __init__(self) -> None:
        self.end = threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return 0

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return 0

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.end.wait(30)
        return False


async def test_a_command_that_is_never_confirmed_may_have_run(tmp_path: Path) -> None:
    hosts, mute = SshHosts(connect_timeout=SECOND), Mute()
    write_key(tmp_path / "key")
    key = paramiko.Ed25519Key(filename=tmp_path / "key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = Target(
            name="web-1",
            address="127.0.0.1",
            port=listener.getsockname()[1],
            key_file=tmp_path / "key",
            host_key=f"{key.get_name()} {key.get_base64()}",
        )
        running = asyncio.create_task(hosts.run(target, ["true"], timeout=SOON))
        transport = paramiko.Transport((await asyncio.to_thread(listener.accept))[0])
        transport.add_server_key(key)
        transport.start_server(event=threading.Event(), server=mute)
        with pytest.raises(ConnectionCut, match="not known"):
            await running
        mute.end.set()
        transport.close()
    await hosts.close()


# --- connections that stay, and that break -----------------------------------------------------------


@needs_sshd
async def test_a_second_command_uses_the_same_connection(sshd: Sshd, hosts: SshHosts) -> None:
    for _ in range(3):
        await hosts.run(sshd.target(), ["true"], timeout=SOON)
    assert sshd.connections() == sshd.logins() == 1


@needs_sshd
async def test_commands_that_start_together_share_one_connection(sshd: Sshd, hosts: SshHosts) -> None:
    results = await asyncio.gather(*(hosts.run(sshd.target(), ["echo", f"{n}"], timeout=SOON) for n in range(8)))
    assert [result.stdout for result in results] == [f"{n}\n" for n in range(8)]
    assert sshd.logins() == 1


@needs_sshd
async def test_more_commands_than_a_host_allows_at_once_wait_for_each_other(tmp_path: Path, hosts: SshHosts) -> None:
    with Sshd(tmp_path / "narrow", key_types=("ed25519",), more="MaxSessions 2") as sshd:
        runs = (hosts.run(sshd.target(), ["sleep", "0.05"], timeout=SOON) for _ in range(9))
        assert {result.exit_code for result in await asyncio.gather(*runs)} == {0}
        assert sshd.logins() == 1


@needs_sshd
async def test_a_host_that_allows_no_command_at_all_says_so(tmp_path: Path, hosts: SshHosts) -> None:
    sshd = Sshd(tmp_path / "closed", key_types=("ed25519",), more="MaxSessions 0")
    with sshd, pytest.raises(HostError, match="allows no further session"):
        await hosts.run(sshd.target(), ["true"], timeout=SOON)


@needs_sshd
async def test_a_changed_target_does_not_get_the_connection_of_the_old_one(sshd: Sshd, hosts: SshHosts) -> None:
    await hosts.run(sshd.target(), ["true"], timeout=SOON)
    with pytest.raises(AuthRefused):
        await hosts.run(replace(sshd.target(), key_file=None), ["true"], timeout=SOON)


@needs_sshd
async def test_after_the_server_restarted_the_next_command_connects_again(sshd: Sshd, hosts: SshHosts) -> None:
    target = sshd.target()
    await hosts.run(target, ["true"], timeout=SOON)
    sshd.stop()
    sshd.start()
    assert (await hosts.run(target, ["echo", "back"], timeout=SOON)).stdout == "back\n"
    assert sshd.logins() == 2


@needs_sshd
async def test_a_warm_connection_that_froze_is_replaced_before_anything_is_sent(sshd: Sshd) -> None:
    hosts = SshHosts(connect_timeout=SECOND)
    await hosts.run(sshd.target(), ["true"], timeout=SOON)
    frozen = sshd.connection_pids()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    assert (await hosts.run(sshd.target(), ["echo", "new"], timeout=SOON)).stdout == "new\n"
    server.kill(frozen)
    await hosts.close()


@needs_sshd
async def test_a_connection_that_is_cut_in_the_middle_is_not_repeated(
    sshd: Sshd, hosts: SshHosts, fifo: Fifo, tmp_path: Path
) -> None:
    log = tmp_path / "starts"
    command = sleeping(fifo, f"echo started >> {log};")
    cut = asyncio.create_task(hosts.run(sshd.target(), command, timeout=SOON))
    pid = int(await fifo.read())
    sshd.cut_connections()
    with pytest.raises(ConnectionCut, match=r"^The connection to web-1 \(127\.0\.0\.1:\d+\) ended in the middle"):
        await cut
    assert log.read_text() == "started\n"
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@needs_sshd
async def test_closing_ends_commands_that_still_run(sshd: Sshd, fifo: Fifo) -> None:
    hosts = SshHosts()
    running = asyncio.create_task(hosts.run(sshd.target(), sleeping(fifo), timeout=SOON))
    pid = int(await fifo.read())
    await hosts.close()
    with pytest.raises(ConnectionCut):
        await running
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@needs_sshd
async def test_an_idle_connection_is_closed(sshd: Sshd) -> None:
    hosts = SshHosts(idle=SECOND / 20)
    await hosts.run(sshd.target(), ["true"], timeout=SOON)
    for pid in sshd.connection_pids():
        await asyncio.to_thread(wait_for_end, pid)
    assert (await hosts.run(sshd.target(), ["echo", "again"], timeout=SOON)).stdout == "again\n"
    await hosts.close()


# --- the demo's server -------------------------------------------------------------------------------


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoSshServer]:
    demo = DemoSshServer(
        user="demo",
        public_key=write_key(tmp_path / "demo_key"),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PLACE": "demo"},
    )
    demo.start()
    yield demo
    demo.stop()


def demo_target(demo: DemoSshServer, key_file: Path) -> Target:
    return Target(
        name="web-1",
        address="127.0.0.1",
        port=demo.port,
        user="demo",
        key_file=key_file,
        host_key=demo.host_key,
    )


async def test_the_demo_server_runs_a_command(demo: DemoSshServer, hosts: SshHosts, tmp_path: Path) -> None:
    target = demo_target(demo, tmp_path / "demo_key")
    script = 'pwd; echo "$PLACE"; echo err >&2; exit 5'
    result = await hosts.run(target, ["sh", "-c", script], timeout=SOON)
    assert (result.exit_code, result.stdout, result.stderr) == (5, f"{tmp_path}\ndemo\n", "err\n")


async def test_the_demo_server_survives_many_short_commands_at_once(
    demo: DemoSshServer, hosts: SshHosts, tmp_path: Path
) -> None:
    target = demo_target(demo, tmp_path / "demo_key")
    runs = (hosts.run(target, ["sh", "-c", f"exit {n}"], timeout=SOON) for n in range(60))
    assert [result.exit_code for result in await asyncio.gather(*runs)] == list(range(60))


async def test_the_demo_server_passes_large_output(demo: DemoSshServer, hosts: SshHosts, tmp_path: Path) -> None:
    target = demo_target(demo, tmp_path / "demo_key")
    result = await hosts.run(target, ["sh", "-c", "head -c 5000000 /dev/zero; echo end"], timeout=SOON)
    assert result.truncated
    assert result.stdout.endswith("end\n")


async def test_the_demo_server_refuses_another_key_and_another_user(
    demo: DemoSshServer, hosts: SshHosts, tmp_path: Path
) -> None:
    write_key(tmp_path / "other_key")
    target = demo_target(demo, tmp_path / "demo_key")
    for stranger in (replace(target, key_file=tmp_path / "other_key"), replace(target, user="root")):
        with pytest.raises(AuthRefused):
            await hosts.run(stranger, ["true"], timeout=SOON)


async def test_the_demo_server_gives_no_shell_and_no_forwarding(demo: DemoSshServer, tmp_path: Path) -> None:
    with paramiko.Transport(("127.0.0.1", demo.port)) as guest:
        guest.connect(username="demo", pkey=paramiko.Ed25519Key(filename=tmp_path / "demo_key"))
        with pytest.raises(paramiko.ChannelException):
            guest.open_channel("direct-tcpip", ("127.0.0.1", demo.port), ("127.0.0.1", 1))
        with pytest.raises(paramiko.SSHException):
            guest.request_port_forward("127.0.0.1", 0)
        with pytest.raises(paramiko.SSHException):
            guest.open_session().get_pty()
        with pytest.raises(paramiko.SSHException):
            guest.open_session().invoke_shell()


async def test_stopping_the_demo_server_ends_what_runs_on_it(demo: DemoSshServer, fifo: Fifo, tmp_path: Path) -> None:
    hosts = SshHosts()
    target = demo_target(demo, tmp_path / "demo_key")
    running = asyncio.create_task(hosts.run(target, sleeping(fifo), timeout=SOON))
    pid = int(await fifo.read())
    demo.stop()
    with pytest.raises(ConnectionCut):
        await running
    await asyncio.to_thread(wait_for_end, pid)
    await hosts.close()


def test_the_demo_server_listens_on_this_machine_only(demo: DemoSshServer) -> None:
    with pytest.raises(ValueError, match="loopback"):
        demo.start("0.0.0.0")


def test_a_written_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    assert parse_host_key(write_key(tmp_path / "key")).type == "ssh-ed25519"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_key(tmp_path / "key")


def test_a_host_key_prints_as_it_is_pinned() -> None:
    assert str(parse_host_key(f"{ANY_KEY} a comment")) == ANY_KEY
    assert isinstance(parse_host_key(ANY_KEY), HostKey)
