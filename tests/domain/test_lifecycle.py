"""The verbs: what each does to clocks, sums and promises."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from responder.domain import lifecycle, measures
from responder.domain.policy import FlappingRule
from responder.domain.ticket import Change, EventKind, Status
from tests.fakes import HOUR, MINUTE, NOW, P1, SECOND, a_change, a_policy, a_ticket

POLICY = a_policy()


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def total(change: Change, name: str, **labels: str) -> float:
    """The sum of all increments of one counter that carry these labels."""
    wanted = set(labels.items())
    return sum(amount for (key, own), amount in change.sums.items() if key == name and wanted <= set(own))


def breaches(change: Change) -> dict[str, float]:
    return {name: total(change, "sla_clocks_breached_total", clock=name) for name in change.clocks}


def mets(change: Change) -> dict[str, float]:
    return {name: total(change, "sla_clocks_met_total", clock=name) for name in change.clocks}


def restored(change: Change, minutes: float, by: str = lifecycle.MACHINE) -> Change:
    lifecycle.restore(change, POLICY, now=at(minutes), actor="responder", reason="gone", by=by)
    return change


def resolved(change: Change, minutes: float) -> Change:
    lifecycle.resolve(change, POLICY, now=at(minutes), reason="quiet")
    return change


# --- acknowledging ---------------------------------------------------------------------------------


def test_an_acknowledgement_stops_the_respond_clock_and_no_other() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    assert lifecycle.acknowledge(change, POLICY, now=at(5), actor="ann", reason="mine") is None
    assert {name for name, clock in change.clocks.items() if not clock.is_running} == {"respond"}
    assert (change.after.status, change.after.acknowledged_by) == (Status.IN_PROGRESS, "ann")
    assert change.after.acknowledged_at == at(5)


def test_the_time_to_answer_of_people_and_of_the_machine_are_kept_apart() -> None:
    change = a_change(a_ticket())
    lifecycle.start_first_aid(change, POLICY, now=at(1), reason="run 1")
    lifecycle.hand_over(change, POLICY, now=at(2), reason="no help")
    lifecycle.acknowledge(change, POLICY, now=at(4), actor="ann", reason="mine")
    name = f"{measures.ACKNOWLEDGE}_sum"
    assert total(change, name, by="machine") == 60
    assert total(change, name, by="human") == 240


def test_the_machine_setting_to_work_is_no_acknowledgement() -> None:
    change = a_change(a_ticket())
    lifecycle.start_first_aid(change, POLICY, now=at(1), reason="run 1")
    assert change.clocks["respond"].is_running
    assert change.after.acknowledged_at is None


def test_a_second_acknowledgement_is_refused_and_changes_nothing() -> None:
    change = a_change(a_ticket(Status.IN_PROGRESS, acknowledged_by="ann", acknowledged_at=NOW))
    sentence = lifecycle.acknowledge(change, POLICY, now=at(1), actor="bob", reason="mine")
    assert sentence == "INC-7 is already acknowledged by ann"
    assert (change.after, change.events, change.sums) == (change.before, [], {})


def test_an_acknowledgement_that_is_not_possible_says_what_is() -> None:
    change = a_change(a_ticket(Status.CLOSED))
    sentence = lifecycle.acknowledge(change, POLICY, now=at(1), actor="bob", reason="mine")
    assert sentence == "INC-7 is closed, so it cannot acknowledge; possible now: reopen"


def test_acknowledging_what_is_restored_leaves_it_restored() -> None:
    change = restored(a_change(a_ticket(Status.FIRST_AID)), 2)
    assert lifecycle.acknowledge(change, POLICY, now=at(3), actor="ann", reason="seen") is None
    assert change.after.status is Status.RESTORED


def test_handing_over_again_asks_for_a_new_acknowledgement() -> None:
    change = a_change(a_ticket(Status.IN_PROGRESS, acknowledged_by="ann", acknowledged_at=NOW))
    lifecycle.hand_over(change, POLICY, now=at(9), reason="not mine", actor="ann")
    assert change.after.waits_for_a_person
    assert (change.after.acknowledged_by, change.after.handed_over_at) == ("", at(9))


# --- restoring and resolving -----------------------------------------------------------------------


def test_a_restoration_stops_the_restore_clock_and_an_unanswered_respond_clock() -> None:
    change = restored(a_change(a_ticket(Status.FIRST_AID)), 3)
    assert {name for name, clock in change.clocks.items() if not clock.is_running} == {"restore", "respond"}
    assert change.clocks["resolve"].is_running


def test_a_restoration_leaves_the_moment_of_an_earlier_acknowledgement() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    lifecycle.acknowledge(change, POLICY, now=at(2), actor="ann", reason="mine")
    restored(change, 30, by=lifecycle.HUMAN)
    assert change.clocks["respond"].stopped_at == at(2)


def test_nothing_is_counted_as_a_success_before_it_is_resolved() -> None:
    change = restored(a_change(a_ticket(Status.FIRST_AID)), 3)
    assert change.sums == {}


@pytest.mark.parametrize("by", [lifecycle.MACHINE, lifecycle.HUMAN, lifecycle.ITSELF])
def test_resolving_counts_the_durations_for_whoever_did_it(by: str) -> None:
    change = resolved(restored(a_change(a_ticket(Status.FIRST_AID)), 3, by=by), 13)
    assert total(change, "tickets_resolved_total", by=by, priority="P1", team="ops") == 1
    assert total(change, f"{measures.RESTORE}_sum", by=by) == 3 * 60
    assert total(change, f"{measures.RESOLVE}_sum", by=by) == 13 * 60
    assert total(change, f"{measures.RESTORE}_bucket", by=by, le="300") == 1


def test_resolving_in_time_counts_every_clock_as_met_once() -> None:
    change = resolved(restored(a_change(a_ticket(Status.FIRST_AID)), 3), 13)
    assert mets(change) == {"respond": 1, "restore": 1, "resolve": 1}
    assert breaches(change) == {"respond": 0, "restore": 0, "resolve": 0}


def test_resolving_promises_to_close_when_the_policy_says_so() -> None:
    change = resolved(restored(a_change(a_ticket(Status.FIRST_AID)), 3), 13)
    (promise,) = change.promises
    assert (promise.kind, promise.due_at, promise.args) == ("close", at(13) + 72 * HOUR, {"episode": 1})


def test_a_grade_that_never_closes_by_itself_promises_nothing() -> None:
    forever = a_policy(grades={"P1": type(P1)(name="P1", targets=P1.targets, close_after=None)})
    change = restored(a_change(a_ticket(Status.FIRST_AID)), 3)
    lifecycle.resolve(change, forever, now=at(13), reason="quiet")
    assert change.promises == []


def test_a_ticket_whose_grade_has_no_restore_clock_resolves_all_the_same() -> None:
    ticket = a_ticket(Status.FIRST_AID)
    change = a_change(ticket)
    del change.clocks["restore"]
    resolved(restored(change, 3), 13)
    assert mets(change) == {"respond": 1, "resolve": 1}


def test_closing_only_writes_down_when() -> None:
    change = resolved(restored(a_change(a_ticket(Status.FIRST_AID)), 3), 13)
    sums, clocks = dict(change.sums), dict(change.clocks)
    lifecycle.close(change, POLICY, now=at(99), actor="responder", reason="done")
    assert (change.after.status, change.after.closed_at) == (Status.CLOSED, at(99))
    assert (dict(change.sums), change.clocks) == (sums, clocks)


# --- relapse and reopen ----------------------------------------------------------------------------


def test_a_relapse_lets_the_clocks_go_on_as_if_they_had_never_stopped() -> None:
    change = restored(a_change(a_ticket(Status.FIRST_AID)), 3)
    lifecycle.relapse(change, POLICY, now=at(5), reason="it shows again")
    assert all(clock.is_running for clock in change.clocks.values())
    assert {name: clock.remaining(NOW) for name, clock in change.clocks.items()} == P1.targets


def test_a_relapse_is_a_new_episode_of_the_same_trouble_for_people() -> None:
    change = restored(a_change(a_ticket(Status.FIRST_AID)), 3)
    lifecycle.relapse(change, POLICY, now=at(5), reason="it shows again")
    after = change.after
    assert (after.status, after.episode, after.episode_at) == (Status.HANDED_OVER, 2, NOW)
    assert (after.restored_at, after.restored_by, after.cleared_at) == (None, "", None)
    assert [(promise.kind, promise.args["why"]) for promise in change.promises] == [("hand_over", "it shows again")]
    assert total(change, "tickets_reopened_total", priority="P1", team="ops") == 1


def test_a_success_that_relapsed_is_counted_once_with_its_last_restoration() -> None:
    change = restored(a_change(a_ticket(Status.FIRST_AID)), 3)
    lifecycle.relapse(change, POLICY, now=at(5), reason="it shows again")
    lifecycle.acknowledge(change, POLICY, now=at(8), actor="ann", reason="mine")
    resolved(restored(change, 20, by=lifecycle.HUMAN), 30)
    assert total(change, "tickets_resolved_total") == 1
    assert total(change, "tickets_resolved_total", by="human") == 1
    assert total(change, f"{measures.RESTORE}_sum") == 20 * 60


def test_reopening_starts_new_clocks_and_forgets_who_had_it() -> None:
    change = resolved(restored(a_change(a_ticket(Status.FIRST_AID)), 3), 13)
    lifecycle.reopen(change, POLICY, now=at(40), reason="again")
    after = change.after
    assert (after.status, after.episode, after.episode_at, after.opened_at) == (Status.NEW, 2, at(40), NOW)
    assert {name: clock.remaining(at(40)) for name, clock in change.clocks.items()} == P1.targets
    gone = (after.first_aid_at, after.handed_over_at, after.acknowledged_at, after.cleared_at, after.restored_at)
    assert gone == (None, None, None, None, None)
    assert (after.resolved_at, after.closed_at, after.acknowledged_by, after.restored_by) == (None, None, "", "")


def test_durations_after_a_reopening_count_from_the_new_episode() -> None:
    change = a_change(a_ticket(Status.RESOLVED))
    lifecycle.reopen(change, POLICY, now=at(40), reason="again")
    resolved(restored(change, 45, by=lifecycle.ITSELF), 55)
    assert total(change, f"{measures.RESTORE}_sum") == 5 * 60


# --- breaches --------------------------------------------------------------------------------------


def test_a_clock_that_runs_out_is_counted_exactly_once_however_often_it_is_asked() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    for minutes in (14, 15, 16, 200):
        lifecycle.breach(change, POLICY, "respond", now=at(minutes))
    assert breaches(change)["respond"] == 1
    (event,) = change.events
    assert (event.kind, event.text) == (EventKind.CLOCK, "The respond clock ran past its target at 10:15:00 UTC.")
    assert change.clocks["respond"].breached_at == at(15)


def test_a_clock_that_is_not_yet_due_is_no_breach() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    lifecycle.breach(change, POLICY, "respond", now=at(15) - SECOND)
    assert (change.events, change.sums) == ([], {})


def test_an_acknowledgement_that_comes_too_late_counts_the_breach_at_once_and_never_as_met() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    lifecycle.acknowledge(change, POLICY, now=at(16), actor="ann", reason="mine")
    resolved(restored(change, 20), 30)
    assert breaches(change) == {"respond": 1, "restore": 0, "resolve": 0}
    assert mets(change) == {"respond": 0, "restore": 1, "resolve": 1}


def test_a_breach_that_was_seen_running_is_not_counted_again_when_the_clock_stops() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    lifecycle.breach(change, POLICY, "respond", now=at(15))
    lifecycle.acknowledge(change, POLICY, now=at(16), actor="ann", reason="mine")
    assert breaches(change)["respond"] == 1


def test_a_breach_before_a_relapse_is_not_counted_again_after_it() -> None:
    change = restored(a_change(a_ticket(Status.FIRST_AID)), 61)
    assert breaches(change)["restore"] == 1
    lifecycle.relapse(change, POLICY, now=at(65), reason="it shows again")
    resolved(restored(change, 90), 100)
    assert breaches(change)["restore"] == 1
    assert mets(change)["restore"] == 0


def test_a_restoration_in_time_that_did_not_hold_until_the_target_is_a_breach() -> None:
    change = restored(a_change(a_ticket(Status.FIRST_AID)), 50)
    lifecycle.relapse(change, POLICY, now=at(55), reason="it shows again")
    resolved(restored(change, 70), 80)
    assert breaches(change)["restore"] == 1
    assert mets(change)["restore"] == 0


def test_stopping_exactly_when_it_is_due_is_in_time() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    lifecycle.acknowledge(change, POLICY, now=at(15), actor="ann", reason="mine")
    assert breaches(change)["respond"] == 0
    assert change.clocks["respond"].was_met


def test_a_clock_is_never_counted_as_met_and_as_breached() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    lifecycle.breach(change, POLICY, "respond", now=at(15))
    lifecycle.acknowledge(change, POLICY, now=at(15), actor="ann", reason="mine")
    resolved(restored(change, 20), 30)
    assert (breaches(change)["respond"], mets(change)["respond"]) == (1, 0)


# --- quiet, and the buckets of the histograms ------------------------------------------------------


def test_a_grade_says_how_long_it_must_stay_quiet_and_flapping_longer() -> None:
    policy = a_policy(flapping=FlappingRule(quiet=45 * MINUTE))
    assert lifecycle.quiet_needed(policy, a_ticket()) == 10 * MINUTE
    assert lifecycle.quiet_needed(policy, a_ticket(flapping=True)) == 45 * MINUTE


@pytest.mark.parametrize(
    ("seconds", "limit"), [(0, "60"), (60, "60"), (60.1, "300"), (900, "900"), (259200, "259200"), (259201, "+Inf")]
)
def test_a_duration_falls_into_the_bucket_whose_limit_holds_it(seconds: float, limit: str) -> None:
    assert measures.bucket(seconds) == limit


def test_a_duration_is_never_counted_as_less_than_nothing() -> None:
    change = a_change(a_ticket())
    measures.observe(change, measures.RESOLVE, timedelta(seconds=-5), lifecycle.ITSELF)
    assert total(change, f"{measures.RESOLVE}_sum") == 0
    assert total(change, f"{measures.RESOLVE}_bucket", le="60") == 1
