"""Answers to numbered questions: behind or below their labels, or by number; nothing else counts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.field_answers import answers_by_number, answers_to

ASKED = ("Product", "Serial or batch number", "产品（型号）")


@pytest.mark.parametrize(
    "line",
    [
        "2. Serial or batch number: SN-1",
        "> 2. Serial or batch number: SN-1",
        ">> 2. Serial or batch number : SN-1",
        "> | 2) Serial or batch number：SN-1 ",
        "*2. Serial or batch number:* SN-1",
        "> 2. Serial or batch number:\n\nSN-1\n> 3. 产品（型号）：",
    ],
)
def test_an_answer_stands_behind_or_below_its_label(line: str) -> None:
    assert answers_to(ASKED, f"Hello\n{line}\n") == {"Serial or batch number": "SN-1"}


@pytest.mark.parametrize(
    "text",
    [
        "1. Product:\n2. Serial or batch number:\n\nYou will hear from us.",
        "> 1. Product:\n> You will hear from us.\n",
        "1. Serial or batch number: SN-1",
        "Serial or batch number: SN-1",
        "2. The Serial or batch number: SN-1",
        "",
    ],
)
def test_what_is_not_behind_a_question_is_no_answer_to_it(text: str) -> None:
    assert answers_to(ASKED, text) == {}


def test_numbers_alone_are_answers_if_there_is_nothing_else() -> None:
    assert answers_by_number(ASKED, "1. P900\n2) 300\n3： X") == {"Product": "P900", ASKED[1]: "300", ASKED[2]: "X"}


@pytest.mark.parametrize(
    "text",
    ["I did:\n1. open\n2. print", "1. a\n1. b", "4. d", "12:30", "1.", "1. Product:", "no", ""],
)
def test_other_lists_are_no_answers(text: str) -> None:
    assert answers_by_number(ASKED, text) == {}


@given(text=st.text(alphabet=st.sampled_from("123.)> :：\nProductSerial orbatchnumber产品（型号）x"), max_size=300))
def test_whatever_is_written_gives_values_of_what_was_asked(text: str) -> None:
    for found in (answers_to(ASKED, text), answers_by_number(ASKED, text)):
        assert set(found) <= set(ASKED)
        assert all(value in text or "\n" in value for value in found.values())


@pytest.mark.parametrize("piece", ["> ", "1. ", "1. Product:", "1. Product: x\n", "> 1. Product:\n", "\n", "|", "* "])
def test_no_text_makes_it_slow(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = time.perf_counter()
    answers_to(ASKED, text)
    answers_by_number(ASKED, text)
    assert time.perf_counter() - began < 2
