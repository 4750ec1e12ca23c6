"""What of a mail is new, by every habit of quoting that mail programs have."""

from __future__ import annotations

import email
import json
from collections.abc import Sequence
from email import policy
from typing import overload

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.intake.mail.reply import reply_of, sorted_lines
from tests.fakes import material_folder

BELOW = {
    "Gmail": "On Mon, Jan 1, 2024 at 10:00 AM Bob Smith <bob@example.com> wrote:\n\n> old words\n> more",
    "Gmail, wrapped": "On Mon, Jan 1, 2024 at 10:00 AM Bob Smith <\nbob@example.com> wrote:\n\n> old words",
    "Gmail, of HTML": "On Mon, Jan 1, 2024 at 10:00 AM Bob Smith <bob@example.com> wrote:\nold words",
    "Gmail, German": "Am Mo., 1. Jan. 2024 um 10:00 Uhr schrieb Bob Schmidt <\nbob@example.com>:\n\n> alte Worte",
    "Gmail, French": "Le lun. 1 janv. 2024 à 10:00, Bob <bob@example.com> a écrit\xa0:\n\nvieux mots",
    "Gmail, Spanish": "El lun, 1 ene 2024 a las 10:00, Bob (<bob@example.com>) escribió:\n\n> viejas",
    "Gmail, Chinese": "张三 <zhang@example.com> 于2024年1月1日周一 10:00写道：\n\n> 旧的话",
    "Gmail, Chinese, wrapped": "张三 <zhang@example.com> 于2024年1月1日周一\n10:00写道：\n旧的话",
    "Gmail, Japanese": "2024年1月1日(月) 10:00 山田太郎 <yamada@example.com>:\n\n> 古い",
    "Apple Mail, Japanese": "2024/01/01 10:00、山田太郎 <yamada@example.com>のメール:\n\n> 古い",
    "Apple Mail": "On 1. Jan 2024, at 10:00, Bob <bob@example.com> wrote:\n\nold words",
    "Apple Mail, Chinese": "在 2024年1月1日，下午3:05，张三 <zhang@example.com> 写道：\n\n旧的话",
    "Thunderbird": "On 26.06.2014 14:41, Alexander L\nwrote:\n\nold words",
    "Thunderbird, German": "Am 01.01.24 um 10:00 schrieb Bob:\nalte Worte",
    "a list": "Marc Slemko wrote:\n\n> old words",
    "Yandex": '26.06.2014, 14:41, "Alexander L" <abc@example.com>:\nold words',
    "mail.ru": "Thu, 26 Jun 2014 14:00:51 +0400 от Alexander L <abc@example.com>:\nold words",
    "163": '在 2024-01-01 10:00:00，"张三" <zhang@example.com> 写道：\n旧的话',
    "163, English": 'At 2024-01-01 10:00:00, "Bob" <bob@example.com> wrote:\n>old words',
    "163, mobile": "---- 回复的原邮件 ----\n| 发件人 | 张三<zhang@example.com> |\n| 主题 | 旧 |\n旧的话",
    "163, rule": "-----原始邮件-----\n发件人:张三\n\n旧的话",
    "QQ": '------------------ 原始邮件 ------------------\n发件人: "张三" <zhang@example.com>;\n\n旧的话',
    "QQ, of HTML": "------------------&nbsp;原始邮件&nbsp;------------------\n旧的话",
    "QQ, English": "------------------ Original ------------------\nFrom: Bob\nold words",
    "Foxmail": "发件人： 张三\n发送时间： 2024-01-01 10:00\n收件人： 李四\n主题： 旧\n\n旧的话",
    "Outlook": "-----Original Message-----\nFrom: Bob\nSent: Monday\nTo: me\nSubject: x\n\nold words",
    "Outlook, block": "From: Bob <bob@example.com>\nSent: Monday, January 1, 2024\nTo: me\nSubject: x\n\nold words",
    "Outlook, ruled": "________________________________\nFrom: Bob\nSent: Monday\nTo: me\nSubject: x\nold words",
    "Outlook, bold": "*From:* Bob\n*Sent:* Monday\n*To:* me; her;\n him\n*Subject:* x\n\nold words",
    "Outlook, German": "Von: Bob\nGesendet: Montag\nAn: mich\nBetreff: x\n\nalte Worte",
    "Outlook, French": "De : Bob\nEnvoyé : lundi\nÀ : moi\nObjet : x\n\nvieux mots",
    "Outlook, Chinese": "发件人: 张三\n发送时间: 2024年1月1日 10:00\n收件人: 李四\n抄送: 王五\n主题: 旧\n\n旧的话",
    "Outlook, Taiwan": "寄件者: 張三\n寄件日期: 2024年1月1日\n收件者: 李四\n主旨: 舊\n\n舊的話",
    "Outlook, Japanese": "差出人: 山田\n送信日時: 2024年1月1日\n宛先: 私\n件名: 古い\n\n古い",
    "a forward": "---------- Forwarded message ---------\nFrom: Bob\nDate: Monday\nSubject: x\n\nold words",
    "a forward by Apple": "Begin forwarded message:\n\nFrom: Bob\nSubject: x\n\nold words",
}


