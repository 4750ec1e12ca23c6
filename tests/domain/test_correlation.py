"""What a batch of reports does: attach, repeat, clear, relapse, reopen, open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from responder.clock import microseconds
from responder.domain import lifecycle
from responder.domain.correlation import Decision, Known, Outcome, decide, title, troubles, with_source
from responder.domain.matching import parse_matcher
from responder.domain.policy import CorrelationRule, FirstAidRule, FlappingRule, HeartbeatRule, Policy
from responder.domain.report import Report, Signal
from responder.domain.sla import Clock
from responder.domain.ticket import Change, EventKind, Status
from tests.fakes import HOUR, MINUTE, NOW, SECOND, a_policy, a_report, cleared

POLICY = a_policy()
FIRST_AID = FirstAidRule(name="restart", when=(parse_matcher('alertname="Down"'),), runbook="restart-unit")


class World:
    """Decides batch after batch, keeping tickets as a store would."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.known: dict[str, Known] = {}
        self.now = NOW
        self.decision = Decision()

    def receive(self, *reports: Report, after: timedelta = timedelta()) -> list[Outcome]:
        self.now += after
        self.decision = decide(reports, self.known, self.policy, self.now)
        for trouble, change in self.decision.changes.items():
            self._keep(trouble, change)
        return [filed.outcome for filed in self.decision.filed]

    def act(self, verb: str, *, after: timedelta = timedelta()) -> None:
        """What people and jobs do to the only ticket in between."""
        self.now += after
        (trouble,) = self.known
        change = Change.of(self.known[trouble].ticket, self.known[trouble].clocks)
        _VERBS[verb](change, self.policy, self.now)
        self._keep(trouble, change)

    def _keep(self, trouble: str, change: Change) -> None:
        number = change.after.number or f"INC-{len(self.known) + 1}"
        ticket = replace(change.after, id=change.after.id or len(self.known) + 1, number=number)
        self.known[trouble] = Known(ticket=ticket, clocks=change.clocks)

    @property
    def change(self) -> Change:
        (change,) = self.decision.changes.values()
        return change


def _left(clock: Clock) -> timedelta | None:
    return clock.remaining(NOW)


def _restore(change: Change, policy: Policy, now: datetime) -> None:
    lifecycle.restore(change, policy, now=now, actor="responder", reason="helped", by=lifecycle.MACHINE)


def _resolve(change: Change, policy: Policy, now: datetime) -> None:
    lifecycle.resolve(change, policy, now=now, reason="quiet")


def _close(change: Change, policy: Policy, now: datetime) -> None:
    lifecycle.close(change, policy, now=now, actor="responder", reason="done")


def _first_aid(change: Change, policy: Policy, now: datetime) -> None:
    lifecycle.start_first_aid(change, policy, now=now, reason="run 1")


def _hand_over(change: Change, policy: Policy, now: datetime) -> None:
    lifecycle.hand_over(change, policy, now=now, reason="no help")


def _acknowledge(change: Change, policy: Policy, now: datetime) -> None:
    assert lifecycle.acknowledge(change, policy, now=now, actor="ann", reason="mine") is None


_VERBS = {
    "restore": _restore,
    "resolve": _resolve,
    "close": _close,
    "first aid": _first_aid,
    "hand over": _hand_over,
    "acknowledge": _acknowledge,
}


def promised(change: Change) -> list[str]:
    return [promise.kind for promise in change.promises]


def texts(change: Change, kind: EventKind) -> list[str]:
    return [event.text for event in change.events if event.kind is kind]


# --- opening ---------------------------------------------------------------------------------------


