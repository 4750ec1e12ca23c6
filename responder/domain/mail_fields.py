"""The fields of a report that stand in free text, in English and Chinese: by labels, and by words that are clear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from responder.domain.grading import AFFECTED_USERS
from responder.domain.mail_affected import affected_in, counted
from responder.domain.mail_labels import LABELS, LONG, labelled, says_nothing
from responder.domain.mail_sentences import sentences
from responder.domain.mail_time import times_in
from responder.domain.report_form import OCCURRED_AT, cleaned
from responder.domain.reporter import contact_of, is_mail

_LONGEST_TEXT, _LONGEST_LINE, _MOST_LINES = 50_000, 1000, 1000
_LONGEST_SHOWN = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Recognised:
    """The fields found, as the form of a report wants them, and for each a sentence that says how it was found."""

    found: Mapping[str, str] = field(default_factory=dict)
    how: Mapping[str, str] = field(default_factory=dict)

    def missing(self, wanted: Collection[str]) -> tuple[str, ...]:
        """Which of the fields that a policy wants of every report are not among these."""
        return tuple(name for name in wanted if not self.found.get(name))


def recognised(
    text: str,
    *,
    sent_at: datetime | None = None,
    others: Sequence[str] = (),
    labels: Mapping[str, str] = MappingProxyType({}),
    is_quoted: bool = False,
) -> Recognised:
    """What a text says of the form's fields. A label comes before words without one, and the first label counts.

    `sent_at`, in the policy's zone, is needed for yesterday and the like. `others` are fields of a policy's own, whose
    name is their label; `labels` maps more labels to their fields. Of a text that somebody only forwards or quotes
    labels alone count: its words are about somebody else.
    """
    kept = cleaned(text[:_LONGEST_TEXT])
    found: dict[str, str] = {}
    how: dict[str, str] = {}
    own = {name: name for name in others if name not in LABELS}
    for one in labelled(kept, {**own, **labels}):
        value = "" if one.is_of_a_signature else _value(one.field, one.value, sent_at)
        if value and one.field not in found:
            found[one.field], how[one.field] = value, f"It stands behind “{one.label}”."
    clear_words = {} if is_quoted else _clear_words(kept, sent_at)
    for name, clear in clear_words.items():
        if name not in found:
            found[name], how[name] = clear.value, f"The words “{clear.words[:_LONGEST_SHOWN]}” say so."
    return Recognised(found=found, how=how)


def _value(name: str, value: str, sent_at: datetime | None) -> str:
    """What stands behind a label, as the form wants it; empty if it cannot be read for certain."""
    plain = unicodedata.normalize("NFKC", value)
    if name in _OF_WHAT_IS_WRONG:
        # Behind a comma another matter may begin: `S/N: 4711, firmware 2.1`.
        value, plain = (_ANOTHER_MATTER.split(text, 1)[0] for text in (value, plain))
    if name not in LONG and (says_nothing(plain) or _ELSEWHERE.fullmatch(plain.strip())):
        return ""
    if name == AFFECTED_USERS:
        return counted(plain)
    if name == OCCURRED_AT:
        times = times_in(plain, sent_at)
        return times[0].text if len(times) == 1 else ""
    if name == "phone":
        return _phone(plain)
    if (name == "error_code" and not _CODE_ALONE.fullmatch(plain.strip())) or (
        name == "serial" and not _DIGIT.search(plain)
    ):
        return ""
    return value if name in LONG else " ".join(plain.split())


_ANOTHER_MATTER = re.compile(r"[,，;；]\s{0,3}(?=[^\W\d]{2,20}(?:\s|是|为))")
_DIGIT = re.compile(r"\d")
_ELSEWHERE = re.compile(
    r"(?:please |pls )?(?:see|refer to|cf\.?|as) .{0,100}"
    r"|(?:please )?(?:attached|in the attachment|on the sticker).{0,40}"
    r"|(?:请)?(?:详见|参见|参考|请看|见|如|同)\s?(?:附件|附图|图片|截图|照片|图|上|下|附|标签|铭牌).{0,20}",
    re.IGNORECASE,
)
"""What sends its reader elsewhere for the value."""
_CODE_ALONE = re.compile(r"(?=.{0,40}\d)[\w./:#-]{1,40}", re.ASCII)
_PHONE = re.compile(r"[^\d+(,;，；]{0,15}(\+?[0-9(][0-9 ()./-]{4,28}[0-9])")
_DATE = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?:[ T]\d{1,2}(?::?\d{2})?)?")


def _phone(text: str) -> str:
    found = _PHONE.match(text[:_LONGEST_LINE])
    if not found or _DATE.match(found[1]):
        return ""
    contact = contact_of(found[1])
    return "" if is_mail(contact) else contact


# --- words without a label ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Clear:
    value: str
    words: str


_CODE = r"(0x[0-9a-f]{2,16}|(?!v\d)[a-z]{1,10}[-_]?\d{1,8}(?:[-_.]\d{1,6})?|\d{3,6})"
_ENDS = (
    r"(?![\w%]|[-/:.]\d|\s?(?:times|users|people|minutes|hours|days|seconds|ms"
    r"|次|多|余|个|名|人|分|小时|天|秒|万|千|年|月|日))"
)
_IS = r"\s{0,2}(?:is |was |为|是|[:#=])?\s{0,2}"
_RULES = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("error_code", r"(?:错误代码|错误码|故障代码|故障码|报警代码|报错代码|报错码|报错|错误|\b(?:error|fault|alarm)"
                       rf"(?: code| no\.?| number)?){_IS}{_CODE}{_ENDS}"),
        ("error_code", rf"\b((?:ORA|TNS|PLS)-\d{{5}}|0x[0-9a-f]{{8}}){_ENDS}"),
        ("version", rf"(?:(?<![\w-])(?:version|firmware)|版本号?|固件){_IS}v?(\d{{1,5}}(?:\.\d{{1,6}}){{1,4}}){_ENDS}"),
        ("version", rf"\bv(\d{{1,5}}(?:\.\d{{1,6}}){{1,4}}){_ENDS}"),
        ("serial", rf"(?:\bserial (?:number|no\.?)|\bserial(?: is|[:#])|\bs/n|序列号){_IS}"
                   rf"((?=[a-z-]{{0,20}}\d)[a-z0-9][a-z0-9-]{{3,30}}){_ENDS}"),
        ("model", r"(?:\bmodel (?:is |no\.? )?|型号\s?(?:为|是)?)\s?"
                  r"((?=[a-z-]{0,20}\d)(?=[\d-]{0,30}[a-z])[a-z0-9][a-z0-9-]{1,30})" + _ENDS),
        ("phone", r"(?:call me (?:at|on|back at|under)|reach me (?:at|on|under)|(?:电话|手机)(?:号码?)?(?:是|为)?)\s?"
                  r"(\+?[0-9(][0-9 ()./-]{4,28}[0-9])"),
    )
)  # fmt: skip
_CHANGES = re.compile(r"upgrad|updat|downgrad|from v|升级|更新|降级|从|to v", re.IGNORECASE)
_BEGAN = re.compile(
    r"\b(?:happen(?:ed|s|ing)|occurr?(?:ed|s|ing)|started|begun|began|since(?! then)|appear(?:ed|s)|fail(?:ed|s|ing)"
    r"|crash(?:ed|es|ing)|stopped|went down|broke|broken|been (?:down|dead|broken|offline))\b"
    r"|发生|出现|(?:[点时分半]|\d{2})起|起就|开始|自从|故障|崩溃|宕机|报错|无法|不能|坏了|断[了网电]|死机|停机",
    re.IGNORECASE,
)
_MEANS_ANOTHER = re.compile(
    r"\b(?:(?<!during the )(?<!in the )meeting(?! room| display| system)"
    r"|contract|appointment|conference(?! room| system)|ordered"
    r"|(?:i|we|you|he|she|they|broker|colleague) (?:called|phoned|rang)|called (?:me|us|you)|last time)\b"
    r"|(?<!电话)会议(?![室系软终平])|开会|开了?个会|合同|预约|约定|没有?接|打.{0,4}电话|培训|上次|上一次|去年",
    re.IGNORECASE,
)
"""Of what a time may be told in the same sentence; then it is not certain what began then."""
_IS_FINE = re.compile(
    r"(?<![不法能未非])正常|没(?:有)?问题|(?<!不)(?<!不太)(?:好用|可以用)|不受影响"
    r"|\b(?:works (?:fine|well|ok|okay|normally|without|as)|it works|worked|(?:is|are|was) (?:fine|ok|okay|good)|ok"
    r"|belongs to|not (?:affected|concerned))\b",
    re.IGNORECASE,
)
"""What says of a device or a version that it is not the one."""
_OF_WHAT_IS_WRONG = ("model", "version", "serial", "error_code")


def _clear_words(text: str, sent_at: datetime | None) -> dict[str, _Clear]:
    """What words without a label say. Where two of them disagree, or one is of something that is well, none counts."""
    candidates: dict[str, dict[str, _Clear]] = {}
    for line in text.split("\n", _MOST_LINES)[:_MOST_LINES]:
        # A Chinese comma parts numbers; made a Latin one, it would join them.
        plain = unicodedata.normalize("NFKC", line[:_LONGEST_LINE].replace("，", ", "))
        for name, clear in _clear_in(plain, sent_at):
            candidates.setdefault(name, {}).setdefault(clear.value.lower(), clear)
    return {
        name: next(iter(values.values())) for name, values in candidates.items() if len(values) == 1 and all(values)
    }


def _clear_in(line: str, sent_at: datetime | None) -> Iterator[tuple[str, _Clear]]:
    # Whatever is read without a label has a digit.
    for sentence in filter(_DIGIT.search, sentences(line)):
        is_fine = bool(_IS_FINE.search(sentence))
        for name, pattern in _RULES:
            # Of an upgrade it is not clear which of two versions is meant.
            if name != "version" or not _CHANGES.search(line):
                is_other = is_fine and name in _OF_WHAT_IS_WRONG
                yield from _clear_by(name, pattern, sentence, is_other=is_other)
        if _BEGAN.search(sentence) and not _MEANS_ANOTHER.search(sentence):
            yield from ((OCCURRED_AT, _Clear(value=one.text, words=one.words)) for one in times_in(sentence, sent_at))
    yield from ((AFFECTED_USERS, _Clear(value=one.number, words=one.words)) for one in affected_in(line))


def _clear_by(name: str, pattern: re.Pattern[str], sentence: str, *, is_other: bool) -> Iterator[tuple[str, _Clear]]:
    """What a rule finds; without its value where it is of something that is well."""
    for found in pattern.finditer(sentence):
        if value := _phone(found[1]) if name == "phone" else found[1]:
            yield name, _Clear(value="" if is_other else value, words=found[0].strip())
