"""The instant that words name, in English and Chinese; nothing where they could mean another one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

_LONGEST = 1000
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
_EARLY = timedelta(hours=1)
_NIGHT_ENDS = time(5)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_AM_OR_PM = r"am|pm|a\.m\.|p\.m\."
_CLOCK = (
    r"(?P<half>凌晨|早上|早晨|上午|中午|下午|傍晚|晚上)?\s?(?P<hour>\d{1,2})"
    rf"(?:\s?(?P<short>{_AM_OR_PM})|[:点时](?P<minute>\d{{2}}|半)?分?(?::\d{{2}}(?:\.\d{{1,6}})?)?"
    rf"\s?(?P<long>{_AM_OR_PM})?)"
    # Zones stand in capitals; "at 3 pm and" names none.
    r"\s?(?P<zone>(?-i:Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}\b|[A-Z]{3,4}\b))?(?![\d:])"
)
_AT = r"(?:,?\s{0,2}(?:at|um|T)?\s{0,2})"
_DATES = (
    rf"(?<!\d)(?P<year>20\d\d)[-/.年]\s?(?P<number>\d{{1,2}})[-/.月]\s?(?P<day>\d{{1,2}})日?{_AT}{_CLOCK}",
    rf"(?<![\d.])(?P<day>\d{{1,2}})\.(?P<number>\d{{1,2}})\.(?P<year>20\d\d){_AT}{_CLOCK}",
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?\s{_MONTH},?\s(?P<year>20\d\d){_AT}{_CLOCK}",
    rf"\b{_MONTH}\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year>20\d\d){_AT}{_CLOCK}",
)
_DAYS = (
    rf"(?P<word>今天|今日|今|昨天|昨日|昨|前天|today|yesterday){_AT}(?P<part>早|晚)?{_CLOCK}",
    rf"\b(?:at\s)?{_CLOCK}\s(?P<word>today|yesterday)\b",
)
_ABSOLUTE = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _DATES)
_RELATIVE = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _DAYS)
_DAYS_AGO = {"今天": 0, "今日": 0, "今": 0, "today": 0, "昨天": 1, "昨日": 1, "昨": 1, "yesterday": 1, "前天": 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedTime:
    """An instant as the form wants it, such as 2026-11-20 14:05, and the words that name it."""

    text: str
    words: str


def times_in(text: str, sent_at: datetime | None) -> tuple[NamedTime, ...]:
    """The instants that a line names, each once. `sent_at`, in the policy's zone, is what yesterday is told by.

    Left out are times without a day, days without a time, hours that may be of morning or evening, zones whose name
    several places use, and what lies more than an hour after `sent_at`.
    """
    # A mail may bear any Date; days before the first or after the last year cannot be counted.
    base = sent_at if sent_at and _FIRST_YEAR <= sent_at.year < _LAST_YEAR else None
    found = {one.text: one for one in _times(text[:_LONGEST], base)}
    return tuple(found.values())


def _times(line: str, sent_at: datetime | None) -> Iterator[NamedTime]:
    for pattern in _ABSOLUTE:
        for match in pattern.finditer(line):
            yield from _named(match, _date(match), sent_at)
    # What was yesterday in the first hours of a day depends on whether its sender had slept.
    if sent_at is None or sent_at.time() < _NIGHT_ENDS:
        return
    for pattern in _RELATIVE:
        for match in pattern.finditer(line):
            day = sent_at - timedelta(days=_DAYS_AGO[match["word"].lower()])
            yield from _named(match, day, sent_at)


def _date(match: re.Match[str]) -> datetime | None:
    found = match.groupdict()
    month = _MONTHS.index(found["month"].lower()) + 1 if found.get("month") else int(found["number"])
    try:
        return datetime(int(found["year"]), month, int(found["day"]))  # noqa: DTZ001 (in whatever zone the policy has)
    except ValueError:
        return None


def _named(match: re.Match[str], day: datetime | None, sent_at: datetime | None) -> Iterator[NamedTime]:
    found = match.groupdict()
    hour = _hour(found)
    minute = 30 if found["minute"] == "半" else int(found["minute"] or 0)
    offset = _offset(found["zone"] or "")
    if day is None or hour is None or minute > 59 or offset is None:
        return
    text = f"{day:%Y-%m-%d} {hour:02d}:{minute:02d}{offset}"
    if _has_been(text, sent_at):
        yield NamedTime(text=text, words=match[0].strip())


def _hour(found: dict[str, str | None]) -> int | None:
    """The hour of the day; None if it is not clear which half is meant."""
    digits = found["hour"] or ""
    hour, half = int(digits), (found["short"] or found["long"] or "").replace(".", "").lower()
    if half:
        return hour % 12 + (12 if half == "pm" else 0) if 1 <= hour <= 12 else None
    part = found["half"] or {"早": "早上", "晚": "晚上"}.get(found.get("part") or "", "")
    if part:
        return _HALVES[part].get(hour)
    # Beside a whole date 9:05 is written by the 24 hours; beside a word it may be either.
    is_clear = "year" in found or (len(digits) == 2 and (hour > 12 or hour < 10))
    return hour if is_clear and hour < 24 else None


def _same(first: int, last: int) -> dict[int, int]:
    return {hour: hour for hour in range(first, last)}


_MORNING, _NOON = _same(4, 12), {11: 11, 12: 12}
_AFTERNOON = {12: 12} | {hour: hour + 12 for hour in range(1, 7)} | _same(13, 19)
_EVENING = {hour: hour + 12 for hour in range(5, 12)} | _same(17, 24)
_HALVES = {
    "凌晨": _same(0, 7), "早上": _MORNING, "早晨": _MORNING, "上午": _same(5, 12), "中午": _NOON, "下午": _AFTERNOON,
    "傍晚": _EVENING, "晚上": _EVENING,
}  # fmt: skip


def _offset(zone: str) -> str | None:
    """The offset as ISO 8601 has it; empty for the policy's zone, None for a zone of letters that is not UTC."""
    if zone in ("Z", "UTC", "GMT"):
        return "+00:00"
    if zone[:1] in ("+", "-"):
        return f"{zone[:3]}:{zone[-2:]}"
    return None if zone else ""


def _has_been(text: str, sent_at: datetime | None) -> bool:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return False
    if sent_at is None:
        return True
    return (at if at.tzinfo else at.replace(tzinfo=sent_at.tzinfo)) <= sent_at + _EARLY
