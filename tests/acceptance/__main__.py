"""`python -m tests.acceptance`: the whole way, first on SQLite and then on PostgreSQL.

Needs no arguments, stays on loopback and in a temporary folder, ends what it started, and says as its last line, in
JSON, how long everything took. The exit code is 0 only if everything held.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from tests.acceptance import comparing, story, switchover
from tests.acceptance.archive import recounted
from tests.acceptance.progress import Failed, elapsed, require, say
from tests.acceptance.stage import Stage
from tests.servers.namespaces import may_be_made
from tests.servers.postgres import Postgres, initdb
from tests.servers.responder import command
from tests.servers.sshd import SSHD

LONGEST = 240
"""Seconds, in total; a little more is left for ending what was started."""

_PROGRAMS = ("supervisord", "supervisorctl", "prometheus", "promtool", "prometheus-alertmanager", "amtool", SSHD)


class Stopped(Exception):
    """By the clock, or by a signal."""


def main() -> int:
    result: dict[str, Any] = {"ok": False}
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, _stop)
    signal.alarm(LONGEST)
    folder = Path(tempfile.mkdtemp(prefix="responder-acceptance-"))
    try:
        _check_programs()
        _on_both(folder, result)
        result["switchover"] = _switch_over(folder / "switchover")
        result["ok"] = True
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 whatever it is, the last line says so
        result["error"] = f"{type(error).__name__}: {error}"
        say(f"FAILED: {result['error']}")
    finally:
        signal.alarm(0)
        shutil.rmtree(folder, ignore_errors=True)
    result["seconds"] = round(elapsed(), 1)
    print(json.dumps(result), flush=True)
    return 0 if result["ok"] else 1


def _on_both(folder: Path, result: dict[str, Any]) -> None:
    initial = folder / "initial"
    command("init", str(initial))
    say("=== SQLite")
    result["sqlite"] = _play(folder / "sqlite", initial, "sqlite:///responder.db")
    say("=== PostgreSQL")
    with Postgres() as server:
        url = server.url(server.create("responder"))
        result["postgresql"] = _play(folder / "postgresql", initial, url)


def _play(folder: Path, initial: Path, database: str) -> dict[str, Any]:
    folder.mkdir()
    stage = Stage(folder, initial, database)
    with ExitStack() as running:
        try:
            stage.start(running)
            first = story.self_healed(stage)
            second = story.handed_over(stage)
            return {"fault_1": first, "fault_2": second, **_compared(stage), "recounted": recounted(stage)}
        except Exception:
            say(stage.tails())
            raise


def _switch_over(folder: Path) -> dict[str, Any] | str:
    """Needs more than the rest: root, for network namespaces, and two more servers."""
    missing = [program for program in ("keepalived", "haproxy", "ip") if shutil.which(program) is None]
    if missing or not may_be_made():
        lacking = f"not installed: {', '.join(missing)}" if missing else "it needs root and network namespaces"
        why = f"not played, {lacking}"
        say(f"=== Switchover {why}")
        return why
    say("=== Switchover, in network namespaces")
    return switchover.play(folder)


def _compared(stage: Stage) -> dict[str, Any]:
    tickets = stage.responder.tickets()
    titles = [ticket["title"] for ticket in tickets]
    require(len(tickets) == len(stage.nodes), f"a ticket for each fault, and no other: {titles}")
    messages = [message for ticket in tickets for message in ticket["messages"]]
    require(len(messages) == len(stage.sink.pages), "as many messages on the tickets as have arrived")
    stage.wait_for_heartbeat()
    say("what Prometheus has scraped and recorded, and the tickets say as well:")
    comparison = comparing.Comparison(stage.prometheus, stage.responder.tickets)
    sums, shares = comparison.sums(), comparison.shares()
    rules = comparing.check_rules(stage.prometheus)
    say(f"{sums} series and {shares} recorded shares agree; all {rules} rules of the project are loaded, none fails")
    return {
        "tickets": len(tickets),
        "runs": sum(len(ticket["runs"]) for ticket in tickets),
        "messages": len(messages),
        "series_compared": sums,
        "recorded_compared": shares,
        "rules_loaded": rules,
    }


def _check_programs() -> None:
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if initdb() is None:
        missing.append("postgresql")
    if missing:
        raise Failed(f"not installed: {', '.join(missing)}; scripts/servers.sh says how")


def _stop(number: int, _frame: FrameType | None) -> None:
    raise Stopped(f"not done after {LONGEST} s" if number == signal.SIGALRM else "told to stop")


if __name__ == "__main__":
    sys.exit(main())
