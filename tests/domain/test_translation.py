"""Generated sentences in another language: what is known is said, what is not stays as it is."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.durations import spoken
from responder.domain.translation import LONGEST, catalogue, translated

SENTENCES = {
    "{runbook} on {host}, step {number:count} ({step}): {why:text}": "{host}上{runbook}第{number}步（{step}）：{why}",
    "the command ended with exit code {code:count}: {output}": "命令以{code}结束：{output}",
    "{why:text} Nobody has taken it yet.": "{why} 无人认领。",
    "No rule fits.": "没有规则。",
    "{people:list} said yes.": "{people}同意。",
    "Asked {told:texts}.": "已问{told}。",
    "Within {within:time} nobody answered.": "{within}内无人答复。",
    "the ticket is {status:word}": "工单{status}",
    "{host} would be the {number:nth}": "{host}是第{number}个",
    "graded: {reason:conditions}": "定级：{reason}",
    "an outage": "中断",
    "from {a} to {b} to {c} to {d} at last": "{a}{b}{c}{d}",
    "{said:text} ({outcome:word}, {took:time})": "{said}（{outcome}，{took}）",
    "{person} has the role {role:name}": "{person}是{role}",
    "restored": "已恢复",
    "{person} says {words}. Is it so?": "{person}说{words}，对吗？",
}
KNOWN = catalogue(
    SENTENCES,
    items={"{person} by {channel}": "{person}（{channel}）", "nobody at once": "无人"},
    joints={".": "。", "?": "？", ";": "；", ", ": "、", " and ": "和", " (": "（", ")": "）"},
    units={"h": "小时", "m": "分"},
)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("No rule fits.", "没有规则。"),
        ("no rule fits", "没有规则"),
        ("Nothing that is known.", "Nothing that is known."),
        ("", ""),
        (
            "fix it on web-1, step 2 (look): the command ended with exit code 3: no such file. Sorry.",
            "web-1上fix it第2步（look）：命令以3结束：no such file. Sorry。",
        ),
        ("the command ended with exit code 1: an outage", "命令以1结束：an outage"),
        ("the command ended with exit code 1: x. No rule fits.", "命令以1结束：x. 没有规则。"),
        ("The command ended with exit code 1: x", "命令以1结束：x"),
        ("No rule fits. Nobody has taken it yet.", "没有规则。无人认领。"),
        ("Unknown here. No rule fits. Unknown there.", "Unknown here. 没有规则。Unknown there."),
        ("an outage; no rule fits.", "中断；没有规则。"),
        ("mei, lars and otto said yes.", "mei、lars和otto同意。"),
        ("mei. 1. lars said yes.", "mei. 1. lars同意。"),
        ("web-1.test, web-2.test said yes.", "web-1.test、web-2.test同意。"),
        ("Asked mei by pager, otto by phone.", "已问mei（pager）、otto（phone）。"),
        ("Asked nobody at once.", "已问无人。"),
        ("Fixed by hand", "Fixed by hand"),
        ("Within 1h 30m nobody answered.", "1 小时 30 分内无人答复。"),
        ("Within a while nobody answered.", "Within a while nobody answered."),
        ("the ticket is restored", "工单已恢复"),
        ("web-2 would be the 12th", "web-2是第12个"),
        ("graded: an outage (a=b and c=d)", "定级：中断（a=b和c=d）"),
        (
            "graded: a=b and c=black and white and d=e",
            "graded: a=b和c=black and white和d=e".replace("graded: ", "定级："),
        ),
        ("graded: No rule fits", "定级：没有规则"),
        ("mei says a. b? c. Is it so?", "mei说a. b? c，对吗？"),
    ],
)
def test_what_is_known_is_said_and_the_rest_stays(english: str, chinese: str) -> None:
    assert translated(KNOWN, english) == chinese


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("{a} has {b}", "{a}"),
        ("{a} has none", "{a}{b}"),
        ("{a} has {a}", "{a}"),
        ("{a:colour} has none", "{a}"),
    ],
)
def test_a_translation_with_other_places_is_refused(sentence: str, said: str) -> None:
    with pytest.raises(ValueError, match="place"):
        catalogue({sentence: said})


PARTS = st.sampled_from([*SENTENCES, "; ", ". ", "? ", " and ", ", ", " (", ")", "{why:text}", "1h 30m", "mei", "\n"])


@given(st.lists(PARTS | st.text(max_size=20), max_size=30).map("".join))
def test_no_text_makes_it_fail_or_loses_what_is_unknown(text: str) -> None:
    said = translated(KNOWN, text)
    assert isinstance(said, str)
    assert said or not text


@given(st.text(max_size=200))
def test_without_a_catalogue_every_text_stays(text: str) -> None:
    assert translated(catalogue({}), text) == text


NAMES = st.text(st.sampled_from("abcXYZ0189-_./:|$“”é中"), min_size=1, max_size=30)


@given(NAMES, NAMES, NAMES, st.integers(0, 999))
def test_what_stands_in_a_place_survives(runbook: str, host: str, step: str, number: int) -> None:
    said = translated(KNOWN, f"{runbook} on {host}, step {number} ({step}): no rule fits")
    assert said == f"{host}上{runbook}第{number}步（{step}）：没有规则"


@given(st.text(st.sampled_from("ab .?!;,\n"), max_size=80))
def test_an_output_keeps_its_own_marks(output: str) -> None:
    said = translated(KNOWN, f"the command ended with exit code 1: x{output}x")
    assert said == f"命令以1结束：x{output}x"


@given(st.integers(1, 10**8))
def test_every_duration_that_people_read_is_translated(seconds: int) -> None:
    known = catalogue({}, units=dict.fromkeys("dhms", "#"))
    said = translated(known, spoken(timedelta(seconds=seconds)), "time")
    assert said.count("#") == len(spoken(timedelta(seconds=seconds)).split())


@pytest.mark.parametrize(
    "text",
    [
        "{runbook} on {host}, step 1 (" * 100,
        "a. " * 1000,
        "the command ended with exit code " * 100,
        " on " * 900,
        "from " + "a to " * 700,
        "said yes, " * 300,
        "1" * LONGEST,
        "Nobody has taken it yet. " * 100,
        "(" * LONGEST,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    begun = time.process_time()
    translated(KNOWN, text[:LONGEST])
    assert time.process_time() - begun < 1


def test_what_is_longer_than_any_sentence_stays() -> None:
    text = "No rule fits. " * LONGEST
    assert translated(KNOWN, text) == text
