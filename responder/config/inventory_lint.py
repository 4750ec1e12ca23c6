"""The linter's rules about the inventory: targets that nobody can get into from here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from responder.adapters.yaml_file import Place, load
from responder.config.configuration import Configuration
from responder.config.inventory import InventoryFile
from responder.firstaid.lint.finding import Finding, Found, Rule, Severity


def about_inventory(configuration: Configuration) -> Iterator[Finding]:
    """All that is doubtful about the targets of the file as it is now, which may be other than what is loaded.

    Raises ConfigError when it has changed meanwhile into one that is wrong.
    """
    document = load(configuration.path.parent / configuration.settings.inventory)
    inventory = document.parsed(InventoryFile), document.path.parent
    for rule in INVENTORY_RULES:
        yield from rule.findings(inventory, document)


_Inventory = tuple[InventoryFile, Path]
"""What is written, and the folder at which relative paths start."""


def key_that_is_not_here(inventory: _Inventory) -> Found:
    """A private key that no run could use on this machine. Elsewhere it may be there, so it is no mistake."""
    written, folder = inventory
    found: dict[Place, tuple[Path, list[str]]] = {}
    for index, target in enumerate(written.as_targets(folder)):
        if target.key_file is not None:
            is_own = written.targets[index].key_file is not None
            place: Place = ("targets", index, "key_file") if is_own else ("defaults", "key_file")
            found.setdefault(place, (target.key_file, []))[1].append(target.name)
    for place, (path, targets) in found.items():
        if why := _why_not(path):
            whom = ", ".join(targets) if len(targets) <= _FEW else f"{len(targets)} targets"
            yield place, f"{path} cannot be read here: {why}; without it no runbook gets to {whom}"


_FEW = 3


def _why_not(path: Path) -> str:
    """Why a file cannot be read; empty if it can."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        return error.strerror or str(error)
    return ""


INVENTORY_RULES: tuple[Rule[_Inventory], ...] = (Rule("key-not-here", Severity.WARNING, key_that_is_not_here),)
