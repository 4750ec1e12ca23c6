"""A server as a process of its own, with its output in a file, asked over HTTP until it is ready."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# Loopback is never behind a proxy, whatever the environment says.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PATIENCE = 10.0


class NotReady(Exception):
    """A server did not come up; the text ends with what it wrote last."""


class Program:
    """Runs while it is entered."""

    def __init__(self, argv: Sequence[str | Path], log_file: Path, *, ready_url: str = "") -> None:
        self._argv = [str(part) for part in argv]
        self._log_file = log_file
        self._ready_url = ready_url
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self, within: timedelta = timedelta(seconds=40)) -> None:
        """Returns once it is ready. Raises NotReady."""
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                # Ctrl-C at the terminal is for whoever started it, who then stops everything in order.
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._process, within)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> int | None:
        """The status with which it ended, also if it did before; None if it was not running."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return process.returncode if process else None
        process.terminate()
        try:
            return process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait(_PATIENCE)

    def tail(self, lines: int = 20) -> str:
        """What it wrote last."""
        if not self._log_file.is_file():
            return ""
        return "\n".join(self._log_file.read_text(errors="replace").splitlines()[-lines:])

    def is_ready(self) -> bool:
        """Whether it answers; asked again and again while it starts."""
        return not self._ready_url or answers(self._ready_url)

    def _wait_until_ready(self, process: subprocess.Popen[bytes], within: timedelta) -> None:
        until = time.monotonic() + within.total_seconds()
        while not self.is_ready():
            if process.poll() is not None:
                raise NotReady(f"{self._argv[0]} ended with {process.returncode}:\n{self.tail()}")
            if time.monotonic() > until:
                raise NotReady(f"{self._argv[0]} is not ready after {within.total_seconds():g} s:\n{self.tail()}")
            time.sleep(0.05)


def environment() -> dict[str, str]:
    """Our own, without proxies."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def asked(url: str, *, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> str:
    """The body of a good answer; with `data` it is a POST. Raises urllib.error.URLError or OSError."""
    request = urllib.request.Request(url, data=data, headers=dict(headers or {}))
    with _OPENER.open(request, timeout=_PATIENCE) as answer:
        body: bytes = answer.read()
    return body.decode()


def asked_for_json(url: str, *, headers: Mapping[str, str] | None = None) -> Any:
    return json.loads(asked(url, headers=headers))


def answers(url: str) -> bool:
    try:
        asked(url)
    except (urllib.error.URLError, OSError):
        return False
    return True
