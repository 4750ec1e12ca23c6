"""Words and senders grade what people report, and never what alerts say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.grading import GradeRule, grade
from responder.domain.said import found_words, is_from, told_by
from responder.domain.subsumption import takes_all

DOWN = GradeRule(name="down", grade="P1", words=("down", "no connection", "无法访问"), because="a person says so")
VIP = GradeRule(name="vip", grade="P2", senders=("boss@example.org", "*@vip.example.org"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The shop is DOWN.", ("down",)),
        ("I cannot download it", ()),
        ("no\n  connection since noon", ("no connection",)),
        ("网站无法访问了", ("无法访问",)),
        ("no, the connection is fine", ()),
        ("", ()),
    ],
)
def test_words_are_found_whole_and_chinese_ones_anywhere(text: str, found: tuple[str, ...]) -> None:
    assert found_words(DOWN.words, told_by([text], "")) == found


@pytest.mark.parametrize(
    ("sender", "is_it"),
    [
        ("boss@example.org", True),
        ("Anna@VIP.example.org", True),
        ("boss@example.org.evil.test", False),
        ("anna@vip.example.org.evil.test", False),
        ("", False),
    ],
)
def test_senders_are_known_by_their_whole_address(sender: str, is_it: bool) -> None:
    assert is_from(VIP.senders, told_by([], sender)) is is_it


def test_the_reason_names_the_words_and_not_the_sender() -> None:
    by_words = grade((DOWN,), "P3", {}, told_by(["all down, no connection"], "li@example.org"))
    assert (by_words.grade, by_words.reason) == ("P1", "a person says so (the report says down, no connection)")
    by_sender = grade((VIP,), "P3", {}, told_by(["a question"], "boss@example.org"))
    assert by_sender.grade == "P2"
    assert "boss" not in by_sender.reason


def test_an_alert_has_neither_words_nor_a_sender() -> None:
    facts = {"summary": "the shop is down", "description": "down", "sender": "boss@example.org"}
    assert grade((DOWN, VIP), "P3", {"alertname": "down"}, facts).grade == "P3"


def test_a_rule_with_fewer_words_behind_one_with_all_of_them_can_never_win() -> None:
    narrow = GradeRule(name="narrow", grade="P2", words=("down",))
    assert takes_all(DOWN, narrow)
    assert not takes_all(narrow, DOWN)
    assert not takes_all(VIP, narrow)
    assert takes_all(GradeRule(name="all", grade="P1"), VIP)


@given(st.text(max_size=400), st.lists(st.text(min_size=1, max_size=20), max_size=5))
def test_strange_words_in_strange_texts_do_no_harm(text: str, words: list[str]) -> None:
    assert set(found_words(words, told_by([text], text))) <= set(words)
