"""A user who asks every 10 ms, and how long nobody answered."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

EVERY = 0.010
PATIENCE = 0.25


@dataclass(frozen=True, kw_only=True)
class Answer:
    """When a good answer had arrived, and from which node."""

    at: float
    node: str


class Traffic:
    """Asks while it is entered, each time over a new connection, whether the last question was answered or not."""

    def __init__(self, address: str, port: int) -> None:
        self._address, self._port = address, port
        self._answers: list[Answer] = []
        self._asked = 0
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(64)
        self._thread = threading.Thread(target=self._ask_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(5)
        self._pool.shutdown(cancel_futures=True)

    def answers(self) -> list[Answer]:
        return sorted(self._answers, key=lambda one: one.at)

    def nodes(self) -> set[str]:
        return {one.node for one in self._answers}

    @property
    def asked(self) -> int:
        return self._asked

    def wait_for(self, node: str, *, answers: int = 20, within: float = 30.0) -> None:
        """Returns once that node has answered so often. Raises TimeoutError."""
        until = time.monotonic() + within
        while sum(one.node == node for one in list(self._answers)) < answers:
            if time.monotonic() > until:
                raise TimeoutError(f"{node} did not answer {answers} times within {within:g} s")
            time.sleep(0.02)

    def gap(self, old: str, new: str) -> float:
        """Milliseconds from the last good answer of the old node to the first good one of the new."""
        last = max(one.at for one in self._answers if one.node == old)
        first = min(one.at for one in self._answers if one.node == new)
        return (first - last) * 1000

    def _ask_on(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self._asked += 1
            self._pool.submit(self._ask)
            due += EVERY
            self._stop.wait(max(due - time.monotonic(), 0))

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._address, self._port, timeout=PATIENCE)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status == 200:
                self._answers.append(Answer(at=time.monotonic(), node=text.split()[-1]))
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
