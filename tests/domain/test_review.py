"""What a review is drafted from and made of: the timeline, the durations, the form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain import lifecycle, measures
from responder.domain.actions import ActionItem, ActionState, due_of, escalated, finish, move_due, objections
from responder.domain.correlation import Known, decide
from responder.domain.dossier import Dossier, Review
from responder.domain.facts import Fact
from responder.domain.message import Message, MessageState
from responder.domain.report import Report
from responder.domain.review import (
    CATEGORIES,
    PROMPTS,
    Durations,
    ReviewForm,
    cleaned,
    draft,
    durations,
    fishbone,
    lacking,
    not_yet,
    review_of,
)
from responder.domain.runbook import Run
from responder.domain.ticket import Action, Change, Event, EventKind, Status, Sums, refusal
from responder.domain.timeline import Repeats, RunRecord, Sources, StepRecord, timeline
from tests.fakes import HOUR, MINUTE, NOW, SECOND, a_policy, a_report, a_ticket, cleared

POLICY = a_policy()
DAY = timedelta(days=1)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def moved(minutes: float, action: Action, actor: str = "responder", text: str = "", was: Status = Status.NEW) -> Event:
    data = {"action": action, "was": was}
    return Event(at=at(minutes), kind=EventKind.MOVED, actor=actor, text=text, data=data)


def event(minutes: float, kind: EventKind, text: str, actor: str = "responder", **data: object) -> Event:
    return Event(at=at(minutes), kind=kind, actor=actor, text=text, data=data)


def lines(*events: Event, **more: object) -> list[str]:
    sources = Sources(events=events, **more)  # type: ignore[arg-type]
    return [text for _, text in timeline("Down on web-1", sources)]


OPENED = event(0, EventKind.OPENED, "P1 by rule “x”: because.")


# --- durations -------------------------------------------------------------------------------------


class Walk:
    """A ticket that goes any way that the lifecycle allows, with all its events and sums."""

    def __init__(self) -> None:
        self.now = NOW
        self.events: list[Event] = []
        self.sums: Sums = Counter()
        self.known: Known | None = None
        self.fire()

    def fire(self) -> None:
        self._report(a_report(started_at=self.now))

    def clear(self) -> None:
        self._report(cleared(a_report(), self.now))

    def _report(self, report: Report) -> None:
        known = {POLICY.trouble(report): self.known} if self.known else {}
        for change in decide([report], known, POLICY, self.now).changes.values():
            # A ticket that was closed long ago stays as it is, and another one is opened.
            if change.before is not None or self.known is None:
                self._keep(change)

    def do(self, name: str) -> None:
        if name in ("fire", "clear"):
            getattr(self, name)()
            return
        assert self.known is not None
        change = Change.of(self.known.ticket, self.known.clocks)
        if refusal(change.after, Action(name)) is None:
            _DO[name](change, self.now)
            self._keep(change)

    def _keep(self, change: Change) -> None:
        self.known = Known(ticket=change.after, clocks=change.clocks)
        self.events += change.events
        self.sums.update(change.sums)

    def measured(self, name: str, by: str = "") -> tuple[float, float]:
        """How often and how many seconds in all the metrics have counted."""
        found = [0.0, 0.0]
        for (key, labels), amount in self.sums.items():
            if not by or dict(labels).get("by") == by:
                found[0] += amount if key == f"{name}_bucket" else 0
                found[1] += amount if key == f"{name}_sum" else 0
        return found[0], found[1]


_DO: dict[str, Callable[[Change, datetime], object]] = {
    "start_first_aid": lambda change, now: lifecycle.start_first_aid(change, POLICY, now=now, reason="run 1"),
    "hand_over": lambda change, now: lifecycle.hand_over(change, POLICY, now=now, reason="over to you"),
    "acknowledge": lambda change, now: lifecycle.acknowledge(change, POLICY, now=now, actor="mei", reason="mine"),
    "restore": lambda change, now: lifecycle.restore(
        change, POLICY, now=now, actor="mei", reason="gone", by=lifecycle.HUMAN
    ),
    "relapse": lambda change, now: lifecycle.relapse(change, POLICY, now=now, reason="back"),
    "resolve": lambda change, now: lifecycle.resolve(change, POLICY, now=now, reason="quiet"),
    "close": lambda change, now: lifecycle.close(change, POLICY, now=now, actor="mei", reason="done"),
    "reopen": lambda change, now: lifecycle.reopen(change, POLICY, now=now, reason="again"),
    "dismiss": lambda change, now: lifecycle.end_without_solution(
        change, POLICY, Action.DISMISS, now=now, actor="mei", reason="nothing"
    ),
}
STEPS = st.lists(
    st.tuples(st.sampled_from([*_DO, "fire", "clear"]), st.integers(min_value=0, max_value=5000)), max_size=40
)


@given(STEPS)
def test_whatever_happens_the_durations_of_a_review_are_those_that_the_metrics_count(
    steps: list[tuple[str, int]],
) -> None:
    walk = Walk()
    for name, seconds in steps:
        walk.now += seconds * SECOND
        walk.do(name)
    found = durations(walk.events)
    resolved = [one for one in found if one.resolve is not None]

    def total(taken: list[timedelta | None]) -> tuple[float, float]:
        counted = [one.total_seconds() for one in taken if one is not None]
        return len(counted), sum(counted)

    assert total([one.first_aid for one in found]) == walk.measured(measures.ACKNOWLEDGE, lifecycle.MACHINE)
    assert total([one.acknowledge for one in found]) == walk.measured(measures.ACKNOWLEDGE, lifecycle.HUMAN)
    assert total([one.restore for one in resolved]) == walk.measured(measures.RESTORE)
    assert total([one.resolve for one in resolved]) == walk.measured(measures.RESOLVE)


def test_the_walks_of_that_test_reach_what_they_are_about() -> None:
    walk = Walk()
    for name in ("start_first_aid", "hand_over", "acknowledge", "restore", "relapse", "acknowledge", "restore"):
        walk.now += MINUTE
        walk.do(name)
    for name in ("resolve", "close", "reopen", "acknowledge", "clear", "resolve"):
        walk.now += MINUTE
        walk.do(name)
    first, second = durations(walk.events)
    assert first == Durations(
        since=NOW, first_aid=MINUTE, acknowledge=3 * MINUTE, restore=7 * MINUTE, resolve=8 * MINUTE
    )
    assert second == Durations(since=at(10), acknowledge=MINUTE, restore=2 * MINUTE, resolve=3 * MINUTE)


def test_what_is_not_restored_any_more_has_no_time_to_restore() -> None:
    restored = moved(5, Action.RESTORE)
    assert durations([OPENED, restored])[0].restore == 5 * MINUTE
    assert durations([OPENED, restored, moved(9, Action.RELAPSE)])[0].restore is None


# --- the timeline ----------------------------------------------------------------------------------


def test_each_line_says_whether_the_machine_or_which_person_did_it_and_when() -> None:
    found = timeline(
        "Down on web-1",
        Sources(
            events=[
                OPENED,
                moved(1, Action.HAND_OVER, text="No first-aid rule fits."),
                moved(4, Action.ACKNOWLEDGE, "mei", "mei has taken it."),
                event(9, EventKind.HANDLED, "mei diagnoses: the disk is full", "mei", fact=Fact.DIAGNOSED),
            ]
        ),
    )
    assert found == (
        (at(0), "machine: The ticket was opened: Down on web-1. P1 by rule “x”: because."),
        (at(1), "machine: Handed over to people: No first-aid rule fits."),
        (at(4), "mei (human): Acknowledged."),
        (at(9), "mei (human): diagnoses: the disk is full"),
    )


@pytest.mark.parametrize("action", list(Action))
def test_every_move_has_words_of_its_own(action: Action) -> None:
    (line,) = lines(moved(1, action, "mei", "because of it"))
    assert line.startswith("mei (human): ")
    assert line.endswith(": because of it")
    assert lines(moved(1, action, "mei"))[0].endswith(".")


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_can_be_told(kind: EventKind) -> None:
    if kind is not EventKind.MOVED:
        assert lines(event(1, kind, "Something happened.", "mei"))[0].startswith(
            ("mei (human): ", "reporter (human): ")
        )


def a_run(**changes: object) -> Run:
    run = Run(id=3, ticket_id=7, runbook="restart-app", target="web-1", started_at=at(1))
    return replace(run, **changes)  # type: ignore[arg-type]


def a_step(host: str, outcome: str = "done", minutes: float = 2) -> StepRecord:
    return StepRecord(
        name="restart", host=host, started_at=at(1), ended_at=at(minutes), outcome=outcome, sentence="config is broken"
    )


STARTED = moved(1, Action.START_FIRST_AID, text="First aid: restart-app on web-1 (run 3).")
LEFT = event(1, EventKind.RUN, "Left in the budgets: 3 of 4.", run=3)
ENDED = event(3, EventKind.RUN, "restart-app on web-1: failed. (failed, 2m)", run=3, outcome="failed")


def test_first_aid_is_told_with_its_steps_and_outcome_and_without_its_budgets() -> None:
    record = RunRecord(run=a_run(), steps=(a_step("web-1"), a_step("web-2", "failed", 3), a_step("web-3", "", 3)))
    assert lines(STARTED, LEFT, ENDED, runs=[record]) == [
        "machine: First aid began: restart-app on web-1 (run 3).",
        "machine: Step “restart” of restart-app on web-1: done.",
        "machine: Step “restart” of restart-app on web-2: failed. config is broken",
        "machine: Step “restart” of restart-app on web-3: began; its end is not known.",
        "machine: restart-app on web-1: failed. (failed, 2m)",
    ]


def test_a_run_that_people_ordered_says_by_whom() -> None:
    ordered = event(1, EventKind.RUN, "Ordered: restart-app on web-1 (run 3).", run=3)
    found = lines(ordered, LEFT, ENDED, runs=[RunRecord(run=a_run(ordered_by="mei"))])
    assert found[0] == "machine: Run 3 began: restart-app on web-1, ordered by mei."
    assert len(found) == 2


def test_the_same_step_on_many_hosts_is_one_line() -> None:
    record = RunRecord(run=a_run(), steps=tuple(a_step(f"web-{number}") for number in range(1, 12)))
    (line,) = [line for line in lines(STARTED, LEFT, runs=[record]) if "Step" in line]
    assert line.startswith("machine: Step “restart” of restart-app on web-1, web-2, ")
    assert line.endswith(" and 3 more: done.")


def test_repeated_reports_are_one_line_with_their_count() -> None:
    found = lines(OPENED, repeats=Repeats(count=41, first=at(1), last=at(60)))
    assert found[1] == "machine: The same was reported 41 more times, until 2026-11-20 11:00:00 UTC."
    assert lines(OPENED, repeats=Repeats(count=1, first=at(1), last=at(1)))[1].endswith("reported once more.")
    assert len(lines(OPENED, repeats=Repeats(count=0, first=at(1), last=at(1)))) == 1


def test_alerts_that_come_and_go_one_after_the_other_are_one_line() -> None:
    found = lines(
        *(event(one, EventKind.ATTACHED, f"Another alert: web-{one}.") for one in range(4)),
        event(4, EventKind.SIGNAL, "One of its alerts cleared; 3 still show."),
        event(5, EventKind.NOTE, "mei looks", "mei"),
        event(6, EventKind.ATTACHED, "Another alert: web-9."),
    )
    assert found == [
        "machine: Another alert: web-0. (4 more like it, until 2026-11-20 10:04:00 UTC)",
        "mei (human): looks",
        "machine: Another alert: web-9.",
    ]


def a_message(number: int, state: MessageState, tries: int = 1, **changes: object) -> Message:
    message = Message(
        ticket_id=7, episode=1, purpose="hand_over", person="mei", channel=f"pager-{number}", subject="", body="",
        created_at=NOW, id=number, state=state, tries=tries,
    )  # fmt: skip
    return replace(message, **changes)  # type: ignore[arg-type]


def test_of_the_tries_of_a_message_only_the_one_that_counted_is_told() -> None:
    tried = [event(1, EventKind.MESSAGE, "Not through to mei by pager-1 yet.", message=1)]
    sent = [event(2, EventKind.MESSAGE, "Told mei.", message=1), event(2, EventKind.MESSAGE, "Told mei.", message=2)]
    failed = [event(3, EventKind.MESSAGE, "Could not tell mei by pager-3: gone", message=3)]
    overtaken = [event(4, EventKind.MESSAGE, "Not sent to mei by pager-4: cleared.", message=4)]
    messages = [
        a_message(1, MessageState.SENT, tries=3),
        a_message(2, MessageState.SENT),
        a_message(3, MessageState.FAILED),
        a_message(4, MessageState.OVERTAKEN),
    ]
    sources = Sources(events=[*tried, *sent, *failed, *overtaken], messages=messages)
    assert timeline("t", sources) == (
        (at(2), "machine: Told mei by pager-1 (try 3), mei by pager-2."),
        (at(3), "machine: Could not tell mei by pager-3: gone"),
    )


def test_who_was_called_and_why_is_told() -> None:
    assert lines(event(1, EventKind.MESSAGE, "To tell: mei by pager (tier 1: mei).")) == [
        "machine: To tell: mei by pager (tier 1: mei)."
    ]


def test_an_answer_to_a_question_is_told_once_and_silence_is_told() -> None:
    assert lines(
        event(1, EventKind.APPROVAL, "mei says yes to it", "mei", approval=1),
        event(1, EventKind.APPROVAL, "Approval of it given: mei said yes.", approval=1, state="given"),
        event(2, EventKind.APPROVAL, "Approval of it ran out of time.", approval=2, state="expired"),
    ) == ["mei (human): says yes to it", "machine: Approval of it ran out of time."]


def test_what_the_reporter_wrote_and_is_called_stays_out() -> None:
    found = lines(
        event(1, EventKind.REPORTER, "Eve Ning <eve@example.com> wrote: my password is 1234", "Eve Ning"),
        event(2, EventKind.REPORTER, "Written to the reporter: dear Eve", "mei"),
        event(3, EventKind.REPORTER, "First answer to Eve", "responder", fact=Fact.ANSWERED),
        people=["mei"],
    )
    assert found == [
        "reporter (human): There was word with the reporter.",
        "mei (human): There was word with the reporter.",
        "machine: The reporter got a first answer.",
    ]


def test_reviews_and_their_actions_are_no_part_of_what_they_are_about() -> None:
    about = a_message(1, MessageState.SENT, purpose="action-4-1")
    assert lines(
        event(1, EventKind.HANDLED, "mei reviews it", "mei", fact=Fact.REVIEWED),
        event(2, EventKind.HANDLED, "mei has done action 4", "mei", action_item=4),
        event(3, EventKind.MESSAGE, "To tell: mei: action 4 was due.", action_item=4),
        event(4, EventKind.MESSAGE, "Told mei by pager-1.", message=1),
        messages=[about],
    ) == []  # fmt: skip


def test_the_lines_stand_in_the_order_of_their_instants_and_none_is_endless() -> None:
    found = timeline("t", Sources(events=[event(5, EventKind.NOTE, "x" * 9000, "mei"), event(2, EventKind.CLOCK, "y")]))
    assert [when for when, _ in found] == [at(2), at(5)]
    assert len(found[1][1]) < 600


# --- the draft -------------------------------------------------------------------------------------


def test_a_draft_takes_over_the_cause_and_prompts_for_the_rest() -> None:
    dossier = Dossier(cause_class="environment", cause="The disk was full.")
    events = [
        OPENED,
        moved(1, Action.ACKNOWLEDGE, "mei"),
        moved(2, Action.APPROVE, "mei, lars"),
        event(3, EventKind.NOTE, "hm", "stranger"),
    ]
    found = draft(a_ticket(Status.RESOLVED), dossier, events, [], people=["lars", "mei", "ines"])
    assert (found.cause_class, found.root_cause) == ("environment", "The disk was full.")
    assert (found.whys, len(found.whys)) == (PROMPTS, 5)
    assert [factor.removesuffix(": ") for factor in found.factors] == list(CATEGORIES)
    assert found.participants == ("mei", "lars")
    assert len(found.timeline) == 4
    assert (found.written_by, found.written_at, found.meeting_at) == ("", None, None)


def test_a_draft_of_what_is_reviewed_is_that_review() -> None:
    written = Review(root_cause="x", cause_class="environment", written_by="mei", written_at=NOW)
    assert draft(a_ticket(Status.CLOSED), Dossier(review=written, cause="y"), [OPENED], []) is written


# --- the form --------------------------------------------------------------------------------------

COMPLETE = ReviewForm(root_cause="Logs were never rotated.", cause_class="environment", whys=("No rule for it.",))


def test_a_complete_form_lacks_nothing() -> None:
    assert lacking(COMPLETE, POLICY, NOW) == []


def test_everything_that_is_missing_is_named_at_once() -> None:
    assert lacking(ReviewForm(meeting_at=NOW + HOUR), POLICY, NOW) == [
        "the root cause is empty (root_cause)",
        "the cause class is empty (cause_class): one of user_operation, product_defect, environment, third_party",
        "there are no whys; give one to 7 (whys)",
        "the meeting is still to come (2026-11-20 11:00 UTC); say when it was held (meeting_at)",
    ]


def test_an_unknown_cause_class_is_refused_with_those_that_there_are() -> None:
    policy = a_policy(cause_classes=("a", "b"))
    assert lacking(COMPLETE, policy, NOW) == ["there is no cause class 'environment'; there are a, b"]


@pytest.mark.parametrize(("count", "is_complete"), [(0, False), (1, True), (5, True), (7, True), (8, False)])
def test_one_to_seven_whys_make_a_review(count: int, is_complete: bool) -> None:
    form = replace(COMPLETE, whys=tuple(f"because {number}" for number in range(count)))
    assert (lacking(form, POLICY, NOW) == []) is is_complete


def test_what_is_left_of_the_draft_as_it_was_counts_as_empty() -> None:
    form = cleaned(
        ReviewForm(
            root_cause="  ",
            whys=(*PROMPTS, "Why did it show? The disk was full.", " "),
            factors=(*(f"{category}: " for category in CATEGORIES), "people: two were ill"),
            participants=("mei", "mei", ""),
            timeline=((NOW, " "), (NOW, "x")),
        )
    )
    assert form.root_cause == ""
    assert form.whys == ("Why did it show? The disk was full.",)
    assert form.factors == ("people: two were ill",)
    assert form.participants == ("mei",)
    assert form.timeline == ((NOW, "x"),)


def test_an_edited_timeline_replaces_the_draft_and_none_keeps_it() -> None:
    drafted = Review(root_cause="", cause_class="", timeline=((at(1), "drafted"),))
    assert review_of(COMPLETE, drafted, "mei", NOW).timeline == ((at(1), "drafted"),)
    edited = replace(COMPLETE, timeline=((at(9), "later"), (at(2), "sooner")))
    made = review_of(edited, drafted, "mei", NOW)
    assert made.timeline == ((at(2), "sooner"), (at(9), "later"))
    assert (made.written_by, made.written_at, made.root_cause) == ("mei", NOW, "Logs were never rotated.")


@pytest.mark.parametrize("status", list(Status))
def test_a_review_is_written_from_restored_on(status: Status) -> None:
    may = status in (Status.RESTORED, Status.RESOLVED, Status.CLOSED)
    assert (not_yet(a_ticket(status)) == "") is may


def test_factors_are_grouped_as_in_a_fishbone() -> None:
    factors = ["Environment: the room was hot", "people: nobody knew", "bad luck", "MACHINE：老旧", "cost: too high"]
    assert fishbone(factors) == {
        "people": ["nobody knew"],
        "machine": ["老旧"],
        "environment": ["the room was hot"],
        "other": ["bad luck", "cost: too high"],
    }


# --- actions ---------------------------------------------------------------------------------------

ACTION = ActionItem(id=4, ticket_id=7, text="Rotate the logs", owner="mei", due_at=NOW + DAY)


def test_an_action_is_overdue_from_the_due_instant_on_until_it_is_done() -> None:
    assert ACTION.state(NOW) is ActionState.OPEN
    assert ACTION.state(NOW + DAY - SECOND) is ActionState.OPEN
    assert ACTION.state(NOW + DAY) is ActionState.OVERDUE
    done = finish(ACTION, "mei", "rotated", NOW + 2 * DAY)
    assert isinstance(done, ActionItem)
    assert done.state(NOW + 9 * DAY) is ActionState.DONE
    assert (done.done_by, done.result, done.done_at) == ("mei", "rotated", NOW + 2 * DAY)


def test_people_are_told_when_it_is_due_and_a_day_after_each_time_they_were_told() -> None:
    item, told = ACTION, []
    for hour in range(24 * 5):
        now = NOW + hour * HOUR
        if item.is_to_escalate(now):
            told.append(hour)
            item = escalated(item, now)
    assert told == [24, 48, 72, 96]
    assert item.escalations == 4


def test_after_a_long_silence_people_are_told_once_and_not_once_per_day_that_was_missed() -> None:
    item = escalated(ACTION, NOW + 9 * DAY)
    assert not item.is_to_escalate(NOW + 9 * DAY)
    assert item.is_to_escalate(NOW + 10 * DAY)


def test_a_new_due_date_begins_anew_and_each_time_has_a_purpose_of_its_own() -> None:
    told = escalated(ACTION, NOW + DAY)
    later = move_due(told, NOW + DAY + 2 * HOUR, "on leave", NOW + DAY)
    assert isinstance(later, ActionItem)
    assert not later.is_to_escalate(NOW + DAY + HOUR)
    assert later.is_to_escalate(NOW + DAY + 2 * HOUR)
    assert escalated(later, NOW + DAY + 2 * HOUR).purpose != told.purpose


@pytest.mark.parametrize(
    ("due_at", "reason", "sentence"),
    [
        (NOW + 2 * DAY, "", "say why action 4 is to be done by another day (reason)"),
        (NOW, "on leave", "2026-11-20 10:00 UTC is past; give a day to come"),
    ],
)
def test_a_due_date_is_moved_with_a_reason_and_into_the_future_only(
    due_at: datetime, reason: str, sentence: str
) -> None:
    assert move_due(ACTION, due_at, reason, NOW) == sentence


def test_what_is_done_is_neither_done_again_nor_moved() -> None:
    done = finish(ACTION, "mei", "not needed: the app is gone", NOW)
    assert isinstance(done, ActionItem)
    sentence = "action 4 was done already by mei at 2026-11-20 10:00 UTC: not needed: the app is gone"
    assert finish(done, "lars", "x", NOW) == sentence
    assert move_due(done, NOW + 2 * DAY, "x", NOW) == sentence
    assert isinstance(finish(ACTION, "mei", "", NOW), str)


def test_a_new_action_needs_words_a_known_owner_and_a_day_to_come() -> None:
    assert objections(ACTION, ["mei"], NOW) == []
    assert objections(ActionItem(text="", owner="", due_at=NOW), ["mei"], NOW) == [
        "an action does not say what is to be done (text)",
        "an action has no owner",
        "an action is due 2026-11-20 10:00 UTC, which is past",
    ]
    assert objections(replace(ACTION, owner="eve"), ["mei"], NOW) == [
        "action “Rotate the logs”: nobody is called 'eve' in the people file"
    ]


@pytest.mark.parametrize(
    ("text", "due_at"),
    [
        ("2026-12-01", "2026-12-01T15:59:59+00:00"),
        ("2026-12-01T18:00+08:00", "2026-12-01T10:00:00+00:00"),
        ("2026-12-01 18:00", "2026-12-01T18:00:00+00:00"),
        ("14d", "2026-12-04T10:00:00+00:00"),
    ],
)
def test_a_day_is_due_at_its_end_where_the_policy_lives(text: str, due_at: str) -> None:
    assert due_of(text, timezone(8 * HOUR), NOW).isoformat() == due_at


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "9999-12-31T23:59-12:00", "400000d"])
def test_what_is_no_day_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 2026-12-31"):
        due_of(text, timezone(8 * HOUR), NOW)