def test_a_new_alert_opens_one_ticket_with_grade_clocks_and_a_promise() -> None:
    world = World()
    assert world.receive(a_report()) == [Outcome.OPENED]
    change = world.change
    assert change.before is None
    assert (change.after.status, change.after.signal, change.after.grade) == (Status.NEW, Signal.FIRING, "P3")
    assert {name: _left(clock) for name, clock in change.clocks.items()} == POLICY.grades["P3"].targets
    assert promised(change) == ["hand_over"]
    assert texts(change, EventKind.OPENED)[0].startswith("P3 by rule “default”: no grade rule matched")
    created = (("priority", "P3"), ("source", "am"), ("team", "ops"))
    assert change.sums["tickets_created_total", created] == 1


def test_an_alert_that_a_first_aid_rule_names_is_promised_first_aid_instead_of_people() -> None:
    world = World(a_policy(first_aid=(FIRST_AID,)))
    world.receive(a_report())
    assert promised(world.change) == ["first_aid"]
    assert world.change.after.runbook == "restart-unit"


def test_a_first_aid_rule_for_other_grades_does_not_apply() -> None:
    world = World(a_policy(first_aid=(replace(FIRST_AID, grades=("P1",)),)))
    world.receive(a_report())
    assert promised(world.change) == ["hand_over"]
    assert world.change.promises[0].args["why"] == "No first-aid rule fits."


def test_two_copies_of_one_alert_in_one_batch_make_one_ticket() -> None:
    world = World()
    assert world.receive(a_report(), a_report()) == [Outcome.OPENED, Outcome.REPEATED]
    assert len(world.decision.changes) == 1
    assert promised(world.change) == ["hand_over"]


def test_the_same_alert_from_two_sources_in_one_batch_is_one_trouble() -> None:
    world = World()
    assert world.receive(a_report(), with_source(a_report(), "am-2")) == [Outcome.OPENED, Outcome.REPEATED]


def test_two_different_alerts_in_one_batch_make_two_tickets() -> None:
    world = World()
    other = a_report({"alertname": "Down", "instance": "web-2"})
    assert world.receive(a_report(), other) == [Outcome.OPENED, Outcome.OPENED]
    assert len(world.known) == 2


def test_an_alert_that_fires_and_clears_in_one_batch_leaves_a_restored_ticket_and_nobody_is_woken_for_a_fire() -> None:
    world = World()
    assert world.receive(a_report(), cleared(a_report(), NOW)) == [Outcome.OPENED, Outcome.CLEARED]
    assert world.change.after.status is Status.RESTORED
    assert world.change.after.firing == {}


def test_a_truncated_body_marks_the_ticket_incomplete_and_says_so() -> None:
    world = World()
    world.receive(a_report(incomplete=True))
    assert world.change.after.incomplete
    assert "other alerts of this group may be missing" in texts(world.change, EventKind.OPENED)[0]


def test_a_complete_body_is_not_marked_incomplete() -> None:
    world = World()
    world.receive(a_report())
    assert not world.change.after.incomplete
    assert "missing" not in texts(world.change, EventKind.OPENED)[0]


def test_the_title_is_the_summary_in_one_line_and_never_too_long() -> None:
    assert title(a_report(annotations={"summary": "disk\n is   full"})) == "disk is full"
    assert title(a_report(annotations={"title": "from the title"})) == "from the title"
    assert title(a_report()) == "Down on web-1"
    assert title(a_report({"job": "node"})) == "alert without a name on node"
    assert len(title(a_report(annotations={"summary": "x" * 5000}))) == 200


def test_the_keys_to_look_up_are_those_that_the_decision_uses() -> None:
    reports = [a_report(), a_report({"alertname": "Other"})]
    world = World()
    world.receive(*reports)
    assert troubles(reports, POLICY) == list(world.decision.changes)


# --- repeats and attachments -----------------------------------------------------------------------


def test_a_repeat_opens_nothing_changes_nothing_and_pages_nobody() -> None:
    world = World()
    world.receive(a_report())
    assert world.receive(a_report(), after=4 * HOUR) == [Outcome.REPEATED]
    assert (world.change.after, world.change.events, world.change.promises) == (world.change.before, [], [])


