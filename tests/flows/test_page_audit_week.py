"""Days of alerts of every grade, acknowledgements, silence, holds, people who stand in, and channels that break.

The audit of pages finds nothing. Half a day by default; DAYS_OF_THE_AUDIT=7 makes it a week.
"""

from __future__ import annotations

import contextlib
import os
import random
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.adapters.notifier import Secret
from responder.domain.maintenance import MaintenanceWindow, Once
from responder.domain.matching import parse_matcher
from responder.domain.rota import Override
from responder.errors import BadForm, NotFound, Refused, SendFailed, SendRefused
from responder.flows.audit_pages import audit_pages, compare
from responder.flows.handle import do
from responder.flows.overrides import add_override
from responder.flows.watch import look_at_clocks
from responder.store.database import Database
from tests.flows.test_page_audit import Audited
from tests.world import FakeSender, alert, resolved

ROUND = timedelta(minutes=3)
"""As far apart as rounds may be without what was due counting anew."""
DAYS = float(os.environ.get("DAYS_OF_THE_AUDIT", "0.5"))
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


PEOPLE = """
people:
  - name: mei
    channels: [{name: pager, url: "json://127.0.0.1:9/mei"}, {name: mail, url: "json://127.0.0.1:9/mei-mail"}]
    contact: [{channels: [pager]}, {after: 5m, channels: [mail]}]
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}], quiet_hours: {from: "22:00", to: "07:00"}}
  - {name: rosa, channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
rotas:
  - {name: first, layers: [{people: [mei, lars], rotation: daily, start: 2026-01-01 09:00}]}
teams:
  - {name: ops, tiers: {1: {rota: first}, 2: [lars], 3: [rosa]}}
"""
POLICY = """
extends: p1-p4
moves: []
storm: {tickets: 12, within: 5m}
hold_off: [{name: a moment, when: ['severity="warning"'], for: 4m}]
escalation:
  - name: everybody
    steps: [{tell: tier 1}, {after: 5m, tell: tier 2}, {after: 10m, tell: tier 3}]
    repeat: 1
    still_on_it: 45m
"""


@dataclass
class BreakingSender(FakeSender):
    """Some channels refuse, or are away for a while."""

    refusing: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)

    async def send(self, address: Secret, subject: str, body: str) -> None:
        whose = address.value.rsplit("/", 1)[-1]
        if whose in self.refusing:
            raise SendRefused("410 Gone")
        if whose in self.away:
            raise SendFailed("the uplink is down.")
        await FakeSender.send(self, address, subject, body)


class Office(Audited):
    """An audited team with rotas, holds and channels that break."""

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder, database)
        (folder / "people.yml").write_text(PEOPLE)
        (folder / "policy.yml").write_text(POLICY)
        self.sender: BreakingSender = BreakingSender()
        self.desk = self.another_desk()


KINDS = {"fires": 6, "clears": 5, "person": 6, "channel": 2, "mended": 1, "breaks": 1, "stands in": 1, "window": 1}


class Week:
    """What happens, by dice."""

    def __init__(self, world: Office, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.done: list[str] = []
        self.happened: set[str] = set()

    async def something(self) -> None:
        dice = self.dice
        (kind,) = dice.choices(list(KINDS), list(KINDS.values()))
        self.happened.add(kind)
        name, severity = dice.choice(NAMES), dice.choice(SEVERITIES)
        labels = {"severity": severity, "instance": f"web-{dice.randint(1, 2)}:9100"}
        if kind == "fires":
            await self.world.post(alert(name, **labels))
        elif kind == "clears":
            await self.world.post(*(resolved(name, **{**labels, "severity": one}) for one in set(SEVERITIES)))
        elif kind == "channel":
            broken = dice.choice((self.world.sender.refusing, self.world.sender.away))
            broken.add(dice.choice(("mei", "mei-mail", "lars", "rosa")))
        elif kind == "mended":
            self.world.sender.refusing.clear()
            self.world.sender.away.clear()
        elif kind == "stands in":
            await self.stands_in()
        elif kind == "window":
            self.window(name)
        elif kind == "breaks":
            self.world.fleet.broken ^= {"web-1"}
        else:
            await self.person()

    async def stands_in(self) -> None:
        now, who = self.world.clock.now(), self.dice.choice(("mei", "lars", "rosa"))
        until = now + timedelta(hours=self.dice.randint(1, 8))
        wanted = Override(rota="first", person=who, start=now, until=until, reason="x", actor="rosa", made_at=now)
        with contextlib.suppress(Refused):
            await add_override(self.world.desk, wanted)

    def window(self, name: str) -> None:
        """Maintenance of one alert from now on."""
        now = self.world.clock.now()
        once = Once(start=now, end=now + timedelta(minutes=self.dice.randint(5, 90)))
        window = MaintenanceWindow(name="by hand", when=(parse_matcher(f"alertname={name}"),), times=(once,))
        self.world.rule(maintenance=(window,))

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
    world = Office(tmp_path, database)
    week = Week(world, seed)
    await week.passes(ROUNDS // 8 if database.is_cluster else ROUNDS)
    said = await world.tickets()
    assert not [one for one in said if one.labels.get("alertname") == "ResponderPagesDiffer"]
    assert len(said) > (1 if database.is_cluster else 15)
    assert len(set(week.done)) > (0 if database.is_cluster else 7)
    assert week.happened == set(KINDS) or database.is_cluster
    assert len(world.sender.sent) > (1 if database.is_cluster else 10)
