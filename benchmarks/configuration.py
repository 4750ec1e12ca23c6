"""The files of ours for a benchmark: one open source, one person with a channel, the shipped profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from responder.domain.target import Target


@dataclass(frozen=True, kw_only=True)
class Files:
    """What differs between benchmarks."""

    port: int
    sink: int
    database: str = ""
    has_storms: bool = False
    targets: tuple[Target, ...] = ()
    first_aid: tuple[dict[str, Any], ...] = ()
    runbooks: tuple[dict[str, Any], ...] = ()
    ssh: dict[str, Any] = field(default_factory=dict)


def write(files: Files, folder: Path) -> Path:
    """Writes all files (JSON is YAML too); gives the path of the main one."""
    (folder / "runbooks").mkdir(exist_ok=True)
    (folder / "secret.key").write_text("only-for-this-benchmark-only-for-this-benchmark\n")
    for name, content in _contents(files).items():
        (folder / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    return folder / "responder.yml"


def _contents(files: Files) -> dict[str, dict[str, Any]]:
    channel = {"name": "chat", "url": f"json://127.0.0.1:{files.sink}"}
    contents: dict[str, dict[str, Any]] = {
        "responder.yml": {
            "listen": f"127.0.0.1:{files.port}",
            "database": files.database or "sqlite:///responder.db",
            "console": "open",
            "sources": [{"name": "bench", "open": True}],
            "runbooks": ["runbooks"],
            "ssh": files.ssh,
        },
        "policy.yml": {
            "extends": "p1-p4",
            "first_aid": list(files.first_aid),
            **({} if files.has_storms else {"storm": None}),
        },
        "people.yml": {
            "people": [{"name": "alex", "channels": [channel]}],
            "teams": [{"name": "ops", "tiers": {1: ["alex"], 2: ["alex"]}}],
        },
        "inventory.yml": {"targets": [_target(target) for target in files.targets]},
    }
    for runbook in files.runbooks:
        contents[f"runbooks/{runbook['runbook']}.yml"] = runbook
    return contents


def _target(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "address": target.address,
        "port": target.port,
        "user": target.user,
        "key_file": str(target.key_file),
        "host_key": target.host_key,
    }