def test_a_repeat_with_a_later_start_remembers_that_start() -> None:
    world = World()
    world.receive(a_report())
    later = a_report(started_at=NOW + MINUTE)
    assert world.receive(later, after=2 * MINUTE) == [Outcome.REPEATED]
    assert world.change.after.firing == {later.alert: microseconds(NOW + MINUTE)}


def test_a_repeat_with_an_earlier_start_does_not_turn_the_start_back() -> None:
    world = World()
    world.receive(a_report())
    world.receive(a_report(started_at=NOW - HOUR))
    assert world.change.after.firing == {a_report().alert: microseconds(NOW)}


KEYED = a_policy(correlation=(CorrelationRule(name="host", when=(parse_matcher('instance!=""'),), by=("instance",)),))
DISK = a_report({"alertname": "DiskFull", "instance": "web-1"})
LOAD = a_report({"alertname": "Load", "instance": "web-1"})


def test_alerts_that_a_correlation_rule_joins_are_one_ticket() -> None:
    world = World(KEYED)
    assert world.receive(DISK, LOAD) == [Outcome.OPENED, Outcome.ATTACHED]
    assert set(world.change.after.firing) == {DISK.alert, LOAD.alert}
    assert texts(world.change, EventKind.ATTACHED) == ["Another alert of the same trouble: Load on web-1."]


def test_a_correlation_rule_that_does_not_match_leaves_alerts_apart() -> None:
    world = World(KEYED)
    assert world.receive(a_report({"alertname": "A"}), a_report({"alertname": "B"})) == [Outcome.OPENED, Outcome.OPENED]


def test_another_value_of_the_correlated_label_is_another_trouble() -> None:
    world = World(KEYED)
    assert world.receive(DISK, a_report({"alertname": "DiskFull", "instance": "web-2"})) == [Outcome.OPENED] * 2


def test_two_correlation_rules_with_the_same_values_do_not_mix_their_troubles() -> None:
    rules = tuple(
        CorrelationRule(name=name, when=(parse_matcher(f'team="{name}"'),), by=("instance",)) for name in ("a", "b")
    )
    world = World(a_policy(correlation=rules))
    reports = [a_report({"team": name, "instance": "web-1"}) for name in ("a", "b")]
    assert world.receive(*reports) == [Outcome.OPENED, Outcome.OPENED]


def test_a_keyed_trouble_is_clear_only_when_all_of_its_alerts_are() -> None:
    world = World(KEYED)
    world.receive(DISK, LOAD)
    assert world.receive(cleared(DISK, NOW + MINUTE), after=MINUTE) == [Outcome.PARTLY_CLEARED]
    assert (world.change.after.signal, world.change.after.status) == (Signal.FIRING, Status.NEW)
    assert texts(world.change, EventKind.SIGNAL) == ["One of its alerts cleared; 1 still shows."]
    assert world.receive(cleared(LOAD, NOW + MINUTE), after=MINUTE) == [Outcome.CLEARED]
    assert (world.change.after.signal, world.change.after.status) == (Signal.CLEARED, Status.RESTORED)


def test_two_alerts_whose_labels_were_cut_to_the_same_are_both_waited_for() -> None:
    first, second = a_report(fingerprint="1"), a_report(fingerprint="2")
    world = World()
    assert world.receive(first, second) == [Outcome.OPENED, Outcome.ATTACHED]
    assert world.receive(cleared(first, NOW)) == [Outcome.PARTLY_CLEARED]
    assert world.receive(cleared(second, NOW)) == [Outcome.CLEARED]


# --- all-clears ------------------------------------------------------------------------------------


def test_an_all_clear_restores_the_ticket_and_promises_to_settle_after_the_quiet_time() -> None:
    world = World()
    world.receive(a_report())
    assert world.receive(cleared(a_report(), NOW + MINUTE), after=MINUTE) == [Outcome.CLEARED]
    after = world.change.after
    assert (after.status, after.signal, after.cleared_at) == (Status.RESTORED, Signal.CLEARED, world.now)
    (promise,) = world.change.promises
    assert (promise.kind, promise.due_at, promise.args) == ("settle", world.now + 5 * MINUTE, {"episode": 1})


