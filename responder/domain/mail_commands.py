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
    """What somebody asks for. `text` is the reason, or whatever else the answer says; `score` only of a score."""

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
    "|已解决|问题已解决|解决了|已经解决|已經解決|已恢复|恢复了|已恢复正常|恢复正常了",
    Verb.NOT_SOLVED: "not solved|it is not solved|still not solved|not resolved|it is not resolved|unsolved|not fixed"
    "|it is not fixed|it does not work|it still does not work|still broken|it is still broken"
    "|未解决|没有解决|没解决|问题未解决|仍未解决|还没解决|未解決|未恢复|没有恢复|仍未恢复|还没恢复|还是不行",
}  # fmt: skip
_VERB_OF = {word: verb for verb, words in _WORDS.items() for word in words.split("|")}
_REASON = re.compile(r"(reject|rejected|拒绝|驳回|不同意)\s{0,5}[:,，：-]\s{0,5}(\S.{0,190})", re.IGNORECASE)
_SCORE = re.compile(
    r"(?:score|rating|评分|打分|满意度)\s{0,5}[:=：]?\s{0,5}(\d{1,3})\s{0,5}(?:分|points?)?", re.IGNORECASE
)
_BARE_SCORE = re.compile(r"(\d{1,3})\s{0,3}(?:分|points?|/\s{0,3}\d{1,3})?")
_THANKS = re.compile(r"[\s,.!]{1,5}(?:many )?(?:thanks|thank you|thx|谢谢|谢谢您|谢谢你|多谢|感谢)\Z")


def command_in(said: str, *, is_asked_for_score: bool = False) -> Command | None:
    """The command that an answer begins with; None if it is plain words. A mere number is a score only if we asked."""
    first, _, rest = said[:_LOOKED_AT].strip().partition("\n")
    line, text = unicodedata.normalize("NFKC", first[: _LONGEST_LINE + 1]).strip(), rest.strip()[:LONGEST_REASON]
    if len(first) > _LONGEST_LINE:
        return None
    bare = _bare(line)
    if verb := _VERB_OF.get(bare):
        return Command(verb=verb, text=text)
    if found := _REASON.fullmatch(line):
        return Command(verb=Verb.REJECT, text=f"{found[2]}\n{text}".strip()[:LONGEST_REASON])
    return _score(bare, text, _BARE_SCORE if is_asked_for_score else _SCORE) or _score(bare, text, _SCORE)


def _bare(line: str) -> str:
    """Without what politeness adds."""
    lowered = line.rstrip(".!。~ ").lower().replace("’", "'").replace("it's", "it is").replace("doesn't", "does not")
    return " ".join(_THANKS.sub("", lowered).rstrip(".!。, ").split())


def _score(bare: str, text: str, pattern: re.Pattern[str]) -> Command | None:
    found = pattern.fullmatch(bare)
    score = int(found[1]) if found else 0
    return Command(verb=Verb.SCORE, score=score, text=text) if 1 <= score <= _HIGHEST_SCORE else None
