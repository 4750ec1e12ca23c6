"""What a mail says of the form's fields: what is clear is taken, what may mean something else is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.mail_fields import recognised
from responder.domain.mail_labels import LABELS
from responder.domain.mail_time import times_in
from responder.domain.report_form import Form, occurred_at

SHANGHAI = ZoneInfo("Asia/Shanghai")
SENT_AT = datetime(2026, 11, 20, 18, 0, tzinfo=SHANGHAI)

CHINESE = """您好，
打印机坏了。
产品：P900打印机，型号：X200，序列号：SN-123；版本：1.2.3
【错误代码】E1234
影响范围：三楼
影响用户数：约 300 人
发生时间：2026年11月19日 14:05
故障现象：
不能打印
灯不亮

联系电话：138 1234 5678
已尝试：重启
"""
ENGLISH = """Hello,
**Model:** X200
- Serial no: 4711-A
* Version: 1.2.3
Error code: E1234
1. Location: floor 3
Affected users: 1,200
Occurred at: 2026-11-19 14:05
Symptom: it prints nothing
and shows no light
Steps to reproduce:
1. open
2. print

Phone: +49 30 1234567
"""


def found(text: str, sent_at: datetime | None = SENT_AT) -> dict[str, str]:
    return dict(recognised(text, sent_at=sent_at).found)


def test_labels_are_read_in_chinese() -> None:
    assert found(CHINESE) == {
        "product": "P900打印机", "model": "X200", "serial": "SN-123", "version": "1.2.3", "error_code": "E1234",
        "scope": "三楼", "affected_users": "300", "occurred_at": "2026-11-19 14:05", "symptom": "不能打印\n灯不亮",
        "phone": "138 1234 5678", "tried": "重启",
    }  # fmt: skip


def test_labels_are_read_in_english() -> None:
    assert found(ENGLISH) == {
        "model": "X200", "serial": "4711-A", "version": "1.2.3", "error_code": "E1234", "place": "floor 3",
        "affected_users": "1200", "occurred_at": "2026-11-19 14:05", "steps": "1. open\n2. print",
        "symptom": "it prints nothing\nand shows no light", "phone": "+49 30 1234567",
    }  # fmt: skip


@pytest.mark.parametrize("label", [label for labels in LABELS.values() for label in labels.split("|")])
def test_every_label_leads_to_its_field(label: str) -> None:
    (field,) = [name for name, labels in LABELS.items() if label in labels.split("|")]
    values = {"occurred_at": "2026-11-19 14:05", "affected_users": "300", "phone": "13812345678"}
    value = values.get(field, "E-12")
    assert found(f"{label.title()}： {value}")[field] == value


@pytest.mark.parametrize("text", ["产品\tP900\n型号\tX200\n客户号\t12", "Hello\nProduct:\tP900\nModel\tX200\n\nBye"])
def test_rows_of_a_table_are_labels_with_their_values(text: str) -> None:
    assert found(text) == {"product": "P900", "model": "X200"}


@pytest.mark.parametrize(
    "text", ["Product\tQuantity\nP900\t2", "Product\tModel\nP900\tX200", "Product\tModel\tSerial no\nP900\tX200\t12"]
)
def test_headings_of_columns_are_no_values(text: str) -> None:
    assert found(text) == {}


def test_each_field_says_how_it_was_found() -> None:
    how = recognised("型号：X200\nWe see error E1234 here.").how
    assert how == {"model": "It stands behind “型号”.", "error_code": "The words “error E1234” say so."}


def test_a_label_comes_before_words_and_the_first_label_counts() -> None:
    assert found("We see error E1.\nError code: E2\nError code: E3")["error_code"] == "E2"


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("系统报错 E1234，请处理", "error_code", "E1234"),
        ("It fails with ORA-01555.", "error_code", "ORA-01555"),
        ("We get error 0x80070005 all day", "error_code", "0x80070005"),
        ("错误码500", "error_code", "500"),
        ("影响 300 名用户", "affected_users", "300"),
        ("影响约2万用户", "affected_users", "20000"),
        ("About 1,200 users are affected", "affected_users", "1200"),
        ("This affects 40 people", "affected_users", "40"),
        ("150个用户无法登录", "affected_users", "150"),
        ("More than 1000 users are affected", "affected_users", "1001"),
        ("超过1000名用户无法登录", "affected_users", "1001"),
        ("we run v1.8.4 here", "version", "1.8.4"),
        ("there is no error v2.0", "version", "2.0"),
        ("Please call me at +49 30 1234567.", "phone", "+49 30 1234567"),
        ("我的电话13812345678", "phone", "13812345678"),
        ("The serial number is AB-1234", "serial", "AB-1234"),
        ("型号为X200", "model", "X200"),
    ],
)
def test_clear_words_need_no_label(text: str, field: str, value: str) -> None:
    assert found(text) == {field: value}


@pytest.mark.parametrize(
    "text",
    [
        "error 500 times in a row",
        "Error: cannot connect to the database",
        "less than 300 users are affected",
        "100-300 users are affected",
        "不到300个用户无法登录",
        "影响用户数：很多",
        "影响用户数：100-300",
        "Model: ?",
        "型号：未知",
        "We upgraded from v1.8.4 to v1.9.0",
        "MIME-Version: 1.0",
        "v1.8.4 here and v1.9.0 there",
        "发生时间：昨天",
        "It started yesterday at 3",
        "We bought it on 2026-11-19 14:05",
        "It started 2026-11-19 14:05 or stopped 2026-11-19 15:05",
        "The fault tolerance of model railways",
        "影响深远的决定",
    ],
)
def test_what_may_mean_something_else_is_left_out(text: str) -> None:
    assert found(text) == {}


def test_what_a_policy_wants_and_the_mail_does_not_say_is_named() -> None:
    assert recognised(CHINESE, sent_at=SENT_AT).missing(("product", "symptom", "occurred_at", "steps")) == ("steps",)
    assert recognised("Room no: 12", others=("room_no",)).missing(("room_no",)) == ()


# --- times ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("昨天下午3点", "2026-11-19 15:00"),
        ("昨天下午3点半", "2026-11-19 15:30"),
        ("今天上午9:05", "2026-11-20 09:05"),
        ("昨晚10点", "2026-11-19 22:00"),
        ("今早8点", "2026-11-20 08:00"),
        ("前天15点20分", "2026-11-18 15:20"),
        ("yesterday at 3 pm", "2026-11-19 15:00"),
        ("at 9:05 am today", "2026-11-20 09:05"),
        ("yesterday at 3 pm and it hung", "2026-11-19 15:00"),
        ("2026-11-19T14:05:30Z", "2026-11-19 14:05+00:00"),
        ("2026-11-19 14:05 +0100", "2026-11-19 14:05+01:00"),
        ("2026/11/19 9:05", "2026-11-19 09:05"),
        ("2026年11月19日下午2点05分", "2026-11-19 14:05"),
        ("19.11.2026 um 14:05", "2026-11-19 14:05"),
        ("19 Nov 2026 at 14:05", "2026-11-19 14:05"),
        ("Nov 19th, 2026 2:05 p.m.", "2026-11-19 14:05"),
        ("November 19, 2026, 12:05 am", "2026-11-19 00:05"),
    ],
)
def test_clear_times_are_read(words: str, text: str) -> None:
    assert [one.text for one in times_in(words, SENT_AT)] == [text]


@pytest.mark.parametrize(
    "words",
    [
        "昨天", "昨天3点", "昨晚12点", "yesterday at 3", "yesterday at 11:30", "at 14:05", "2026-11-19",
        "11/10/2026 14:05",
        "2026-11-19 14:05 CST", "2026-02-30 14:05", "2026-11-19 24:05", "2026-11-19 14:75", "2026-11-20 19:05",
        "今天晚上8点", "2026-11-19 14:05 +9900",
    ],
)  # fmt: skip
def test_times_that_may_be_others_or_are_still_to_come_are_left_out(words: str) -> None:
    assert times_in(words, SENT_AT) == ()


def test_yesterday_needs_a_mail_that_was_not_sent_at_night() -> None:
    assert times_in("昨天下午3点", None) == ()
    assert times_in("昨天下午3点", SENT_AT.replace(hour=4, minute=59)) == ()
    assert len(times_in("昨天下午3点", SENT_AT.replace(hour=5))) == 1


@pytest.mark.parametrize("at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)])
def test_a_mail_that_claims_the_first_or_last_day_ever_is_read_without_it(at: datetime) -> None:
    assert times_in("昨天下午3点, yesterday at 3 pm", at) == ()
    assert len(times_in("2026-11-19 14:05", at)) == 1


# --- bounds ---------------------------------------------------------------------------------------------------

PIECES = [label for labels in LABELS.values() for label in labels.split("|")] + [
    "：", ": ", "\n", "\n\n", "300", "万", " users", "昨天", "下午", "3点", "2026-11-19", " 14:05", "error",
    "E1", "超过", "，", "Z",
]  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=40).map("".join))


INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(text=TEXTS, sent_at=st.none() | INSTANTS)
def test_no_text_stops_the_search_and_what_is_found_fits_the_form(text: str, sent_at: datetime | None) -> None:
    answer = recognised(text * 20, sent_at=sent_at)
    assert set(answer.found) == set(answer.how) <= set(LABELS)
    for name, value in answer.found.items():
        assert 0 < len(value) <= 4000
        assert "\x00" not in value
        assert name != "affected_users" or (value.isascii() and value.isdigit() and len(value) < 16)
        assert name != "occurred_at" or occurred_at(value, SHANGHAI) is not None
    assert Form(title="", channel="", name="", contact="", fields=answer.found).all_fields == answer.found


@pytest.mark.parametrize(
    "piece", [" ", "9", "9,999", "影响", "model ", "昨天", "error ", "型号：", "【", "* ", "2026-", "a-"]
)
def test_a_hostile_text_of_a_million_letters_is_cut(piece: str) -> None:
    for text in (piece * (1_000_000 // len(piece)), (piece * 100 + "\n") * 5000):
        assert sum(map(len, recognised(text, sent_at=SENT_AT).found.values())) <= 4000 * len(LABELS)
