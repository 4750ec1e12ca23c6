"""Every step that the documentation shows can be written so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from responder.firstaid.steps import kinds
from tests.fakes import REPOSITORY

_BLOCK = re.compile(r"^```yaml\n(- .*?)^```", re.DOTALL | re.MULTILINE)


def documented() -> list[tuple[str, Any]]:
    text = (REPOSITORY / "docs" / "runbooks.md").read_text(encoding="utf-8")
    entries = [entry for block in _BLOCK.findall(text) for entry in YAML(typ="safe").load(block)]
    return [(kind, entry[kind]) for entry in entries for kind in entry if kind in kinds()]


@pytest.mark.parametrize(("kind", "settings"), documented())
def test_a_documented_step_is_a_good_one(kind: str, settings: Any, tmp_path: Path) -> None:
    if kind == "script":
        path = tmp_path / settings["file"]
        path.parent.mkdir()
        path.write_text("#!/bin/sh\n")
    assert kinds()[kind].model_validate(kinds()[kind].prepared(settings, tmp_path))


def test_the_kinds_with_many_settings_are_all_documented() -> None:
    shown = {kind for kind, _ in documented()}
    assert shown >= {"check", "collect", "disk_cleanup", "http", "process", "script", "service_restart"}
