"""Opening an SSH connection, only ever to the host that holds the pinned key."""

from __future__ import annotations

import logging
import socket
import threading
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from time import monotonic
from weakref import WeakSet

from cryptography.exceptions import UnsupportedAlgorithm
from paramiko import AuthenticationException, Channel, Message, PKey, Transport
from paramiko.common import MSG_CHANNEL_CLOSE
from paramiko.pkey import UnknownKeyType
from paramiko.ssh_exception import IncompatiblePeer, PartialAuthentication, SSHException

from responder.domain.target import Target
from responder.errors import AuthRefused, HostError, HostKeyRefused, HostUnreachable

# Whatever goes wrong is raised as one of our errors; paramiko would print each a second time, with a traceback.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

LINE_ERRORS = (SSHException, EOFError, OSError)

RSA = ("rsa-sha2-512", "rsa-sha2-256")
ECDSA = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
ED25519 = ("ssh-ed25519",)
KEY_FAMILIES = (ED25519, ECDSA, RSA)
_EVERY_ALGORITHM = ED25519 + ECDSA + RSA
_ALGORITHMS = {"ssh-ed25519": ED25519, "ssh-rsa": RSA} | {curve: (curve,) for curve in ECDSA}

LEFT_OVERS = {
    "ciphers": ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"),
    "macs": ("hmac-sha1", "hmac-sha1-96", "hmac-md5", "hmac-md5-96"),
}
_KEEPALIVE_SECONDS = 15
_UNANSWERED_MILLISECONDS = 30_000


@dataclass(frozen=True, kw_only=True, slots=True)
class HostKey:
    """A host's public key, as known_hosts and `ssh-keygen -l` write it."""

    type: str
    base64: str

    @property
    def fingerprint(self) -> str:
        return "SHA256:" + b64encode(sha256(b64decode(self.base64)).digest()).decode().rstrip("=")

    def __str__(self) -> str:
        return f"{self.type} {self.base64}"


