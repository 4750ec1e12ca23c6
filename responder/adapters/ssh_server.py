"""A small SSH server inside this process, so that the demo shows real first aid where no sshd is installed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import StringIO
from ipaddress import ip_address
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko import Channel, Ed25519Key, Message, PKey, ServerInterface, Transport
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
    cMSG_CHANNEL_SUCCESS,
)
from paramiko.packet import Packetizer

from responder.adapters.ssh_connect import LEFT_OVERS, LINE_ERRORS

_CHUNK = 32 * 1024


def write_key(path: Path) -> str:
    """Writes a new private key that only its owner may read; gives the public half as authorized_keys has it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(_new_key())
    return _public(Ed25519Key(filename=path))


class DemoSshServer:
    """Runs the commands of one user, who shows one key, in one directory. It listens on this machine only."""

    def __init__(self, *, user: str, public_key: str, cwd: Path, env: Mapping[str, str]) -> None:
        self._user = user
        self._public_key = b64decode(public_key.split()[1])
        self._commands = _Commands(cwd, env)
        self._host_key = Ed25519Key(file_obj=StringIO(_new_key()))
        self._listener = socket.socket()
        self._transports: list[Transport] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def host_key(self) -> str:
        return _public(self._host_key)

    def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        if not ip_address(host).is_loopback:
            raise ValueError(f"the demo server listens on a loopback address, not on {host}")
        self._listener = socket.create_server((host, port), family=_family(host))
        threading.Thread(target=self._welcome, name="demo-sshd", daemon=True).start()

    def stop(self) -> None:
        """Ends the connections and the commands that still run."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for transport in self._transports:
            transport.close()
        self._commands.end()

    def _welcome(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._serve(sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        guest = _Guest(self._user, self._public_key, self._commands.run)
        transport = Transport(sock, disabled_algorithms=LEFT_OVERS, packetizer_class=_announcing(guest.begin))
        transport.add_server_key(self._host_key)
        transport.start_server(event=threading.Event(), server=guest)
        self._transports = [known for known in self._transports if known.is_active()] + [transport]


class _Guest(ServerInterface):
    """What one connection may do: log in with the one key, and run commands. All else stays refused."""

    def __init__(self, user: str, public_key: bytes, run: Callable[[Channel, bytes], None]) -> None:
        self._user = user
        self._public_key = public_key
        self._run = run
        self._pending: threading.Thread | None = None

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "publickey"

    def check_auth_publickey(self, username: str, key: PKey) -> int:
        is_known = username == self._user and key.asbytes() == self._public_key
        return AUTH_SUCCESSFUL if is_known else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: Channel, command: bytes) -> bool:
        # paramiko queues each channel for somebody to accept; nobody else would ever take it out.
        transport = channel.get_transport()
        with transport.lock:
            transport.server_accepts.remove(channel)
        self._pending = threading.Thread(target=self._run, args=(channel, command), daemon=True)
        return True

    def begin(self) -> None:
        """The client has been told that its command starts."""
        pending, self._pending = self._pending, None
        if pending:
            pending.start()


def _announcing(begin: Callable[[], None]) -> type[Packetizer]:
    """Says when a request's confirmation is on its way: the end of a short command must not overtake it."""

    class Announcing(Packetizer):
        def send_message(self, data: Message) -> None:
            super().send_message(data)
            if data.asbytes()[:1] == cMSG_CHANNEL_SUCCESS:
                begin()

    return Announcing


class _Commands:
    """The processes behind the channels."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        self._cwd = cwd
        self._env = dict(env)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def run(self, channel: Channel, command: bytes) -> None:
        process = self._started(command)
        with suppress(*LINE_ERRORS), channel:
            self._relay(process, channel)
        self._running.discard(process)

    def end(self) -> None:
        with self._lock:
            running = list(self._running)
        for process in running:
            for pid in _session(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _started(self, command: bytes) -> subprocess.Popen[bytes]:
        # Under the lock, so that nothing can run that `end` does not know of yet.
        with self._lock:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._running.add(process)
        return process

    @staticmethod
    def _relay(process: subprocess.Popen[bytes], channel: Channel) -> None:
        pumps = [_pump(process.stdout, channel.sendall), _pump(process.stderr, channel.sendall_stderr)]
        code = process.wait()
        channel.send_exit_status(code if code >= 0 else 128 - code)
        for pump in pumps:
            pump.join()


def _pump(stream: IO[bytes] | None, send: Callable[[bytes], None]) -> threading.Thread:
    def work() -> None:
        with suppress(*LINE_ERRORS):
            while stream and (chunk := os.read(stream.fileno(), _CHUNK)):
                send(chunk)
        if stream:
            stream.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _session(leader: int) -> list[int]:
    """All that a command started: `timeout` leaves its process group, but nothing leaves the session unasked."""
    found = [leader]
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
    return found


def _new_key() -> str:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def _public(key: PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
