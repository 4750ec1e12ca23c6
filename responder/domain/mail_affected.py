"""How many people are hit, as somebody says it. Whoever reads too many here wakes somebody for nothing.

So words count only if they say one thing: now, as a fact, and the number right beside the word that says what happens
to these people. Everything else is left out, and asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from responder.domain.mail_sentences import clauses, sentences

_LONGEST_LINE = 1000
_FIRST_YEAR, _LAST_YEAR = 1990, 2099
_TIMES = {"万": 10_000, "千": 1000, "k": 1000, "": 1}

_NUMBER = r"(?<![\d.,~/:-])(?P<number>\d{1,3}(?:,\d{3}){1,3}|\d{1,9})\s?(?P<unit>万|千|k\b)?(?![\d.~/:-]\d|,\d)"
_WHO = r"(?:users|user|customers|people|clients|employees|colleagues|accounts)"
_PERSON = r"(?:用户|客户|顾客|会员|商户|人|员工|店员|同事|学生|账号)"
_WHO_IN_CHINESE = rf"(?:名|个|位)?\s?{_PERSON}"
_MORE = r"(?P<more>more than |over |超过|超)?"
_SOME = r"(?P<some>about |around |some |approximately |roughly |at least |all |约有?|大约有?|大概有?|近|至少有?)?"
_ONE_NUMBER = re.compile(
    rf"\s?(?P<more>more than |over |超过|超|>)?\s?{_SOME}\s?{_NUMBER}\s?[多余+]?\s?(?:{_WHO}|{_WHO_IN_CHINESE})?\s?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Affected:
    """A number of people as the form wants it, and the words that say it."""

    number: str
    words: str


def counted(value: str) -> str:
    """The number in what stands behind a label; empty if it is not one number alone."""
    found = _ONE_NUMBER.fullmatch(value[:_LONGEST_LINE])
    return _number(found) if found else ""


def _number(found: re.Match[str]) -> str:
    """The whole number; of more than n people it is at least one more."""
    number, unit = found["number"], (found["unit"] or "").lower()
    return str(int(number.replace(",", "")) * _TIMES[unit] + bool(found["more"]))


# --- words without a label ------------------------------------------------------------------------------------

# What else stands before a number may have it for its own: Office 365, Room 300, November 2026.
_BEGINS = (
    r"(?:(?:hi|hello|so|therefore|currently|now|right now|today|already|still|also|here|at the moment|at present"
    r"|there are|we have|only|just|all|our|the|these|those|in total"
    r"|since (?:(?:this |last )?(?:morning|noon|midnight|night|yesterday|today|[a-z]{3,6}day)"
    r"|\d{1,2}:\d\d|\d{1,2} ?[ap]m))\s){0,4}"
)
_STATE = r"(?:currently |now |still |already |all )?(?:affected|impacted|hit|blocked|unable to)\b"
_ACTS = (
    r"(?:log|login|sign|work|access|use|connect|print|open|reach|pay|order|check|see|send|receive|load|save|register|view"
    r"|call|start|read|write|ship|deliver|pack|test|build|deploy|submit|book|scan|buy|enter"
    r"|get (?:in|into|on|access|mails?|e-?mails?)|upload|download|search|reset|join|authenticate)\b"
)
_WHAT_ALL_NEED = r"(?:network|internet|access|e-?mails?|power|service|phones?|connection)"
_THEY = "(?:who |that |report (?:that )?they )?"
_CANNOT = "(?:cannot|can't|can’t|can not)"
_OF_WHERE = r"(?: (?:in|at|from|on) (?:the |our )?[\w-]{1,20}(?: [\w-]{1,20})?)?"
_WHERE_IN_CHINESE = r"(?:我们|我司|[\u4e00-\u9fff]{1,6}(?:区|部|部门|公司|办公室|楼|店|院|校|分行|网点))?的?"
_ACTS_IN_CHINESE = (
    r"(?:正常)?(?:登录|登陆|登入|使用|访问|打开|上网|联网|连接|打印|工作|办公|下单|支付|付款|收银|结账|进入|操作|提交|收发|收到"
    r"|发送|接收|注册|查看|签到|打卡|办理|开机|看到|接入|通信|通话|出票|充值|提现|查询|刷卡|收邮件|发邮件)"
)
_APART = r"(?<![A-Za-z\d.,~/:-])(?<![A-Za-z\d]\s)(?<![到至或和~-])(?<![到至或和]\s)"
_MEASURED = rf"[多余]?(?:(?P<sure>[名个位]\s?{_PERSON}|人(?!次|民|工|机)|员工|同事)|用户|客户|账号)"
_AS_SUBJECT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^{_BEGINS}{_MORE}{_SOME}{_NUMBER}\+? {_WHO}{_OF_WHERE} (?:(?:who|that) )?(?:are|is|have been) {_STATE}",
        rf"^{_BEGINS}{_MORE}{_SOME}{_NUMBER}\+? {_WHO}{_OF_WHERE} {_THEY}(?:still |now )?{_CANNOT} {_ACTS}",
        rf"^{_BEGINS}{_MORE}{_SOME}{_NUMBER}\+? {_WHO}{_OF_WHERE} (?:are without|have no) {_WHAT_ALL_NEED}\b",
        rf"^{_BEGINS}{_MORE}{_SOME}{_NUMBER}\+? {_WHO} (?:affected|impacted)(?: so far| now| currently)?$",
        rf"{_APART}{_MORE}{_SOME}\s?{_NUMBER}\s?{_MEASURED}\s?(?:均|都|全部|反馈|反映)?"
        rf"(?:受到?了?影响|(?:无法|不能){_ACTS_IN_CHINESE}|(?:登录|打|连|进|上)不[了上开去进])",
    )
)
_AS_OBJECT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:affects?|affecting|impacts?|impacting|hits|hitting|blocks|blocking) {_MORE}{_SOME}{_NUMBER} {_WHO}\b",
        rf"影响\s?(?:到了|了|到|范围|人数|用户数?)?\s?(?:为|是|有)?{_WHERE_IN_CHINESE}\s?{_MORE}{_SOME}\s?{_NUMBER}\s?{_MEASURED}",
    )
)
_NOT_A_FACT = re.compile(
    r"\b(?:if|unless|suppos\w+|imagine|assum\w+|whenever|might|could(?! not| you| some| any)|would(?! you| like| be g)"
    r"|last (?:year|month|week|time|autumn|fall|summer|spring|winter)|(?:years?|months?|weeks?) ago|in the past"
    r"|previous\w*|tomorrow|next (?:year|month|week|time|[a-z]{3,6}day)|between \d[\d,]{0,12}|drill|exercise|simulat\w+"
    r"|for example|e\.g|(?:not|n['’]t) (?:true|right|correct)|worst case|according to|rumou?rs?|on purpose"
    r"|as (?:agreed|planned)|planned|maintenance)\b"
    r"|^\s?(?:when|once|until|fixed|resolved|solved|closed|restored|recovered)\b"
    r"|\b(?:in|of|since) (?:19|20)\d\d\b"
    r"|如果|若|假如|假设|要是|万一|上次|去年|前年|上周|上个?月|上一次|曾经?|演练|例如|比如|是否|请问|明天|下周|下个?月|明年"
    r"|据说|谣言|变更(?!后)|维护(?:期间|通知|计划|窗口|时间)|(?:本次|例行|计划)维护|恢复了|已经?恢复|解决了|已经?解决|已修复"
    r"|(?:19|20)\d\d年(?!\s?\d)"
    r"|[吗?？]\s*[?？。]?$|[?？]\s*$",
    re.IGNORECASE,
)
"""What makes a whole sentence tell of another time, of what may be, or ask."""
_DENIED = re.compile(
    r"\b(?:no|not|none|nobody|never|neither|nor|without|hardly|barely|can|may|will|shall|should|must|to|possibly|potentially"
    r"|perhaps|maybe|probably|likely|helped|was|were|had|longer|during|expected"
    r"|change|migration|contract|law|setting|rule|policy|plan|price|feature|update|upgrade)\b|n['’]t\b"
    r"|[不没未非]|可能|或许|也许|估计|预计|计划|将|会(?![议员计展场话客])|每|其中|以免|避免|防止|否则|怕|担心",
    re.IGNORECASE,
)
"""What in a clause, before a number of those who are hit, says that they are not, or not yet."""
_TAKEN_BACK = re.compile(
    r"^\s?(?:or (?:less|fewer)|at (?:most|worst)|maximum|以下|以内|之内)"
    r"|^\s?(?:more than|by (?:our|your|the new|design|cve|ransomware))\b"
    r"|\b(?:during|worldwide|globally|in the worst case|soon|later|in (?:19|20)\d\d"
    r"|on (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b|可能|风险|没有?发生|不存在",
    re.IGNORECASE,
)
"""What behind such a number takes it back."""
_FAULTS = re.compile(r"[不没](?:能|了|上|通|出|开|动|可用|响应|工作|正常|稳|亮|转|显示|反应|网|电|信号|声音)|非常|未知")
"""Denials in Chinese that tell what is broken, and not that nobody is hit."""


_IS_BARE = re.compile(r"\d{1,9} ?(?:users|用户)")
_LISTS = re.compile(
    r"^(?!.*(?:error|code|alarm|fault|报错|错误|代码|[A-Za-z]-?\d|\d[.:]\d)).*\b\d{1,4}$", re.IGNORECASE
)
"""Behind a number that ends a clause a bare one may go on a list: Windows 10, 11 users."""


def affected_in(line: str) -> Iterator[Affected]:
    """Each number of people of whom a line says for certain that they are hit now."""
    for sentence in sentences(line[:_LONGEST_LINE]):
        if re.search(r"\d", sentence) and not _NOT_A_FACT.search(sentence):
            parts = clauses(sentence)
            for before, clause in pairwise(["", *parts]):
                yield from (one for one in _in_clause(clause) if not (_IS_BARE.match(clause) and _LISTS.search(before)))


def _in_clause(clause: str) -> Iterator[Affected]:
    for pattern in _AS_SUBJECT:
        yield from (_of(one) for one in pattern.finditer(clause) if _is_fact(one) and not _may_be_a_name(one))
    for pattern in _AS_OBJECT:
        yield from (_of(one) for one in pattern.finditer(clause) if _is_fact(one))


def _of(found: re.Match[str]) -> Affected:
    return Affected(number=_number(found), words=found[0].strip())


def _is_fact(found: re.Match[str]) -> bool:
    before, behind = found.string[: found.start()], found.string[found.end() :]
    return not (_DENIED.search(_FAULTS.sub("", before)) or _TAKEN_BACK.search(behind))


def _may_be_a_name(found: re.Match[str]) -> bool:
    """Whether the number may be a year, or belong to the word before it as that of a product does."""
    is_bare = not (found["more"] or found["some"] or found["unit"] or found.groupdict().get("sure"))
    number = int(found["number"].replace(",", ""))
    return is_bare and (_FIRST_YEAR <= number <= _LAST_YEAR or found.start() > 0)
