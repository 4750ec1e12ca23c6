"""Who was reached by which messages: what the lines of tickets say, and what the audit of pages says beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from responder.domain.message import MessageState
from responder.domain.page_audit import Account, Sheet
from responder.domain.page_reach import unreached_tickets
from responder.domain.page_story import Fact
from responder.domain.unreached import Page, reach_of

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=2)
SECOND = timedelta(seconds=1)
LATE = NOW - PATIENCE


def sheet(state: str, **changes: object) -> Sheet:
    told = {"purpose": "hand_over", "person": "mei", "due_at": None, "sent_at": None, "episode": 1, **changes}
    told = {"id": 1, "created_at": NOW - timedelta(hours=1), **told}
    return Sheet(ticket_id=7, channel="pager", state=state, **told)  # type: ignore[arg-type]


def said(*sheets: Sheet, facts: Sequence[Fact] = ()) -> list[str]:
    account = Account(
        id=7, number="INC-1", status="handed_over", episode=1, acknowledged_by="", runbook="", signal="firing",
        facts=facts, sheets=sheets,
    )  # fmt: skip
    return [one.sentence for one in unreached_tickets([account], LATE)]


LOST = ["INC-1: no message has reached anybody (mei by pager)."]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (sheet("failed"), LOST),
        (sheet("failed_for_now"), LOST),
        (sheet("sent", sent_at=NOW), []),
        (sheet("held"), []),
        (sheet("by_hand"), []),
        (sheet("bundled", due_at=LATE + SECOND), []),
        (sheet("bundled", due_at=LATE), LOST),
        (sheet("bundled", sent_at=NOW), []),
    ],
)
def test_what_a_page_has_reached_is_said_the_same_by_both(one: Sheet, expected: list[str]) -> None:
    assert said(one) == expected
    waits = one.state == "bundled" and one.sent_at is None
    page = Page(person=one.person, state=MessageState(one.state), in_list=waits, due_at=one.due_at)
    assert reach_of([page], NOW, PATIENCE).is_nobody(["mei"]) is bool(expected)


def page(one: Sheet, error: str) -> Page:
    return Page(person=one.person, state=MessageState(one.state), error=error, due_at=one.due_at)


@pytest.mark.parametrize("state", ["failed", "failed_for_now"])
@pytest.mark.parametrize(
    ("other", "error", "is_lost"),
    [
        (sheet("sending", person="lars", id=2, created_at=NOW), "", False),
        (sheet("waiting", person="lars", id=2, created_at=LATE + SECOND), "", False),
        (sheet("waiting", person="lars", id=2, due_at=NOW + PATIENCE), "", False),
        (sheet("waiting", id=2, created_at=NOW), "", True),
        (sheet("sending", person="lars", id=3, created_at=NOW), "no answer.", True),
        (sheet("failed_for_now", person="lars", id=3, created_at=NOW), "no answer.", True),
        (sheet("failed", person="lars", id=2, created_at=NOW), "gone.", True),
    ],
)
def test_while_another_is_called_for_the_first_time_both_say_that_not_all_is_lost(
    state: str, other: Sheet, error: str, is_lost: bool
) -> None:
    one, tried = sheet(state), Fact(id=1, at=NOW, kind="message", data={"message": 3})
    assert bool(said(one, other, facts=[tried])) is is_lost
    reach = reach_of([page(one, "gone."), page(other, error)], NOW, PATIENCE)
    assert reach.is_nobody({one.person, other.person}) is is_lost


@pytest.mark.parametrize("changes", [{"created_at": LATE}, {"due_at": LATE}, {"created_at": NOW, "due_at": LATE}])
@pytest.mark.parametrize("state", ["waiting", "sending"])
def test_a_page_that_should_have_left_long_ago_is_on_its_way_no_more(state: str, changes: dict[str, datetime]) -> None:
    assert said(sheet("failed"), sheet(state, person="lars", id=2, **changes)) == LOST


def test_who_is_called_on_a_second_channel_is_no_other_person() -> None:
    tried = [Fact(id=1, at=NOW, kind="message", data={"message": 2}), Fact(id=2, at=NOW, kind="message", data=None)]  # type: ignore[arg-type]
    second = [sheet("sending", person="lars", id=2), sheet("waiting", person="lars", id=3, created_at=NOW)]
    assert said(sheet("failed"), *second, facts=tried) == LOST


@pytest.mark.parametrize(
    ("other", "counts"),
    [
        (sheet("sent", purpose="pull-in-3", person="lars", sent_at=NOW), True),
        (sheet("sent", purpose="clock-respond-1", sent_at=NOW), True),
        (sheet("failed", purpose="pull-in-3", person="lars"), False),
        (sheet("held", purpose="pull-in-3", person="lars"), False),
        (sheet("sent", purpose="pull-in-3", person="lars", sent_at=NOW, episode=0), False),
        (sheet("sent", purpose="letter-received", person="reporter", sent_at=NOW), False),
        (sheet("sent", purpose="bundle-17", sent_at=NOW), False),
    ],
)
def test_any_message_of_the_episode_that_told_a_person_counts(other: Sheet, counts: bool) -> None:
    assert said(sheet("failed"), other) == ([] if counts else LOST)


def test_why_is_that_of_the_newest_message_and_of_a_late_list_that_it_is_late() -> None:
    pages = [
        Page(person="mei", state=MessageState.FAILED, error="first"),
        Page(person="mei", state=MessageState.SENDING, error="second"),
        Page(person="lars", state=MessageState.BUNDLED, error="enough", in_list=True, due_at=LATE),
        Page(person="otto", state=MessageState.WAITING),
    ]
    reach = reach_of(pages, NOW, PATIENCE)
    assert dict(reach.in_vain) == {"mei": "second", "lars": "The list that it is in has not arrived."}
    assert [reach.is_nobody(called) for called in (["mei", "lars"], ["mei", "otto"], [])] == [True, False, False]
    told = reach_of([*pages, Page(person="nia", state=MessageState.SENT)], NOW, PATIENCE)
    assert not told.is_nobody(["mei", "lars"])


def test_who_was_told_by_one_list_is_reached_though_a_later_list_is_late() -> None:
    arrived, late = sheet("bundled", sent_at=LATE), sheet("bundled", due_at=LATE)
    assert said(arrived, late) == []
    pages = [
        Page(person="mei", state=MessageState.BUNDLED),
        Page(person="mei", state=MessageState.BUNDLED, in_list=True, due_at=LATE),
    ]
    reach = reach_of(pages, NOW, PATIENCE)
    assert (dict(reach.in_vain), reach.is_nobody(["mei"])) == ({}, False)
