"""What reporters answer, and what they are told of its effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from responder.domain.ticket import Ticket
from responder.errors import Refused

LONGEST_ANSWER = 4000
MOST_ANSWERS_PER_HOUR = 20


class AnswerKind(StrEnum):
    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    SCORE = "score"
    INFORMATION = "information"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a reporter says. With an `episode` it counts only if the ticket is still in it. `whole` is a mail with all
    that it quotes, in which letters may have been answered between their lines; `at` is when it was written."""

    kind: AnswerKind
    text: str = ""
    score: int | None = None
    episode: int | None = None
    whole: str = ""
    at: datetime | None = None


class Effect(StrEnum):
    """What an answer did."""

    CONFIRMED = "confirmed"
    NOTED = "noted"
    TAKEN_UP_AGAIN = "taken_up_again"
    OPENED_ANEW = "opened_anew"
    GOES_ON = "goes_on"
    SCORED = "scored"


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """An answer's effect, on the ticket that it had it on: a new one if the report was closed long ago."""

    effect: Effect
    ticket: Ticket

    def sentence(self, language: str = "en") -> str:
        """What the reporter is told at once."""
        return _SENTENCES[self.effect][language].format(number=self.ticket.number)


_SENTENCES: Mapping[Effect, Mapping[str, str]] = {
    Effect.CONFIRMED: {
        "en": "Thank you. We have noted for {number} that it is solved.",
        "zh": "谢谢。已记录 {number} 问题已解决。",
    },
    Effect.NOTED: {
        "en": "Thank you. We have noted it for {number}.",
        "zh": "谢谢。已记入 {number}。",
    },
    Effect.TAKEN_UP_AGAIN: {
        "en": "Thank you. We have taken up {number} again.",
        "zh": "谢谢。我们已重新处理 {number}。",
    },
    Effect.OPENED_ANEW: {
        "en": "Thank you. The old report is closed, so we have opened a new one for you: {number}.",
        "zh": "谢谢。原报告已关闭，我们已为您建立新的报告：{number}。",
    },
    Effect.GOES_ON: {
        "en": "Thank you. We go on with {number} now.",
        "zh": "谢谢。我们将继续处理 {number}。",
    },
    Effect.SCORED: {
        "en": "Thank you for your score for {number}.",
        "zh": "感谢您对 {number} 的评分。",
    },
}


class WhyNot(StrEnum):
    """Why an answer does not count."""

    FORGOTTEN = "forgotten"
    MOVED_ON = "moved_on"
    TOO_LONG = "too_long"
    NO_TEXT = "no_text"
    NO_SCORE = "no_score"
    TOO_EARLY = "too_early"
    NOT_WHOLE = "not_whole"
    TOO_MANY = "too_many"


class Unheard(Refused):
    """An answer that does not count; `sentences` say why in each language."""

    def __init__(self, why: WhyNot, **values: object) -> None:
        self.sentences = {language: text.format(**values) for language, text in _WHY_NOT[why].items()}
        super().__init__(self.sentences["en"])


_WHY_NOT: Mapping[WhyNot, Mapping[str, str]] = {
    WhyNot.FORGOTTEN: {
        "en": "{number} was closed long ago and its reporter is no longer known; please report it anew.",
        "zh": "{number} 已关闭较久，报告人信息已删除，请重新报告。",
    },
    WhyNot.MOVED_ON: {
        "en": "{number} has moved on since this page was opened; please look at it again.",
        "zh": "页面打开后 {number} 的状态已变化，请重新查看。",
    },
    WhyNot.TOO_LONG: {
        "en": "The text is longer than {most} characters.",
        "zh": "内容超过 {most} 个字符。",
    },
    WhyNot.NO_TEXT: {"en": "The text is missing.", "zh": "请填写内容。"},
    WhyNot.NO_SCORE: {
        "en": "The score is missing, or not from 1 to {best}.",
        "zh": "请给出 1 至 {best} 的评分。",
    },
    WhyNot.TOO_EARLY: {
        "en": "{number} is not restored yet, so nobody can say how it was.",
        "zh": "{number} 尚未恢复，暂时无法评分。",
    },
    WhyNot.NOT_WHOLE: {"en": "The form is not whole.", "zh": "表单不完整。"},
    WhyNot.TOO_MANY: {
        "en": "That was a lot within an hour; please call us, or write again later.",
        "zh": "一小时内提交次数过多，请致电我们或稍后再试。",
    },
}
