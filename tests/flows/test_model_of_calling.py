"""A model of calling: alerts, people who answer or do not, channels that break, turns of the rota, and the time.

Whatever happens in whatever order: a ticket that should call somebody does, nobody is paged for what somebody has,
nobody gets more at once than the bundle allows, and the audit, which reads the events anew, agrees.
More runs, and other ones each time: RUNS_OF_THE_MODEL=300.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from responder.adapters.notifier import Secret
from responder.domain.escalation import over
from responder.domain.message import Message, MessageState, is_bundle
from responder.domain.report import Signal
from responder.domain.ticket import Status, Ticket
from responder.errors import Refused, SendFailed, SendRefused
from responder.flows.audit_pages import audit_pages, compare
from responder.flows.handle import do
from responder.flows.holds import hold_of
from responder.flows.watch import look_at_clocks
from responder.store.transaction import Transaction
from tests.databases import opened
from tests.world import World, alert, resolved

RUNS = int(os.environ.get("RUNS_OF_THE_MODEL", "0"))
MINUTE = timedelta(minutes=1)
MOST, WITHIN = 3, 5 * MINUTE
LONGEST = 12 * MINUTE
"""Longer than any pause between two tries, and than a late channel and its bundle take together."""
PEOPLE = """
people:
  - name: mei
    channels: [{name: pager, url: "json://127.0.0.1:9/mei"}, {name: mail, url: "json://127.0.0.1:9/mei-mail"}]
    contact: [{channels: [pager]}, {after: 5m, channels: [mail]}]
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}], quiet_hours: {from: "22:00", to: "07:00"}}
  - {name: rosa, channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
rotas:
  - name: first
    layers: [{people: [mei, lars], rotation: daily, start: 2026-01-01 09:00}]
teams:
  - {name: ops, tiers: {1: {rota: first}, 2: [lars], 3: [rosa]}}
"""
POLICY = """
extends: p1-p4
moves: []
storm: {tickets: 9, within: 5m}
hold_off: [{name: a moment, when: ['severity="warning"'], for: 2m}]
delivery: {bundle: {messages: 3, within: 5m}}
escalation:
  - name: until somebody has it
    grades: [P1]
    steps:
      - tell: tier 1
      - {after: 5m, tell: tier 2}
      - {after: 10m, tell: tier 3}
    repeat: 1
    every: 15m
    still_on_it: 45m
"""
HOSTS = [f"web-{number}" for number in range(6)]
WORDS = {"acknowledge": {}, "give-back": {"reason": "x"}, "escalate": {"reason": "x"}, "note": {"text": "x"}}


@dataclass
class Pagers:
    """Every channel of everybody; each page that arrives is looked at in the instant in which it arrives."""

    world: World | None = None
    refusing: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    arrived: list[tuple[datetime, str, bool]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    async def send(self, address: Secret, subject: str, body: str) -> None:
        whose = address.value.rsplit("/", 1)[-1]
        if whose in self.refusing:
            raise SendRefused("410 Gone")
        if whose in self.away:
            raise SendFailed("503 for a while")
        if self.world is not None and "\nAcknowledge: " in body:
            number = subject.split()[1]
            ticket = (await self.world.read(lambda tx: tx.tickets.find(number))).ticket
            if ticket.acknowledged_by:
                self.wrong.append(f"{whose} is paged for {number}, which {ticket.acknowledged_by} has")
            if ticket.signal is Signal.CLEARED:
                self.wrong.append(f"{whose} is paged for {number}, which has cleared")
            self.arrived.append((self.world.clock.now(), whose, ticket.grade == "P1"))

    def close(self) -> None: ...


def _is_in_a_list(tx: Transaction, bundled: Message) -> bool:
    """Whether what was bundled is in a list that its channel has not taken so far; the list is looked at, too."""
    known = [message for ticket in tx.tickets.listed(limit=100) for message in tx.messages.of_ticket(ticket.id)]
    lists = [one for one in known if is_bundle(one.purpose) and not one.is_finished]
    return bundled.state is MessageState.BUNDLED and any(
        (one.person, one.channel) == (bundled.person, bundled.channel) for one in lists
    )


class Calling(RuleBasedStateMachine):
    @initialize(hour=st.integers(0, 23))
    def begin(self, hour: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.database = opened(Path(self.folder.name) / "model.db")
        self.world = World(Path(self.folder.name), self.database, people=PEOPLE, policy=POLICY)
        self.pagers = Pagers(world=self.world)
        self.world.desk.notifier = self.pagers
        self.world.clock.advance(timedelta(hours=hour))
        self._do(self._a_minute())
        self.alerts_fire({HOSTS[0]}, "critical")

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.database.close()
            self.loop.close()
            self.folder.cleanup()

    def _do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def _a_minute(self) -> None:
        await self.world.advance(MINUTE)
        while await look_at_clocks(self.world.desk):
            await self.world.work()
        await self.world.work()
        await audit_pages(self.world.desk)
        await self.world.work()

    # --- what happens ----------------------------------------------------------------------------------

    @rule(hosts=st.sets(st.sampled_from(HOSTS), min_size=1), severity=st.sampled_from(["critical", "error", "warning"]))
    def alerts_fire(self, hosts: set[str], severity: str) -> None:
        alerts = [alert(instance=f"{host}:9100", severity=severity, alertname="Odd") for host in sorted(hosts)]
        self._do(self.world.post(*alerts))
        self._do(self.world.work())

    @rule(hosts=st.sets(st.sampled_from(HOSTS), min_size=1), severity=st.sampled_from(["critical", "error", "warning"]))
    def alerts_clear(self, hosts: set[str], severity: str) -> None:
        alerts = [resolved(instance=f"{host}:9100", severity=severity, alertname="Odd") for host in sorted(hosts)]
        self._do(self.world.post(*alerts))
        self._do(self.world.work())

    @rule(verb=st.sampled_from(sorted(WORDS)), who=st.sampled_from(["mei", "lars", "rosa"]), at=st.integers(0, 30))
    def somebody_does_something(self, verb: str, who: str, at: int) -> None:
        tickets = self._tickets()
        if tickets:
            self._do(self._tried(verb, str(tickets[at % len(tickets)].id), who))

    async def _tried(self, verb: str, key: str, who: str) -> None:
        with contextlib.suppress(Refused):
            await do(self.world.desk, verb, key, actor=who, content=WORDS[verb])
        await self.world.work()

    @rule(minutes=st.integers(1, 12))
    def time_goes_by(self, minutes: int) -> None:
        for _ in range(minutes):
            self._do(self._a_minute())

    @rule(whose=st.sampled_from(["mei", "mei-mail", "lars", "rosa"]), for_good=st.booleans())
    def a_channel_breaks(self, whose: str, for_good: bool) -> None:
        (self.pagers.refusing if for_good else self.pagers.away).add(whose)

    @rule()
    def all_channels_are_mended(self) -> None:
        self.pagers.refusing.clear()
        self.pagers.away.clear()

    @rule()
    def the_service_starts_anew(self) -> None:
        self.world.desk = self.world.another_desk()
        self.world.desk.notifier = self.pagers

    # --- what must hold --------------------------------------------------------------------------------

    def _tickets(self) -> list[Ticket]:
        found: list[Ticket] = self._do(self.world.read(lambda tx: tx.tickets.listed(limit=100)))
        return found

    @invariant()
    def whoever_should_be_called_is(self) -> None:
        if hasattr(self, "world"):
            for ticket in self._tickets():
                self._do(self.world.read(partial(self._called, ticket)))

    def _called(self, ticket: Ticket, tx: Transaction) -> None:
        now, desk = self.world.clock.now(), self.world.desk
        chains = tx.chains.of_ticket(ticket.id)
        for chain in chains:
            if chain.next_call and not over(chain, ticket, len(chains)):
                assert chain.next_call.at > now, f"{ticket.number}: the call of {chain.next_call.at} was not made"
        for one in tx.messages.of_ticket(ticket.id):
            is_waiting = not one.is_finished or (one.state is MessageState.BUNDLED and one.sent_at is None)
            late = now - max(one.due_at or one.created_at, one.created_at)
            is_in_time = not is_waiting or late < LONGEST or _is_in_a_list(tx, one)
            assert is_in_time, f"{ticket.number}: a message to {one.person} is forgotten"
        if hold_of(desk, tx, ticket, now):
            return
        is_new = ticket.status is Status.NEW and ticket.signal is Signal.FIRING
        assert not is_new or now - ticket.episode_at < LONGEST, f"{ticket.number} was never handed over"
        is_nobodys = ticket.status is Status.HANDED_OVER and not ticket.acknowledged_by
        if not is_nobodys or ticket.signal is Signal.CLEARED:
            return
        pages = [one for one in tx.messages.of_ticket(ticket.id) if one.purpose.startswith("hand_over")]
        lost = (MessageState.FAILED, MessageState.OVERTAKEN)
        has_hope = any(one.episode == ticket.episode and one.state not in lost for one in pages)
        said = any("nobody is left to call" in event.text for event in tx.tickets.events(ticket.id))
        assert has_hope or said, f"{ticket.number} is nobody's, and nobody is told: {[one.state for one in pages]}"

    @invariant()
    def nobody_is_paged_for_what_somebody_has(self) -> None:
        if hasattr(self, "pagers"):
            assert not self.pagers.wrong, self.pagers.wrong

    @invariant()
    def nobody_gets_more_at_once_than_the_bundle_allows(self) -> None:
        if hasattr(self, "pagers"):
            pages = [(at, whose) for at, whose, is_urgent in self.pagers.arrived if not is_urgent]
            for at, whose in pages:
                together = sum(one == whose and at <= then < at + WITHIN for then, one in pages)
                assert together <= MOST + 1, f"{whose} got {together} pages within {WITHIN}"

    @invariant()
    def nothing_is_promised_twice(self) -> None:
        if hasattr(self, "world"):
            for ticket in self._tickets():
                messages = self._do(self.world.read(partial(_messages, ticket)))
                keys = Counter((one.episode, one.purpose, one.person, one.channel) for one in messages)
                assert all(count == 1 for count in keys.values())

    @invariant()
    def the_audit_agrees(self) -> None:
        if hasattr(self, "world"):
            found = self._do(compare(self.world.desk))
            assert found["agrees"], found["differences"]


def _messages(ticket: Ticket, tx: Transaction) -> list[Message]:
    return tx.messages.of_ticket(ticket.id)


Calling.TestCase.settings = settings(
    max_examples=RUNS or 20,
    derandomize=not RUNS,
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate) if not RUNS else tuple(Phase),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestCalling = pytest.mark.timeout(0 if RUNS else 300)(Calling.TestCase)
