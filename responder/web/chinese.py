"""The words of the pages that signed links open, in Chinese."""

from __future__ import annotations

from gettext import NullTranslations

CHINESE = {
    "%(who)s has acknowledged it already.": "%(who)s 已经认领。",
    "%(who)s has confirmed already.": "%(who)s 已经确认。",
    "Acknowledge as %(who)s": "以 %(who)s 的身份认领",
    "Acknowledge {number}": "认领 {number}",
    "Acknowledged": "已认领",
    "All tickets": "全部工单",
    "Approval {number}": "审批 {number}",
    "Confirm as %(who)s": "以 %(who)s 的身份确认",
    "Confirmed": "已确认",
    "Drill": "演练",
    "Drill {number}": "演练 {number}",
    "It does not count": "此答复无效",
    "No": "否",
    "Not acknowledged": "未能认领",
    "Not confirmed": "未能确认",
    "Noted, {person}. Others are still awaited.": "已记录，{person}。仍在等待其他人答复。",
    "One no refuses it at once. Guards and the kill switch are asked again before anything runs.": (
        "一票否决。执行前会再次检查防护规则和总开关。"
    ),
    "Thank you": "谢谢",
    "Thank you, {person}.": "谢谢，{person}。",
    "Thank you, {person}. The drill was over by then.": "谢谢，{person}。此时演练已经结束。",
    "The message has reached you. Confirm it, so that it is known that a page would, too.": (
        "消息已送达您。请确认，以证明告警也能送达。"
    ),
    "The ticket": "查看工单",
    "This link does not act": "此链接无法操作",
    "Why": "原因",
    "Yes, as %(who)s": "是，以 %(who)s 的身份",
    "You take the ticket: nobody else will be told, and automation starts no further step.": (
        "认领后不再通知其他人，自动处理也不再执行后续步骤。"
    ),
    "cleared": "已恢复",
    "firing": "告警中",
    "needed": "需要",
    "on": "于",
    "reported %(age)s ago": "%(age)s 前上报",
    "until": "截止",
    "waits here": "在此等待",
    "{number} is yours, {person}. Nobody else will be told about it.": (
        "{person}，{number} 已由您负责，不再通知其他人。"
    ),
}


class Chinese(NullTranslations):
    """What has no translation stays as it is."""

    def gettext(self, message: str) -> str:
        return CHINESE.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def said(language: str, text: str, **values: object) -> str:
    """One of the sentences above in that language, with its values."""
    return (CHINESE.get(text, text) if language == "zh" else text).format(**values)
