"""Rules that are easy to get wrong once a ticket has a past."""

from __future__ import annotations

from responder.domain import lifecycle
from responder.domain.report import identity
from responder.domain.ticket import Status
from tests.domain.test_correlation import World
from tests.domain.test_lifecycle import at, breaches, restored, total
from tests.fakes import a_change, a_policy, a_report, a_ticket


def test_a_value_that_looks_like_a_separator_makes_no_other_label_set() -> None:
    assert identity({"a": "bÿcÿd"}) != identity({"a": "b", "c": "d"})


def test_a_list_that_is_cut_short_later_marks_the_ticket_too() -> None:
    world = World()
    world.receive(a_report())
    world.receive(a_report(incomplete=True))
    assert world.change.after.incomplete


def test_flapping_ends_with_the_quiet_that_resolves_it() -> None:
    change = a_change(a_ticket(Status.FIRST_AID, flapping=True))
    restored(change, 3)
    lifecycle.resolve(change, a_policy(), now=at(60), reason="quiet")
    assert not change.after.flapping


def test_a_relapse_after_a_timely_answer_is_no_late_answer() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    lifecycle.acknowledge(change, a_policy(), now=at(5), actor="ann", reason="mine")
    restored(change, 20, by="human")
    lifecycle.relapse(change, a_policy(), now=at(30), reason="again")
    lifecycle.breach(change, a_policy(), "respond", now=at(30))
    assert breaches(change)["respond"] == 0


def test_only_the_first_answer_of_an_episode_is_measured() -> None:
    change = a_change(a_ticket(Status.HANDED_OVER))
    lifecycle.acknowledge(change, a_policy(), now=at(5), actor="ann", reason="mine")
    lifecycle.hand_over(change, a_policy(), now=at(9), reason="back")
    lifecycle.acknowledge(change, a_policy(), now=at(20), actor="bob", reason="mine")
    assert total(change, "ticket_acknowledge_seconds_bucket", by="human") == 1
