"""What the words of a mail do to its ticket: they grade it where they are clear; nothing is cut without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.store.database import Database
from tests.flows.test_mail_in import DESK, Mailed, mail
from tests.world import texts

FORWARD = "---------- Forwarded message ---------\nFrom: News <n@y.example>\nDate: Fri\nSubject: n\nTo: a\n\n{text}"
LOGS = (
    "2026-11-20 10:32:11 ERROR [main]:\nOutOfMemoryError in orders",
    "On 2026-05-03 at 10:15 the printer wrote:\nERROR E12",
    "From: 10.0.0.1\nTo: 10.0.0.2\nDate: 2026-11-20",
    "在2026-05-03 10:15 日志写道：\n错误E123",
    "--\nSerial: 123\nError: E5",
)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Mailed:
    return Mailed(tmp_path, database)


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("300 users cannot log in.", "P2"),
        ("系统宕机，影响 5000 名用户。", "P1"),
        ("影响用户数：5000", "P1"),
        ("Office 365 users cannot sign in on my floor.", "P3"),
        ("On 20 November 2026 users were unable to log in for a minute; just tell me why.", "P3"),
        ("None of the 5000 users is affected, only the monitor blinks.", "P3"),
        ("目前不影响5000名用户，只是提示灯闪烁。", "P3"),
        ("It could affect 5000 users if nobody renews the certificate next month.", "P3"),
        ("Last year an outage hit 5000 customers; today only my screen flickers.", "P3"),
        ("We helped 5000 customers affected by ransomware. Shall we have a call?", "P3"),
        ("1 of 5000 users is affected: me.", "P3"),
    ],
)
async def test_a_mail_is_graded_by_what_it_says_for_certain(world: Mailed, text: str, grade: str) -> None:
    await world.comes(mail(text, Subject="A question"))
    assert (await world.ticket())["grade"] == grade


async def test_who_only_passes_something_on_says_nothing_by_its_words(world: Mailed) -> None:
    text = FORWARD.format(text="5000 users are affected.\nSerial no: 12")
    await world.comes(mail(text, Subject="Fwd: 5000 users are affected"))
    ticket = await world.ticket()
    assert (ticket["grade"], ticket["dossier"]["fields"]["serial"]) == ("P3", "12")


async def test_the_subject_of_somebody_else_grades_nothing(world: Mailed) -> None:
    await world.comes(mail("Are we among them, too?", Subject="Fwd: 5000 users are affected"))
    assert (await world.ticket())["grade"] == "P3"


@pytest.mark.parametrize("log", LOGS)
async def test_what_stands_below_a_log_is_on_the_ticket(world: Mailed, log: str) -> None:
    await world.comes(mail(f"Hello, the shop is down.\n{log}\nAll branch offices are cut off!"))
    assert "cut off!" in (await world.ticket())["annotations"]["description"]


async def test_what_was_cut_from_a_first_mail_is_told_on_its_ticket(world: Mailed) -> None:
    await world.comes(mail("Please look.\n\n" + FORWARD.format(text="It beeps."), To=DESK))
    assert "6 lines were left out as quoted" in texts(await world.ticket())
