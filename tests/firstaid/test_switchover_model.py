"""Whatever fails, hangs, comes late, dies or comes back: never two nodes serve, and the sentence is true."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responder.domain.runbook import RunOutcome, StepSpec
from responder.domain.target import Target
from responder.firstaid.engine import Engine
from responder.firstaid.plan import Plan, PlannedStep, from_snapshot, snapshot
from responder.firstaid.ports import Ended, StepEnd, Stop, Suspended
from tests.fakes import MINUTE, NOW, SECOND, Crash, CrashPlan, Disk, FakeClock, MemoryJournal, a_runbook
from tests.firstaid.two_nodes import (
    DIALECTS,
    ELSEWHERE,
    FATES,
    NEW,
    OLD,
    THIRD,
    Core,
    Dialect,
    OwnCommands,
    TwoNodeHands,
    Vrrp,
)

TARGETS = [Target(name=name, address="192.0.2.1") for name in (OLD, NEW, THIRD)]
EVENTS = ("old dies", "old comes back", "new dies", "new comes back", "third comes and goes")


def a_plan(made: dict[str, Any]) -> Plan:
    spec = StepSpec(name="switch over", kind="switchover", settings=made)
    return from_snapshot(snapshot(a_runbook([spec]), {}, TARGETS[0], inventory=TARGETS))


class WatchedJournal(MemoryJournal):
    """Keeps what was so at the instant at which the step's sentence was written."""

    def __init__(self, played: Played, crash: CrashPlan) -> None:
        super().__init__(played.clock, played.disk, crash)
        self._played = played

    async def end_step(self, step: PlannedStep, end: StepEnd, sentence: str) -> None:
        self._played.at_the_end = replace(self._played.core)
        await super().end_step(step, end, sentence)


@dataclass
class Played:
    """One run of a switchover in the little world, over several lives of the process."""

    dialect: Dialect
    plan: Plan
    clock: FakeClock
    events: dict[int, str] = field(default_factory=dict)
    crashes: list[int] = field(default_factory=list)
    disk: Disk = field(default_factory=Disk)
    legs: int = 0
    at_the_end: Core | None = None

    @property
    def core(self) -> Core:
        return self.dialect.core

    def to_the_end(self) -> Ended:
        for _ in range(400):
            try:
                result = asyncio.run(self._leg(CrashPlan(self.crashes[0] if self.crashes else None)))
            except Crash:
                self.crashes.pop(0)
                self._pass(2 * SECOND)
                continue
            if isinstance(result, Ended):
                return result
            self._pass(result.until - self.clock.now())
        raise AssertionError("the run waits for ever")

    async def _leg(self, crash: CrashPlan) -> Ended | Suspended:
        engine = Engine(
            plan=self.plan,
            target=OLD,
            hands=TwoNodeHands(self.dialect, crash),
            journal=WatchedJournal(self, crash),
            clock=self.clock,
            started_at=NOW,
        )
        return await engine.run()

    def _pass(self, time: Any) -> None:
        self.legs += 1
        self.clock.advance(time)
        if event := self.events.get(self.legs):
            self.core.event(event)
        if isinstance(self.dialect, Vrrp):
            self.dialect.elect()
        self.core.pass_time()
        self.core.check()

    def afterwards(self) -> None:
        """All that was late takes effect, and whoever was dead comes back."""
        for event in ("old comes back", "new comes back"):
            self.core.event(event)
            if isinstance(self.dialect, Vrrp):
                self.dialect.elect()
            self.core.check()
            self.clock.advance(10 * MINUTE)
            self.core.pass_time()
            self.core.check()


def play(driver: str, *, elsewhere: bool = False, **core: Any) -> Played:
    clock = FakeClock()
    dialect = DIALECTS[driver](Core(clock=clock, arbiter=driver in ("patroni", "keepalived"), **core))
    made = dict(DIALECTS[driver].settings)
    if elsewhere and driver != "patroni":
        made["fence"] = ELSEWHERE
    return Played(dialect=dialect, plan=a_plan(made), clock=clock)


