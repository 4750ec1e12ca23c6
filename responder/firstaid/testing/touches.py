"""Where a run touches the world: the place where a process may die."""

from __future__ import annotations


class Crash(BaseException):
    """The process ends here: nothing may catch it but the runner."""


class Touches:
    """Counts the touches of one life of the process, and ends it at the n-th. What is dead touches nothing more."""

    def __init__(self, crash_at: int | None = None) -> None:
        self.places: list[str] = []
        self._crash_at = crash_at

    def place(self, name: str) -> None:
        if self.is_dead:
            raise Crash(self.places[-1])
        self.places.append(name)
        if self.is_dead:
            raise Crash(name)

    @property
    def is_dead(self) -> bool:
        return self._crash_at is not None and len(self.places) >= self._crash_at