def test_an_all_clear_for_nothing_known_opens_nothing() -> None:
    world = World()
    assert world.receive(cleared(a_report(), NOW)) == [Outcome.NOTHING_TO_CLEAR]
    assert world.decision.changes == {}


def test_a_second_copy_of_an_all_clear_changes_nothing() -> None:
    world = World()
    world.receive(a_report())
    world.receive(cleared(a_report(), NOW), after=SECOND)
    assert world.receive(cleared(a_report(), NOW), after=SECOND) == [Outcome.NOTHING_TO_CLEAR]
    assert (world.change.after, world.change.promises) == (world.change.before, [])


def test_an_all_clear_of_an_earlier_episode_is_stale_and_changes_nothing() -> None:
    world = World()
    world.receive(a_report(started_at=NOW))
    assert world.receive(cleared(a_report(), NOW - SECOND)) == [Outcome.STALE]
    assert world.change.after == world.change.before


def test_an_all_clear_that_ends_at_the_very_start_is_not_stale() -> None:
    world = World()
    world.receive(a_report())
    assert world.receive(cleared(a_report(), NOW)) == [Outcome.CLEARED]


@pytest.mark.parametrize(
    ("verbs", "by"),
    [
        ([], "itself"),
        (["first aid"], "machine"),
        (["first aid", "hand over"], "itself"),
        (["hand over", "acknowledge"], "human"),
        (["first aid", "hand over", "acknowledge"], "human"),
    ],
)
def test_who_gets_the_merit_when_the_alert_clears(verbs: list[str], by: str) -> None:
    world = World()
    world.receive(a_report())
    for verb in verbs:
        world.act(verb, after=MINUTE)
    world.receive(cleared(a_report(), NOW + HOUR), after=MINUTE)
    assert world.change.after.restored_by == by


def test_an_all_clear_after_first_aid_reported_success_is_the_proof_and_keeps_the_merit() -> None:
    world = World()
    world.receive(a_report())
    world.act("first aid", after=MINUTE)
    world.act("restore", after=MINUTE)
    assert world.receive(cleared(a_report(), NOW + 3 * MINUTE), after=MINUTE) == [Outcome.CLEARED]
    assert world.change.after.restored_by == "machine"
    assert world.change.after.restored_at == NOW + 2 * MINUTE
    assert promised(world.change) == ["settle"]


# --- coming back -----------------------------------------------------------------------------------


def restored_world(policy: Policy = POLICY) -> World:
    world = World(policy)
    world.receive(a_report())
    world.receive(cleared(a_report(), NOW + MINUTE), after=MINUTE)
    return world


def refire(at: datetime) -> Report:
    return a_report(started_at=at)


def test_a_relapse_while_restored_goes_to_people_and_not_to_first_aid_again() -> None:
    world = restored_world(a_policy(first_aid=(FIRST_AID,)))
    assert world.receive(refire(NOW + 2 * MINUTE), after=MINUTE) == [Outcome.RELAPSED]
    after = world.change.after
    assert (after.status, after.signal, after.episode) == (Status.HANDED_OVER, Signal.FIRING, 2)
    assert promised(world.change) == ["hand_over"]


def test_a_relapse_with_another_cause_says_the_cause_of_now() -> None:
    world = restored_world()
    before = world.change.after.title
    world.receive(a_report(started_at=NOW + 2 * MINUTE, annotations={"summary": "Connection refused"}), after=MINUTE)
    after = world.change.after
    assert (before, after.title, after.annotations) != (before, before, {})
    assert (after.title, after.annotations) == ("Connection refused", {"summary": "Connection refused"})
    assert "It says now: Connection refused" in [event.text for event in world.change.events]


