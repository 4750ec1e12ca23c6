"""The demo is the first thing that people see: it must tell its whole story, with a real sshd and without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("option", "kind"),
    [
        pytest.param([], "a real sshd", marks=pytest.mark.needs("/usr/sbin/sshd")),
        (["--builtin-ssh"], "an SSH server in this process"),
    ],
)
def test_the_demo_tells_its_whole_story(option: list[str], kind: str) -> None:
    command = [sys.executable, "-m", "responder.cli", "demo", "--exit", "--port", "0", *option]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=140)

    story = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for part in (
        kind,
        "made up: ",
        "none of it happened, and each says so",
        "restart-webapp on node1: all 3 steps are done and looked at again. (helped",
        "Nothing came back for 2s.",
        "webapp: config line 7: unknown option 'listn'",
        "Told mei by pager.",
        "mei has taken it.",
        "It flaps: 3 starts",
        "PUT /api/v1/maintenance → 200",
        "/note → 200",
        "publish → 409: Article 5 cannot be published yet",
        "200 tickets, none twice",
        "What Prometheus scrapes (the made-up past is in it, too)",
        'responder_tickets_resolved_total{by="machine",priority="P1",team="ops"}',
    ):
        assert part in story
