"""Runs test files: each test on its own fake world, and again with a crash at every touch where it asks for that."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from responder.domain.runbook import RunOutcome
from responder.errors import Problem
from responder.firstaid.testing.files import CaseFile
from responder.firstaid.testing.life import Life, lived, planned
from responder.firstaid.testing.suite import Suite
from responder.firstaid.testing.touches import Crash
from responder.firstaid.testing.verdict import Complaint, complaints
from responder.firstaid.testing.world import NoAnswer


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """How one test went; `lives` counts how often its run was made."""

    path: Path
    runbook: str
    name: str
    problems: tuple[Problem, ...]
    lives: int = 1

    @property
    def is_good(self) -> bool:
        return not self.problems


def run_suite(suite: Suite, only: str = "") -> list[CaseResult]:
    """All tests of a file, or those whose name, or whose runbook's, contains `only`."""
    chosen = [
        (index, case)
        for index, case in enumerate(suite.written.tests)
        if only.lower() in f"{suite.runbook.name} {case.name}".lower()
    ]
    return [_run(suite, index, case) for index, case in chosen]


def _run(suite: Suite, index: int, case: CaseFile) -> CaseResult:
    found, lives = asyncio.run(_followed(suite, case))
    problems = tuple(suite.problem(index, one.place, one.text) for one in found)
    return CaseResult(
        path=suite.document.path, runbook=suite.runbook.name, name=case.name, problems=problems, lives=lives
    )


def _mourn(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # Lanes beside the one in which the process died die with it; nobody is left to ask them how it went.
    if not isinstance(context.get("exception"), Crash | NoAnswer):
        loop.default_exception_handler(context)


async def _followed(suite: Suite, case: CaseFile) -> tuple[list[Complaint], int]:
    asyncio.get_running_loop().set_exception_handler(_mourn)
    plan = planned(suite, case)
    life = await lived(suite, case, plan)
    found = complaints(case.expect, life, suite.target_of(case).name)
    touches = len(life.world.touches.places)
    if found or case.crash is None:
        return found, 1
    for number in range(1, touches + 1):
        if text := objection(life, await lived(suite, case, plan, crash_at=number)):
            return [Complaint(place=("crash",), text=text)], 1 + number
    return [], 1 + touches


def objection(whole: Life, broken: Life) -> str:
    """What a run whose process died must not have done; the run of one piece tells what is right."""
    where = f"the process dies {broken.crashed_at}: then"
    if broken.stuck:
        return f"{where} {broken.stuck}"
    often = Counter(whole.acts)
    again = Counter(str(act) for act in broken.world.acted if not act.is_repeatable)
    for act, times in again.items():
        if times > max(often[act], 1):
            return f"{where} this runs {times} times: {act}"
    if broken.ended.outcome is not RunOutcome.HELPED:
        return ""
    if whole.ended.outcome is not RunOutcome.HELPED:
        return f"{where} the run claims success, but in one piece it is {whole.ended.outcome}"
    missing = [act for act in often if act not in broken.acts]
    return f"{where} the run claims success, but this never ran: {missing[0]}" if missing else ""