def test_what_we_say_of_ourselves_is_said_anew_and_what_others_repeat_is_not() -> None:
    for source, said in (("responder", "Connection refused"), ("prometheus", "Wrong password")):
        world = World()
        world.receive(a_report(source=source, annotations={"summary": "Wrong password"}))
        assert world.receive(a_report(source=source, annotations={"summary": "Connection refused"})) == [
            Outcome.REPEATED
        ]
        assert world.change.after.title == said


def test_a_repeat_while_first_aid_waits_for_its_proof_is_no_relapse() -> None:
    world = World()
    world.receive(a_report())
    world.act("first aid")
    world.act("restore")
    assert world.receive(a_report(), after=MINUTE) == [Outcome.REPEATED]
    assert world.change.after.status is Status.RESTORED


def closed_world(policy: Policy = POLICY) -> World:
    world = restored_world(policy)
    world.act("resolve", after=10 * MINUTE)
    world.act("close", after=24 * HOUR)
    return world


def test_a_refire_while_resolved_reopens_with_a_new_episode_and_new_clocks() -> None:
    world = restored_world(a_policy(first_aid=(FIRST_AID,)))
    world.act("resolve", after=10 * MINUTE)
    assert world.receive(refire(world.now + MINUTE), after=MINUTE) == [Outcome.REOPENED]
    after = world.change.after
    assert (after.status, after.episode, after.episode_at) == (Status.NEW, 2, world.now)
    assert all(clock.started_at == world.now and clock.is_running for clock in world.change.clocks.values())
    assert promised(world.change) == ["first_aid"]


@pytest.mark.parametrize("later", [timedelta(), MINUTE, HOUR])
def test_a_refire_within_the_window_after_closing_reopens_the_same_ticket(later: timedelta) -> None:
    world = closed_world()
    assert world.receive(refire(world.now + later), after=later) == [Outcome.REOPENED]
    assert world.change.before is not None
    assert world.change.after.number == world.change.before.number
    assert (world.change.after.status, world.change.after.closed_at) == (Status.NEW, None)


def test_a_refire_after_the_window_opens_a_new_ticket_that_points_back() -> None:
    world = closed_world()
    old = next(iter(world.known.values())).ticket
    assert world.receive(refire(world.now + HOUR + SECOND), after=HOUR + SECOND) == [Outcome.OPENED]
    assert (world.change.before, world.change.after.previous_id) == (None, old.id)
    assert f"The same trouble was {old.number}." in texts(world.change, EventKind.OPENED)[0]


def test_two_late_refires_in_one_batch_open_one_new_ticket() -> None:
    world = closed_world()
    report = refire(world.now + 2 * HOUR)
    assert world.receive(report, report, after=2 * HOUR) == [Outcome.OPENED, Outcome.REPEATED]


def test_an_alert_that_fires_again_while_a_person_works_is_noted_and_wakes_nobody() -> None:
    world = World(KEYED)
    world.receive(DISK)
    world.act("hand over")
    world.act("acknowledge")
    world.receive(cleared(DISK, NOW + MINUTE), after=MINUTE)
    assert world.change.after.status is Status.RESTORED
    assert world.receive(replace(DISK, started_at=NOW + 2 * MINUTE), after=MINUTE) == [Outcome.RELAPSED]
    assert world.change.after.acknowledged_by == ""


def test_reopening_needs_people_again_when_no_first_aid_rule_fits() -> None:
    world = closed_world()
    world.receive(refire(world.now), after=MINUTE)
    assert promised(world.change) == ["hand_over"]
    reopened = (("priority", "P3"), ("team", "ops"))
    assert world.change.sums["tickets_reopened_total", reopened] == 1


# --- flapping --------------------------------------------------------------------------------------


def flap(world: World, starts: int, every: timedelta) -> None:
    """So many starts, each followed by its all-clear."""
    for _ in range(starts):
        world.receive(refire(world.now + every), after=every)
        world.receive(cleared(refire(world.now), world.now))


