"""The fields of a report that stand in free text, in English and Chinese: by labels, and by words that are clear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from responder.domain.grading import AFFECTED_USERS
from responder.domain.mail_labels import LABELS, LONG, labelled
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
) -> Recognised:
    """What a text says of the form's fields. A label comes before words without one, and the first label counts.

    `sent_at`, in the policy's zone, is needed for yesterday and the like. `others` are fields of a policy's own, whose
    name is their label; `labels` maps more labels to their fields.
    """
    kept = cleaned(text[:_LONGEST_TEXT])
    found: dict[str, str] = {}
    how: dict[str, str] = {}
    own = {name: name for name in others if name not in LABELS}
    for one in labelled(kept, {**own, **labels}):
        value = _value(one.field, one.value, sent_at)
        if value and one.field not in found:
            found[one.field], how[one.field] = value, f"It stands behind “{one.label}”."
    for name, clear in _clear_words(kept, sent_at).items():
        if name not in found:
            found[name], how[name] = clear.value, f"The words “{clear.words[:_LONGEST_SHOWN]}” say so."
    return Recognised(found=found, how=how)


def _value(name: str, value: str, sent_at: datetime | None) -> str:
    """What stands behind a label, as the form wants it; empty if it cannot be read for certain."""
    plain = unicodedata.normalize("NFKC", value)
    if name == AFFECTED_USERS:
        return _count(plain)
    if name == OCCURRED_AT:
        times = times_in(plain, sent_at)
        return times[0].text if len(times) == 1 else ""
    if name == "phone":
        return _phone(plain)
    if name == "error_code" and not _CODE_ALONE.fullmatch(plain.strip()):
        return ""
    return value if name in LONG else " ".join(plain.split())


# --- numbers --------------------------------------------------------------------------------------------------

_NUMBER = r"(?<![\d.~/:-])(\d{1,3}(?:,\d{3}){1,3}|\d{1,9})\s?(万|千|k\b)?(?![\d.~/:-]\d)"
_WHO = r"(?:users|user|customers|people|clients|employees|colleagues|accounts)"
_WHO_IN_CHINESE = r"(?:名|个|位)?\s?(?:用户|客户|人|员工|同事|账号)"
_ARE = "(?:are |were |have been |is |was )?"
_MORE = r"(?P<more>more than |over |超过|超)?"
_SOME = r"(?:about |around |some |approximately |roughly |at least |all |约|大约|大概|近|至少)?"
_AFFECTED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_MORE}{_NUMBER} {_WHO} {_ARE}(?:affected|impacted|hit\b|unable|blocked|can't|cannot)",
        rf"(?:affect(?:s|ed|ing)?|impact(?:s|ed|ing)?|hit(?:s|ting)?) {_MORE}{_SOME}{_NUMBER} {_WHO}",
        rf"影响\s?(?:了|到|范围|人数)?\s?{_MORE}{_SOME}\s?{_NUMBER}\s?[多余]?\s?{_WHO_IN_CHINESE}",
        rf"{_MORE}{_NUMBER}\s?[多余]?\s?{_WHO_IN_CHINESE}\s?(?:受到?影响|无法|不能)",
    )
)
_LESS = re.compile(
    r"(?:less than|fewer than|under|up to|below|at most|not|不到|少于|最多|不超过|小于)\s?$", re.IGNORECASE
)
_ONE_NUMBER = re.compile(
    rf"\s?(?P<more>more than |over |超过|超|>)?\s?{_SOME}\s?{_NUMBER}\s?[多余+]?\s?(?:{_WHO}|{_WHO_IN_CHINESE})?\s?",
    re.IGNORECASE,
)
_TIMES = {"万": 10_000, "千": 1000, "k": 1000, "": 1}


def _count(text: str) -> str:
    found = _ONE_NUMBER.fullmatch(text[:_LONGEST_LINE])
    return _number(found) if found else ""


def _number(found: re.Match[str]) -> str:
    """The whole number; of more than n people it is at least one more."""
    number, unit = found[2], (found[3] or "").lower()
    return str(int(number.replace(",", "")) * _TIMES[unit] + bool(found["more"]))


_CODE_ALONE = re.compile(r"(?=.{0,40}\d)[\w./:#-]{1,40}", re.ASCII)
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{4,28}[0-9]")


def _phone(text: str) -> str:
    found = _PHONE.search(text[:_LONGEST_LINE])
    contact = contact_of(found[0]) if found else ""
    return "" if is_mail(contact) else contact


# --- words without a label ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Clear:
    value: str
    words: str


_CODE = r"(0x[0-9a-f]{2,16}|(?!v\d)[a-z]{1,10}[-_]?\d{1,8}(?:[-_.]\d{1,6})?|\d{3,6})"
_ENDS = (
    r"(?![\w%]|[-/:.]\d|\s?(?:times|users|people|minutes|hours|days|seconds|ms"
    r"|次|个|名|人|分|小时|天|秒|万|千|年|月|日))"
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
        ("serial", rf"(?:\bserial(?: number| no\.?)?|\bs/n|序列号){_IS}"
                   rf"((?=[a-z-]{{0,20}}\d)[a-z0-9][a-z0-9-]{{3,30}}){_ENDS}"),
        ("model", r"(?:\bmodel (?:is |no\.? )?|型号\s?(?:为|是)?)\s?"
                  r"((?=[a-z-]{0,20}\d)[a-z0-9][a-z0-9-]{1,30})" + _ENDS),
        ("phone", r"(?:call me (?:at|on|back at|under)|reach me (?:at|on|under)|(?:电话|手机)(?:号码?)?(?:是|为)?)\s?"
                  r"(\+?[0-9(][0-9 ()./-]{4,28}[0-9])"),
    )
)  # fmt: skip
_CHANGES = re.compile(r"upgrad|updat|downgrad|from v|升级|更新|降级|从|to v", re.IGNORECASE)
_BEGAN = re.compile(
    r"\b(?:happen|occur|start|began|begun|since|appear|fail|crash|stopped|went down|broke)"
    r"|发生|出现|开始|起|自从|故障|崩溃|宕机|报错|无法|不能",
    re.IGNORECASE,
)


def _clear_words(text: str, sent_at: datetime | None) -> dict[str, _Clear]:
    """What words without a label say. Where two of them disagree, neither counts."""
    candidates: dict[str, dict[str, _Clear]] = {}
    for line in text.split("\n", _MOST_LINES)[:_MOST_LINES]:
        plain = unicodedata.normalize("NFKC", line[:_LONGEST_LINE])
        for name, clear in _clear_in(plain, sent_at):
            candidates.setdefault(name, {}).setdefault(clear.value.lower(), clear)
    return {name: next(iter(values.values())) for name, values in candidates.items() if len(values) == 1}


def _clear_in(line: str, sent_at: datetime | None) -> Iterator[tuple[str, _Clear]]:
    for name, pattern in _RULES:
        # Of an upgrade it is not clear which of two versions is meant.
        if name == "version" and _CHANGES.search(line):
            continue
        for found in pattern.finditer(line):
            value = _phone(found[1]) if name == "phone" else found[1]
            yield from [(name, _Clear(value=value, words=found[0].strip()))] * bool(value)
    for pattern in _AFFECTED:
        for found in pattern.finditer(line):
            if not _LESS.search(line[max(found.start() - 15, 0) : found.start()]):
                yield AFFECTED_USERS, _Clear(value=_number(found), words=found[0].strip())
    if _BEGAN.search(line):
        yield from ((OCCURRED_AT, _Clear(value=one.text, words=one.words)) for one in times_in(line, sent_at))
