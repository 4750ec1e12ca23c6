"""Reports by people: they become tickets, their reporters are told and asked, and what they answer counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responder.config.configuration import read
from responder.config.reporters import objection_to_reporters
from responder.domain.access import Role
from responder.domain.accounts import User
from responder.domain.facts import Fact
from responder.domain.message import Message, MessageState
from responder.domain.recount import recounted
from responder.domain.report_form import form_of
from responder.domain.reporter import Asked
from responder.domain.reporter_answers import Answer, AnswerKind, Effect, Heard
from responder.domain.requirements import Need
from responder.domain.sla import ClockRule
from responder.domain.ticket import Action, Change, Status
from responder.errors import BadForm, ConfigError, NotFound, Refused, SendFailed, SendRefused
from responder.flows.handle import do
from responder.flows.report_by_person import add_reporter, open_report
from responder.flows.reporter import ask_reporter, erase_contacts, progress_due, tell_progress
from responder.flows.reporter_answers import reporter_says
from responder.flows.reporter_letters import letter_of, no_longer_needed
from responder.flows.reporter_talk import address_of, reporter_address
from responder.flows.watch import look_at_clocks
from responder.store.database import Database
from tests.fakes import NOW, a_ticket
from tests.flows.reports import CONTACT, DAY, HOUR, URL, WITH_A_WAY, Reports
from tests.world import MAIN, alert, texts, write_files


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    return Reports(tmp_path, database)


@pytest.fixture
def by_hand(tmp_path: Path, database: Database) -> Reports:
    """A world without a way to write to reporters."""
    return Reports(tmp_path, database, main=MAIN)


async def says(world: Reports, kind: str, text: str = "", key: str = "1", **more: Any) -> Heard:
    """Li Wei answers by the page."""
    heard = await reporter_says(world.desk, key, "reporter", Answer(kind=AnswerKind(kind), text=text, **more))
    await world.work()
    return heard


# --- opening -----------------------------------------------------------------------------------------


async def test_a_report_by_a_person_opens_one_ticket_and_goes_to_people(world: Reports) -> None:
    first = await world.opens(fields={"product": "P900"})
    second = await world.opens()
    assert (first.number == second.number, first.source) == (False, "hotline")
    ticket = await world.ticket()
    assert (ticket["status"], ticket["signal"], ticket["grade"]) == ("handed_over", "firing", "P3")
    assert ticket["dossier"]["fields"] == {"product": "P900"}
    assert "Reported by a person." in texts(ticket)
    (page,) = await world.messages_to("mei")
    assert "product: P900" in page
    reporter = await world.reporter()
    assert (reporter.name, reporter.contact, reporter.language) == ("Li Wei", CONTACT, "en")


async def test_what_is_wrong_with_a_form_is_said_at_once_and_nothing_is_opened(world: Reports) -> None:
    with pytest.raises(BadForm) as caught:
        await open_report(world.desk, form_of({"channel": "pigeon", "reporter": {"contact": "none"}}))
    for place in ("“title” is missing", "“channel” is none of", "“reporter.name” is missing", "“reporter.contact” is"):
        assert place in str(caught.value)
    with pytest.raises(NotFound):
        await world.ticket()


async def test_first_aid_begins_for_a_report_with_labels_that_a_rule_knows(world: Reports) -> None:
    await world.opens(labels={"alertname": "ServiceDown", "instance": "web-1"})
    assert world.fleet.restarts() == ["web-1"]


async def test_name_and_contact_stand_on_no_ticket_event_or_message(world: Reports) -> None:
    await world.opens(title=f"call {CONTACT}", fields={"symptom": f"mail me: {CONTACT}"})
    ticket = await world.ticket()
    assert CONTACT not in str(ticket)
    assert "Li Wei" not in str(ticket)
    assert ticket["title"] == "call ***"
    for body in await world.messages_to("mei"):
        assert CONTACT not in body
    assert "Li Wei" not in str(await world.sums("reports_total")) + str(await world.sums("tickets_created_total"))


async def test_a_ticket_of_an_alert_may_be_given_one_reporter(world: Reports) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    form = form_of({"reporter": {"name": "Li Wei", "contact": CONTACT}, "fields": {"impact": "nobody can print"}})
    await add_reporter(world.desk, "1", "mei", form)
    assert await world.purposes() == ["received"]
    ticket = await world.ticket()
    assert (ticket["dossier"]["fields"]["impact"], ticket["title"]) == ("nobody can print", "DiskFull on web-1:9100")
    with pytest.raises(Refused, match="has a reporter already"):
        await add_reporter(world.desk, "1", "mei", form)
    with pytest.raises(BadForm, match="is missing: who reports it"):
        await add_reporter(world.desk, "1", "mei", form_of({}))


# --- letters -----------------------------------------------------------------------------------------


async def test_the_first_letter_says_number_grade_and_when_they_hear_again(world: Reports) -> None:
    world.clock.advance_to(world.clock.now().replace(hour=22, minute=30) + DAY)
    ticket = await world.opens(fields={"impact": "partly abnormal"})
    letter = await world.last_letter()
    assert f"Its number is {ticket.number}" in letter
    assert "P3 (3 of 4, 1 is the most urgent): Normal. Partly abnormal" in letter
    assert "You will hear from us by today at 23:30 (UTC)." in letter
    assert (await world.letters())[0].subject == f"Your report {ticket.number}: we have received it"
    assert await world.purposes() == ["received"]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_grade_that_nobody_has_judged_is_not_told(world: Reports, language: str) -> None:
    await world.opens(reporter={"language": language})
    ticket, letter = await world.ticket(), await world.last_letter()
    assert (ticket["grade"], ticket["grade_rule"]) == ("P3", "default")
    assert [word for word in ("P3", "How we rank it", "等级") if word in letter] == []


async def test_a_chinese_reporter_reads_the_grade_in_chinese_or_without_foreign_words(world: Reports) -> None:
    told = {"fields": {"impact": "partly abnormal"}, "reporter": {"language": "zh"}}
    await world.opens(**told)
    assert "等级：P3（第 3 级，共 4 级，1 级最紧急）：一般。部分功能异常，主流程可用。\n" in await world.last_letter()
    grades = world.desk.policy.grades
    for number, (text, says) in enumerate((("Our own words.", ""), ("影响部分用户。", "：影响部分用户。")), 2):
        world.rule(grades={**grades, "P3": replace(grades["P3"], text=text)})
        await world.opens(**told)
        assert f"等级：P3（第 3 级，共 4 级，1 级最紧急）{says}\n" in await world.last_letter(number)


async def test_a_reporter_reads_their_own_language(world: Reports) -> None:
    ticket = await world.opens(reporter={"language": "zh"})
    assert (await world.last_letter()).startswith(f"我们已收到您的报告，编号为 {ticket.number}。")


async def test_news_tell_what_happened_since_the_last_letter_and_stop_the_first_answer(world: Reports) -> None:
    await world.opens()
    await world.do("acknowledge")
    await tell_progress(world.desk, "1", "mei", "A new fuse is on its way.")
    letter = await world.last_letter()
    assert "- Our team was called in at" in letter
    assert "- We have been working on it since" in letter
    assert "A new fuse is on its way." in letter
    assert not (await world.clock_of("first_answer")).is_running
    before = (await world.clock_of("update")).due_at

    await world.advance(HOUR)
    await tell_progress(world.desk, "1", "mei")
    letter = await world.last_letter()
    assert "Our team was called in" not in letter
    assert "- Our team is working on it." in letter
    assert (await world.clock_of("update")).due_at == before + HOUR
    assert await world.purposes() == ["received", "progress-1", "progress-2"]


async def test_the_letters_about_restoring_and_closing_come_once_each(world: Reports) -> None:
    await world.opens()
    await world.restored()
    assert "Without an answer by" in await world.last_letter()
    await says(world, "solved")
    await world.advance(timedelta(minutes=10))
    await world.do("close", reason="all done")
    assert await world.purposes() == ["received", "restored", "closed"]
    assert "from 1 to 5; 5 is the best" in await world.last_letter()
    assert "Until" in await world.last_letter()


async def test_where_closing_needs_the_score_it_is_asked_for_before(world: Reports) -> None:
    world.rule(needs=(Need(move=Action.CLOSE, needs=("satisfaction",)),))
    await world.opens()
    await world.restored()
    await world.advance(HOUR)
    assert await world.purposes() == ["received", "restored", "resolved"]
    assert (await world.reporter()).asked_for is Asked.SCORE
    await says(world, "score", "quick!", score=5)
    ticket = await world.ticket()
    assert (ticket["dossier"]["satisfaction"], ticket["dossier"]["satisfaction_text"]) == (5, "quick!")
    assert (await world.reporter()).asked_for is Asked.NOTHING
    await world.do("close", reason="done")
    assert "How was it" not in await world.last_letter()


async def test_a_pseudo_fault_is_closed_with_its_guide_and_a_merged_report_names_the_other(world: Reports) -> None:
    first, _ = await world.opens(), await world.opens()
    await world.do("merge", key="2", into=first.number)
    assert f"handled together with {first.number}" in await world.last_letter(2)
    assert "How was it" not in await world.last_letter(2)
    await world.do("dismiss", **{"as": "pseudo_fault", "reason": "wrong paper", "guide": "Put A4 paper into tray 2."})
    letter = await world.last_letter(1)
    assert "there was no fault to repair" in letter
    assert "What helps: Put A4 paper into tray 2." in letter
    assert "wrong paper" not in letter


async def test_nobody_is_told_of_a_closed_report_or_too_much_at_once(world: Reports) -> None:
    await world.opens()
    with pytest.raises(Refused, match="longer than 4000"):
        await tell_progress(world.desk, "1", "mei", "x" * 4001)
    await world.do("dismiss", **{"as": "false_alarm", "reason": "none"})
    with pytest.raises(Refused, match="is closed"):
        await tell_progress(world.desk, "1", "mei", "hello")
    await world.post(alert("DiskFull"))
    with pytest.raises(NotFound, match="no reporter"):
        await tell_progress(world.desk, "2", "mei", "hello")


WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=12, max_size=16).map(lambda one: f"zq{one}")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.lists(WORD, min_size=9, max_size=9, unique=True), language=st.sampled_from(["en", "zh"]))
async def test_no_label_note_command_or_colleague_ever_gets_into_a_letter(
    world: Reports, secret: list[str], language: str
) -> None:
    label, annotation, note, command, person, host, reason, title, cause = secret
    fields = {"symptom": annotation, "impact": command}
    ticket = await world.opens(
        title=title, labels={"instance": host, "job": label}, fields=fields, reporter={"language": language}
    )
    key = ticket.number
    colleague = User(name=person, role=Role.RESPONDER, created_at=world.clock.now())
    await world.database.write(lambda tx: tx.accounts.named(person) or tx.accounts.add(colleague))
    await world.do("acknowledge", person, key=key)
    await world.do("note", person, key=key, text=note)
    await world.do("diagnose", person, key=key, text=cause, cause="because")
    await world.do("escalate", person, key=key, reason=reason)
    await tell_progress(world.desk, key, person)
    await world.do("acknowledge", person, key=key)
    await world.do("wait", person, key=key, reason=reason, **{"for": "part"})
    await tell_progress(world.desk, key, person)
    await world.do("restore", person, key=key, reason=reason)
    await says(world, "not_solved", note, key=key)
    await tell_progress(world.desk, key, person)
    await world.do("dismiss", person, key=key, reason=reason, **{"as": "false_alarm"})
    written = await world.letters(ticket.id)
    assert [one.purpose.removeprefix("reporter-") for one in written] == [
        "received", "progress-1", "progress-2", "restored", "again-1", "progress-3", "closed",
    ]  # fmt: skip
    for one in written:
        text = (one.subject + one.body).split("/report/")[0]
        assert not [word for word in [*secret, "Li Wei", CONTACT] if word in text]


async def test_what_letters_did_to_the_clocks_can_be_counted_anew_from_the_events(world: Reports) -> None:
    verify = ClockRule(name="verify", start=frozenset({Fact.RESTORED}), stop=frozenset({Fact.VERIFIED}))
    grades = {
        name: replace(one, targets={**one.targets, "verify": 9 * DAY}) for name, one in world.desk.policy.grades.items()
    }
    world.rule(clocks=(*world.desk.policy.clocks, verify), grades=grades)
    await world.opens()
    await world.do("acknowledge")
    await world.advance(2 * HOUR)
    await tell_progress(world.desk, "1", "mei", "late")
    await world.advance(7 * HOUR)
    await tell_progress(world.desk, "1", "mei", "later")
    await world.advance(HOUR)
    await tell_progress(world.desk, "1", "mei", "in time")
    await world.do("restore", reason="new fuse")
    for _ in range(3):
        await world.advance(DAY)
    assert (await world.ticket())["status"] == "resolved"

    def again(tx):  # type: ignore[no-untyped-def]
        return recounted(tx.tickets.one(1).ticket, tx.tickets.events(1), world.desk.policy)

    anew = await world.read(again)
    for name in ("sla_clocks_met_total", "sla_clocks_breached_total"):
        assert {labels: count for (one, labels), count in anew.items() if one == name} == await world.sums(name)
    late = (("clock", "first_answer"), ("priority", "P3"), ("team", "ops"))
    assert (await world.sums("sla_clocks_breached_total"))[late] == 1


# --- when news are due -------------------------------------------------------------------------------


async def due(world: Reports, ticket_id: int = 1) -> None:
    """What the watch does when the clock `update` warns or is due."""

    def body(tx):  # type: ignore[no-untyped-def]
        known = tx.tickets.one(ticket_id, locked=True)
        change = Change.of(known.ticket, known.clocks)
        progress_due(world.desk, tx, change)
        tx.apply([change], world.clock.now())

    await world.database.write(body)


async def test_whoever_has_the_ticket_is_reminded_once_that_news_are_due(world: Reports) -> None:
    await world.opens()
    await world.do("acknowledge", "lars")
    await due(world)
    await due(world)
    (reminder,) = await world.messages_to("lars")
    assert "expects news by" in reminder
    assert "responder reporters progress" in reminder
    assert await world.purposes() == ["received"]
    await world.advance(HOUR)
    await tell_progress(world.desk, "1", "lars")
    await due(world)
    assert len(await world.messages_to("lars")) == 2


async def test_news_are_written_without_a_person_if_the_policy_says_so(world: Reports) -> None:
    world.treat(automatic_progress=True)
    await world.opens()
    await world.do("acknowledge", "lars")
    await due(world)
    assert await world.purposes() == ["received", "progress-1"]
    assert await world.messages_to("lars") == []
    assert (await world.clock_of("update")).due_at == world.clock.now() + 6 * HOUR


async def test_automatic_news_for_somebody_who_must_be_called_remind_a_person(by_hand: Reports) -> None:
    by_hand.treat(automatic_progress=True)
    await by_hand.opens()
    await due(by_hand)
    assert await by_hand.purposes() == ["received"]
    assert "expects news" in (await by_hand.messages_to("mei"))[-1]


# --- answers -----------------------------------------------------------------------------------------


async def test_solved_resolves_a_restored_ticket_that_waited_for_this(world: Reports) -> None:
    await world.opens()
    await world.restored()
    await world.advance(HOUR)
    assert (await world.ticket())["status"] == "restored"
    heard = await says(world, "solved", "prints again")
    ticket = await world.ticket()
    assert (heard.effect, ticket["status"]) == (Effect.CONFIRMED, "resolved")
    (look,) = ticket["dossier"]["verifications"]
    assert (look["by"], look["is_good"], look["text"]) == ("reporter", True, "prints again")
    assert (await world.reporter()).asked_for is Asked.NOTHING


async def test_solved_before_it_was_quiet_long_enough_resolves_it_then(world: Reports) -> None:
    await world.opens()
    await world.restored()
    await says(world, "solved")
    ticket = await world.ticket()
    assert (ticket["status"], "It has not been quiet for long enough." in texts(ticket)) == ("restored", True)
    await world.advance(timedelta(minutes=5))
    assert (await world.ticket())["status"] == "resolved"


async def test_solved_resolves_nothing_while_something_else_is_missing(world: Reports) -> None:
    world.rule(needs=(Need(move=Action.RESOLVE, needs=("reporter_confirmation", "cause")),))
    await world.opens()
    await world.restored()
    await world.advance(HOUR)
    await says(world, "solved")
    ticket = await world.ticket()
    assert ticket["status"] == "restored"
    assert "The reporter has confirmed it, but it stays restored:" in texts(ticket)
    assert "the cause in words (verb: diagnose)" in texts(ticket)


async def test_not_solved_takes_a_restored_ticket_back_to_people(world: Reports) -> None:
    await world.opens()
    await world.restored()
    heard = await says(world, "not_solved", "still dark")
    ticket = await world.ticket()
    assert (heard.effect, ticket["status"], ticket["signal"]) == (Effect.TAKEN_UP_AGAIN, "handed_over", "firing")
    assert ticket["dossier"]["verifications"][0]["is_good"] is False
    told = "\n".join(await world.messages_to("mei"))
    assert "The reporter says that it is not solved: still dark" in told
    assert await world.purposes() == ["received", "restored", "again-1"]
    assert (await world.reporter()).asked_for is Asked.NOTHING
    await world.restored()
    assert (await world.purposes())[-1] == "restored"


async def test_not_solved_reopens_a_resolved_ticket_and_hands_it_over(world: Reports) -> None:
    await world.opens()
    await world.restored()
    await says(world, "solved")
    await world.advance(HOUR)
    assert (await world.ticket())["status"] == "resolved"
    heard = await says(world, "not_solved", "dark again")
    ticket = await world.ticket()
    assert (heard.effect, ticket["status"], ticket["episode"]) == (Effect.TAKEN_UP_AGAIN, "handed_over", 2)
    assert [one["is_good"] for one in ticket["dossier"]["verifications"]] == [True, False]
    assert len([one for one in await world.messages_to("mei") if "What remains" in one]) == 2


async def closed(world: Reports) -> None:
    await world.opens(fields={"product": "P900"})
    await world.restored()
    await says(world, "solved")
    await world.advance(HOUR)
    await world.do("close", reason="done")


async def test_not_solved_soon_after_closing_reopens(world: Reports) -> None:
    await closed(world)
    assert (await world.reporter()).erase_at == world.clock.now() + 180 * DAY
    await world.advance(7 * DAY)
    heard = await says(world, "not_solved")
    ticket = await world.ticket()
    assert (heard.effect, ticket["status"]) == (Effect.TAKEN_UP_AGAIN, "handed_over")
    assert (await world.reporter()).erase_at is None


async def test_not_solved_long_after_closing_opens_one_new_report_of_the_same_person(world: Reports) -> None:
    await closed(world)
    await world.advance(7 * DAY + timedelta(seconds=1))
    heard = await says(world, "not_solved", "dark again")
    new = await world.ticket(heard.ticket.number)
    assert (heard.effect, new["previous_id"], new["status"]) == (Effect.OPENED_ANEW, 1, "handed_over")
    assert heard.ticket.number in heard.sentence("zh")
    assert new["dossier"]["fields"] == {"product": "P900", "still": "dark again"}
    reporter = await world.reporter(new["id"])
    assert (reporter.name, reporter.contact) == ("Li Wei", CONTACT)
    assert await world.purposes(new["id"]) == ["received"]
    assert (await world.ticket())["status"] == "closed"

    again = await says(world, "not_solved", "and again")
    assert (again.effect, again.ticket.number) == (Effect.NOTED, heard.ticket.number)
    with pytest.raises(NotFound):
        await world.ticket(3)


async def test_a_newer_ticket_of_the_same_alert_is_not_reopened_over(world: Reports) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    await add_reporter(world.desk, "1", "mei", form_of({"reporter": {"name": "Li Wei", "contact": CONTACT}}))
    await world.do("dismiss", **{"as": "false_alarm", "reason": "none"})
    await world.advance(2 * HOUR)
    await world.post(alert("DiskFull", status="resolved"))
    await world.post(alert("DiskFull"))
    await world.work()
    heard = await says(world, "not_solved")
    assert (heard.effect, heard.ticket.previous_id) == (Effect.OPENED_ANEW, 1)


async def test_an_answer_to_a_question_lets_the_ticket_go_on(world: Reports) -> None:
    await world.opens()
    await world.do("acknowledge")
    await ask_reporter(world.desk, "1", "mei", "Which light is on?")
    ticket = await world.ticket()
    assert (ticket["status"], ticket["waiting_for"]) == ("waiting", "reporter")
    assert "Which light is on?" in await world.last_letter()
    assert (await world.reporter()).asked_for is Asked.INFORMATION
    assert not (await world.clock_of("first_answer")).is_running

    heard = await says(world, "information", "The red one.")
    assert (heard.effect, (await world.ticket())["status"]) == (Effect.GOES_ON, "in_progress")
    assert any("The red one." in one for one in await world.messages_to("mei"))
    assert (await world.reporter()).asked_for is Asked.NOTHING


async def test_a_question_can_be_followed_by_another_and_needs_words(world: Reports) -> None:
    await world.opens()
    with pytest.raises(Refused, match="cannot wait"):
        await ask_reporter(world.desk, "1", "mei", "Which?")
    await world.do("acknowledge")
    with pytest.raises(Refused, match="question is missing"):
        await ask_reporter(world.desk, "1", "mei", " \n ")
    await ask_reporter(world.desk, "1", "mei", "Which?")
    await ask_reporter(world.desk, "1", "mei", "And since when?")
    assert await world.purposes() == ["received", "question-1", "question-2"]


async def test_waiting_for_a_reporter_who_was_not_asked_is_refused_with_the_way_to_ask(world: Reports) -> None:
    number = (await world.opens()).number
    await world.do("acknowledge")
    with pytest.raises(Refused, match=f"would not know of it; ask instead, .*responder reporters ask {number}"):
        await world.do("wait", **{"for": "reporter", "reason": "which light?"})
    ticket = await world.ticket()
    assert (ticket["status"], "would not know of it" in texts(ticket)) == ("in_progress", True)
    await world.do("wait", **{"for": "vendor", "reason": "a fuse"})
    assert (await world.ticket())["waiting_for"] == "vendor"


async def test_where_nobody_can_be_asked_a_ticket_may_still_wait_for_the_reporter(world: Reports) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    await world.do("acknowledge")
    await world.do("wait", **{"for": "reporter", "reason": "rings back"})
    assert (await world.ticket())["waiting_for"] == "reporter"


@pytest.mark.parametrize("kind", ["solved", "not_solved", "information"])
async def test_what_changes_no_status_reaches_whoever_has_the_ticket(world: Reports, kind: str) -> None:
    await world.opens()
    await world.do("acknowledge", "lars")
    heard = await says(world, kind, "by itself")
    assert (heard.effect, (await world.ticket())["status"]) == (Effect.NOTED, "in_progress")
    (told,) = await world.messages_to("lars")
    assert "by itself" in told
    assert (await world.ticket())["dossier"]["verifications"] == []


async def test_a_score_counts_from_restoring_on_and_within_its_bounds(world: Reports) -> None:
    await world.opens()
    with pytest.raises(Refused, match="not restored yet"):
        await says(world, "score", score=5)
    await world.restored()
    for bad in (0, 6):
        with pytest.raises(Refused, match="not from 1 to 5"):
            await says(world, "score", score=bad)
    with pytest.raises(Refused, match="The score is missing"):
        await says(world, "score")
    await says(world, "score", score=2)
    await says(world, "score", "better after all", score=4)
    assert (await world.ticket())["dossier"]["satisfaction"] == 4


async def test_two_equal_answers_from_one_old_page_count_once(world: Reports) -> None:
    await world.opens()
    await world.restored()
    both = await asyncio.gather(says(world, "not_solved", episode=1), says(world, "not_solved", episode=1))
    assert {one.effect for one in both} == {Effect.TAKEN_UP_AGAIN, Effect.NOTED}
    assert (await world.ticket())["episode"] == 2


async def test_an_answer_heard_on_the_phone_names_who_heard_it_and_hides_the_contact(world: Reports) -> None:
    await world.opens()
    await world.restored()
    answer = Answer(kind=AnswerKind.SOLVED, text=f"thanks, {CONTACT}")
    await reporter_says(world.desk, "1", "lars", answer)
    ticket = await world.ticket()
    assert "The reporter says that it is solved (lars heard it): thanks, ***" in texts(ticket)
    assert CONTACT not in str(ticket)
    assert ticket["dossier"]["verifications"][0]["actor"] == "lars"


async def test_empty_and_endless_texts_are_refused(world: Reports) -> None:
    await world.opens()
    with pytest.raises(Refused, match="text is missing"):
        await says(world, "information", " \u200b ")
    with pytest.raises(Refused, match="longer than 4000"):
        await says(world, "information", "x" * 4001)


async def test_nobody_is_called_without_end_by_one_link(world: Reports) -> None:
    await world.opens()
    for number in range(20):
        await says(world, "information", f"more {number}")
    with pytest.raises(Refused, match="a lot within an hour"):
        await says(world, "information", "more")
    await reporter_says(world.desk, "1", "mei", Answer(kind=AnswerKind.INFORMATION, text="on the phone"))
    await world.advance(HOUR)
    await says(world, "information", "still")


# --- silence -----------------------------------------------------------------------------------------


async def test_silence_is_reminded_of_and_then_taken_as_yes(world: Reports) -> None:
    await world.opens()
    await world.restored()
    await world.advance(DAY)
    await world.advance(DAY - HOUR)
    assert (await world.purposes())[2:] == ["reminder-1"]
    assert "It should work again. Please check it." in await world.last_letter()
    await world.advance(HOUR)
    await world.advance(DAY)
    ticket = await world.ticket()
    assert ((await world.purposes())[2:], ticket["status"]) == (["reminder-1", "reminder-2"], "resolved")
    (look,) = ticket["dossier"]["verifications"]
    assert (look["text"], look["actor"], look["is_good"]) == ("no answer for 3d", "responder", True)
    assert "The reporter was asked for a confirmation: no answer for 3d." in texts(ticket)


async def test_without_a_limit_silence_changes_nothing(world: Reports) -> None:
    world.treat(close_after=None)
    await world.opens()
    await world.restored()
    assert "we take it as solved" not in await world.last_letter()
    for _ in range(12):
        await world.advance(DAY)
    assert (await world.ticket())["status"] == "restored"
    assert (await world.purposes())[2:] == [f"reminder-{number}" for number in range(1, 8)]


async def test_who_has_answered_is_not_reminded(world: Reports) -> None:
    world.rule(needs=(Need(move=Action.RESOLVE, needs=("reporter_confirmation", "cause")),))
    await world.opens()
    await world.restored()
    await says(world, "solved")
    for _ in range(4):
        await world.advance(DAY)
    assert await world.purposes() == ["received", "restored"]


async def test_an_answer_that_a_colleague_wrote_down_ends_the_waiting(world: Reports) -> None:
    world.rule(needs=(Need(move=Action.RESOLVE, needs=("reporter_confirmation", "cause")),))
    await world.opens()
    await world.restored()
    await world.do("verify", by="reporter", text="told me on the corridor")
    for _ in range(4):
        await world.advance(DAY)
    assert await world.purposes() == ["received", "restored"]
    assert (await world.reporter()).asked_for is Asked.NOTHING


async def test_a_question_without_an_answer_does_not_hold_the_ticket_for_ever(world: Reports) -> None:
    await world.opens()
    await world.do("acknowledge")
    await ask_reporter(world.desk, "1", "mei", "Which light is on?")
    await world.work()
    for _ in range(3):
        await world.advance(DAY)
    ticket = await world.ticket()
    assert (ticket["status"], ticket["dossier"]["verifications"]) == ("in_progress", [])
    assert "It goes on without the reporter's answer: no answer for 3d" in texts(ticket)
    assert "it goes on without" in (await world.messages_to("mei"))[-1]


async def test_a_score_that_nobody_gives_is_said_and_not_invented(world: Reports) -> None:
    world.rule(needs=(Need(move=Action.CLOSE, needs=("satisfaction",)),))
    world.rule(grades={name: replace(one, close_after=None) for name, one in world.desk.policy.grades.items()})
    await world.opens()
    await world.restored()
    await world.advance(HOUR)
    for _ in range(3):
        await world.advance(DAY)
    dossier = (await world.ticket())["dossier"]
    assert (dossier["satisfaction"], dossier["satisfaction_text"]) == (None, "no answer for 3d")


async def test_the_silence_of_an_earlier_episode_means_nothing(world: Reports) -> None:
    await world.opens()
    await world.restored()
    first = (await world.reporter()).asked_at
    assert first is not None
    await world.advance(HOUR)
    await says(world, "not_solved")
    await world.restored()
    await world.advance(3 * DAY - HOUR)
    assert (await world.ticket())["status"] == "restored"


async def test_nobody_is_silent_who_was_not_reached_yet(world: Reports) -> None:
    await world.opens()
    world.sender.failures.extend(SendFailed("the gateway is away.") for _ in range(400))
    await world.restored()
    for _ in range(40):
        await world.advance(2 * HOUR)
    assert (await world.purposes(), (await world.ticket())["status"]) == (["received", "restored"], "restored")


# --- by hand -----------------------------------------------------------------------------------------


async def test_without_a_way_to_reporters_letters_wait_to_be_told_by_hand(by_hand: Reports) -> None:
    await by_hand.opens()
    (letter,) = await by_hand.letters()
    assert letter.state is MessageState.BY_HAND
    assert "To be told to the reporter by hand (received)." in texts(await by_hand.ticket())
    assert (await by_hand.ticket())["messages"][0]["state"] == "by_hand"
    await by_hand.tells()
    assert (await by_hand.letters())[0].state is MessageState.SENT
    assert "mei has told the reporter (received)." in texts(await by_hand.ticket())
    with pytest.raises(Refused, match="Nothing waits to be told by hand"):
        await by_hand.tells()


async def test_news_that_somebody_must_tell_count_when_they_are_told(by_hand: Reports) -> None:
    await by_hand.opens()
    await tell_progress(by_hand.desk, "1", "mei", "soon")
    assert (await by_hand.clock_of("first_answer")).is_running
    await by_hand.advance(timedelta(minutes=30))
    await by_hand.tells()
    assert (await by_hand.clock_of("first_answer")).stopped_at == by_hand.clock.now()
    assert (await by_hand.clock_of("update")).due_at == by_hand.clock.now() + 6 * HOUR


async def test_nobody_is_silent_who_was_not_called_yet(by_hand: Reports) -> None:
    await by_hand.opens()
    await by_hand.restored()
    assert "Please tell the reporter of" in (await by_hand.messages_to("mei"))[-1]
    for _ in range(4):
        await by_hand.advance(DAY)
    assert (await by_hand.ticket())["status"] == "restored"
    await by_hand.tells()
    assert (await by_hand.reporter()).asked_for is Asked.CONFIRMATION
    for _ in range(3):
        await by_hand.advance(DAY)
    assert (await by_hand.ticket())["status"] == "resolved"


async def test_what_the_ticket_has_overtaken_need_not_be_told(by_hand: Reports) -> None:
    await by_hand.opens()
    await by_hand.restored()
    await by_hand.do("relapse", reason="smoke")
    states = {one.purpose: one.state for one in await by_hand.letters()}
    assert states == {"reporter-received": MessageState.BY_HAND, "reporter-restored": MessageState.OVERTAKEN}
    assert "Not to be told to the reporter any more (restored): The ticket has moved on." in texts(
        await by_hand.ticket()
    )


@pytest.mark.parametrize(
    ("purpose", "status", "episode", "is_needed"),
    [
        ("reporter-received", Status.CLOSED, 2, True),
        ("reporter-progress-1", Status.RESTORED, 2, True),
        ("reporter-restored", Status.RESTORED, 1, True),
        ("reporter-restored", Status.RESTORED, 2, False),
        ("reporter-restored", Status.RESOLVED, 1, False),
        ("reporter-question-1", Status.WAITING, 1, True),
        ("reporter-question-1", Status.IN_PROGRESS, 1, False),
        ("reporter-closed", Status.NEW, 2, False),
        ("reporter-reminder-1", Status.RESOLVED, 1, True),
        ("reporter-reminder-1", Status.IN_PROGRESS, 1, False),
        ("hand_over", Status.CLOSED, 2, True),
    ],
)
def test_a_letter_is_needed_as_long_as_it_is_true(purpose: str, status: Status, episode: int, is_needed: bool) -> None:
    letter = Message(
        ticket_id=7,
        episode=1,
        purpose=purpose,
        person="reporter",
        channel="reporter",
        subject="",
        body="",
        created_at=NOW,
    )
    assert (no_longer_needed(letter, a_ticket(status, episode=episode)) == "") is is_needed


async def test_a_letter_that_its_channel_refuses_is_told_by_hand(world: Reports) -> None:
    await world.opens()
    await world.do("acknowledge")
    world.sender.failures.append(SendRefused("json refused it."))
    await world.do("restore", reason="replaced the fuse")
    assert (await world.reporter()).asked_for is Asked.NOTHING
    assert "could not be sent, so it is told by hand: json refused it." in texts(await world.ticket())
    assert "Please tell the reporter of" in (await world.messages_to("mei"))[-1]
    assert (await world.sums("messages_total"))[("channel", "json"), ("outcome", "failed")] == 1
    await world.tells()
    assert (await world.reporter()).asked_for is Asked.CONFIRMATION


async def test_a_letter_that_does_not_get_through_for_long_is_told_by_hand(world: Reports) -> None:
    await world.opens()
    await world.do("acknowledge", "lars")
    world.sender.failures.extend(SendFailed("the gateway is away.") for _ in range(20))
    await world.do("restore", reason="replaced the fuse")
    for _ in range(20):
        await world.advance(timedelta(minutes=5))
    assert [one.state.value for one in await world.letters()] == ["sent", "by_hand"]
    assert "Please tell the reporter of" in (await world.messages_to("lars"))[-1]
    assert (await world.reporter()).asked_for is Asked.NOTHING


async def test_a_letter_that_the_ticket_has_overtaken_does_not_leave(world: Reports) -> None:
    await world.opens()
    await world.do("acknowledge")
    world.sender.failures.append(SendFailed("later."))
    await world.do("restore", reason="replaced the fuse")
    await world.do("relapse", reason="smoke")
    await world.advance(HOUR)
    assert [one.state.value for one in await world.letters()] == ["sent", "overtaken"]
    assert "Not sent to the reporter: The ticket has moved on." in texts(await world.ticket())


async def test_the_watch_writes_the_news_in_time_or_reminds_of_the_time_that_counts(world: Reports) -> None:
    clocks = tuple(replace(one, warn=(80,)) if one.name == "update" else one for one in world.desk.policy.clocks)
    world.rule(clocks=clocks)
    await world.opens()
    await world.do("acknowledge", "lars")
    due_at = (await world.clock_of("update")).due_at
    for step in (5 * HOUR, HOUR, 2 * HOUR, 3 * HOUR):
        await world.advance(step)
        await look_at_clocks(world.desk)
    reminders = [one for one in await world.messages_to("lars") if "expects news by" in one]
    assert [f"{due_at + number * 6 * HOUR:%Y-%m-%d %H:%M}" in one for number, one in enumerate(reminders)] == [
        True,
        True,
    ]
    world.treat(automatic_progress=True)
    await tell_progress(world.desk, "1", "lars", "soon")
    before = await world.sums("sla_clocks_breached_total")
    await world.advance(5 * HOUR)
    await look_at_clocks(world.desk)
    assert (await world.purposes())[1:] == ["progress-1", "progress-2"]
    assert await world.sums("sla_clocks_breached_total") == before


# --- the way to them ---------------------------------------------------------------------------------


async def test_the_address_is_made_of_the_contact_and_of_nothing_else(world: Reports) -> None:
    await world.opens(reporter={"contact": "li+a&b@example.org".replace("&b", "")})
    address = await world.read(lambda tx: reporter_address(world.desk, tx, 1))
    assert address.value == "json://gateway.test/send/li%2Ba%40example.org"
    assert str(address) == "***"
    assert await world.read(lambda tx: reporter_address(world.desk, tx, 7)) is None


async def test_a_letter_leaves_for_the_reporters_own_address(world: Reports) -> None:
    await world.opens()
    sent = {person: body for person, _, body in world.sender.sent}
    assert "Its number is" in sent["li.wei%40example.org"]
    assert (await world.letters())[0].state is MessageState.SENT


async def test_mail_goes_to_addresses_only_and_numbers_are_dialled_plainly(tmp_path: Path, database: Database) -> None:
    mail = Reports(tmp_path, database, url="mailtos://u:p@smtp.test?to={contact}")
    await mail.opens(reporter={"contact": "+49 (89) 1234-567"})
    assert (await mail.letters())[0].state is MessageState.BY_HAND
    reporter = await mail.reporter()
    (tmp_path / "reporters-url").write_text("json://gateway.test/{contact}")
    mail.desk.take_over(mail.another_desk().configuration)
    address = address_of(mail.desk, reporter)
    assert address is not None
    assert address.value == "json://gateway.test/%2B49891234567"
    assert address_of(mail.desk, replace(reporter, contact="a@b.com,c@d.com")) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mailtos://u:p@smtp.example.org?to={contact}", ""),
        ("twilio://AC" + "a" * 32 + ":" + "b" * 32 + "@15551234567/{contact}", ""),
        ("json://gateway.test/{contact}", ""),
        ("mailtos://u:p@smtp.example.org?to=desk@example.org", "the address has no {contact}"),
        ("pigeon://{contact}", "apprise knows no channel pigeon://"),
        ("syslog://{contact}", "syslog:// acts on this machine only"),
    ],
)
def test_a_url_for_reporters_is_looked_at_when_the_files_are_read(url: str, said: str) -> None:
    assert objection_to_reporters(url).startswith(said)
    assert bool(objection_to_reporters(url)) == bool(said)


def test_purposes_of_other_messages_are_no_letters() -> None:
    assert letter_of("reporter-progress-12") == "progress"
    assert [letter_of(one) for one in ("reporter-says-1", "reporter-silent-1", "hand_over", "received")] == [None] * 4


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mailtos://u:p@smtp.example.org?to=me@example.org", "the address has no {contact}"),
        ("", "reporters-url is empty"),
    ],
)
def test_a_way_that_leads_to_no_reporter_is_refused_with_its_place(tmp_path: Path, url: str, said: str) -> None:
    (tmp_path / "reporters-url").write_text(url)
    with pytest.raises(ConfigError) as caught:
        read(write_files(tmp_path, main=WITH_A_WAY))
    (problem,) = caught.value.problems
    assert (problem.path.name, problem.text.startswith(said)) == ("responder.yml", True)
    assert "smtp.example.org" not in str(caught.value)


def test_the_way_to_reporters_is_a_secret(tmp_path: Path) -> None:
    (tmp_path / "reporters-url").write_text(URL)
    configuration = read(write_files(tmp_path, main=WITH_A_WAY))
    assert URL in configuration.secrets
    assert URL not in repr(configuration)


# --- forgetting --------------------------------------------------------------------------------------


async def test_contacts_and_letters_are_erased_when_their_time_is_over(world: Reports) -> None:
    await closed(world)
    await world.advance(180 * DAY - timedelta(seconds=1))
    assert await erase_contacts(world.desk) == 0
    await world.advance(timedelta(seconds=1))
    assert await erase_contacts(world.desk) == 1
    assert await erase_contacts(world.desk) == 0
    reporter = await world.reporter()
    assert (reporter.name, reporter.contact, reporter.erased_at) == ("", "", world.clock.now())
    assert {(one.subject, one.body) for one in await world.letters()} == {("", "")}
    assert "Name and contact of the reporter, and the letters to them, are erased." in texts(await world.ticket())
    assert await world.messages_to("mei") != [""]
    with pytest.raises(Refused, match="its reporter is no longer known"):
        await says(world, "not_solved")


async def test_a_reopened_report_keeps_its_reporter(world: Reports) -> None:
    await closed(world)
    await world.do("reopen", reason="it is back")
    await world.advance(200 * DAY)
    assert await erase_contacts(world.desk) == 0
    assert (await world.reporter()).contact == CONTACT


async def test_a_report_that_was_reopened_just_now_keeps_its_reporter(world: Reports) -> None:
    await closed(world)
    await do(world.desk, "reopen", "1", actor="mei", content={"reason": "it is back"})
    assert (await world.reporter()).erase_at is not None
    world.clock.advance(181 * DAY)
    await erase_contacts(world.desk)
    assert (await world.reporter()).contact == CONTACT
    assert await erase_contacts(world.desk) == 0


async def test_a_letter_that_has_not_left_when_its_contact_is_erased_stays_here(by_hand: Reports) -> None:
    await by_hand.opens()
    await by_hand.do("dismiss", **{"as": "false_alarm", "reason": "none"})
    await by_hand.advance(181 * DAY)
    assert await erase_contacts(by_hand.desk) == 1
    assert {one.state for one in await by_hand.letters()} == {MessageState.OVERTAKEN}
    with pytest.raises(Refused, match="Nothing waits"):
        await by_hand.tells()
