"""How mail programs mark what they quote: rules, header blocks, attributions. Each question reads few lines.

Line prefixes follow RFC 3676, section 4.5; the rest is habit of Outlook, Apple Mail, Gmail, Thunderbird, QQ, Foxmail,
163, Yandex and others, in the languages they are sold in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LOOKED_AT = 400
"""Of a longer line only the beginning and the end are looked at."""
_ATTRIBUTION_LINES, _BLOCK_LINES, _GAP = 4, 10, 3

_RULE_TEXTS = frozenset("""
original message|original|original email|original appointment|forwarded message|forwarded by|replied message
ursprüngliche nachricht|originalnachricht|original-nachricht|weitergeleitete nachricht
message original|message d'origine|message transféré|mensaje original|mensaje reenviado|messaggio originale
mensagem original|oorspronkelijk bericht|ursprungligt meddelande|oprindelig meddelelse|wiadomość oryginalna
исходное сообщение|пересылаемое сообщение|пересланное сообщение|original-nachricht
原始邮件|原始郵件|邮件原件|郵件原件|原邮件|回复的原邮件|回复的邮件|转发邮件|转发的邮件|转发邮件信息|轉寄的郵件|原始信息|原始訊息
元のメッセージ|転送メッセージ|転送されたメッセージ|원본 메시지|원본 메일
""".strip().replace("\n", "|").split("|"))  # fmt: skip
_BEGINNINGS = frozenset("""
begin forwarded message:|anfang der weitergeleiteten nachricht:|début du message réexpédié :
开始转发的邮件：|下面是被转发的邮件：
""".strip().replace("\n", "|").split("|"))  # fmt: skip
_LABELS = {
    "from": "from von de da van från fra od от 发件人 發件人 寄件者 寄件人 差出人 보낸사람",
    "sent": "sent date gesendet datum envoyé fecha enviado data enviada inviato verzonden skickat wysłano отправлено "
            "дата 发送时间 发送日期 日期 时间 寄件日期 發送時間 送信日時 日付 日時 보낸날짜",
    "to": "to an à para a aan till til do кому 收件人 收件者 宛先 받는사람",
    "cc": "cc kopie copie 抄送 副本 抄送人 참조",
    "subject": "subject betreff objet asunto assunto oggetto onderwerp ämne emne temat тема 主题 主題 主旨 件名 제목",
}  # fmt: skip
_KIND_OF = {word: kind for kind, words in _LABELS.items() for word in words.split()}

_SAYS = ("wrote", "writes", "schrieb", "écrit", "ecrit", "escribió", "escreveu", "scritto", "schreef", "skrev",
         "napisał", "napsal", "yazdı", "написал", "пишет", "пише",
         "写道", "寫道", "写到", "書きました", "のメール", "작성")  # fmt: skip
_OPENS = re.compile(r"(?:on|am|at|le|el|il|em|op|den|dnia|w dniu|pada|в|在|于)\b ?[^\d]{0,40}\d", re.IGNORECASE)
_OPENS_IN_CHINESE = re.compile(r"[在于] ?\d{2,4}[-/年.]")
_DATE_FIRST = re.compile(r"(?:[^\W\d]{2,5}\.?, ?)?\d{1,4}(?:[-/.年]| [^\W\d]{3,9} )\d{1,4}")
_TELLS_WHEN = re.compile(r"\d{1,2}[:：时時h]\d{2}|\d{1,4}[-/.年]\d{1,2}[-/.月]|\b(?:19|20)\d\d\b|(?:19|20)\d\d年")
_RULE = re.compile(r"[-_=*—─]{5,}")
_EDGE = "-_=*—─ \t"
_PROGRAMS = (
    r"(?:outlook|(?:windows |apple |yahoo |aol |ios )?mail|yahoo|gmail|proton|samsung|galaxy|iphone|ipad|android|ios"
    r"|k-9|spark|blackberry|huawei|xiaomi|tutanota|thunderbird|windows|airmail|foxmail|qq|(?:a |the )?mobile)"
)
_SIGN_OFFS = re.compile(
    rf"(?:sent (?:from|via|with|by|using) (?:my [\w+-]{{1,20}}(?: [\w+-]{{1,12}}){{0,3}}|{_PROGRAMS}\b.{{0,40}})"
    r"|get outlook for .{1,60}|(?:von|gesendet von|gesendet mit) .{1,40}gesendet"
    r"|gesendet (?:von|mit) (?:mein|der|outlook).{1,40}|von mein\w* .{1,30} gesendet"
    r"|envoyé (?:de|depuis|à partir de) .{1,40}|enviado (?:desde|do|de) (?:mi|meu|outlook).{0,40}|inviato da .{1,30}"
    r"|verstuurd vanaf .{1,30}|отправлено с .{1,30}|.{1,20}から送信|獲取 ?outlook.{1,40}"
    r"|(?:发自|發自|来自|發送自|发送自) ?(?:我的 ?|(?=outlook|qq|foxmail|网易|新浪|阿里|邮箱|手机|小米|华为))"
    r"(?:网易|新浪|阿里|小米|华为|荣耀|苹果)?[a-z0-9 ._+-]{0,30}"
    r"(?:移动设备|智能手机|安卓手机|手机|手機|平板|邮箱大师|邮箱|电脑|客户端|app)?"
    r"|从 ?(?:我的|qq|网易|foxmail|outlook).{0,20}(?:发来|发送|发出)|获取 ?outlook.{1,40})",
    re.IGNORECASE,
)


def tidy(line: str) -> str:
    """A line as the other questions want it: bounded, without odd blanks. A very long line keeps both its ends."""
    kept = line if len(line) <= _LOOKED_AT else line[: _LOOKED_AT // 2] + line[-_LOOKED_AT // 2 :]
    return kept.replace("\xa0", " ").replace("\u3000", " ").replace("&nbsp;", " ").replace("\u200b", "").strip()


def is_prefixed(line: str) -> bool:
    """Whether the line stands behind a `>`; `>= 5` and `>>= 1` are words of somebody."""
    text = line[:_LOOKED_AT].lstrip()
    return text.startswith((">", "＞")) and not text.lstrip("> ＞").startswith("=")


def is_rule_with_words(line: str) -> bool:
    """Whether the line is one such as `-----Original Message-----`: all below is an earlier mail."""
    text = tidy(line)
    if text.lower() in _BEGINNINGS:
        return True
    inner = text.strip(_EDGE)
    is_framed = text.startswith(("--", "——", "──", "__", "==")) and text.endswith(("--", "——", "──", "__", "=="))
    return is_framed and inner.rstrip(":：").lower() in _RULE_TEXTS


def opens_a_block(lines: Sequence[str], at: int, *, is_first: bool = False) -> bool:
    """Whether a block of headers begins here, perhaps below a ruled line: a sender and two more of its kinds.

    In a first mail the sender has an address, since From, To and Date may as well be those of a route.
    """
    start = _below_a_rule(lines, at) if _RULE.fullmatch(tidy(lines[at])) else at
    if start is None or not _kind(lines[start]):
        return False
    kinds = _kinds(lines, start)
    is_of_a_mail = not is_first or "@" in tidy(kinds.get("from", ""))
    return "from" in kinds and len(kinds.keys() - {""}) >= 3 and is_of_a_mail


def _kinds(lines: Sequence[str], start: int) -> dict[str, str]:
    """The kinds of headers from here to an empty line, each with one of its lines."""
    kinds: dict[str, str] = {}
    for place in range(start, min(start + _BLOCK_LINES, len(lines))):
        line = lines[place]
        if not line.strip():
            break
        kinds[_kind(line)] = line
    return kinds


def _below_a_rule(lines: Sequence[str], at: int) -> int | None:
    for place in range(at + 1, min(at + 1 + _GAP, len(lines))):
        if lines[place].strip():
            return place
    return None


def _kind(line: str) -> str:
    """Which header of a mail the line shows: `from`, `sent` …; empty if none."""
    label, colon, _ = line[:40].replace("：", ":").partition(":")
    word = "".join(label.split()).strip("*|").lower()
    return _KIND_OF.get(word, "") if colon else ""


def attribution(lines: Sequence[str], at: int) -> int:
    """How many lines from here on are an attribution such as `On … wrote:`, wrapped or not; 0 if none."""
    said = ""
    for place in range(at, min(at + _ATTRIBUTION_LINES, len(lines))):
        line = tidy(lines[place])
        if not line or is_prefixed(line):
            return 0
        said = f"{said} {line}".strip()
        if not _may_begin(said):
            return _is_bare(lines, at, said)
        if _closes(said):
            return place - at + 1
    return 0


def _may_begin(said: str) -> bool:
    is_dated = _OPENS.match(said) or _OPENS_IN_CHINESE.match(said) or _DATE_FIRST.match(said)
    return bool(is_dated) or ("@" in said and "<" in said)


def _closes(said: str) -> bool:
    """Whether an attribution that names a time ends here."""
    if not said.endswith((":", "：")) or not _TELLS_WHEN.search(said):
        return False
    end = said[-160:].lower()
    # A line of a log may end with a name in brackets, too.
    is_by_address = "@" in said and end.rstrip(":： ").endswith((">", ">)", "]"))
    return is_by_address or any(word in end for word in _SAYS)


def _is_bare(lines: Sequence[str], at: int, said: str) -> int:
    """`Bob wrote:` is an attribution only right above quoted lines."""
    is_one = said.endswith((":", "：")) and any(word in said[-40:].lower() for word in _SAYS)
    return int(is_one and prefixed_follows(lines, at + 1))


def prefixed_follows(lines: Sequence[str], at: int) -> bool:
    """Whether the next text, after few blank lines at most, stands behind a `>`."""
    for place in range(at, min(at + _GAP, len(lines))):
        if line := lines[place].strip():
            return is_prefixed(line)
    return False


def signature_room(line: str) -> int:
    """How many lines a signature may have that begins here; 0 if none does (RFC 3676, section 4.3: `-- `)."""
    if line == "-- ":
        return 1_000_000
    text = tidy(line)
    if text == "--":
        return 11
    return int(len(text) <= 80 and _SIGN_OFFS.fullmatch(text.strip("<> ").rstrip(".。!！")) is not None)
