"""What is refused, foreseen and counted is said in Chinese to who reads Chinese."""

from __future__ import annotations

import re

import pytest

from responder.domain.accounts import Untold
from responder.flows.texts.languages import said
from tests.fakes import NOW

ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,]+[A-Za-z]{2,})+")
WRONG = [
    Untold(user_id=whose, hour=NOW, tries=tries, addresses=addresses)
    for whose in (None, 7)
    for tries, addresses in ((1, 1), (3, 1), (3, 2))
]


def test_one_wrong_password_is_counted_as_one() -> None:
    assert [one.sentence.partition(", between")[0] for one in WRONG] == [
        "1 more try with a name that nobody has, from 1 address",
        "3 more tries with names that nobody has, from 1 address",
        "3 more tries with names that nobody has, from 2 addresses",
        "1 more wrong password, from 1 address",
        "3 more wrong passwords, from 1 address",
        "3 more wrong passwords, from 2 addresses",
    ]


def test_how_many_passwords_were_wrong_is_said_in_chinese() -> None:
    told = [said(one.sentence, "zh") for one in WRONG]
    assert [text for text in told if ENGLISH.search(text)] == []
    assert told[3].startswith("另有 1 次密码错误，来自 1 个地址，时间为 UTC 2026-11-20 ")
    assert len(set(told)) == len(WRONG)


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            "INC-1 cannot be reopened: the same trouble is INC-2 now, and that is open",
            "不能重新打开 INC-1：同一故障现为 INC-2，且尚未关闭",
        ),
        ("“big change” stands before it: director is asked first.", "此前须通过“big change”：先询问 director。"),
        ("“gate” stands before it: head and qa are asked first.", "此前须通过“gate”：先询问 head 和 qa。"),
        (
            "The Idempotency-Key is no plain text of up to 200 characters.",
            "Idempotency-Key 不是最多 200 个字符的纯文本。",
        ),
        (
            "This Idempotency-Key was used for another request; a new one needs a new key.",
            "此 Idempotency-Key 已用于另一个请求；新的请求需要新的键。",
        ),
        (
            "As of 2h ago: 3 things differ between who should have been told and what is stored.",
            "截至 2 小时前：应通知的人与已保存的内容有 3 处不同。",
        ),
        ("Not so much as a digest of a password is kept.", "连密码的摘要也不保存。"),
        (
            "“cursor” is none of ours: take the one that the page before gave.",
            "“cursor”不是本服务给出的：请使用上一页给出的值。",
        ),
    ],
)
def test_what_is_refused_or_foreseen_is_said_in_chinese(text: str, chinese: str) -> None:
    assert said(text, "zh") == chinese


def test_what_became_of_the_first_request_under_a_key_is_said_in_chinese() -> None:
    text = (
        "A request with this Idempotency-Key is being done, or was done and its answer is lost: look at what it was "
        "to change before you send it under another key."
    )
    assert not ENGLISH.search(said(text, "zh"))