def check_the_sentence(ended: Ended, played: Played) -> None:
    """What the sentence says of the two nodes is what was so when it was written."""
    core = played.at_the_end or played.core
    if ended.outcome is RunOutcome.HELPED:
        assert core.new_serves
        assert not core.old_reaches_users
        return
    if ended.outcome is RunOutcome.UNKNOWN:
        assert "Nobody can tell" in ended.sentence
        return
    assert ended.outcome is RunOutcome.FAILED
    told = re.search(r"State left: (.*?)(?: (and is (?:fenced|not proven).*?))?; (.*?)[.;](?: |$)", ended.sentence)
    assert told, ended.sentence
    old, fenced, new = told.groups()
    nodes = ((old, core.old_serves, core.old_reaches_users), (new, core.new_serves, core.new_reaches_users))
    for text, serves, reaches_users in nodes:
        if "does not hold" in text:
            assert not reaches_users, (ended.sentence, core.story)
        elif "cannot be seen" not in text:
            assert serves, (ended.sentence, core.story)
    if fenced and fenced.startswith("and is fenced"):
        assert core.is_fenced or core.arbiter, (ended.sentence, core.story)


@pytest.mark.parametrize("driver", DIALECTS)
def test_where_nothing_goes_wrong_the_service_is_on_the_new_node(driver: str) -> None:
    played = play(driver)
    ended = played.to_the_end()
    assert ended.outcome is RunOutcome.HELPED, ended.sentence
    check_the_sentence(ended, played)
    played.afterwards()


@pytest.mark.parametrize("driver", DIALECTS)
def test_a_dead_standby_is_a_refusal_and_nothing_is_changed(driver: str) -> None:
    played = play(driver, new_is_up=False)
    ended = played.to_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert "Nothing was changed" in ended.sentence
    assert played.core.story == []
    check_the_sentence(ended, played)


@pytest.mark.parametrize("driver", ["command", "keepalived"])
def test_an_old_node_that_does_not_answer_is_not_fenced_so_nothing_is_promoted(driver: str) -> None:
    played = play(driver, old_is_up=False)
    ended = played.to_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert "No fence: is configured that works without db-1" in ended.sentence
    assert "is not proven to be fenced" in ended.sentence
    assert played.core.story == []
    played.afterwards()


@pytest.mark.parametrize("driver", ["command", "keepalived"])
def test_fenced_from_elsewhere_an_old_node_that_does_not_answer_is_left(driver: str) -> None:
    played = play(driver, elsewhere=True, old_is_up=False)
    ended = played.to_the_end()
    assert ended.outcome is RunOutcome.HELPED, ended.sentence
    assert played.core.story[0] == "power off works"
    played.afterwards()


@pytest.mark.parametrize("driver", DIALECTS)
def test_a_new_node_that_does_not_answer_from_outside_loses_the_service_again(driver: str) -> None:
    played = play(driver, new_answers=False)
    ended = played.to_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert "did not answer through db-2" in ended.sentence
    assert "That was undone, and the service answers as it did before" in ended.sentence
    assert played.core.old_reaches_users
    assert not played.core.new_serves
    played.afterwards()


def test_a_promotion_of_which_nobody_knows_whether_it_ended_is_not_rolled_back() -> None:
    played = play("command", fates=["works", "says nothing and works late"], late=MINUTE)
    ended = played.to_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert "db-2 may still take over" in ended.sentence
    assert "Nobody knows whether this ran to its end: promote" in ended.sentence
    assert "start works" not in played.core.story
    played.afterwards()


def test_a_fence_that_cannot_be_proven_is_undone_and_nothing_is_promoted() -> None:
    played = play("command", fates=["fails"])
    ended = played.to_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert played.core.story == ["stop fails", "start works"]
    assert "db-1 holds the service and is not proven to be fenced" in ended.sentence


