"""A model of handling: random policies, five people and a stranger, alerts that come and go, clocks and gates.

Whoever does whatever in whatever order: every move is one of the table, no closed gate is passed, nothing that is
required is skipped, every refusal is a sentence and changes nothing, each clock is counted once, and from everywhere
people can bring a ticket to its end. More runs, and other ones each time: RUNS_OF_THE_MODEL=2000; on a server:
MODEL_ON=postgresql.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from responder.domain.approval import able
from responder.domain.ticket import Action, Change, EventKind, Status, Ticket
from responder.errors import BadForm, NotFound, Refused, ResponderError
from responder.flows.handle import do
from responder.flows.replan import replan
from responder.flows.verbs import VERBS
from tests.flows.handling_model import ModelWorld, Seen, empty_database, one_step, way_out
from tests.flows.handling_rules import FORMS, GOOD, Rules, possible, rules

RUNS = int(os.environ.get("RUNS_OF_THE_MODEL", "0"))
HOSTS, SEVERITIES = ("web-1", "web-2", "web-3"), ("critical", "warning", "info")
PEOPLE = ("mei", "mei", "lars", "rosa", "otto", "hans", "stranger")
TICKETS = st.integers(0, 2)
DOINGS = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(FORMS))
Doing = tuple[str, tuple[str, Mapping[str, Any]]]


class Handling(RuleBasedStateMachine):
    """Rules are what may happen; invariants what must hold after each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory()
        self.known: dict[int, Seen] = {}
        self.is_sound = False
        self.reloads = 0

    @initialize(rules=rules(), is_correlated=st.booleans(), severity=st.sampled_from(SEVERITIES))
    def begin(self, rules: Rules, is_correlated: bool, severity: str) -> None:
        folder = Path(self._folder.name)
        self.database = empty_database(folder)
        self.watch = self.database.watch
        self.world = ModelWorld(folder, self.database, rules, is_correlated=is_correlated)
        self._do(self.world.stock_up())
        self._do(self.world.shows("web-1", severity, is_firing=True))
        self._do(self.world.work())

    def teardown(self) -> None:
        try:
            if self.is_sound:
                self._everything_has_a_way_out()
        finally:
            if hasattr(self, "database"):
                self.database.close()
            self.loop.close()
            self._folder.cleanup()

    def _everything_has_a_way_out(self) -> None:
        for ticket_id, seen in self.known.items():
            if seen.ticket.is_open:
                self._do(way_out(self.world, ticket_id))
                assert not self.watch.wrong, self.watch.wrong

    # --- what may happen ------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.world.firing) < 4)
    @rule(hosts=st.sets(st.sampled_from(HOSTS), min_size=1, max_size=2), severity=st.sampled_from(SEVERITIES))
    def alerts_fire(self, hosts: set[str], severity: str) -> None:
        for host in sorted(hosts):
            self._do(self.world.shows(host, severity, is_firing=True))
        self._do(self.world.work())

    @precondition(lambda self: self.world.firing)
    @rule(which=st.integers(0, 8), is_worked=st.booleans())
    def an_alert_clears(self, which: int, is_worked: bool) -> None:
        firing = sorted(self.world.firing)
        self._do(self.world.shows(*firing[which % len(firing)], is_firing=False))
        if is_worked:
            self._do(self.world.work())

    @precondition(lambda self: self.known)
    @rule(ticket=TICKETS, doing=DOINGS, version=st.sampled_from(["", "", "right", "stale"]), is_worked=st.booleans())
    def somebody_does_something(self, ticket: int, doing: Doing, version: str, is_worked: bool) -> None:
        self._do(self._acts(self._one(ticket), doing, version))
        if is_worked:
            self._do(self.world.work())

    @precondition(lambda self: self.known)
    @rule(ticket=TICKETS, data=st.data(), times=st.integers(1, 5))
    def people_work_on_it(self, ticket: int, data: st.DataObject, times: int) -> None:
        self._works(ticket, data, times)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), times=st.integers(2, 9))
    def people_work_on_the_first_one(self, data: st.DataObject, times: int) -> None:
        self._works(0, data, times)

    def _works(self, ticket: int, data: st.DataObject, times: int) -> None:
        number = self._one(ticket).ticket.id
        for _ in range(times):
            seen = self.known[number] = self.loop.run_until_complete(self.world.seen(number))
            others = [one.ticket for one in self.known.values() if one.ticket.id != number]
            members = [one.id for one in others if one.merged_into == number]
            verbs = possible(seen.ticket.status, is_asked=bool(seen.waiting), has_members=bool(members))
            verb = data.draw(st.sampled_from(verbs))
            forms = {
                "merge": [{"into": str(one.id)} for one in others if one.is_open],
                "split": [{"off": str(one), "reason": "another cause"} for one in members],
            }
            form = data.draw(st.sampled_from(forms.get(verb) or GOOD[verb]))
            who = data.draw(st.sampled_from(self._who_may(verb, seen)))
            self._do(self._acts(seen, (who, (verb, form)), ""))
            self._do(self.world.work())

    def _who_may(self, verb: str, seen: Seen) -> tuple[str, ...]:
        roles = seen.waiting[0].roles if verb in ("approve", "reject") else ()
        return able(roles, self.world.desk.configuration.people)

    @precondition(lambda self: self.known)
    @rule(ticket=TICKETS, first=DOINGS, second=DOINGS)
    def two_act_on_the_same_version(self, ticket: int, first: Doing, second: Doing) -> None:
        self._do(self._both_act(self._one(ticket).ticket, first, second))

    @precondition(lambda self: self.known)
    @rule(ticket=TICKETS, is_to_the_end=st.booleans())
    def somebody_goes_on(self, ticket: int, is_to_the_end: bool) -> None:
        seen = self._one(ticket)
        if seen.ticket.is_open:
            self._do(way_out(self.world, seen.ticket.id) if is_to_the_end else one_step(self.world, seen))
        self._do(self.world.work())

    @rule(minutes=st.sampled_from([1, 11, 61, 125, 260, 1500]), looks=st.sampled_from([0, 1, 4]))
    def time_passes(self, minutes: int, looks: int) -> None:
        self._do(self.world.later(minutes, looks=looks))

    @precondition(lambda self: self.reloads < 2)
    @rule(rules=rules(), is_restart=st.booleans())
    def the_policy_is_reloaded(self, rules: Rules, is_restart: bool) -> None:
        self.reloads += 1
        old = self.world.desk.policy
        self.world.play_by(rules)
        self._do(replan(self.world.desk, None if is_restart else old))

    # --- what must hold -------------------------------------------------------------------------------------

    @invariant()
    def every_change_was_in_order(self) -> None:
        if hasattr(self, "database"):
            assert not self.watch.wrong, "\n".join(self.watch.wrong)

    @invariant()
    def what_is_stored_is_in_order(self) -> None:
        if not hasattr(self, "database"):
            return
        before, self.known = self.known, self.loop.run_until_complete(self.world.all_seen())
        for ticket_id, seen in self.known.items():
            _version_grew(before.get(ticket_id), seen)
            _questions_are_asked_once(seen)
        self._alerts_are_on_their_tickets()
        failed = self.loop.run_until_complete(self.world.failed_jobs())
        assert not failed, failed
        self.is_sound = True

    def _alerts_are_on_their_tickets(self) -> None:
        tickets = [seen.ticket for seen in self.known.values()]
        held = Counter(alert for ticket in tickets if ticket.is_open for alert in ticket.firing)
        firing = {self.world.key(*one) for one in self.world.firing}
        dismissed = {alert for ticket in tickets if ticket.disposition for alert in ticket.firing}
        dismissed &= set().union(*self.watch.excused.values())
        assert not (lost := firing - held.keys() - dismissed), f"these fire and nobody sees it: {lost}"
        assert not (ghosts := held.keys() - firing), f"these have cleared, and a ticket still waits for it: {ghosts}"
        assert all(count == 1 for count in held.values()), f"on several tickets: {held}"

    # --- doing ----------------------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        self.is_sound = False
        self.loop.run_until_complete(work)

    def _one(self, number: int) -> Seen:
        return self.known[sorted(self.known)[number % len(self.known)]]

    async def _acts(self, before: Seen, doing: Doing, version: str) -> None:
        (who, (verb, form)), ticket = doing, before.ticket
        known = {"": None, "right": ticket.version, "stale": ticket.version - 1}[version]
        mark = len(self.watch.written)
        try:
            await do(self.world.desk, verb, str(ticket.id), actor=who, content=form, version=known)
        except Refused as refused:
            _is_a_sentence(ticket, doing, str(refused))
            _stands_on_the_ticket(verb, str(refused), self.watch.written[mark:])
            if "too late" not in str(refused):
                _changed_nothing(before, await self.world.seen(ticket.id), self.watch.written[mark:])
        except (BadForm, NotFound):
            assert self.watch.written[mark:] == []
        else:
            assert version != "stale", f"{verb} was done on a version that is not the newest"

    async def _both_act(self, ticket: Ticket, first: Doing, second: Doing) -> None:
        outcomes = await asyncio.gather(
            *(
                do(self.world.desk, verb, str(ticket.id), actor=who, content=form, version=ticket.version)
                for who, (verb, form) in (first, second)
            ),
            return_exceptions=True,
        )
        for one in outcomes:
            if isinstance(one, BaseException) and not isinstance(one, ResponderError):
                raise one
        assert sum(isinstance(one, Ticket) for one in outcomes) <= 1, f"both were done: {first}, {second}"


