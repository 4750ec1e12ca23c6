"""What somebody reads whom a change by hand puts on call, or takes off it: times are those of each rota."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from responder.domain.duty_news import DutyChange, Notice

_LISTED = 6


def duty_text(
    notice: Notice, changes: Sequence[DutyChange], zones: Mapping[str, ZoneInfo], language: str
) -> tuple[str, str]:
    """Subject and body, in the reader's language; the first changes if there are many."""
    line = _in_chinese if language == "zh" else _in_english
    lines = [line(one, zones[one.rota], notice.made_at) for one in changes[:_LISTED]]
    more = len(changes) - len(lines)
    if more:
        lines.append(f"另有 {more} 个" if language == "zh" else f"and {more} more")
    subject = lines[0] if len(lines) == 1 else f"{lines[0]} …"
    return subject, "\n".join([*lines, _why(notice, language), ""])


def _in_english(change: DutyChange, zone: ZoneInfo, now: datetime) -> str:
    begin = "now" if change.start <= now else f"from {change.start.astimezone(zone):%a %Y-%m-%d %H:%M}"
    verb = "are" if change.is_on else "are not"
    return f"You {verb} on call in {change.rota} {begin} until {change.until.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def _in_chinese(change: DutyChange, zone: ZoneInfo, now: datetime) -> str:
    begin = "即刻起" if change.start <= now else f"{change.start.astimezone(zone):%Y-%m-%d %H:%M}"
    until = f"{change.until.astimezone(zone):%Y-%m-%d %H:%M}（{zone.key}）"
    return f"您{'' if change.is_on else '不再'}在 {change.rota} 值班：{begin} 至 {until}"


def _why(notice: Notice, language: str) -> str:
    if language == "zh":
        return f"由 {notice.actor} {'取消' if notice.has_ended else '更改'}：{notice.reason}"
    return f"{'Ended' if notice.has_ended else 'Changed'} by {notice.actor}: {notice.reason}"
