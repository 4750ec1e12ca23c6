"""What reporters are told of their ticket: fixed sentences for what is on a list, and nothing of anything else.

An event's own text never gets here: it may name hosts, commands and colleagues.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from responder.domain.facts import Fact
from responder.domain.grading import BY_DEFAULT
from responder.domain.policy import Policy
from responder.domain.sla import Clock, ClockName
from responder.domain.ticket import FACT_OF, Disposition, Event, EventKind, Status, Ticket

FIRST_ANSWER, UPDATE = "first_answer", "update"
_NEXT_NEWS = (FIRST_ANSWER, UPDATE, ClockName.RESPOND)
"""The clocks that end with news for the reporter, the one that is asked first at the front."""

Said = Mapping[str, str]
"""One sentence in each language."""


def _said(en: str, zh: str) -> Said:
    return {"en": en, "zh": zh}


_WORKS = _said("We have been working on it since {at}.", "我们自 {at} 起正在处理。")
_BACK = _said("It showed again at {at}; we are working on it.", "{at} 问题再次出现，我们正在处理。")
_SAFE: Mapping[Fact, Said] = {
    Fact.FIRST_AID: _said("A first remedy was tried at {at}.", "{at} 已尝试初步处理措施。"),
    Fact.HANDED_OVER: _said("Our team was called in at {at}.", "{at} 已转交我们的团队。"),
    Fact.ESCALATED: _said("Our specialists were called in at {at}.", "{at} 已转交我们的专家。"),
    Fact.ACKNOWLEDGED: _WORKS,
    Fact.DIAGNOSED: _said("We looked into the cause at {at}.", "{at} 已对原因进行分析。"),
    Fact.PROPOSED: _said("A solution has been under review since {at}.", "自 {at} 起正在审核解决方案。"),
    Fact.APPROVED: _said("A solution was chosen at {at}.", "{at} 已确定解决方案。"),
    Fact.REJECTED: _said("We have been looking for another solution since {at}.", "自 {at} 起正在寻找其他解决方案。"),
    Fact.WAITING: _said("We have been waiting for something that we need since {at}.", "自 {at} 起正在等待所需条件。"),
    Fact.RESUMED: _WORKS,
    Fact.RESTORED: _said("It should have worked again since {at}.", "自 {at} 起应已恢复正常。"),
    Fact.VERIFIED: _said("The solution was checked at {at}.", "{at} 已验证解决方案。"),
    Fact.RELAPSED: _BACK,
    Fact.RESOLVED: _said("It was solved at {at}.", "{at} 已解决。"),
    Fact.REOPENED: _BACK,
}
"""The whole of what a letter may say of a ticket's history."""

_STATES: Mapping[Status, Said] = {
    Status.NEW: _said("We have your report.", "我们已收到您的报告。"),
    Status.FIRST_AID: _said("A first remedy is being tried.", "正在尝试初步处理措施。"),
    Status.HANDED_OVER: _said("It is with our team.", "已转交我们的团队。"),
    Status.IN_PROGRESS: _said("Our team is working on it.", "我们的团队正在处理。"),
    Status.WAITING: _said("We are waiting for something that we need.", "正在等待所需条件。"),
    Status.PROPOSED: _said("A solution is being checked.", "正在审核解决方案。"),
    Status.APPROVED: _said("A solution was chosen and is being carried out.", "已确定解决方案，正在实施。"),
    Status.RESTORED: _said("It should work again. Please check it.", "应已恢复正常，请您确认。"),
    Status.RESOLVED: _said("It is solved.", "已解决。"),
    Status.CLOSED: _said("It is closed.", "已关闭。"),
}
_WAITS_FOR_YOU = _said("We are waiting for your answer.", "正在等待您的答复。")
_NO_FAULT = _said("It is closed: there was no fault to repair.", "已关闭：经确认不属于故障。")
_MERGED = _said("It is handled together with another report of the same trouble. ", "已与同一问题的其他报告合并处理。")


def state_in_words(ticket: Ticket, language: str) -> str:
    """Where the ticket stands, for its reporter."""
    if ticket.status is Status.WAITING and ticket.waiting_for == "reporter":
        return _WAITS_FOR_YOU[language]
    return _state(ticket, language)