# --- what refusals look like ----------------------------------------------------------------------------------

_UNNOTED = ("has changed since you looked", "has nothing that waits for consent")
"""What is only said to whoever asked: it is no rule that refuses."""


def _is_a_sentence(ticket: Ticket, doing: Doing, said: str) -> None:
    """It ends as one, and names the ticket, what was filled in or what is missing, or who may not."""
    who, (verb, form) = doing
    assert said.endswith((".", "?")), f"{verb}: no full stop: {said}"
    fields = VERBS[verb].fields if verb in VERBS else ("role", "decided", "too late")
    filled = [word for one in form.values() for word in (one if isinstance(one, dict) else [str(one)])]
    words = [ticket.number, who, *form, *fields, *filled]
    assert any(word.rstrip("s") in said for word in words), f"{verb}: names neither ticket nor what is missing: {said}"


def _stands_on_the_ticket(verb: str, said: str, written: list[Change]) -> None:
    if any(one in said for one in _UNNOTED):
        assert written == []
        return
    noted = [event.text for change in written for event in change.events if event.kind is EventKind.REFUSED]
    assert any(said in text for text in noted), f"{verb}: no refusal on the ticket: {said}"


def _changed_nothing(before: Seen, after: Seen, written: list[Change]) -> None:
    """But for the refusal itself, and a question at a gate."""
    was, now = replace(before.ticket, version=0), replace(after.ticket, version=0)
    assert (was, before.clocks, before.dossier, before.held) == (now, after.clocks, after.dossier, after.held)
    old = {one.id: one for one in before.approvals}
    assert all(old.get(one.id, one) == one and (one.id in old or one.is_waiting) for one in after.approvals)
    for change in written:
        assert not change.sums
        left = {promise.kind for promise in change.promises} | {event.kind.value for event in change.events}
        assert left <= {"refused", "approval", "deliver", "deliver_first", "consent"}, f"refused, and it left {left}"


def _version_grew(before: Seen | None, now: Seen) -> None:
    if before is None:
        return
    assert now.ticket.version >= before.ticket.version
    is_same = (now.ticket, now.clocks, now.dossier, now.events) == (
        before.ticket, before.clocks, before.dossier, before.events
    )  # fmt: skip
    assert is_same or now.ticket.version > before.ticket.version, f"{now.ticket.number} has changed in secret"


def _questions_are_asked_once(seen: Seen) -> None:
    waiting = Counter((one.gate, one.runbook) for one in seen.waiting if one.episode == seen.ticket.episode)
    assert all(count == 1 for count in waiting.values()), f"{seen.ticket.number} asks twice: {waiting}"
    if seen.ticket.status is Status.PROPOSED:
        moves = [one.runbook for one in seen.waiting]
        assert Action.APPROVE in moves, f"{seen.ticket.number} is proposed, and nobody is asked"


Handling.TestCase.settings = settings(
    max_examples=RUNS or 30,
    derandomize=not RUNS,
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate) if not RUNS else tuple(Phase),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestHandling = pytest.mark.timeout(0 if RUNS else 300)(Handling.TestCase)
