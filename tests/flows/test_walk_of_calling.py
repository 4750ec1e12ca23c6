"""A long walk through the model of calling, by dice, with all its rules and an oracle that knows the policy's words.

Its runs are longer than those of the model, so that chains come to their end, nights pass, and people are silent.
WALKS_OF_CALLING=20 makes more of them.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from responder.adapters.notifier import Secret
from responder.domain.report import Signal
from responder.domain.rota import Override
from responder.domain.ticket import Status, Ticket
from responder.errors import Refused
from responder.flows.overrides import add_override
from responder.store.transaction import Transaction
from tests.flows import test_model_of_calling as model
from tests.flows.calling_oracle import MINUTE, Oracle

WALKS = int(os.environ.get("WALKS_OF_CALLING", "2"))
STEPS = 70
WHAT = {
    "fires": 3, "clears": 1, "acts": 4, "passes": 9, "breaks": 2, "mended": 2, "restarts": 2, "stands in": 2, "away": 1,
}  # fmt: skip


@dataclass
class StrictPagers(model.Pagers):
    """Also looks whether a list of bundled pages names each ticket that it stands for, and none that somebody has."""

    lists: int = 0
    questions: list[str] = field(default_factory=list)

    async def send(self, address: Secret, subject: str, body: str) -> None:
        await super().send(address, subject, body)
        if self.world is not None and "wait for somebody:" in body:
            self.lists += 1
            whose = address.value.rsplit("/", 1)[-1]
            person, channel = {"mei": ("mei", "pager"), "mei-mail": ("mei", "mail")}.get(whose, (whose, "phone"))
            needed = await self.world.read(lambda tx: _needed(tx, person, channel))
            self.wrong += [f"the list of {whose} forgets {number}" for number in needed if number not in body]
        elif "are you still on it?" in subject:
            self.questions.append(subject)


def _needed(tx: Transaction, person: str, channel: str) -> list[str]:
    tickets = [tx.tickets.one(one.ticket_id).ticket for one in tx.messages.bundled(person, channel)]
    return [one.number for one in tickets if _is_nobodys(one)]


def _is_nobodys(ticket: Ticket) -> bool:
    return ticket.status is Status.HANDED_OVER and not ticket.acknowledged_by and ticket.signal is Signal.FIRING


class Walk:
    """One walk; what it came to is counted, so that a walk in which nothing happens is noticed."""

    def __init__(self, seed: int) -> None:
        self.dice, self.oracle, self.machine = random.Random(seed), Oracle(), model.Calling()
        self.machine.begin(hour=self.dice.randrange(24))
        self.pagers = StrictPagers(world=self.machine.world)
        self.machine.pagers = self.machine.world.desk.notifier = self.pagers
        self.machine.alerts_fire(set(model.HOSTS[1:]), "error")

    def goes(self, steps: int) -> None:
        for _ in range(steps):
            (what,) = self.dice.choices(list(WHAT), list(WHAT.values()))
            self._does(what)
            self._looks()

    def ends_in_silence(self) -> None:
        """Somebody takes a P1 and is not heard of again."""
        self.machine.all_channels_are_mended()
        self.machine.alerts_fire({"web-9"}, "critical")
        newest = max(self.machine._tickets(), key=lambda one: one.id)
        self.machine._do(self.machine._tried("acknowledge", str(newest.id), "rosa"))
        for _ in range(5):
            self.machine.time_goes_by(12)
            self._looks()

    def ends_with_broken_channels(self) -> None:
        """First one channel of the first person refuses, then all of the first two."""
        machine = self.machine
        machine._do(self._stands_in("rosa"))
        for host, refusing in (("web-10", {"mei"}), ("web-11", {"mei", "mei-mail", "lars"})):
            machine.all_channels_are_mended()
            self.pagers.refusing |= refusing
            machine.alerts_fire({host}, "critical")
            self._looks()

    def _does(self, what: str) -> None:
        machine, dice = self.machine, self.dice
        if what == "fires":
            hosts = set(dice.sample(model.HOSTS, dice.randint(1, 3)))
            machine.alerts_fire(hosts, dice.choice(["critical", "critical", "error", "error", "warning"]))
        elif what == "clears":
            machine.alerts_clear(set(dice.sample(model.HOSTS, 2)), dice.choice(["critical", "error"]))
        elif what == "acts":
            verb = dice.choice(["acknowledge", "acknowledge", "acknowledge", "give-back", "escalate", "note"])
            machine.somebody_does_something(verb, dice.choice(["mei", "lars", "rosa"]), dice.randrange(30))
        elif what == "passes":
            machine.time_goes_by(dice.randint(1, 16))
        elif what == "breaks":
            machine.a_channel_breaks(dice.choice(["mei", "mei", "mei-mail", "lars", "rosa"]), dice.random() < 0.5)
        elif what == "mended":
            machine.all_channels_are_mended()
        elif what == "restarts":
            machine.the_service_starts_anew()
        elif what == "stands in":
            machine._do(self._stands_in())
        else:
            machine.world.clock.advance(dice.randint(5, 90) * MINUTE)
            self.oracle.back_at = machine.world.clock.now()
            machine.time_goes_by(1)

    async def _stands_in(self, who: str = "") -> None:
        now, dice = self.machine.world.clock.now(), self.dice
        if any(until > now for _, until, _ in self.oracle.stands_in):
            return
        until, who = now + timedelta(hours=dice.randint(1, 6)), who or dice.choice(["mei", "lars", "rosa"])
        wanted = Override(rota="first", person=who, start=now, until=until, reason="dentist", actor="rosa", made_at=now)
        with contextlib.suppress(Refused):
            await add_override(self.machine.world.desk, wanted)
            self.oracle.stands_in.append((now, until, who))

    def _looks(self) -> None:
        machine = self.machine
        machine.whoever_should_be_called_is()
        machine.nobody_is_paged_for_what_somebody_has()
        machine.nobody_gets_more_at_once_than_the_bundle_allows()
        machine.nothing_is_promised_twice()
        machine.the_audit_agrees()
        wrong = machine._do(machine.world.read(lambda tx: list(self._wrong(tx))))
        assert wrong == []

    def _wrong(self, tx: Transaction) -> Iterator[str]:
        now = self.machine.world.clock.now()
        for ticket in tx.tickets.listed(limit=100):
            facts = tx.tickets.events(ticket.id), tx.chains.of_ticket(ticket.id), tx.messages.of_ticket(ticket.id)
            yield from (f"{ticket.number}: {text}" for text in self.oracle.wrong(ticket, *facts, now))

    def calls_made(self) -> int:
        def body(tx: Transaction) -> int:
            return max(
                one.position for ticket in tx.tickets.listed(limit=100) for one in tx.chains.of_ticket(ticket.id)
            )

        made: int = self.machine._do(self.machine.world.read(body))
        return made

    def ends(self) -> None:
        self.machine.teardown()


def test_walks_through_calls_outages_and_silence_keep_what_the_policy_promises() -> None:
    seen = {"calls": 0, "lists": 0, "questions": 0, "stood in": 0}
    for seed in range(1, WALKS + 1):
        walk = Walk(seed)
        try:
            walk.goes(STEPS)
            walk.ends_with_broken_channels()
            walk.ends_in_silence()
            seen["calls"] = max(seen["calls"], walk.calls_made())
            seen["lists"] += walk.pagers.lists
            seen["questions"] += len(walk.pagers.questions)
            seen["stood in"] += len(walk.oracle.stands_in)
        except AssertionError as error:
            raise AssertionError(f"walk {seed}: {error}") from error
        finally:
            walk.ends()
    assert all(seen.values()), seen
    assert seen["calls"] >= 4


pytestmark = pytest.mark.timeout(0 if WALKS > 2 else 300)