def test_the_third_start_within_an_hour_is_flapping_and_says_since_when() -> None:
    world = World()
    flap(world, 2, 10 * MINUTE)
    assert not next(iter(world.known.values())).ticket.flapping
    world.receive(refire(world.now + MINUTE), after=10 * MINUTE)
    assert world.change.after.flapping
    assert texts(world.change, EventKind.FLAPPING) == ["It flaps: 3 starts since 10:10 UTC."]


def test_starts_further_apart_than_the_rule_says_are_no_flapping() -> None:
    world = World()
    flap(world, 5, 31 * MINUTE)
    assert not next(iter(world.known.values())).ticket.flapping


def test_flapping_is_announced_once() -> None:
    world = World()
    flap(world, 3, 5 * MINUTE)
    world.receive(refire(world.now + MINUTE), after=MINUTE)
    assert texts(world.change, EventKind.FLAPPING) == []


def test_what_flaps_must_stay_quiet_for_the_longer_time() -> None:
    world = World()
    flap(world, 3, 5 * MINUTE)
    (promise,) = world.change.promises
    assert promise.due_at == world.now + FlappingRule().quiet


def test_automation_keeps_its_hands_off_what_flaps() -> None:
    rule = FlappingRule(changes=2, within=48 * HOUR)
    world = closed_world(a_policy(first_aid=(FIRST_AID,), flapping=rule))
    assert world.receive(refire(world.now), after=MINUTE) == [Outcome.REOPENED]
    (promise,) = world.change.promises
    assert (promise.kind, promise.args["why"]) == ("hand_over", "It flaps, so automation keeps its hands off.")


def test_repeats_are_no_starts_and_never_flap() -> None:
    world = World()
    for _ in range(10):
        world.receive(a_report(), after=MINUTE)
    assert not next(iter(world.known.values())).ticket.flapping


# --- heartbeats ------------------------------------------------------------------------------------

WATCHDOG = HeartbeatRule(name="watchdog", when=(parse_matcher('alertname="Watchdog"'),), within=10 * MINUTE)
BEAT = a_report({"alertname": "Watchdog"})


def test_a_heartbeat_opens_nothing_and_notes_when_it_was_heard() -> None:
    world = World(a_policy(heartbeats=(WATCHDOG,)))
    assert world.receive(BEAT, after=MINUTE) == [Outcome.HEARTBEAT]
    assert world.decision.changes == {}
    assert world.decision.heartbeats == {("am", "watchdog"): NOW + MINUTE}


def test_a_heartbeat_that_clears_is_no_sign_of_life() -> None:
    world = World(a_policy(heartbeats=(WATCHDOG,)))
    assert world.receive(cleared(BEAT, NOW)) == [Outcome.HEARTBEAT]
    assert world.decision.heartbeats == {}


def test_each_source_has_its_own_heartbeat() -> None:
    world = World(a_policy(heartbeats=(WATCHDOG,)))
    world.receive(BEAT, with_source(BEAT, "am-2"))
    assert set(world.decision.heartbeats) == {("am", "watchdog"), ("am-2", "watchdog")}


def test_without_a_heartbeat_rule_the_same_alert_is_a_trouble() -> None:
    assert World().receive(BEAT) == [Outcome.OPENED]


# --- sums ------------------------------------------------------------------------------------------


def test_every_report_is_counted_by_source_and_by_what_became_of_it() -> None:
    world = World(a_policy(heartbeats=(WATCHDOG,)))
    world.receive(a_report(), a_report(), BEAT, cleared(a_report({"a": "b"}), NOW))
    sums: Mapping[str, float] = {dict(labels)["outcome"]: count for (_, labels), count in world.decision.sums.items()}
    assert sums == {"opened": 1, "repeated": 1, "heartbeat": 1, "nothing_to_clear": 1}