class Line(Transport):
    """A connection on which a session is sent to by its user's thread alone, from its opening to its close.

    paramiko's own thread would answer the host's close of a session at once, and what the user was about to send
    (input, or its end) would come after that: the host ends the whole connection for it, or takes it for the input of
    a newer session that was given the same number.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, disabled_algorithms=LEFT_OVERS)
        self._closed_there: WeakSet[Channel] = WeakSet()
        own = Transport._channel_handler_table  # type: ignore[attr-defined]
        self._channel_handler_table = {**own, MSG_CHANNEL_CLOSE: self._note_close}

    def was_closed_there(self, channel: Channel) -> bool:
        """Whether the host itself ended the session; its user has yet to answer that with `close`."""
        return channel in self._closed_there

    def _note_close(self, channel: Channel, message: Message) -> None:  # noqa: ARG002 paramiko's handlers share a form
        if channel.closed:
            return
        self._closed_there.add(channel)
        with channel.lock:
            channel.eof_received = channel.eof_sent = True
            channel.in_buffer.close()
            channel.in_stderr_buffer.close()
            channel.out_buffer_cv.notify_all()
        channel.event.set()
        channel.status_event.set()


def parse_host_key(text: str) -> HostKey:
    """The key in a line such as `ssh-ed25519 AAAA… comment`. Raises ValueError with what is wrong."""
    words = text.split()
    if len(words) < 2 or words[0] not in _ALGORITHMS:
        raise ValueError(f"a host key is written as TYPE BASE64, with TYPE one of {', '.join(_ALGORITHMS)}")
    try:
        blob = b64decode(words[1], validate=True)
    except NotBase64 as error:
        raise ValueError(f"the host key's second word is not base64 ({error})") from None
    return HostKey(type=words[0], base64=b64encode(blob).decode())


def place(target: Target) -> str:
    """How sentences name a target: what the inventory calls it, and where it is."""
    return f"{target.name} ({_where(target.address, target.port)})"


def _where(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def presented_key(address: str, port: int, algorithms: tuple[str, ...], until: float) -> HostKey | None:
    """The key a host shows when asked for one of these types, None if it has none. Only keys are exchanged."""
    transport = _exchange_keys(_where(address, port), address, port, algorithms, until)
    if transport is None:
        return None
    key = _shown(transport)
    transport.close()
    return key


def connect(target: Target, timeout: timedelta) -> Line:
    """A connection to exactly the pinned host, logged in. Raises the HostError that says why there is none."""
    until = monotonic() + timeout.total_seconds()
    pinned = _pinned(target, until)
    transport = _exchange_keys(place(target), target.address, target.port, _ALGORITHMS[pinned.type], until)
    if transport is None:
        raise HostKeyRefused(_mismatch(target, pinned, _any_key(target, until)))
    with ExitStack() as undo:
        undo.callback(transport.close)
        shown = _shown(transport)
        if shown != pinned:
            raise HostKeyRefused(_mismatch(target, pinned, shown))
        _log_in(transport, target, until)
        transport.set_keepalive(_KEEPALIVE_SECONDS)
        undo.pop_all()
    return transport


def _pinned(target: Target, until: float) -> HostKey:
    if not target.host_key.strip():
        raise HostKeyRefused(
            f"No host key is pinned for {place(target)}, so nothing was sent. It shows "
            f"{_named(_any_key(target, until))}; compare that with the host's own `ssh-keygen -l`, then pin what "
            f"`responder hosts scan {target.name}` prints."
        )
    try:
        return parse_host_key(target.host_key)
    except ValueError as error:
        raise HostKeyRefused(
            f"The host key pinned for {place(target)} cannot be read: {error}. Nothing was sent; "
            f"`responder hosts scan {target.name}` prints the host's keys as they are pinned."
        ) from None


def _mismatch(target: Target, pinned: HostKey, shown: HostKey | None) -> str:
    return (
        f"{place(target)} shows the host key {_named(shown)}, but {_named(pinned)} is pinned; nothing was sent. "
        "If the host was installed anew, compare its keys with the host's own `ssh-keygen -l` and pin the new one "
        f"(`responder hosts scan {target.name}`); if not, another machine answers at this address."
    )


def _named(key: HostKey | None) -> str:
    return f"{key.type} {key.fingerprint}" if key else "no key of a known type"


def _any_key(target: Target, until: float) -> HostKey | None:
    return presented_key(target.address, target.port, _EVERY_ALGORITHM, until)


def _shown(transport: Transport) -> HostKey:
    key = transport.get_remote_server_key()
    return HostKey(type=key.get_name(), base64=key.get_base64())


def _exchange_keys(named: str, address: str, port: int, algorithms: tuple[str, ...], until: float) -> Line | None:
    """A connection after its key exchange, before anything else is sent; None if the host has no key of these types."""
    transport = Line(_dial(named, address, port, until))
    transport.get_security_options().key_types = algorithms
    transport.banner_timeout = transport.handshake_timeout = left(until)
    # With an event the error is a value: what a broken server makes paramiko raise can be of any type.
    is_done = threading.Event()
    transport.start_client(event=is_done)
    if is_done.wait(left(until)) and transport.is_active():
        return transport
    error = transport.get_exception()
    transport.close()
    if isinstance(error, IncompatiblePeer) and "host key" in str(error):
        return None
    raise HostUnreachable(f"{named} accepts connections, but {_why_no_ssh(error, until)}.") from error


def _why_no_ssh(error: Exception | None, until: float) -> str:
    if isinstance(error, IncompatiblePeer):
        return f"shares no algorithm with us: {error}"
    if monotonic() < until:
        return "ended this one before the keys were exchanged"
    return "did not answer as an SSH server in the time allowed"


def _dial(named: str, address: str, port: int, until: float) -> socket.socket:
    try:
        sock = _connected(address, port, until)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise HostUnreachable(f"{named} cannot be reached: {reason}.") from error
    # Without it each small packet of the protocol waits for the last one's acknowledgement: 45 ms per command.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MILLISECONDS)
    return sock


def _connected(address: str, port: int, until: float) -> socket.socket:
    """The first of a name's addresses that answers; all of them together get the time that one would."""
    failure: OSError = OSError("the name has no address")
    found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    for tried, (*_, where) in enumerate(found):
        try:
            return socket.create_connection((str(where[0]), port), timeout=left(until) / (len(found) - tried))
        except OSError as error:
            failure = error
    raise failure


def _log_in(transport: Transport, target: Target, until: float) -> None:
    key = _private_key(target)
    is_done = threading.Event()
    with suppress(*LINE_ERRORS):
        transport.auth_publickey(target.user, key, event=is_done)
        is_done.wait(left(until))
    if not transport.is_authenticated():
        # The event is set as well when the connection ends, which is no answer.
        was_answered = is_done.is_set() and transport.is_active()
        raise _login_error(target, transport.get_exception(), was_answered)


def _login_error(target: Target, error: Exception | None, was_answered: bool) -> HostError:
    if isinstance(error, PartialAuthentication):
        return AuthRefused(f"{place(target)} wants more than {target.user}'s key: {', '.join(error.allowed_types)}.")
    if was_answered or isinstance(error, AuthenticationException):
        return AuthRefused(
            f"{place(target)} does not accept the key {target.key_file} for user {target.user}; "
            "its public half belongs into that user's authorized_keys."
        )
    return HostUnreachable(f"{place(target)} ended or delayed the login of {target.user} without an answer.")


def _private_key(target: Target) -> PKey:
    if target.key_file is None:
        raise AuthRefused(f"No key file is configured for {place(target)}.")
    try:
        return PKey.from_path(target.key_file)
    except OSError as error:
        raise AuthRefused(f"The key {target.key_file} for {place(target)} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, SSHException, UnknownKeyType, UnsupportedAlgorithm) as error:
        raise AuthRefused(
            f"The file {target.key_file} for {place(target)} is not a private key in OpenSSH's format without a "
            f"passphrase ({error})."
        ) from error


def left(until: float) -> float:
    """The seconds until this instant of the monotonic clock; never 0, which for sockets means not to wait."""
    return max(until - monotonic(), 0.01)
