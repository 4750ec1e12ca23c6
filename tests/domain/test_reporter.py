"""Reports by people: what a form may say, how a contact looks, and what a reporter may be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.facts import Fact
from responder.domain.grading import Bound, GradeRule
from responder.domain.kinds import Kind
from responder.domain.matching import parse_matcher
from responder.domain.policy import FirstAidRule, ReporterRule
from responder.domain.report_form import Form, complaints, form_of, open_ticket, opening_of
from responder.domain.reporter import (
    MOST_REMINDERS,
    Asked,
    Due,
    Reporter,
    contact_of,
    dialled,
    due_now,
    look_again_at,
    silence,
)
from responder.domain.reporter_news import (
    coming,
    grade_in_words,
    merged_in_words,
    moment,
    next_news_at,
    sentences,
    state_in_words,
)
from responder.domain.sla import Clock, ClockRule
from responder.domain.ticket import Action, Event, EventKind, Status
from tests.fakes import HOUR, MINUTE, NOW, a_policy, a_ticket

DAY = timedelta(days=1)
GOOD = {
    "title": "The printer on floor 3 prints nothing",
    "channel": "hotline",
    "reporter": {"name": "Li Wei", "contact": "li.wei@example.org", "language": "zh"},
    "fields": {"product": "P900", "affected_users": 12, "occurred_at": "2026-11-20 09:30"},
}


def a_form(**changes: object) -> Form:
    return replace(form_of(GOOD), **changes)  # type: ignore[arg-type]


# --- the contact -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("li.wei+ops@mail.example.org", "li.wei+ops@mail.example.org"),
        (" 123456@qq.com ", "123456@qq.com"),
        ("ops@xn--fiq228c.xn--fiqs8s", "ops@xn--fiq228c.xn--fiqs8s"),
        ("li@example.org", "li@example.org"),
        ("+49 (89) 1234-567", "+49 (89) 1234-567"),
        ("138 0013 8000", "138 0013 8000"),
        ("４４１２", "4412"),
    ],
)
def test_a_contact_is_an_address_or_a_phone_number(text: str, contact: str) -> None:
    assert contact_of(text) == contact


@pytest.mark.parametrize(
    "text",
    [
        "", "li", "li@", "@example.org", "li@example", "a@b.com,c@d.com", "a@b.com c@d.com", "a@b.com\nBcc: c@d.com",
        "a@b.com%0aBcc:c@d.com", "a%c@b.com", "a@b.com?cc=c@d.com", "a@b.com&to=c@d.com", '"a b"@example.org',
        "<a@b.com>", "a@b.com;c@d.com", "a/b@c.com", "+1 555 http://x", "12", "1234567890123456", "+49/12#3",
        "a@" + "b" * 64 + ".com",
        "a" * 65 + "@b.com", "a@b..com", "a@-b.com", "a.@b.com", "{contact}@b.com",
    ],
)  # fmt: skip
def test_what_could_reach_another_place_is_no_contact(text: str) -> None:
    assert contact_of(text) == ""


@given(st.text(max_size=40))
def test_whatever_passes_as_a_contact_holds_nothing_that_ends_an_address(text: str) -> None:
    found = contact_of(text)
    assert not set(found) & set("\r\n\t,;:?&#%<>\"'\\{}[]=")
    assert dialled(found) == "" or "@" in found or dialled(found).removeprefix("+").isdigit()


def test_machines_dial_a_number_without_its_spaces() -> None:
    assert (dialled("+49 (89) 1234-567"), dialled("li@example.org")) == ("+49891234567", "li@example.org")


# --- the form ----------------------------------------------------------------------------------------


def test_a_good_form_has_nothing_to_complain_about() -> None:
    form = a_form()
    assert complaints(form, a_policy(), NOW) == []
    assert (form.name, form.language, form.fields["affected_users"]) == ("Li Wei", "zh", "12")


def test_everything_wrong_with_a_form_is_said_at_once() -> None:
    bad = {
        "title": " ",
        "channel": "pigeon",
        "reporter": {"name": "x" * 101, "contact": "nobody at all", "kind": "king", "language": "de", "age": 7},
        "kind": "hardware",
        "grade": "P9",
        "urgency": ["high"],
        "fields": {"Bad Name": "x", "symptom": "y" * 4001, "affected_users": "about 100", "occurred_at": "yesterday"},
        "labels": [],
        "colour": "red",
    }
    said = "\n".join(complaints(form_of(bad), a_policy(), NOW))
    for one in (
        "“title” is missing: what is wrong, in one line.",
        "“channel” is none of hotline, desk,",
        "“reporter.name” is longer than 100 characters.",
        "“reporter.contact” is neither: a mail address or a phone number.",
        "“reporter.kind” is none of user, service, engineer, other.",
        "“reporter.language” is none of en, zh.",
        "“reporter.age” is not known here",
        "“kind”: this policy has none.",
        "“grade” is none of P1, P3.",
        "“urgency” is no text.",
        "“fields.Bad Name” is no name",
        "“fields.symptom” is longer than 4000 characters.",
        "“fields.affected_users” is no whole number.",
        "“fields.occurred_at” is no time",
        "“labels” is no object.",
        "“colour” is not known here",
    ):
        assert one in said, one
    assert said.count("\n") == 15
    assert "nobody at all" not in said


@pytest.mark.parametrize("content", [{}, {"reporter": None}, {"reporter": "Li"}, {"fields": {"a": {"b": 1}}}])
def test_what_is_missing_altogether_is_named(content: dict[str, object]) -> None:
    said = " ".join(complaints(form_of(content), a_policy(), NOW))
    for place in (
        "“title” is missing",
        "“channel” is missing",
        "“reporter.name” is missing",
        "“reporter.contact” is missing",
    ):
        assert place in said


def test_a_time_is_read_in_the_policys_zone_and_may_not_lie_ahead() -> None:
    shanghai = a_policy(zone=ZoneInfo("Asia/Shanghai"))
    ahead = a_form(fields={"occurred_at": "2026-11-20 18:30"})
    assert complaints(ahead, shanghai, NOW) == []
    assert complaints(ahead, a_policy(), NOW) == ["“fields.occurred_at” lies in the future."]
    assert complaints(a_form(fields={"occurred_at": "2026-11-20T18:30+08:00"}), a_policy(), NOW) == []


PLAIN = st.none() | st.booleans() | st.floats() | st.text()
NAMES = st.sampled_from(["title", "reporter", "name", "contact", "fields", "labels", "kind"]) | st.text()


@given(st.recursive(PLAIN, lambda part: st.lists(part) | st.dictionaries(NAMES, part)))
def test_no_form_is_too_odd_to_be_answered(content: object) -> None:
    form = form_of(content if isinstance(content, dict) else {"fields": content})
    assert all(one.endswith(".") for one in complaints(form, a_policy(), NOW))


def test_what_only_moves_a_cursor_is_left_out() -> None:
    form = form_of({**GOOD, "title": "a\x00b\n\u202ec", "fields": {"steps": "1.\r\n2.\x1b[31m\ud800"}})
    assert (form.title, form.fields["steps"]) == ("a b c", "1.\n2. [31m?")


# --- the ticket --------------------------------------------------------------------------------------


def test_the_policy_grades_by_what_the_fields_say() -> None:
    rule = GradeRule(name="many users", grade="P1", affected_users=Bound(operator=">", number=10))
    policy = a_policy(grade_rules=(rule,))
    opening = opening_of(a_form(), policy, "by a person:1", NOW)
    assert (opening.grading.grade, opening.grading.rule) == ("P1", "many users")
    by_hand = opening_of(a_form(grade="P3", taken_by="mei"), policy, "by a person:1", NOW)
    assert by_hand.grading.reason == "mei graded it when the report came in"


def test_a_kind_that_was_given_sends_it_to_its_team() -> None:
    kinds = {"hardware": Kind(name="hardware", team="bench"), "software": Kind(name="software")}
    policy = a_policy(kinds=kinds, default_kind="software")
    given_kind = opening_of(a_form(kind="hardware"), policy, "t", NOW)
    assert (given_kind.kind, given_kind.team) == ("hardware", "bench")
    assert opening_of(a_form(), policy, "t", NOW).kind == "software"


def test_first_aid_is_only_for_reports_with_labels() -> None:
    rule = FirstAidRule(name="any but tests", when=(parse_matcher('env!="test"'),), runbook="restart")
    policy = a_policy(first_aid=(rule,))
    assert opening_of(a_form(), policy, "t", NOW).runbook == ""
    assert opening_of(a_form(labels={"instance": "web-1"}), policy, "t", NOW).runbook == "restart"


GRADE_CLOCK = ClockRule(name="grade", start=frozenset({Fact.REGISTERED}), stop=frozenset({Fact.GRADED}))
REGISTER_CLOCK = ClockRule(name="register", start=frozenset({Fact.OPENED}), stop=frozenset({Fact.REGISTERED}))


@pytest.mark.parametrize(
    ("needed", "grade", "running"),
    [
        ((), "", {"grade"}),
        (("serial",), "", {"register"}),
        (("product",), "P1", set()),
        (("serial",), "P1", {"register"}),
    ],
)
def test_what_is_complete_is_registered_and_what_somebody_graded_is_graded(
    needed: tuple[str, ...], grade: str, running: set[str]
) -> None:
    policy = a_policy(clocks=(GRADE_CLOCK, REGISTER_CLOCK), report_fields=needed)
    targets = {"grade": HOUR, "register": HOUR}
    policy = replace(policy, grades={name: replace(one, targets=targets) for name, one in policy.grades.items()})
    change = open_ticket(opening_of(a_form(grade=grade), policy, "t", NOW), policy, NOW)
    assert {name for name, clock in change.clocks.items() if clock.is_running} == running


def test_the_new_ticket_fires_without_an_alert_and_keeps_the_form_for_people() -> None:
    change = open_ticket(opening_of(a_form(urgency="very"), a_policy(), "t", NOW), a_policy(), NOW)
    ticket = change.after
    assert (ticket.signal.value, ticket.firing, ticket.source, ticket.labels) == ("firing", {}, "hotline", {})
    assert ticket.annotations["description"].startswith("product: P900; affected users: 12;")
    assert ticket.annotations["urgency"] == "very"
    assert "Reported by a person by hotline. P3 by rule “default”" in change.events[0].text
    assert change.sums["tickets_created_total", (("priority", "P3"), ("source", "hotline"), ("team", "ops"))] == 1


# --- silence -----------------------------------------------------------------------------------------

ASKED = Reporter(ticket_id=1, name="Li", contact="li@example.org", asked_at=NOW, asked_for=Asked.CONFIRMATION)


def test_a_silent_reporter_is_reminded_each_day_until_the_time_is_over() -> None:
    rule, reporter = ReporterRule(), ASKED
    said: list[tuple[timedelta, Due]] = []
    while (at := look_again_at(reporter, rule)) is not None and len(said) < 9:
        due = due_now(reporter, rule, at)
        said.append((at - NOW, due))
        if due is Due.GO_ON:
            break
        assert due_now(reporter, rule, at - MINUTE) is Due.NOTHING
        reporter = replace(reporter, reminders=reporter.reminders + 1)
    assert said == [(DAY, Due.REMIND), (2 * DAY, Due.REMIND), (3 * DAY, Due.GO_ON)]
    assert silence(rule) == "no answer for 3d"


def test_without_a_limit_nothing_follows_from_silence_and_the_reminders_end() -> None:
    rule, reporter = ReporterRule(close_after=None), ASKED
    for _ in range(MOST_REMINDERS):
        at = look_again_at(reporter, rule)
        assert at is not None
        assert due_now(reporter, rule, at) is Due.REMIND
        reporter = replace(reporter, reminders=reporter.reminders + 1)
    assert look_again_at(reporter, rule) is None
    assert due_now(reporter, rule, NOW + 1000 * DAY) is Due.NOTHING


def test_who_was_not_asked_is_not_silent() -> None:
    assert due_now(replace(ASKED, asked_at=None, asked_for=Asked.NOTHING), ReporterRule(), NOW + 9 * DAY) is Due.NOTHING


def test_a_reporter_shows_neither_name_nor_contact_by_accident() -> None:
    assert "Li" not in f"{ASKED} {ASKED!r}"
    assert "example" not in f"{ASKED} {ASKED!r}"


# --- what they are told ------------------------------------------------------------------------------

UTC_ZONE, SHANGHAI = ZoneInfo("UTC"), ZoneInfo("Asia/Shanghai")


def moved(action: Action, at: datetime = NOW, text: str = "secret") -> Event:
    return Event(at=at, kind=EventKind.MOVED, actor="mei", text=text, data={"action": action})


def test_moves_are_told_in_fixed_sentences_and_local_time() -> None:
    events = [moved(Action.HAND_OVER), moved(Action.ACKNOWLEDGE, NOW + HOUR)]
    assert sentences(events, "en", UTC_ZONE, NOW + HOUR) == [
        "Our team was called in at 10:00.",
        "We have been working on it since 11:00.",
    ]
    assert sentences(events, "zh", SHANGHAI, NOW + HOUR) == ["18:00 已转交我们的团队。", "我们自 19:00 起正在处理。"]


def test_of_the_same_sentence_only_the_newest_is_told() -> None:
    events = [moved(Action.ACKNOWLEDGE), moved(Action.WAIT, NOW + MINUTE), moved(Action.RESUME, NOW + HOUR)]
    assert sentences(events, "en", UTC_ZONE, NOW + DAY) == [
        "We have been waiting for something that we need since 10:01 on 20 November.",
        "We have been working on it since 11:00 on 20 November.",
    ]


def test_what_people_do_without_a_move_is_told_by_its_fact() -> None:
    given_data: list[dict[str, object]] = [
        {"fact": "diagnosed"},
        {"tier": 2},
        {"fact": "registered"},
        {"assignee": "lars"},
        {"fact": ["diagnosed"]},
    ]
    events = [Event(at=NOW, kind=EventKind.HANDLED, actor="mei", text="secret", data=data) for data in given_data]
    assert sentences(events, "en", UTC_ZONE, NOW) == [
        "We looked into the cause at 10:00.",
        "Our specialists were called in at 10:00.",
    ]


@given(
    kind=st.sampled_from(EventKind),
    actor=st.text(),
    text=st.text(),
    data=st.dictionaries(
        st.sampled_from(["action", "fact", "tier", "host", "x"]),
        st.sampled_from([*Action, *Fact]) | st.text() | st.integers() | st.lists(st.text()),
    ),
    language=st.sampled_from(["en", "zh"]),
)
def test_an_events_own_words_are_never_told(
    kind: EventKind, actor: str, text: str, data: dict[str, object], language: str
) -> None:
    said = sentences([Event(at=NOW, kind=kind, actor=actor, text=text, data=data)], language, UTC_ZONE, NOW)
    plain = sentences([Event(at=NOW, kind=kind, actor="", text="", data=data)], language, UTC_ZONE, NOW)
    assert said == plain
    known = {one for name in Fact for one in sentences(
        [Event(at=NOW, kind=EventKind.HANDLED, actor="", text="", data={"fact": name})], language, UTC_ZONE, NOW
    )}  # fmt: skip
    assert set(said) <= known


@pytest.mark.parametrize("status", Status)
def test_every_status_has_plain_words_in_both_languages(status: Status) -> None:
    english, chinese = (state_in_words(a_ticket(status), language) for language in ("en", "zh"))
    assert english.isascii()
    assert chinese.endswith("。")


def test_waiting_for_the_reporter_no_fault_and_merging_are_said_as_such() -> None:
    assert "your answer" in state_in_words(a_ticket(Status.WAITING, waiting_for="reporter"), "en")
    assert "no fault" in state_in_words(a_ticket(Status.CLOSED, disposition="pseudo_fault"), "en")
    holder = a_ticket(Status.IN_PROGRESS)
    assert merged_in_words(holder, "en").endswith("report of the same trouble. Our team is working on it.")
    assert merged_in_words(holder, "zh") == "已与同一问题的其他报告合并处理。我们的团队正在处理。"


def test_the_reporter_of_a_merged_report_is_not_asked_what_another_one_is_asked() -> None:
    holder = a_ticket(Status.WAITING, waiting_for="reporter")
    assert merged_in_words(holder, "en").endswith("We are waiting for something that we need.")


def test_times_are_said_with_their_day() -> None:
    assert coming(NOW + HOUR, NOW, UTC_ZONE, "en") == "today at 11:00 (UTC)"
    assert coming(NOW + 10 * HOUR, NOW, SHANGHAI, "en") == "tomorrow at 04:00 (Asia/Shanghai)"
    assert coming(NOW + 3 * DAY, NOW, UTC_ZONE, "en") == "Monday 23 November at 10:00 (UTC)"
    assert coming(NOW + 3 * DAY, NOW, SHANGHAI, "zh") == "11月23日（星期一） 18:00（Asia/Shanghai）"
    assert moment(datetime(2026, 11, 19, 23, 0, tzinfo=UTC), NOW, SHANGHAI, "zh") == "07:00"


def test_the_next_news_are_promised_by_the_first_answer_then_the_update_then_the_response() -> None:
    def running(name: str, due: timedelta) -> Clock:
        return Clock(name=name, started_at=NOW, due_at=NOW + due)

    clocks = {"respond": running("respond", MINUTE), "update": running("update", 6 * HOUR)}
    assert next_news_at(clocks) == NOW + 6 * HOUR
    clocks["first_answer"] = running("first_answer", HOUR)
    assert next_news_at(clocks) == NOW + HOUR
    clocks["first_answer"] = replace(clocks["first_answer"], stopped_at=NOW)
    clocks["update"] = replace(clocks["update"], due_at=None)
    assert next_news_at(clocks) == NOW + MINUTE
    assert next_news_at({}) is None


def test_a_grade_is_said_with_its_rank_and_the_policys_words() -> None:
    policy = a_policy()
    assert grade_in_words(policy, "P1", "en", "Urgent.") == "P1 (1 of 2, 1 is the most urgent): Urgent."
    assert grade_in_words(policy, "P3", "zh", "") == "P3（第 2 级，共 2 级，1 级最紧急）"
    assert grade_in_words(policy, "P1", "zh", "紧急。") == "P1（第 1 级，共 2 级，1 级最紧急）：紧急。"
    assert grade_in_words(policy, "gone", "en", "") == "gone"
