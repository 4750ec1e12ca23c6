"""Which first lines are commands, and which only look like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.mail_commands import LONGEST_REASON, Command, Verb, command_in


@pytest.mark.parametrize(
    ("said", "verb"),
    [
        ("ack", Verb.ACK), ("\n  ACK.\n", Verb.ACK), ("认领", Verb.ACK), ("close", Verb.CLOSE), ("关闭。", Verb.CLOSE),
        ("Approve!", Verb.APPROVE), ("同意", Verb.APPROVE), ("reject", Verb.REJECT), ("拒绝", Verb.REJECT),

        ("Solved", Verb.SOLVED), ("It's solved.", Verb.SOLVED), ("已解决！", Verb.SOLVED),
        ("not  solved", Verb.NOT_SOLVED),
        ("未解决", Verb.NOT_SOLVED), ("ａｃｋ", Verb.ACK),
        ("Solved, thank you!", Verb.SOLVED), ("It works again. Thanks", Verb.SOLVED), ("It’s fixed", Verb.SOLVED),
        ("已解决，谢谢！", Verb.SOLVED), ("It doesn't work.", Verb.NOT_SOLVED), ("还是不行，谢谢", Verb.NOT_SOLVED),
    ],
)  # fmt: skip
def test_a_line_of_nothing_but_a_command_is_one(said: str, verb: Verb) -> None:
    assert command_in(said) == Command(verb=verb)


@pytest.mark.parametrize(
    ("said", "score"),
    [("score 5", 5), ("Score: 4", 4), ("评分 5", 5), ("评分：3分", 3), ("评分 ５", 5), ("rating 100", 100)],
)
def test_scores_are_read_in_both_languages(said: str, score: int) -> None:
    assert command_in(said) == Command(verb=Verb.SCORE, score=score)


@pytest.mark.parametrize(("said", "score"), [("5", 5), ("4/5, thanks", 4), ("3分", 3), ("score 2", 2), ("５", 5)])
def test_a_mere_number_is_a_score_where_one_was_asked_for(said: str, score: int) -> None:
    assert command_in(said, is_asked_for_score=True) == Command(verb=Verb.SCORE, score=score)


@pytest.mark.parametrize("said", ["0", "5 printers are dead", "5°", "500", "2026-11-21", "4711 thanks"])
def test_other_numbers_are_no_score(said: str) -> None:
    assert command_in(said, is_asked_for_score=True) is None


@pytest.mark.parametrize(
    "said",
    [
        "", "please do not close", "close the door first", "I approve of your effort",
        "同意他的看法", "已解决了吗？",
        "solved?",
        "ack\u200b more", "score 0", "score 101", "score 4/5", "score", "5", "not solved and not close",
        "thanks", "Thank you!", "谢谢", "solved? thanks", "not yet, thanks",
        "不同意见见附件", "reject" * 50, "-- \nack",
    ],
)  # fmt: skip
def test_a_line_that_says_anything_else_is_none(said: str) -> None:
    assert command_in(said) is None


def test_a_rejection_takes_its_reason_from_the_line_or_from_what_follows() -> None:
    for said, reason in (
        ("reject: too risky before noon", "too risky before noon"),
        ("Reject, too risky\nAsk again at 18:00.", "too risky\nAsk again at 18:00."),
        ("拒绝：风险太大", "风险太大"),
        ("拒绝\n风险太大", "风险太大"),
        ("reject", ""),
    ):
        assert command_in(said) == Command(verb=Verb.REJECT, text=reason)


def test_what_follows_the_command_is_kept() -> None:
    found = command_in("not solved\n\nIt hangs again\nsince noon.")
    assert found == Command(verb=Verb.NOT_SOLVED, text="It hangs again\nsince noon.")


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("not solved: still dead", "still dead"),
        ("未解决：仍然无法开机", "仍然无法开机"),
        ("It still doesn't work, the lamp is red\nSince noon.", "the lamp is red\nSince noon."),
        ("还是没解决，打不开", "打不开"),
    ],
)
def test_not_solved_takes_its_reason_from_the_line_too(said: str, text: str) -> None:
    assert command_in(said) == Command(verb=Verb.NOT_SOLVED, text=text)


@pytest.mark.parametrize(
    "said",
    [
        "已解决，谢谢！\n评分 5",
        "已解决，谢谢！评分 5",
        "已解决 5分",
        "solved. score 5",
        "Solved, thanks\nScore: 5",
        "It works, 5 points",
    ],
)
def test_solved_may_bring_its_score(said: str) -> None:
    found = command_in(said)
    assert found is not None
    assert (found.verb, found.score) == (Verb.SOLVED, 5)


@pytest.mark.parametrize(
    "said", ["Hi,\n\nsolved", "您好，\n已解决", "Dear service desk:\nIt works", "你好\n已经解决了。"]
)
def test_a_greeting_may_stand_above_a_command(said: str) -> None:
    found = command_in(said)
    assert found is not None
    assert found.verb is Verb.SOLVED


@pytest.mark.parametrize(
    "said",
    [
        "solved, but it is slow", "solved: no", "已解决，但是很慢", "Hi, solved", "Hi,", "solved 3 of them",
        "Hello\nplease ack", "Hello\nack", "solved since 5", "Hi? \nsolved",
    ],
)  # fmt: skip
def test_more_than_politeness_makes_it_plain_words(said: str) -> None:
    assert command_in(said) is None


def test_words_of_the_service_are_told_from_words_of_reporters() -> None:
    assert [verb for verb in Verb if Command(verb=verb).by_colleagues] == ["ack", "close", "approve", "reject"]


@given(said=st.one_of(st.text(), st.builds("{}\n{}".format, st.sampled_from(["reject:", "score ", "同意"]), st.text())))
def test_no_answer_stops_the_question(said: str) -> None:
    for text in (said, said * 3000):
        found = command_in(text)
        assert found is None or len(found.text) <= LONGEST_REASON