def lines_of(text: str) -> list[str]:
    """Without the blank ones."""
    return [line.strip() for line in text.split("\n") if line.strip()]


@pytest.mark.parametrize("habit", BELOW)
def test_what_stands_below_the_marks_of_a_mail_program_is_quoted(habit: str) -> None:
    found = reply_of(f"It is still broken.\n还是不行。\n\n{BELOW[habit]}\n")
    assert (found.said, lines_of(found.quoted)) == ("It is still broken.\n还是不行。", lines_of(BELOW[habit]))


@pytest.mark.parametrize("habit", BELOW)
def test_lines_of_carriage_returns_make_no_difference(habit: str) -> None:
    text = f"It is still broken.\n\n{BELOW[habit]}\n"
    assert reply_of(text.replace("\n", "\r\n")) == reply_of(text)


def test_answers_between_quoted_lines_and_below_them_are_kept() -> None:
    found = reply_of("On Jan 1, 2024, at 10:00, Bob wrote:\n> Which model?\nX200\n> Which version?\n\n1.8.4\n")
    assert found.said == "X200\n\n1.8.4"
    assert found.quoted.splitlines()[1:] == ["> Which model?", "> Which version?"]


@pytest.mark.parametrize("between", ["> Which one?", ""])
def test_an_attribution_reaches_over_no_quoted_and_no_blank_line(between: str) -> None:
    found = reply_of(f"Ask <bob@example.com>\n{between}\nas at 10:05 the page wrote:\nnothing")
    assert [line for line in found.said.split("\n") if line] == [
        "Ask <bob@example.com>", "as at 10:05 the page wrote:", "nothing",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "On 2 of our 5 hosts the disk is full:",
        "The log says: user wrote:",
        "From: the start page I click on Send",
        "Date: 2024-01-01",
        ">= 300 users are hit",
        "-----",
        "On Monday the customer wrote: it hangs.",
        "At 10:05 it stopped.",
        "Sent from my phone app, the order hangs for ever and the page shows only a spinning wheel, nothing more.",
        "在 2024-01-01 升级之后无法登录：",
        "Original Message",
    ],
)
def test_words_that_only_look_like_marks_are_kept(line: str) -> None:
    text = f"Hello\n{line}\nand then nothing."
    assert reply_of(text).said == text


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone", "Sent from Outlook for iOS", "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Von meinem iPhone gesendet", "Envoyé de mon iPhone",
        "发自我的iPhone", "发自我的 iPhone",
        "从QQ邮箱发来", "发自我的小米手机", "从我的iPhone发送", "iPhoneから送信", "Отправлено с iPhone",
        "Sent with Proton Mail secure email.",
        "-- \nBob\nOps", "--\nBob",
    ],
)  # fmt: skip
def test_signatures_are_told_from_words(line: str) -> None:
    found = reply_of(f"It hangs.\n\n{line}\n\n{BELOW['QQ']}")
    assert (found.said, found.signature) == ("It hangs.", line)
    assert reply_of(f"It hangs.\n{line}").said == "It hangs."


@pytest.mark.parametrize(
    "line",
    [
        "Sent from the warehouse terminal 4", "发自我的车间3号设备报警", "来自 10.0.0.1 的请求全部超时",
        "Sent by 10.0.0.1 to the printer", "2026-11-20 10:32:11 ERROR [main]:", "kernel at 10:32:11 [12.3]:",
    ],
)  # fmt: skip
def test_lines_of_machines_are_words_also_in_an_answer(line: str) -> None:
    text = f"Hello\n{line}\nThe scanner reads nothing."
    assert reply_of(text).said == text
    assert reply_of(f"Hello\n{line}").said == f"Hello\n{line}"


def test_nothing_follows_what_a_phone_signs_but_other_signs() -> None:
    assert reply_of("It hangs.\nSent from my iPhone\nGet Outlook for iOS").said == "It hangs."
    text = "It hangs.\nSent from my iPhone\nAnd the screen is dark."
    assert reply_of(text).said == text


FIRST = (
    "2026-11-20 10:32:11 ERROR [main]:\njava.lang.OutOfMemoryError",
    "On 2026-05-03 at 10:15 the printer wrote:\nERROR E12",
    "From: 10.0.0.1\nTo: 10.0.0.2\nDate: 2026-11-20 10:00",
    "From: Berlin\nTo: Hamburg\nSubject: my booking",
    "_____\nFrom: Berlin\nTo: Hamburg\nSubject: my booking",
    "在2026-05-03 10:15 日志写道：\n错误E123",
    "在 2026年5月3日 14:00 系统提示写到：\n数据库连接失败",
    "at 10:15 on 2026-11-20 the log says <core@db-3>:\nout of memory",
    "--\nSerial: 123\nError: E5",
    "--\n型号：X200\n故障现象：不能打印",
)


