"""What people and forms write before a field's value, in English and Chinese, and what stands behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

LABELS = {
    "product": "product|product name|device|产品|产品名称|设备|设备名称",
    "model": "model|model no|model number|型号|产品型号|设备型号|规格型号|机型",
    "serial": "serial|serial no|serial number|s/n|sn|batch|batch no|序列号|产品序列号|设备序列号|序列号/批次"
    "|批次号|批次|机身号",
    "version": "version|software version|hardware version|firmware|firmware version|release"
    "|版本|版本号|软件版本|硬件版本|固件版本",
    "environment": "environment|os|operating system|环境|运行环境|使用环境|操作系统",
    "place": "place|location|site|地点|位置|发生地点|故障地点|现场",
    "occurred_at": "occurred at|occurred|time of occurrence|happened at|date and time|when|start time|started at|since"
    "|发生时间|故障时间|出现时间|问题发生时间|开始时间|时间",
    "trigger": "trigger|triggered by|触发条件|触发操作|诱因",
    "steps": "steps|steps to reproduce|how to reproduce|reproduction|步骤|复现步骤|重现步骤|操作步骤",
    "symptom": "symptom|symptoms|problem|issue|fault|现象|故障现象|问题现象|症状|问题描述|故障描述|故障|问题",
    "description": "description|details|描述|详细描述|详情",
    "error_code": "error code|error|fault code|alarm code|code|错误代码|错误码|故障代码|故障码|报警代码|报错代码|报错",
    "frequency": "frequency|how often|频率|出现频率|发生频率|频次",
    "affected_users": "affected users|users affected|number of users|number of users affected|number of affected users"
    "|affected people|影响用户|影响用户数|受影响用户|影响人数|受影响人数",
    "impact": "impact|business impact|影响|业务影响|影响程度",
    "scope": "scope|affected scope|范围|影响范围",
    "tried": "tried|already tried|what i tried|已尝试|已尝试的操作|已采取措施|已采取的措施",
    "wish": "wish|expected|expected result|expected solution|expectation|期望|期望解决方案|期望结果|诉求",
    "urgency": "urgency|priority|severity|紧急程度|优先级|严重程度",
    "phone": "phone|phone number|telephone|tel|mobile|contact phone|contact number"
    "|电话|联系电话|手机|手机号|电话号码|联系方式",
    "contact_name": "contact name|contact person|reported by|联系人|报告人|反馈人|姓名",
}  # fmt: skip
LONG = frozenset(("symptom", "description", "steps", "impact", "trigger", "tried", "wish", "environment", "scope"))
"""Whose value may go over several lines."""
_NOTHING = frozenset(("?", "??", "???", "-", "--", "/", "n/a", "na", "none", "unknown", "tbd", "…", "...", "？",
                     "无", "不详", "未知", "不知道", "不清楚", "待定"))  # fmt: skip
_CLOSES = re.compile(
    r"\s{0,8}(?:(?:(?:with )?(?:best|kind|warm)(?: wishes)?|many|with)?\s?(?:regards|greetings)|best|cheers|sincerely"
    r"|yours \w{1,12}|(?:many )?thanks|thank you|此致|敬礼|祝好|谢谢)\s?[,.!，。！]?\s{0,8}",
    re.IGNORECASE,
)
_LONGEST_LINE, _LONGEST, _LONGEST_TEXT = 2000, 200, 4000
_MOST_LINES, _MOST_FOLLOWING = 1000, 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """The value of a field, and the label that stands before it."""

    field: str
    label: str
    value: str
    is_of_a_signature: bool = False
    """Whether it says, below closing words, where its writer is rather than where something happened."""


@lru_cache(maxsize=16)
def _labels(others: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    field_of = {_key(label): name for label, name in others}
    field_of |= {label: name for name, labels in LABELS.items() for label in labels.split("|")}
    known = sorted(filter(None, field_of), key=len, reverse=True)
    words = "|".join(re.escape(label).replace(r"\ ", "[ _-]") for label in known)
    before = r"(?:^|(?<=[,，;；。|\t])|(?<=\s\s))\s{0,10}(?:[-*•·>]\s{0,3}|\d{1,2}[.)、）]\s{0,3})?"
    after = r"\s{0,8}(?:[(（][^()（）]{0,20}[)）])?\s{0,3}"
    return re.compile(
        rf"{before}(?:[【\[](?P<boxed>{words})[】\]]\s{{0,3}}[:：]?|[*_]{{0,2}}(?P<plain>{words})\.?[*_]{{0,2}}{after}[:：=])",
        re.IGNORECASE,
    ), field_of


def _key(label: str) -> str:
    return " ".join(label.lower().replace("_", " ").replace("-", " ").split())


def labelled(text: str, others: Mapping[str, str] = MappingProxyType({})) -> Iterator[Labelled]:
    """Every field that has a label. `others` maps more labels to their fields."""
    pattern, field_of = _labels(tuple(others.items()))
    lines = _rows_as_lines(text.split("\n", _MOST_LINES)[:_MOST_LINES], field_of)
    is_closed = False
    for place, whole in enumerate(lines):
        line = whole[:_LONGEST_LINE]
        is_closed = is_closed or _CLOSES.fullmatch(line) is not None
        found = list(pattern.finditer(line))
        for match, following in zip(found, [*found[1:], None], strict=False):
            label = match["boxed"] or match["plain"]
            field = field_of[_key(label)]
            value = line[match.end() : following.start() if following else None]
            rest = _following(lines, place, pattern, field, value) if following is None else ""
            if value := _tidy(f"{value.strip()}\n{rest}", field):
                is_of_a_signature = is_closed and field == "place"
                yield Labelled(field=field, label=label, value=value, is_of_a_signature=is_of_a_signature)


def says_nothing(value: str) -> bool:
    """Whether a value is only a way to leave the field empty."""
    return value.strip().lower() in _NOTHING


def _rows_as_lines(lines: Sequence[str], field_of: Mapping[str, str]) -> list[str]:
    """The lines, with a colon in each row of a table whose two cells are a label and its value. A single such row may
    as well be the heading of columns."""
    made, begin = list(lines), 0
    for place, line in enumerate([*lines, ""]):
        if line.count("\t") == 1 and len(line) <= _LONGEST_LINE:
            continue
        rows = {at: [cell.strip(" :：") for cell in lines[at].split("\t")] for at in range(begin, place)}
        known = {at: f"{label}: {value}" for at, (label, value) in rows.items() if _key(label) in field_of and value}
        if len(known) > 1:
            made[begin:place] = [known.get(at, lines[at]) for at in range(begin, place)]
        begin = place + 1
    return made


def unlabelled(text: str, others: Mapping[str, str] = MappingProxyType({})) -> str:
    """The lines in which no label stands, and that belong to none above them."""
    pattern, field_of = _labels(tuple(others.items()))
    taken = {line.strip() for one in labelled(text, others) for line in one.value.split("\n")}
    rows = _rows_as_lines(text.split("\n", _MOST_LINES)[:_MOST_LINES], field_of)
    lines = [line for line in rows if line.strip() not in taken]
    return "\n".join(line for line in lines if not pattern.search(line[:_LONGEST_LINE])).strip()


def _following(lines: list[str], place: int, pattern: re.Pattern[str], field: str, value: str) -> str:
    """What belongs to a value on the lines below it, up to an empty line or the next label."""
    if value.strip() and field not in LONG:
        return ""
    most = _MOST_FOLLOWING if field in LONG else 1
    taken: list[str] = []
    for line in lines[place + 1 : place + 1 + most]:
        if not line.strip() or pattern.match(line[:_LONGEST_LINE]):
            break
        taken.append(line[:_LONGEST_LINE].strip())
    return "\n".join(taken)


def _tidy(value: str, field: str) -> str:
    plain = value.strip(" \t\n\r*_,，;；、|")
    if field in LONG:
        return "" if says_nothing(plain) else plain[:_LONGEST_TEXT]
    plain = plain.rstrip(".。")
    return "" if says_nothing(plain) or len(plain) > _LONGEST else plain
