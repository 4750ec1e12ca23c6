"""What the patterns of a rule find in a mail's subject and lines, alert by alert."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from responder.domain.line_patterns import matched
from responder.domain.mail_rule import Blocks, MailRule, Reading

PAIRS = "pairs"
"""A named group of this name holds several pairs, as in `a=1, b=2`."""
_KEY = re.compile(r"[\s>|*•·-]{0,8}([^:：\t]{1,60}?)\s{0,20}(?:[:：]|\t|\s{2})(.*)", re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w{0,99}")
_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(kw_only=True, slots=True)
class Found:
    """What is known of one alert: values by name, and its own lists of labels and annotations."""

    values: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def alerts_of(rule: MailRule, subject: str, lines: Sequence[str]) -> list[Found]:
    """One for each alert of the mail; what the subject says holds for all that do not say it themselves."""
    general = _first(rule.subject, subject.strip())
    if rule.blocks is None:
        found = Found()
        _Lines(rule, found).read(lines)
        found.values = {**general, **found.values}
        return [found]
    return [
        Found(values={**general, **one.values}, labels=one.labels, notes=one.notes)
        for one in _parted(rule, rule.blocks, lines)
    ]


def _parted(rule: MailRule, blocks: Blocks, lines: Sequence[str]) -> list[Found]:
    heading: dict[str, str] = {}
    found: list[Found] = []
    own: list[str] = []
    for line in lines:
        stripped = line.strip()
        said = matched(blocks.heading, stripped) if blocks.heading else None
        if said is not None or blocks.begins.match(stripped):
            _read_block(rule, found, own)
            own = []
        if said is not None:
            heading = said
        elif blocks.begins.match(stripped):
            found.append(Found(values=dict(heading)))
        if said is None and found:
            own.append(line)
    _read_block(rule, found, own)
    return found


def _read_block(rule: MailRule, found: Sequence[Found], lines: Sequence[str]) -> None:
    if found and lines:
        _Lines(rule, found[-1]).read(lines)


class _Lines:
    """Reads lines into what is found; what stands first wins, but for what an alert's heading says."""

    def __init__(self, rule: MailRule, found: Found) -> None:
        self._rule = rule
        self._found = found
        self._open = ""
        self._pairs = found.labels

    def read(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._line(line.strip())

    def _line(self, line: str) -> None:
        if not line:
            return
        blocks = self._rule.blocks
        if blocks and blocks.notes and blocks.notes.match(line):
            self._pairs = self._found.notes
        said = _first(self._rule.lines, line)
        self._pairs |= _pairs(said.pop(PAIRS, ""))
        if pair := blocks and blocks.pair and matched(blocks.pair, line):
            self._pairs.setdefault(pair.get("name", ""), pair.get("value", ""))
            return
        named = self._named(line)
        for name, value in (said or named or {}).items():
            self._found.values.setdefault(name, value)
        if named is None and not said and self._open:
            # A key with nothing behind it: its value begins on the next line.
            self._found.values.setdefault(self._open, line)
        self._open = next((name for name, value in (named or {}).items() if not value), "")
        if self._open:
            del self._found.values[self._open]

    def _named(self, line: str) -> dict[str, str] | None:
        split = _KEY.fullmatch(line)
        name = self._rule.fields.get(split.group(1).strip().casefold()) if split else None
        return {name: split.group(2).strip()} if split and name and name not in self._found.values else None


def _first(readings: Iterable[Reading], line: str) -> dict[str, str]:
    for reading in readings:
        found = matched(reading.pattern, line)
        if found is not None:
            return {**reading.says, **found}
    return {}


def _pairs(text: str) -> dict[str, str]:
    """`a=1, b=2, 3` as a: 1 and b: "2, 3"."""
    found: dict[str, str] = {}
    last = ""
    for part in text.split(", ") if text else []:
        name, separator, value = part.partition("=")
        if separator and _NAME.fullmatch(name.strip()):
            last = name.strip()
            found[last] = value.strip()
        elif last:
            found[last] += f", {part}"
    return found


def filled(templates: Iterable[str], values: Mapping[str, str]) -> str:
    """The first template whose names all have a value, filled in; empty if there is none."""
    for template in templates:
        if all(values.get(name) for name in _HOLE.findall(template)):
            return _HOLE.sub(lambda found: values[found.group(1)], template)
    return ""