@pytest.mark.parametrize("block", FIRST)
def test_a_first_mail_is_not_cut_by_what_only_looks_like_a_mark(block: str) -> None:
    text = f"Hello, the shop is down.\n{block}\nAll branch offices are cut off!"
    assert reply_of(text, is_first=True).said == text


CERTAIN = (
    "a list", "Gmail", "Gmail, Chinese", "163, English", "163, mobile", "163, rule", "QQ", "QQ, English", "Outlook",
    "Outlook, block", "a forward", "a forward by Apple",
)  # fmt: skip


@pytest.mark.parametrize("habit", CERTAIN)
def test_of_a_first_mail_what_is_certainly_quoted_is(habit: str) -> None:
    found = reply_of(f"It is still broken.\n\n{BELOW[habit]}", is_first=True)
    assert found.said == "It is still broken."


def test_a_first_mail_has_a_signature() -> None:
    found = reply_of("It hangs.\n--\n李雷\n电话：13800000000\nLocation: Berlin", is_first=True)
    assert (found.said, found.signature.split("\n")[1]) == ("It hangs.", "李雷")


def test_a_dashed_line_in_a_long_text_begins_no_signature() -> None:
    text = "The log:\n--\n" + "\n".join(f"line {number}" for number in range(20))
    assert reply_of(text).said == text
    assert reply_of(text.replace("--\n", "-- \n")).said == "The log:"


def test_what_only_forwards_says_nothing_of_its_own() -> None:
    assert reply_of(BELOW["a forward"]).said == ""


def _mails_with_expected_replies() -> list[tuple[str, str]]:
    index = material_folder() / "mail" / "index.json"
    if not index.is_file():
        return []
    files = json.loads(index.read_text())["files"]
    return [(name, about["expected_reply_text"]) for name, about in files.items() if _is_mail(name, about)]


def _is_mail(name: str, about: dict[str, object]) -> bool:
    return name.endswith(".eml") and "expected_reply_text" in about


def test_mails_of_other_projects_give_the_reply_that_their_tests_expect() -> None:
    expected = _mails_with_expected_replies()
    if not expected:
        pytest.skip("the collected mails are not here")
    found = [(name, reply_of(_text_of(name)).said) for name, _ in expected]
    assert found == expected


def _text_of(name: str) -> str:
    mail = email.message_from_bytes((material_folder() / "mail" / name).read_bytes(), policy=policy.default)
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body else ""


# --- bounds ---------------------------------------------------------------------------------------------------


class Counted(Sequence[str]):
    """Lines that know how often they were read."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines, self.visits = lines, 0

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        found = self.lines[at]
        self.visits += 1 if isinstance(found, str) else len(found)
        return found


PIECES = [line for text in BELOW.values() for line in text.split("\n")] + [
    "", "-- ", "--", "Sent from my iPhone", "Bob <bob@example.com> 2024", "-----", "words", "> ",
    "On 1", "____________",
]  # fmt: skip
LINES = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=40)), max_size=60)


def visits(lines: Sequence[str], *, is_first: bool = False) -> int:
    counted = Counted(lines)
    sorted_lines(counted, is_first=is_first)
    return counted.visits


@given(lines=LINES, is_first=st.booleans())
def test_every_line_is_read_a_bounded_number_of_times(lines: list[str], is_first: bool) -> None:
    assert visits(lines, is_first=is_first) <= 40 * len(lines)


@given(lines=st.lists(st.sampled_from(PIECES), min_size=1, max_size=3))
@settings(max_examples=300)
def test_twice_the_text_is_twice_the_work(lines: list[str]) -> None:
    for is_first in (False, True):
        assert visits(lines * 400, is_first=is_first) <= 2 * visits(lines * 200, is_first=is_first) + 64


@given(text=st.one_of(st.text(), LINES.map("\n".join)), is_first=st.booleans())
def test_no_line_is_lost_and_none_is_told_twice(text: str, is_first: bool) -> None:
    found = reply_of(text, is_first=is_first)
    parts = [line.strip() for part in (found.said, found.quoted, found.signature) for line in part.split("\n")]
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    assert sorted(filter(None, parts)) == sorted(filter(None, lines))


@pytest.mark.parametrize("line", ["> ", "On 1 ", "<@", "-", "From:", " ", "发", "a\u3000", "Sent from "])
def test_a_line_of_a_million_letters_is_no_more_work_than_a_short_one(line: str) -> None:
    text = line * (1_000_000 // len(line))
    assert reply_of(f"Hello\n{text}").said.startswith(("Hello", text[:5]))
