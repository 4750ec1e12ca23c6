"""Configurations, read once for all folders whose files say the same: to read YAML takes longer than most tests."""

from __future__ import annotations

import pickle
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

from responder.clock import SystemClock
from responder.config.configuration import Configuration, read, shipped_runbooks
from responder.domain.runbook import Runbook

_Files = tuple[date, str, tuple[tuple[str, bytes], ...]]
_READ: dict[_Files, bytes | None] = {}


def as_read(path: Path) -> Configuration:
    """What `read` gives: a value of its own each time, with paths that begin at this folder."""
    files = _files(path)
    if files not in _READ:
        configuration = read(path)
        _READ[files] = _packed(configuration, path.parent)
        return configuration
    packed = _READ[files]
    return read(path) if packed is None else _unpacked(packed, path.parent)


def _files(path: Path) -> _Files:
    """All that is in the folder, and the day: holidays are those of the years around it."""
    folder = path.parent
    found = sorted(one for one in folder.rglob("*") if one.is_file() and not one.name.startswith("responder.db"))
    said = tuple((one.relative_to(folder).as_posix(), one.read_bytes()) for one in found)
    return SystemClock().now().date(), path.name, said


class _Packer(pickle.Pickler):
    def __init__(self, to: BytesIO, folder: Path) -> None:
        super().__init__(to, pickle.HIGHEST_PROTOCOL)
        self._folder = folder
        self._shipped = {id(runbook): name for name, runbook in shipped_runbooks().items()}

    def persistent_id(self, given: Any) -> tuple[str, str] | None:
        if isinstance(given, Path) and given.is_relative_to(self._folder):
            return "path", given.relative_to(self._folder).as_posix()
        if isinstance(given, Runbook) and id(given) in self._shipped:
            return "shipped", self._shipped[id(given)]
        return None


class _Unpacker(pickle.Unpickler):
    def __init__(self, packed: bytes, folder: Path) -> None:
        super().__init__(BytesIO(packed))
        self._folder = folder

    def persistent_load(self, known: tuple[str, str]) -> Path | Runbook:
        kind, name = known
        return self._folder / name if kind == "path" else shipped_runbooks()[name]


def _packed(configuration: Configuration, folder: Path) -> bytes | None:
    """None if something but a path knows the folder: such a configuration is for its own folder only."""
    to = BytesIO()
    _Packer(to, folder).dump(configuration)
    return None if folder.name.encode() in to.getvalue() else to.getvalue()


def _unpacked(packed: bytes, folder: Path) -> Configuration:
    made: Configuration = _Unpacker(packed, folder).load()
    return made
