"""Fields in free text: recognised, shown with how, graded by, asked for where they are missing, and filled in later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from responder.domain.facts import Fact
from responder.domain.mail_labels import LABELS
from responder.domain.mail_record import Taken
from responder.domain.policy import Policy
from responder.domain.report_text import Written
from responder.domain.reporter_answers import Answer, AnswerKind
from responder.domain.sla import ClockRule
from responder.flows.mail_reports import form_of
from responder.flows.report_reading import explained, label_of, read_in_answer
from responder.flows.reporter import ask_reporter
from responder.flows.reporter_answers import reporter_says
from responder.flows.texts.languages import said
from responder.intake.mail.reading import read_mail
from responder.store.database import Database
from tests.flows.reports import DAY
from tests.flows.test_mail_in import DESK, REPORTER, Mailed, mail
from tests.world import texts

CHINESE = """您好，
产品：P900打印机，型号：X200，序列号：SN-123
错误代码：E1234，影响 300 名用户。
故障现象：不能打印
发生时间：2026年5月1日 07:30
"""
ENGLISH = """Hello,
Product: P900
Serial no: 4711-A
We see error E1234; about 300 users are affected.
"""


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Mailed:
    made = Mailed(tmp_path, database)
    made.rule(report_fields=("product", "symptom", "serial"))
    return made


async def fields(world: Mailed, key: str = "1") -> dict[str, str]:
    found: dict[str, str] = (await world.ticket(key))["dossier"]["fields"]
    return found


async def known(world: Mailed, key: str = "1") -> dict[str, str]:
    """How each field is known."""
    return {one["name"]: one["how"] for one in (await world.ticket(key))["report_fields"]["known"]}


async def missing(world: Mailed, key: str = "1") -> list[str]:
    return [one["name"] for one in (await world.ticket(key))["report_fields"]["missing"]]


# --- what a mail says -----------------------------------------------------------------------------------------


async def test_a_chinese_mail_is_a_report_with_its_fields_and_graded_as_the_form_would_be(world: Mailed) -> None:
    await world.comes(mail(CHINESE, Subject="打印机坏了"))
    found = await fields(world)
    assert found.pop("description") == CHINESE.strip()
    assert found == {
        "product": "P900打印机", "model": "X200", "serial": "SN-123", "error_code": "E1234", "affected_users": "300",
        "symptom": "不能打印", "occurred_at": "2026-05-01 07:30",
    }  # fmt: skip
    typed = await world.opens(fields={"affected_users": 300})
    ticket = await world.ticket()
    assert (ticket["grade"], ticket["grade_rule"], ticket["grade_reason"]) == (
        typed.grade, typed.grade_rule, typed.grade_reason,
    )  # fmt: skip
    assert ticket["grade"] == "P2"


async def test_the_ticket_says_of_each_field_how_it_is_known_and_what_is_missing(world: Mailed) -> None:
    await world.comes(mail("Product: P900\nIt fails with error E1234 since this morning."))
    assert await known(world) == {
        "description": "The report gave it.",
        "product": "It stands behind “Product”.",
        "error_code": "The words “error E1234” say so.",
        "symptom": "The text itself says it.",
    }
    assert await missing(world) == ["serial"]
    history = texts(await world.ticket())
    assert "product: P900 (It stands behind “Product”.)" in history
    assert "Missing in the report: serial." in history


@pytest.mark.parametrize("words", ["核心业务中断", "core business interrupted", "Core business interrupted."])
async def test_the_words_that_the_form_offers_grade_a_mail_in_every_language(world: Mailed, words: str) -> None:
    await world.comes(mail(f"影响：{words}\n"))
    assert (await world.ticket())["grade"] == "P1"
    assert (await fields(world))["impact"] == "core business interrupted"


async def test_the_subject_is_read_too_and_takes_no_line_of_the_text(world: Mailed) -> None:
    await world.comes(mail("The lamp is red and nothing helps.", Subject="Model: X200, symptom: no light"))
    found = await fields(world)
    assert (found["symptom"], found["model"]) == ("no light", "X200")


async def test_yesterday_is_told_by_the_date_of_the_mail_in_the_zone_of_the_policy(world: Mailed) -> None:
    world.rule(zone=ZoneInfo("Asia/Shanghai"), report_fields=("occurred_at",))
    await world.comes(mail("昨天下午3点开始报错，一直打不开。", Date="Wed, 29 Apr 2026 22:00:00 +0000"))
    assert (await fields(world))["occurred_at"] == "2026-04-29 15:00"


async def test_a_table_of_html_without_colons_is_read(world: Mailed) -> None:
    made = EmailMessage()
    for name, value in (("From", REPORTER), ("To", DESK), ("Subject", "坏了"), ("Message-ID", "<table@b>")):
        made[name] = value
    rows = "<tr><td>产品</td><td>P900</td></tr><tr><td>序列号</td><td>SN-1</td></tr><tr><td>客户</td><td>12</td></tr>"
    made.set_content(f"<html><body><table>{rows}</table></body></html>", subtype="html")
    await world.comes(made.as_bytes())
    found = await fields(world)
    assert (found["product"], found["serial"]) == ("P900", "SN-1")


async def test_a_mail_of_html_alone_is_read(world: Mailed) -> None:
    made = EmailMessage()
    for name, value in (("From", REPORTER), ("To", DESK), ("Subject", "Dead"), ("Message-ID", "<html@b>")):
        made[name] = value
    rows = "<tr><td>Product:</td><td>P900</td></tr><tr><td>Serial no:</td><td>SN-1</td></tr>"
    made.set_content(f"<p>Hello</p><table>{rows}</table><p>Affects 40 users.</p>", subtype="html")
    await world.comes(made.as_bytes())
    found = await fields(world)
    assert (found["product"], found["serial"], found["affected_users"]) == ("P900", "SN-1", "40")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("影响用户数：100-300", "affected_users"),
        ("Fewer than 300 users are affected", "affected_users"),
        ("It started yesterday at 3", "occurred_at"),
        ("v1.8.4 here and v1.9.0 there", "version"),
        ("Serial no: ?", "serial"),
        ("序列号：未知", "serial"),
    ],
)
async def test_what_may_mean_something_else_is_asked_for_and_not_guessed(world: Mailed, text: str, name: str) -> None:
    world.rule(report_fields=(name,))
    await world.comes(mail(text))
    assert name not in await fields(world)
    assert await missing(world) == [name]
    assert (await world.ticket())["grade"] == "P3"


async def test_a_mail_that_is_dated_into_the_future_is_taken_and_its_times_are_not(world: Mailed) -> None:
    taken = await world.comes(mail("发生时间：2031年1月1日 08:00", Date="Wed, 01 Jan 2031 09:00:00 +0000"))
    assert taken.taken is Taken.REPORT
    assert "occurred_at" not in await fields(world)


async def test_yesterday_in_a_mail_of_the_future_is_that_of_its_arrival(world: Mailed) -> None:
    world.clock.advance_to(world.clock.now().replace(hour=12) + DAY)
    now = world.clock.now()
    await world.comes(mail("It broke yesterday at 3 pm.", Date=format_datetime(now + 3 * DAY)))
    assert (await fields(world))["occurred_at"] == f"{now - DAY:%Y-%m-%d} 15:00"


@pytest.mark.parametrize(
    "text", ["Hello desk,\n{}\nThank you and kind regards\n", "{}\nHelp!", "您好，\n{}\n急！\n谢谢"]
)
async def test_a_greeting_or_a_cry_is_no_symptom(world: Mailed, text: str) -> None:
    await world.comes(mail(text.format("Product: P900")))
    assert await missing(world) == ["symptom", "serial"]


async def test_secrets_are_no_fields_and_stand_in_no_sentence(world: Mailed) -> None:
    await world.comes(mail("Environment: password=hunter22 on Windows\nContact person: li.wei@example.org"))
    ticket = str(await world.ticket())
    assert "hunter22" not in ticket
    assert REPORTER not in ticket


async def test_a_report_of_a_machine_has_fields_too_and_asks_nobody(world: Mailed) -> None:
    await world.comes(mail("Product: P900", **{"Auto-Submitted": "auto-generated"}))
    assert (await fields(world))["product"] == "P900"
    assert await world.letters() == []


def test_a_mail_can_be_explained_without_a_ticket(world: Mailed) -> None:
    read = read_mail(mail(CHINESE, Subject="打印机坏了"))
    now = world.clock.now()
    told = explained(world.desk.policy, read, form_of(read), now)
    assert (told.found.found["serial"], told.found.how["serial"]) == ("SN-123", "It stands behind “序列号”.")
    assert told.missing == ()
    nothing = explained(Policy(name="", grades={}, default_grade=""), read, form_of(read), now)
    assert nothing.found.found["model"] == "X200"


# --- other ways in ----------------------------------------------------------------------------------------------


async def test_what_a_form_leaves_empty_is_read_in_its_texts_and_what_it_says_stays(world: Mailed) -> None:
    given = {"description": "Model: X200\nVersion: 1.2.3\nMore than 1000 users are affected", "version": "9.9.9"}
    await world.opens(fields=given)
    found, how = await fields(world), await known(world)
    assert (found["model"], found["version"], found["affected_users"]) == ("X200", "9.9.9", "1001")
    assert (how["model"], how["version"]) == ("It stands behind “Model”.", "The report gave it.")
    assert (await world.ticket())["grade"] == "P1"


async def test_a_person_s_grade_stays_whatever_the_text_says(world: Mailed) -> None:
    await world.opens(grade="P4", taken_by="mei", fields={"description": "2000 users are affected"})
    assert (await world.ticket())["grade"] == "P4"


# --- what is missing is asked for -----------------------------------------------------------------------------


async def test_the_first_answer_asks_for_what_is_missing_and_only_that(world: Mailed) -> None:
    await world.comes(mail(ENGLISH + "Symptom: no light\n"))
    assert "1." not in await world.last_letter()
    await world.comes(mail("Serial no: 4711-A", Subject="Dead"))
    letter = await world.last_letter(2)
    assert "1. Product:\n2. What happens:\n" in letter + "\n"
    assert "Serial" not in letter


async def test_a_chinese_reporter_is_asked_in_chinese(world: Mailed) -> None:
    await world.comes(mail("产品：P900\n", Subject="打印机坏了"))
    letter = await world.last_letter()
    assert "1. 发生了什么：\n2. 序列号或批号：\n" in letter + "\n" or "2. 序列号或批号：" in letter
    assert "Product" not in letter


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_letter_asks_by_is_recognised_in_its_answer_in_both_languages(name: str, language: str) -> None:
    label = label_of(name, language)
    value = {"affected_users": "3", "occurred_at": "2026-11-19 14:05", "phone": "13812345678"}.get(name, "E-12")
    policy = Policy(name="", grades={}, default_grade="", report_fields=(name,))
    written = Written(text=f"{label}：{value}", at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC))
    assert name == "description" or read_in_answer(policy, written, written.at).found == {name: value}
    assert language == "en" or not label.isascii()


async def test_nothing_is_asked_where_the_policy_wants_nothing(world: Mailed) -> None:
    world.rule(report_fields=())
    await world.comes(mail("It is dead."))
    assert "1." not in await world.last_letter()


async def test_to_ask_for_fields_is_no_waiting_for_the_reporter(world: Mailed) -> None:
    await world.comes(mail("It is dead."))
    ticket = await world.ticket()
    assert (ticket["status"], ticket["waiting_for"]) == ("handed_over", "")
    assert (await world.reporter()).asked_at is None


# --- answers --------------------------------------------------------------------------------------------------


async def asked(world: Mailed, **rules: Any) -> str:
    """Somebody has written of a product alone, and was asked for the rest; gives how our letter looks when quoted."""
    world.rule(report_fields=("product", "serial", "affected_users"), **rules)
    await world.comes(mail("Product: P900"))
    return "\n".join(f"> {line}" for line in (await world.last_letter()).split("\n"))


ANSWERS = {
    "labels": "Serial no: SN-1\nAffected users: 300\n\n{quoted}",
    "labels of the letter": "Serial or batch number: SN-1\nHow many users are affected: 300\n\n{quoted}",
    "numbers": "1. SN-1\n2) 300\n\n{quoted}",
    "clear words": "The serial number is SN-1 and 300 users are affected.\n\n{quoted}",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_fills_in_what_was_missing_and_the_ticket_says_so(world: Mailed, answer: str) -> None:
    quoted = await asked(world)
    taken = await world.comes(mail(answer.format(quoted=quoted), To=world.tag(1)))
    assert taken.taken is Taken.ANSWER
    found = await fields(world)
    assert (found["product"], found["serial"], found["affected_users"]) == ("P900", "SN-1", "300")
    assert await missing(world) == []
    history = texts(await world.ticket())
    assert "Filled in from the answer: " in history
    assert "serial: SN-1 (" in history


@pytest.mark.parametrize("is_behind", [True, False])
async def test_questions_may_be_answered_within_the_quoted_letter(world: Mailed, is_behind: bool) -> None:
    quoted = await asked(world)
    gap = " " if is_behind else "\n"
    quoted = quoted.replace("batch number:", f"batch number:{gap}SN-1").replace("affected:", f"affected:{gap}300")
    await world.comes(mail(f"See below.\n\nOn Fri, 1 May 2026 Desk wrote:\n{quoted}", To=world.tag(1)))
    found = await fields(world)
    assert (found["serial"], found["affected_users"]) == ("SN-1", "300")


async def test_questions_may_be_answered_below_a_mark_without_prefixes(world: Mailed) -> None:
    quoted = (await asked(world)).replace("> ", "").replace("batch number:", "batch number: SN-1")
    mark = "-----Original Message-----\nFrom: Desk\nSent: Friday\nTo: Li Wei\nSubject: Your report\n\n"
    await world.comes(mail(f"See below.\n\n{mark}{quoted}", To=world.tag(1)))
    assert (await fields(world))["serial"] == "SN-1"
    assert await missing(world) == ["affected_users"]


async def test_a_letter_that_is_sent_back_without_a_word_answers_nothing(world: Mailed) -> None:
    world.rule(report_fields=("affected_users", "serial", "symptom"))
    await world.comes(mail("Product: P900"))
    before = await fields(world)
    # As some mail programs write it, without its empty lines.
    await world.comes(mail((await world.last_letter()).replace("\n\n", "\n"), To=world.tag(1)))
    assert await fields(world) == before


async def test_a_chinese_answer_behind_the_labels_of_the_letter_is_read(world: Mailed) -> None:
    world.rule(report_fields=("product", "symptom", "serial"))
    await world.comes(mail("打印机坏了，请处理，谢谢。", Subject="打印机坏了"))
    letter = await world.last_letter()
    answer = letter.replace("产品：", "产品：P900").replace("批号：", "批号：SN-1")
    await world.comes(mail(answer, To=world.tag(1)))
    found = await fields(world)
    assert (found["product"], found["serial"]) == ("P900", "SN-1")
    assert await missing(world) == []


async def test_a_list_of_steps_is_no_list_of_answers(world: Mailed) -> None:
    await asked(world)
    await world.comes(mail("I did this:\n1. open\n2. print", To=world.tag(1)))
    assert await missing(world) == ["serial", "affected_users"]


async def test_an_answer_overwrites_nothing_and_the_ticket_names_the_difference(world: Mailed) -> None:
    await asked(world)
    await world.comes(mail("Product: P1000\nSerial no: SN-1", To=world.tag(1)))
    assert (await fields(world))["product"] == "P900"
    history = texts(await world.ticket())
    assert "The answer also says product P1000 instead of P900" in history
    assert "Still missing: affected users." in history


async def test_a_person_corrects_what_was_recognised_and_the_ticket_says_what_it_was(world: Mailed) -> None:
    await world.comes(mail(CHINESE))
    await world.do("register", fields={"affected_users": "3"})
    await world.do("regrade", grade="P3", reason="three users, not 300")
    ticket = await world.ticket()
    assert "Filled in: affected_users (was 300)." in texts(ticket)
    assert (await known(world))["affected_users"] == "mei filled it in."
    assert ticket["grade"] == "P3"


async def test_once_all_is_answered_the_report_is_registered(world: Mailed) -> None:
    clock = ClockRule(name="register", start=frozenset({Fact.OPENED}), stop=frozenset({Fact.REGISTERED}))
    grades = world.desk.policy.grades
    world.rule(
        clocks=(*world.desk.policy.clocks, clock),
        grades={name: replace(one, targets={**one.targets, "register": DAY}) for name, one in grades.items()},
    )
    await asked(world)
    await world.comes(mail("Serial no: SN-1", To=world.tag(1)))
    assert (await world.clock_of("register")).is_running
    await world.comes(mail("Affected users: 3", To=world.tag(1)))
    assert (await world.clock_of("register")).stopped_at is not None
    assert "The report is complete." in texts(await world.ticket())


async def test_yesterday_in_an_answer_is_that_of_the_day_on_which_it_was_written(world: Mailed) -> None:
    world.rule(report_fields=("occurred_at",))
    await world.comes(mail("It is dead."))
    written_at = world.clock.now().replace(hour=12)
    world.clock.advance(3 * DAY)
    answer = mail("It broke yesterday at 3 pm.", To=world.tag(1), Date=format_datetime(written_at))
    await world.comes(answer)
    assert (await fields(world))["occurred_at"] == f"{written_at - DAY:%Y-%m-%d} 15:00"


@pytest.mark.parametrize(("waits_for", "status"), [("reporter", "in_progress"), ("vendor", "waiting")])
async def test_only_what_waited_for_the_reporter_goes_on_with_the_answer(
    world: Mailed, waits_for: str, status: str
) -> None:
    await asked(world)
    await world.do("acknowledge")
    if waits_for == "reporter":
        await ask_reporter(world.desk, "1", "mei", "Which one is it?")
    else:
        await world.do("wait", **{"for": waits_for, "reason": "a part"})
    await world.comes(mail("Serial no: SN-1", To=world.tag(1)))
    assert (await world.ticket())["status"] == status
    assert (await fields(world))["serial"] == "SN-1"


async def test_an_answer_by_the_link_or_the_phone_is_read_as_well(world: Mailed) -> None:
    await asked(world)
    await reporter_says(world.desk, "1", "mei", Answer(kind=AnswerKind.INFORMATION, text="Serial no: SN-1"))
    assert (await fields(world))["serial"] == "SN-1"


async def test_a_stranger_in_the_thread_fills_in_nothing(world: Mailed) -> None:
    await asked(world)
    taken = await world.comes(mail("Serial no: SN-1", To=world.tag(1), From="eve@evil.test"))
    assert taken.taken is Taken.NOTE
    assert "serial" not in await fields(world)


# --- the grade after an answer --------------------------------------------------------------------------------


async def test_an_answer_that_makes_it_graver_is_told_and_raises_nothing_by_itself(world: Mailed) -> None:
    await asked(world)
    await world.do("acknowledge")
    await world.comes(mail("Affected users: 3000", To=world.tag(1)))
    ticket = await world.ticket()
    assert ticket["grade"] == "P3"
    assert "it would be P1 now" in texts(ticket)
    assert any("it would be P1 now" in body for body in await world.messages_to("mei"))


async def test_where_the_policy_says_so_an_answer_raises_the_grade_and_calls_whom_that_calls(world: Mailed) -> None:
    await asked(world, grades_again=True)
    await world.comes(mail("Affected users: 3000", To=world.tag(1)))
    ticket = await world.ticket()
    assert ticket["grade"] == "P1"
    assert "Raised from P3 to P1 by rule" in texts(ticket)
    assert any("Raised from P3 to P1" in body for body in await world.messages_to("lars"))


async def test_an_answer_lowers_no_grade(world: Mailed) -> None:
    await asked(world, grades_again=True, default_grade="P1")
    await world.comes(mail("Impact: slight", To=world.tag(1)))
    ticket = await world.ticket()
    assert ticket["grade"] == "P1"
    assert "it would be P4 now" in texts(ticket)


async def test_what_a_person_graded_stays_whatever_is_answered(world: Mailed) -> None:
    await asked(world, grades_again=True)
    await world.do("regrade", grade="P4", reason="it is a toy")
    await world.comes(mail("Affected users: 3000", To=world.tag(1)))
    ticket = await world.ticket()
    assert ticket["grade"] == "P4"
    assert "it would be" not in texts(ticket)


async def test_a_chinese_colleague_reads_in_chinese_that_it_would_be_graver(world: Mailed) -> None:
    await asked(world)
    await world.comes(mail("Affected users: 3000", To=world.tag(1)))
    (text,) = [one["text"] for one in (await world.ticket())["events"] if "it would be" in one["text"]]
    told = said(text, "zh")
    assert "现应为 P1" in told
    assert "在有人修改之前仍为 P3（操作：regrade）。" in told
    assert "would be" not in told
