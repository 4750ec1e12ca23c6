"""The words of messages to people, in Chinese."""

from __future__ import annotations

from gettext import NullTranslations

CHINESE = {
    "%(count)s tickets wait for somebody:": "%(count)s 个工单等待处理：",
    "Ack": "认领",
    "Acknowledge": "认领",
    "All tickets": "全部工单",
    "Answer": "答复",
    "Grade": "级别",
    "Nothing by the machine.": "系统未做任何处理。",
    "Please confirm until %(until)s": "请在 %(until)s 之前确认",
    "Seen before": "历史记录",
    "Suggested": "建议",
    "Ticket": "工单",
    "This is a drill: it only tells whether messages reach you.": "这是一次演练，仅用于检查消息能否送达您。",
    "To run it": "执行请打开",
    "What is wrong": "故障现象",
    "What remains": "待处理",
    "What was tried": "已做的处理",
    "What would run": "将要执行",
    "Without an answer until %(until)s it goes back to the team.": "若在 %(until)s 之前没有答复，工单将退回团队。",
    "Yes, I am": "是，仍在处理",
    "You have this ticket, and nothing was heard from you for %(silent)s. Are you still on it?": (
        "您已认领此工单，但 %(silent)s 没有动静。您还在处理吗？"
    ),
    "and %(count)s more": "另有 %(count)s 个",
    "due %(at)s": "截止 %(at)s",
    "on": "于",
    "or": "或",
}


class Chinese(NullTranslations):
    """What has no translation stays as it is."""

    def gettext(self, message: str) -> str:
        return CHINESE.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)
