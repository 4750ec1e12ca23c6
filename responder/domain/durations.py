"""Durations as people write them: `90s`, `5m`, `1h30m`, `2d`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST = 100 * 366 * 86400
_PART = re.compile(r"(\d+)(ms|s|m|h|d|w)")


def parse_duration(text: str) -> timedelta:
    """The duration that `text` says, in the notation of Prometheus. Raises ValueError."""
    text = text.strip()
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration; write it like 30s, 5m, 1h30m or 2d")
    seconds = sum(int(number[:12]) * _UNITS[unit] for number, unit in parts)
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than a hundred years")
    return timedelta(seconds=seconds)


def spoken(duration: timedelta) -> str:
    """A duration for people, in its two largest units: `1h 30m`, `45s`, `0s`."""
    seconds = duration.total_seconds()
    if abs(seconds) < 1:
        return f"{round(seconds * 1000)}ms" if seconds else "0s"
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    whole, parts = round(rest), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + " ".join(parts[:2])


def coarse(duration: timedelta) -> str:
    """As `spoken`, rounded down and, from a minute on, without seconds: what changes once a minute."""
    seconds = int(duration.total_seconds())
    return spoken(timedelta(seconds=seconds if seconds < 60 else seconds - seconds % 60))
