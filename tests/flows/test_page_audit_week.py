"""Days of alerts, acknowledgements and everything else that people do: the audit of pages finds nothing.

One day by default; DAYS_OF_THE_AUDIT=7 makes it a week.
"""

from __future__ import annotations

import contextlib
import os
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.errors import BadForm, NotFound, Refused, SendFailed
from responder.flows.audit_pages import audit_pages, compare
from responder.flows.handle import do
from responder.flows.watch import look_at_clocks
from responder.store.database import Database
from tests.flows.test_page_audit import Audited
from tests.world import alert, resolved

ROUND = timedelta(minutes=3)
"""As far apart as rounds may be without what was due counting anew."""
DAYS = int(os.environ.get("DAYS_OF_THE_AUDIT", "1"))
ROUNDS = timedelta(days=DAYS) // ROUND
NAMES = ("DiskFull", "ServiceDown", "HighLatency", "CertExpires", "QueueGrows", "ReplicaLag", "NodeDown", "BackupLate")
SEVERITIES = ("critical", "critical", "error", "warning", "info")
VERBS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("acknowledge", {}),
    ("acknowledge", {}),
    ("give-back", {"reason": "not mine"}),
    ("escalate", {"reason": "too hard"}),
    ("assign", {"to": "lars"}),
    ("take-over", {}),
    ("wait", {"for": "vendor", "reason": "called them"}),
    ("resume", {"reason": "they came"}),
    ("restore", {"reason": "done"}),
    ("relapse", {"reason": "not done"}),
    ("resolve", {"reason": "well again"}),
    ("close", {"reason": "well again"}),
    ("reopen", {"reason": "back again"}),
    ("regrade", {"grade": "P1", "reason": "worse"}),
    ("regrade", {"grade": "P4", "reason": "better"}),
    ("dismiss", {"as": "false_alarm", "reason": "nothing"}),
    ("merge", {"into": "1", "reason": "the same"}),
    ("note", {"text": "looking"}),
)


class Week:
    """What happens, by dice."""

    def __init__(self, world: Audited, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.done: list[str] = []

    async def something(self) -> None:
        dice = self.dice
        kind = dice.choices(("fires", "clears", "person", "sends badly", "breaks"), (6, 5, 7, 1, 1))[0]
        name, severity = dice.choice(NAMES), dice.choice(SEVERITIES)
        labels = {"severity": severity, "instance": f"web-{dice.randint(1, 2)}:9100"}
        if kind == "fires":
            await self.world.post(alert(name, **labels))
        elif kind == "clears":
            await self.world.post(*(resolved(name, **{**labels, "severity": one}) for one in set(SEVERITIES)))
        elif kind == "sends badly":
            self.world.sender.failures.extend(SendFailed("the uplink is down.") for _ in range(dice.randint(1, 4)))
        elif kind == "breaks":
            self.world.fleet.broken ^= {"web-1"}
        else:
            await self.person()

    async def person(self) -> None:
        known = (await self.world.tickets())[:20]
        keys = [str(one.id) for one in known if one.is_open or self.dice.random() < 0.1]
        if not keys:
            return
        key, who = self.dice.choice(keys), self.dice.choice(("mei", "lars", "rosa"))
        for verb, content in self.dice.sample(VERBS, 8):
            with contextlib.suppress(Refused, NotFound, BadForm):
                await do(self.world.desk, verb, key, actor=who, content=content)
                self.done.append(verb)
                return

    async def passes(self, rounds: int) -> None:
        for _ in range(rounds):
            if self.dice.random() < 0.4:
                await self.something()
            self.world.clock.advance(ROUND)
            await look_at_clocks(self.world.desk)
            await self.world.work()
            found = await audit_pages(self.world.desk)
            assert found == 0, (await compare(self.world.desk))["differences"]


@pytest.mark.parametrize("seed", [1, 2])
async def test_days_of_alerts_and_people_raise_no_false_alarm(tmp_path: Path, database: Database, seed: int) -> None:
    world = Audited(tmp_path, database)
    week = Week(world, seed)
    await week.passes(ROUNDS // 8 if database.is_cluster else ROUNDS)
    said = await world.tickets()
    assert not [one for one in said if one.labels.get("alertname") == "ResponderPagesDiffer"]
    assert len(said) > (5 if database.is_cluster else 20)
    assert len(set(week.done)) > (3 if database.is_cluster else 10)
    assert len(world.sender.sent) > len(said)
