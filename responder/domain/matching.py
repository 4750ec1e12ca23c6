"""Matchers in Alertmanager's notation: `severity="critical"`, `job=~"db|cache"`, `team!=""`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_FORM = re.compile(r'^\s*([^\s=!~"{}]+)\s*(=~|!~|!=|=)\s*(.*?)\s*$', re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. A label that is missing counts as empty, as in Alertmanager."""

    label: str
    operator: str
    value: str
    _regex: re.Pattern[str] | None = field(default=None, compare=False, repr=False)

    def matches(self, labels: Mapping[str, str]) -> bool:
        actual = labels.get(self.label, "")
        if self._regex is not None:
            return (self._regex.fullmatch(actual) is not None) == (self.operator == "=~")
        return (actual == self.value) == (self.operator == "=")

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{value}"'


def parse_matcher(text: str) -> Matcher:
    """The matcher that `text` says. Raises ValueError with what is wrong."""
    found = _FORM.match(text)
    if not found:
        raise ValueError(f'{text!r} is not a matcher; write it like severity="critical" or job=~"db|web"')
    label, operator, raw = found.groups()
    value = _unquoted(raw)
    regex = None
    if operator in ("=~", "!~"):
        try:
            regex = re.compile(value, re.DOTALL)
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from error
    return Matcher(label, operator, value, regex)


def _unquoted(raw: str) -> str:
    if _QUOTED.fullmatch(raw):
        return re.sub(r'\\[\\"n]', lambda found: _ESCAPES[found.group()], raw[1:-1])
    if '"' in raw or "," in raw:
        raise ValueError(f"one matcher has one value, in quotes if it holds a comma; found {raw!r}")
    return raw


def all_match(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """True if every matcher holds; no matchers match everything."""
    # A loop, for every alert comes past here once for each rule.
    for matcher in matchers:  # noqa: SIM110
        if not matcher.matches(labels):
            return False
    return True
