"""What a letter says beside its fields: the text is the symptom, courtesies are not."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from responder.domain.policy import Policy
from responder.domain.report_form import Form
from responder.domain.report_text import Vocabulary, Written, letter_read

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
POLICY = Policy(name="", grades={}, default_grade="", report_fields=("product", "symptom"))


def symptom(text: str) -> str:
    form = Form(title="It", channel="mail", name="Li Wei", contact="li.wei@example.org")
    read = letter_read(form, Written(text=text, at=NOW), POLICY, Vocabulary(), NOW)
    return read.form.fields.get("symptom", "")


@pytest.mark.parametrize(
    "text",
    [
        "您好，打印机坏了，不能打印。",
        "Hello, nothing works since yesterday at 3 pm.",
        "Dear all, the printer on floor three is dead",
        "Hi the printer prints nothing at all",
        "谢谢关注，系统一直打不开",
        "尊敬的客服，打印机坏了不能打印",
    ],
)
def test_what_is_wrong_may_stand_in_the_line_of_a_greeting(text: str) -> None:
    assert symptom(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Hello,",
        "Dear Sir or Madam,",
        "Dear support team\n\nThanks, Alex",
        "Good morning everybody!\nKind regards, Li Wei",
        "您好！\n谢谢。",
        "尊敬的客服：您好！\n非常感谢！\n此致\n敬礼",
        "Product: P900, and nothing else",
        "Help!",
        "急！",
    ],
)
def test_courtesies_and_cries_are_no_symptom(text: str) -> None:
    assert symptom(text) == ""


def test_the_lines_of_fields_are_no_symptom() -> None:
    assert (
        symptom("Hello,\nProduct: P900\nIt prints nothing.\nSteps:\n1. open\n2. print\n\nThanks")
        == "It prints nothing."
    )


@pytest.mark.parametrize(
    "piece", ["hello ", "dear a ", "尊敬的", "thanks, ", "您好", "Product: ", "a\tb\n", "Product\tx\n"]
)
def test_no_text_makes_it_slow(piece: str) -> None:
    began = time.perf_counter()
    symptom(piece * (100_000 // len(piece)))
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    ("text", "impact", "told"),
    [
        ("影响：核心功能无法使用\n扫码枪扫不了。", "core function unusable", "扫码枪扫不了。"),
        ("Impact: core function unusable.\nIt does not scan.", "core function unusable", "It does not scan."),
        ("Impact: nobody can scan\nin the whole hall", "nobody can scan\nin the whole hall", ""),
    ],
)
def test_a_word_of_a_list_ends_with_its_line(text: str, impact: str, told: str) -> None:
    words = {"核心功能无法使用": "core function unusable", "core function unusable": "core function unusable"}
    vocabulary = Vocabulary(labels={"影响": "impact", "Impact": "impact"}, words={"impact": words})
    form = Form(title="It", channel="mail", name="Li Wei", contact="li.wei@example.org")
    fields = letter_read(form, Written(text=text, at=NOW), POLICY, vocabulary, NOW).form.fields
    assert (fields.get("impact"), fields.get("symptom", "")) == (impact, told)
