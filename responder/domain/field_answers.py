"""Answers to the numbered questions of a letter: behind their labels, also within the quoted letter, or by number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_LONGEST_LINE, _LONGEST_TEXT, _MOST_LINES, _MOST_BELOW = 1000, 50_000, 1000, 20
_QUOTED = re.compile(r"(?:\s{0,3}[>|]){1,20}")
_NUMBERED = re.compile(r"\s{0,3}(\d{1,2})\s?(?:[.)、）]\s{0,3}|[:：]\s{1,3})(\S.{0,400})")


def answers_to(asked: Sequence[str], text: str) -> dict[str, str]:
    """What somebody wrote behind or below the labels that a letter asked by, each with its number: label to value.

    The letter had nothing there, so whatever stands behind one of them was written by who answers, even where it looks
    quoted. Below a label counts only what is not quoted, beneath one that is.
    """
    lines = [line[:_LONGEST_LINE] for line in text[:_LONGEST_TEXT].split("\n", _MOST_LINES)[:_MOST_LINES]]
    found: dict[str, str] = {}
    for place, line in enumerate(lines):
        for number, label in enumerate(asked, 1):
            value = _behind(line, number, label)
            if value is not None and not found.get(label):
                found[label] = value or _below(lines, place)
    return {label: value for label, value in found.items() if value}


def answers_by_number(asked: Sequence[str], said: str) -> dict[str, str]:
    """Answers such as `1. P900`, if nothing but such lines was said, each with another number that was asked."""
    matches = [_NUMBERED.fullmatch(line[:_LONGEST_LINE]) for line in said.split("\n", _MOST_LINES) if line.strip()]
    pairs = [(int(one[1]), one[2].strip()) for one in matches if one]
    numbers = {number for number, _ in pairs}
    is_a_list = len(pairs) == len(matches) == len(numbers) and numbers <= set(range(1, len(asked) + 1))
    if not is_a_list or any(value.startswith(tuple(asked)) for _, value in pairs):
        return {}
    return {asked[number - 1]: value for number, value in pairs}


def as_text(answers: dict[str, str]) -> str:
    """Answers as a text in which each stands behind its label."""
    return "\n\n".join(f"{label}: {value}" for label, value in answers.items())


def _behind(line: str, number: int, label: str) -> str | None:
    """What stands behind the label; None if the line does not ask for it."""
    quoted = _QUOTED.match(line)
    plain = line[quoted.end() if quoted else 0 :].strip().strip("*_")
    head = re.match(rf"{number}\s?[.)、]\s{{0,3}}{re.escape(label)}\s{{0,3}}[:：](.{{0,{_LONGEST_LINE}}})\Z", plain)
    return head[1].strip().strip("*_").strip() if head else None


def _below(lines: Sequence[str], place: int) -> str:
    return "\n".join(_unquoted(lines, place)) if _QUOTED.match(lines[place]) else ""


def _unquoted(lines: Sequence[str], place: int) -> Iterator[str]:
    for line in lines[place + 1 : place + 1 + _MOST_BELOW]:
        if _QUOTED.match(line):
            return
        if line.strip():
            yield line.strip()
