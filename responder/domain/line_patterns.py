"""Regular expressions over one line of foreign text, and why some of them are refused.

Whoever writes a mail chooses the line, so a pattern must be quick on every line. What can make Python's `re` slow is
a choice of where a part ends: with n of them a line of m characters may cost m to the power of n + 1 steps. One is let
through; a repeat within a repeat (exponential) never is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import combinations
from typing import Any

LONGEST_LINE = 500
_ENOUGH = 2.0
_SMALL = 0.25
"""What a choice between few ends counts: each at most quadruples the time."""
_FEW = 3
_SAMPLE = [*map(chr, range(32, 127)), "\t", "\u00a0", "\u00e9", "\u4e2d", "\uff1a", "\u0663"]
# The parser of `re` itself: what it makes of a pattern is what will be run.
_parser: Any = import_module("re._parser")


def line_pattern(text: str) -> re.Pattern[str]:
    """The pattern, without regard to upper and lower case. Raises ValueError with why it is refused."""
    try:
        pattern = re.compile(text, re.IGNORECASE)
        parts = [_part(one, text) for one in _parser.parse(text, re.IGNORECASE)]
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    if _choices(parts, frozenset()) >= _ENOUGH:
        raise ValueError(
            f"{text!r} has several parts that may each end anywhere, which is slow on some lines: let each end at a "
            "character that it cannot hold, like [^/]+/"
        )
    return pattern


def matched(pattern: re.Pattern[str], line: str) -> dict[str, str] | None:
    """The named groups that are in the line, from its begin; None if the pattern does not match there."""
    found = pattern.match(line[:LONGEST_LINE])
    return None if found is None else {name: value.strip() for name, value in found.groupdict().items() if value}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A part of a pattern: with which characters it can begin, and what a wrong end of it costs."""

    first: frozenset[str] = frozenset()
    may_be_empty: bool = False
    cost: float = 0
    inner: tuple[Sequence[_Part], ...] = field(default=())


def _choices(parts: Sequence[_Part], after: frozenset[str]) -> float:
    """How many of the parts may end at more than one place, because what follows is of what they hold."""
    total = 0.0
    for place, part in enumerate(parts):
        following = _first(parts[place + 1 :], after)
        total += part.cost if not part.first.isdisjoint(following) else 0
        total += max((_choices(one, following) for one in part.inner), default=0)
    return total


def _first(parts: Sequence[_Part], after: frozenset[str]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for part in parts:
        found |= part.first
        if not part.may_be_empty:
            return found
    return found | after


def _part(one: Any, text: str) -> _Part:
    name, given = str(one[0]), one[1]
    if name in _SETS:
        return _Part(first=_members(name, given, text))
    if name == "AT":
        return _Part(may_be_empty=True)
    if name == "SUBPATTERN":
        return _one_of([given[3]], text)
    if name == "BRANCH":
        return _one_of(given[1], text)
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, body = given
        return _repeated(least, most, body, text)
    raise ValueError(f"{text!r} looks ahead or back, which is not allowed here")


def _one_of(branches: Sequence[Any], text: str) -> _Part:
    inner = tuple([_part(one, text) for one in branch] for branch in branches)
    firsts = [_first(one, frozenset()) for one in inner]
    is_open = any(all(part.may_be_empty for part in one) for one in inner)
    alike = any(not one.isdisjoint(other) for one, other in combinations(firsts, 2))
    choice = (_Part(first=frozenset(_SAMPLE), cost=_SMALL, may_be_empty=True),) if alike else ()
    return _Part(first=frozenset().union(*firsts), may_be_empty=is_open, inner=(*([*choice, *one] for one in inner),))


def _repeated(least: Any, most: Any, body: Any, text: str) -> _Part:
    inner = [_part(one, text) for one in body]
    is_many = int(most) > 1
    if is_many and any(_bends(one) for one in inner):
        raise ValueError(f"{text!r} has a repeat or a choice within a repeat, which can take for ever on some lines")
    cost = 0.0 if least == most else 1.0 if int(most) > _FEW else _SMALL
    is_open = int(least) == 0 or all(one.may_be_empty for one in inner)
    # Where it ends is asked of all that it can hold, not only of its begin.
    held = _first(inner, frozenset()) if not is_many else frozenset().union(*(_held(one) for one in inner))
    return _Part(first=held, may_be_empty=is_open, cost=cost, inner=() if is_many else (inner,))


def _bends(part: _Part) -> bool:
    return bool(part.cost) or len(part.inner) > 1 or any(_bends(one) for run in part.inner for one in run)


def _held(part: _Part) -> frozenset[str]:
    return part.first.union(*(_held(one) for run in part.inner for one in run))


_SETS = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})


def _members(kind: str, given: Any, text: str) -> frozenset[str]:
    """Those of a sample and of the pattern's own characters that it can hold, in both cases."""
    held = [character for character in {*_SAMPLE, *text} if _holds(kind, given, character)]
    return frozenset(case for character in held for case in (character.lower(), character.upper()))


def _holds(kind: str, given: Any, character: str) -> bool:
    if kind == "ANY":
        return True
    if kind in ("LITERAL", "NOT_LITERAL"):
        return (ord(character) == int(given)) == (kind == "LITERAL")
    if kind == "RANGE":
        return int(given[0]) <= ord(character) <= int(given[1])
    if kind == "CATEGORY":
        return _CATEGORIES[str(given)].match(character) is not None
    negated = str(given[0][0]) == "NEGATE"
    return any(_holds(str(one), inner, character) for one, inner in given[negated:]) != negated


_CATEGORIES = {
    f"CATEGORY_{'NOT_' if letter.isupper() else ''}{name}": re.compile(f"\\{letter}")
    for name, letters in {"DIGIT": "dD", "SPACE": "sS", "WORD": "wW"}.items()
    for letter in letters
}
