"""Patterns of commands, as tests write them, and how a command is shown so that it can be copied into a test."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

REST = "..."
_REGEX = "=~"


def parse_pattern(value: object) -> tuple[str, ...]:
    """The words of a pattern that is written as a command line or as a list. Raises ValueError."""
    if isinstance(value, str):
        words = shlex.split(value)
    elif isinstance(value, list | tuple):
        words = [_as_text(word) for word in value]
    else:
        raise ValueError("write a command line, or a list of arguments")
    if not words:
        raise ValueError("a command has at least one word")
    for word in words:
        if word.startswith(_REGEX):
            checked_regex(word.removeprefix(_REGEX))
    return tuple(words)


def checked_regex(text: str) -> str:
    """The same text. Raises ValueError when it is no regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


def fits(pattern: Sequence[str], argv: Sequence[str]) -> bool:
    """Whether a command is what the pattern says: `...` is any number of arguments, `=~…` a regular expression for
    one whole argument."""
    if not pattern:
        return not argv
    if pattern[0] == REST:
        return any(fits(pattern[1:], argv[skipped:]) for skipped in range(len(argv) + 1))
    return bool(argv) and fits_text(pattern[0], argv[0]) and fits(pattern[1:], argv[1:])


def fits_text(pattern: str, text: str) -> bool:
    """Whether a text is the pattern's, or matches it after `=~` as a whole."""
    if pattern.startswith(_REGEX):
        return re.fullmatch(pattern.removeprefix(_REGEX), text, re.DOTALL) is not None
    return pattern == text


def shown(argv: Iterable[str]) -> str:
    """A command for people, which is also a pattern that it fits: arguments of several lines become `...`."""
    return " ".join(REST if "\n" in word else shlex.quote(word) for word in argv)


def nearest(argv: Sequence[str], patterns: Iterable[Sequence[str]]) -> Sequence[str] | None:
    """The pattern that resembles the command most; None if none has anything in common with it."""
    rated = [(SequenceMatcher(None, list(pattern), list(argv)).ratio(), pattern) for pattern in patterns]
    best = max(rated, key=lambda one: one[0], default=None)
    return best[1] if best and best[0] > 0 else None


def _as_text(word: object) -> str:
    if isinstance(word, str | int | float) and not isinstance(word, bool):
        return str(word)
    raise ValueError(f"{word!r} is not an argument; put it into quotes")


Pattern = Annotated[
    tuple[str, ...],
    BeforeValidator(parse_pattern),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number"]}}]}),
]
