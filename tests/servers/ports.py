"""Loopback ports, and waiting for somebody to listen on one."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from time import monotonic


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def is_listening(port: int, *, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_for_port(port: int, *, host: str = "127.0.0.1", within: timedelta = timedelta(seconds=20)) -> None:
    """Returns once somebody listens there. Raises TimeoutError when nobody does in time."""
    until = monotonic() + within.total_seconds()
    pause = threading.Event()
    while not is_listening(port, host=host):
        if monotonic() >= until:
            raise TimeoutError(f"nobody listens on {host}:{port} after {within.total_seconds():g} s")
        pause.wait(0.01)