def merged_in_words(holder: Ticket, language: str) -> str:
    """Where the ticket stands that took in a merged one, for the reporter of that."""
    return _MERGED[language] + _state(holder, language)


def _state(ticket: Ticket, language: str) -> str:
    if ticket.status is Status.CLOSED and ticket.disposition in (Disposition.PSEUDO_FAULT, Disposition.FALSE_ALARM):
        return _NO_FAULT[language]
    return _STATES[ticket.status][language]


def sentences(events: Iterable[Event], language: str, zone: ZoneInfo, now: datetime) -> list[str]:
    """What of these events a reporter is told, oldest first; of the same sentence only the newest."""
    found: dict[str, datetime] = {}
    for event in events:
        fact = safe_fact(event)
        if fact is not None:
            text = _SAFE[fact][language]
            found.pop(text, None)
            found[text] = event.at
    return [text.format(at=moment(at, now, zone, language)) for text, at in found.items()]


def safe_fact(event: Event) -> Fact | None:
    """The fact of an event that is on the list; None for every other event."""
    fact = None
    if event.kind is EventKind.MOVED:
        fact = _BY_ACTION.get(str(event.data.get("action")))
    elif event.kind is EventKind.HANDLED:
        # A tier is named by what brings the ticket to it, and by nothing else.
        fact = _BY_NAME.get(str(event.data.get("fact"))) or (Fact.ESCALATED if "tier" in event.data else None)
    return fact if fact in _SAFE else None


_BY_ACTION = {action.value: fact for action, fact in FACT_OF.items()}
_BY_NAME = {fact.value: fact for fact in Fact}


# --- times and grades in plain words --------------------------------------------------------------------------

_DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS_ZH = "一二三四五六日"
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip


def moment(at: datetime, now: datetime, zone: ZoneInfo, language: str) -> str:
    """A past instant within a sentence, in local time: `14:05`, or with its day if that is not today."""
    there, today = at.astimezone(zone), now.astimezone(zone).date()
    if there.date() == today:
        return f"{there:%H:%M}"
    if language == "zh":
        return f"{there.month}月{there.day}日 {there:%H:%M}"
    return f"{there:%H:%M} on {there.day} {_MONTHS[there.month - 1]}"


def coming(at: datetime, now: datetime, zone: ZoneInfo, language: str) -> str:
    """An instant to come, with its day and the zone: `tomorrow at 09:00 (Europe/Berlin)`."""
    there, today = at.astimezone(zone), now.astimezone(zone).date()
    if language == "zh":
        named = {today: "今天", today + timedelta(days=1): "明天"}
        day = named.get(there.date()) or f"{there.month}月{there.day}日（星期{_DAYS_ZH[there.weekday()]}）"
        return f"{day} {there:%H:%M}（{zone.key}）"
    named = {today: "today", today + timedelta(days=1): "tomorrow"}
    day = named.get(there.date()) or f"{_DAYS_EN[there.weekday()]} {there.day} {_MONTHS[there.month - 1]}"
    return f"{day} at {there:%H:%M} ({zone.key})"


def next_news_at(clocks: Mapping[str, Clock]) -> datetime | None:
    """By when the reporter hears again: the first running clock that ends with news; None if nothing is promised."""
    running = (clocks[name] for name in _NEXT_NEWS if name in clocks and clocks[name].is_running)
    return next((clock.due_at for clock in running if clock.due_at is not None), None)


def grade_in_words(policy: Policy, grade: str, language: str, text: str) -> str:
    """A grade with its rank and the words that say it in this language."""
    if grade not in policy.grades:
        return grade
    rank, count = list(policy.grades).index(grade) + 1, len(policy.grades)
    if language == "zh":
        return f"{grade}（第 {rank} 级，共 {count} 级，1 级最紧急）{f'：{text}' if text else ''}"
    return f"{grade} ({rank} of {count}, 1 is the most urgent){f': {text}' if text else ''}"


def has_judged_grade(policy: Policy, ticket: Ticket) -> bool:
    """Whether the grade says anything: a rule or a person gave it, and the policy has more than one."""
    return len(policy.grades) > 1 and ticket.grade_rule != BY_DEFAULT
