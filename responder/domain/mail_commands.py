"""What the first line of an answer asks for, in English and Chinese; only if the line says nothing else."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

LONGEST_REASON = 2000
_LONGEST_LINE = 200
_LOOKED_AT = 20_000
_HIGHEST_SCORE = 100


class Verb(StrEnum):
    ACK = "ack"
    CLOSE = "close"
    APPROVE = "approve"
    REJECT = "reject"
    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    SCORE = "score"


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What somebody asks for. `text` is the reason, or whatever else the answer says; `score` of a score, or
    beside *solved*."""

    verb: Verb
    text: str = ""
    score: int | None = None

    @property
    def by_colleagues(self) -> bool:
        """Whether only people of the service may say so; the others are words of a reporter."""
        return self.verb in (Verb.ACK, Verb.CLOSE, Verb.APPROVE, Verb.REJECT)


_WORDS = {
    Verb.ACK: "ack|acknowledge|acknowledged|i take it|认领|接单|我来处理",
    Verb.CLOSE: "close|close it|关闭|关闭工单|请关闭",
    Verb.APPROVE: "approve|approved|i approve|同意|批准|审批通过",
    Verb.REJECT: "reject|rejected|i reject|拒绝|不同意|驳回",
    Verb.SOLVED: "solved|it is solved|resolved|it is resolved|fixed|it is fixed|it works|it works now|it works again"
    "|已解决|问题已解决|解决了|已经解决|已经解决了|問題已解決|已經解決|已恢复|恢复了|已恢复正常|恢复正常了",
    Verb.NOT_SOLVED: "not solved|it is not solved|still not solved|not resolved|it is not resolved|unsolved|not fixed"
    "|it is not fixed|it does not work|it still does not work|still broken|it is still broken"
    "|未解决|没有解决|没解决|问题未解决|仍未解决|还没解决|还是没解决|还是没有解决|未解決|未恢复|没有恢复|仍未恢复|还没恢复|还是不行",
}  # fmt: skip
_VERB_OF = {word: verb for verb, words in _WORDS.items() for word in words.split("|")}
# Solved has no reason in its line: what stands behind it is more often a but.
_WITH_REASON = "|".join(
    word for verb in (Verb.REJECT, Verb.NOT_SOLVED) for word in sorted(_WORDS[verb].split("|"), key=len, reverse=True)
)
_REASON = re.compile(rf"({_WITH_REASON})\s{{0,5}}[:,;-]\s{{0,5}}(\S.{{0,190}})", re.IGNORECASE)
_IT_IS, _DOES_NOT = re.compile(r"\bit's\b", re.IGNORECASE), re.compile(r"\bdoesn't\b", re.IGNORECASE)
_SOLVED_AND_SCORE = re.compile(
    r"(\S.{0,60}?)[\s,.!;]{1,5}(?:(?:score|rating|评分|打分|满意度)\s{0,5}[:=]?\s{0,5})?(\d{1,3})\s{0,3}(?:分|points?)?"
)
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|您好|你好|大家好|尊敬的)[^,.:!?;\n]{0,40}[,.:!~]{0,3}",
    re.IGNORECASE,
)
_SCORE = re.compile(
    r"(?:score|rating|评分|打分|满意度)\s{0,5}[:=：]?\s{0,5}(\d{1,3})\s{0,5}(?:分|points?)?", re.IGNORECASE
)
_BARE_SCORE = re.compile(r"(\d{1,3})\s{0,3}(?:分|points?|/\s{0,3}\d{1,3})?")
_THANKS = re.compile(r"[\s,.!]{1,5}(?:many )?(?:thanks|thank you|thx|谢谢|谢谢您|谢谢你|多谢|感谢)\Z")


def command_in(said: str, *, is_asked_for_score: bool = False) -> Command | None:
    """The command that an answer begins with; None if it is plain words. A mere number is a score only if we asked.

    Above the words of a reporter a greeting may stand on a line of its own, and a score behind or below *solved*.
    """
    text = said[:_LOOKED_AT].strip()
    below = _below_greeting(text)
    found = _command(below or text, _BARE_SCORE if is_asked_for_score else _SCORE)
    return None if found and below and found.by_colleagues else found


def _command(said: str, score: re.Pattern[str]) -> Command | None:
    first, _, rest = said.partition("\n")
    line, text = _plain(first[: _LONGEST_LINE + 1]), rest.strip()[:LONGEST_REASON]
    if len(first) > _LONGEST_LINE:
        return None
    bare = _bare(line)
    if verb := _VERB_OF.get(bare):
        return Command(verb=verb, text=text, score=_score_below(text) if verb is Verb.SOLVED else None)
    if found := _REASON.fullmatch(line):
        return Command(verb=_VERB_OF[_bare(found[1])], text=f"{found[2]}\n{text}".strip()[:LONGEST_REASON])
    return _solved_and_score(bare, text) or _score(bare, text, score) or _score(bare, text, _SCORE)


def _solved_and_score(bare: str, text: str) -> Command | None:
    found = _SOLVED_AND_SCORE.fullmatch(bare)
    if found is None or _VERB_OF.get(_bare(found[1])) is not Verb.SOLVED:
        return None
    score = int(found[2])
    return Command(verb=Verb.SOLVED, text=text, score=score if 1 <= score <= _HIGHEST_SCORE else None)


def _below_greeting(said: str) -> str:
    """What stands below a greeting; empty without one."""
    first, _, rest = said.partition("\n")
    return rest.strip() if _GREETING.fullmatch(_plain(first[:_LONGEST_LINE])) else ""


def _score_below(text: str) -> int | None:
    found = _score(_bare(_plain(text.partition("\n")[0][:_LONGEST_LINE])), "", _SCORE)
    return found.score if found else None


def _plain(line: str) -> str:
    """Without full width letters and what is drawn together."""
    narrow = unicodedata.normalize("NFKC", line).strip().replace("’", "'")
    return _DOES_NOT.sub("does not", _IT_IS.sub("it is", narrow))


def _bare(line: str) -> str:
    """Without what politeness adds."""
    lowered = line.rstrip(".!。~ ").lower()
    return " ".join(_THANKS.sub("", lowered).rstrip(".!。, ").split())


def _score(bare: str, text: str, pattern: re.Pattern[str]) -> Command | None:
    found = pattern.fullmatch(bare)
    score = int(found[1]) if found else 0
    return Command(verb=Verb.SCORE, score=score, text=text) if 1 <= score <= _HIGHEST_SCORE else None
