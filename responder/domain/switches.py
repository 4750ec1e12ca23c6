"""Switches: the names under which the kill switch and maintenance are kept, and the kill switch's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_KILL = "kill"
_MAINTENANCE = "maintenance target:"
_KINDS = ("runbook", "target")


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """A switch that is on: why, by whom, since when and until when. `until` None: until somebody ends it."""

    name: str
    reason: str
    actor: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a kill switch stops: a runbook, a target, or everything."""

    kind: str = ""
    name: str = ""

    @property
    def is_everything(self) -> bool:
        return not self.kind

    @property
    def switch(self) -> str:
        """The name under which it is kept."""
        return f"{_KILL} {self.kind}:{self.name}" if self.kind else _KILL

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" if self.kind else "everything"


EVERYTHING = Scope()


def of_runbook(name: str) -> Scope:
    return Scope(kind="runbook", name=name)


def of_target(name: str) -> Scope:
    return Scope(kind="target", name=name)


def scope_of(switch: str) -> Scope | None:
    """What a switch of this name stops; None if it is no kill switch."""
    if switch == _KILL:
        return EVERYTHING
    kind, separator, name = switch.removeprefix(f"{_KILL} ").partition(":")
    is_ours = switch.startswith(f"{_KILL} ") and separator and kind in _KINDS
    return Scope(kind=kind, name=name) if is_ours else None


def maintenance_of(target: str) -> str:
    """The name of the switch that says that a target is in maintenance."""
    return f"{_MAINTENANCE}{target}"


def in_maintenance(switch: str) -> str:
    """The target that a switch of this name is about; empty if it is none of maintenance."""
    return switch.removeprefix(_MAINTENANCE) if switch.startswith(_MAINTENANCE) else ""


Names = Mapping[str, Mapping[str, str]]
"""For `runbook` and `target`: every name that somebody may write, and the name that is meant."""


def scopes_in(text: str, names: Names) -> tuple[Scope, ...]:
    """What the kill switch's file stops: the runbooks and targets that it names, one a line, or everything if it
    names none. Raises ValueError with the line that is not understood: then everything is meant, too."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        kind, name = words if len(words) == 2 else ("", "")
        meant = names.get(kind, {}).get(name)
        if meant is None:
            raise ValueError(f"its line {number} is neither “runbook NAME” nor “target NAME” with a name that there is")
        found.append(Scope(kind=kind, name=meant))
    return tuple(found) or (EVERYTHING,)