def test_the_all_clear_stops_it_before_the_first_act_and_never_after_it() -> None:
    for stop_at, stopped in ((0, True), (1, False)):
        played = play("command")
        journal = MemoryJournal(played.clock, played.disk)

        async def leg(played: Played = played, journal: MemoryJournal = journal) -> Ended | Suspended:
            hands = TwoNodeHands(played.dialect)
            engine = Engine(
                plan=played.plan, target=OLD, hands=hands, journal=journal, clock=played.clock, started_at=NOW
            )
            return await engine.run()

        for number in range(50):
            journal.stop = Stop(why="The alert has cleared.") if number >= stop_at else None
            result = asyncio.run(leg())
            if isinstance(result, Ended):
                break
            played._pass(result.until - played.clock.now())
        assert isinstance(result, Ended)
        assert (result.outcome is RunOutcome.CANCELLED) is stopped, result


def test_a_crash_at_any_place_of_an_undisturbed_switchover_is_survived() -> None:
    """Either it comes to its end, or it hands over with what nobody knows."""
    for driver, fates in product(DIALECTS, ([], ["works late"] * 3)):
        place, outcomes = 0, set()
        while True:
            place += 1
            played = play(driver, fates=list(fates), late=3 * SECOND)
            played.crashes = [place]
            ended = played.to_the_end()
            check_the_sentence(ended, played)
            check_that_it_is_promoted_at_most_once(played)
            played.afterwards()
            outcomes.add(ended.outcome)
            if played.crashes:
                break
        assert outcomes <= {RunOutcome.HELPED, RunOutcome.UNKNOWN}
        assert place > 10


def check_that_it_is_promoted_at_most_once(played: Played) -> None:
    promotions = ("promote ", "ready b ", f"switch to {NEW} ")
    sent = [one for one in played.core.story if one.startswith(promotions) and "takes effect" not in one]
    assert len(sent) <= 1, played.core.story


@pytest.mark.parametrize("driver", DIALECTS)
@pytest.mark.parametrize("new_answers", [True, False])
def test_whatever_two_acts_go_wrong_never_two_serve(driver: str, new_answers: bool) -> None:
    """Each pair of the first five acts, with each pair of fates; late is later than what it waits for."""
    wrong = [fate for fate in FATES if fate != "works"]
    for (one, other), fates in product(combinations(range(5), 2), product(wrong, ["works", *wrong])):
        drawn = ["works"] * 5
        drawn[one], drawn[other] = fates
        played = play(driver, fates=drawn, new_answers=new_answers, late=40 * SECOND)
        ended = played.to_the_end()
        check_the_sentence(ended, played)
        check_that_it_is_promoted_at_most_once(played)
        played.afterwards()


@pytest.mark.parametrize("driver", DIALECTS)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_never_two_serve_and_the_sentence_is_true(driver: str, data: st.DataObject) -> None:
    played = play(
        driver,
        elsewhere=data.draw(st.booleans(), "fence from elsewhere"),
        fates=data.draw(st.lists(st.sampled_from(FATES), max_size=7), "fates"),
        late=data.draw(st.integers(1, 90), "late by") * SECOND,
        new_is_healthy=data.draw(st.sampled_from([True, True, True, False]), "standby is healthy"),
        new_answers=data.draw(st.booleans(), "the new node answers"),
        old_is_up=data.draw(st.booleans(), "old is up"),
        third_is_up=data.draw(st.sampled_from([True, True, False]), "third is up"),
    )
    played.events = data.draw(st.dictionaries(st.integers(1, 40), st.sampled_from(EVENTS), max_size=4), "events")
    played.crashes = data.draw(st.lists(st.integers(1, 60), max_size=3), "crashes")
    ended = played.to_the_end()
    check_the_sentence(ended, played)
    check_that_it_is_promoted_at_most_once(played)
    played.afterwards()


def test_the_world_notices_two_that_serve() -> None:
    core = Core(clock=FakeClock())
    with pytest.raises(AssertionError, match="promoted before"):
        core.promote()
    core.stop_old()
    OwnCommands(core).run(NEW, ("promote",))
    with pytest.raises(AssertionError, match="two serve"):
        OwnCommands(core).run(OLD, ("start",))


def test_the_run_s_timeout_does_not_part_it_once_it_has_begun() -> None:
    played = play("command", fates=["works", "works late"], late=3 * SECOND)
    played.plan = replace(played.plan, timeout=SECOND)
    ended = played.to_the_end()
    assert ended.outcome is RunOutcome.HELPED, ended.sentence
