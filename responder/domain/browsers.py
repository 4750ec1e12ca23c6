"""What a browser calls itself, in few words; for people who look through their sessions, and for nothing else."""

from __future__ import annotations

import re

# The first that fits: most browsers call themselves by the names of others, too.
_BROWSERS = (
    ("Edge", r"\bEdg(?:A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:Chrome|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b"),
    ("Linux", r"\b(?:Linux|X11)\b"),
)
_LONGEST = 40


def browser_in_words(agent: str) -> str:
    """`Firefox, Windows`; of what is no known browser its first word."""
    found = [_first(kinds, agent) for kinds in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name) or agent.split(" ", 1)[0][:_LONGEST]


def _first(kinds: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for name, pattern in kinds if re.search(pattern, agent)), "")
