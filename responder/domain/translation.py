"""Translation: sentences that were generated in English are said in another language, by their patterns.

A pattern is the sentence with places for what changes: `{runbook} on {host}, step {number:count} ({name}): {why:text}`.
What stands in a place is kept as it is, except where the place names a kind:

- `text` is sentences, which are translated again; `word` is one or a few words, `name` one that is kept;
- `time` is a duration as `spoken` gives it; `count` is a number; `nth` is `2nd`, and gives 2;
- `list` is names with commas or “and” between them; `texts` is a list whose items are translated again;
- `conditions` are such a list, or words with one in brackets behind them.

What no pattern fits stays as it is. An item is a pattern too short to be looked for anywhere but in a list, such as
`{person} by {channel}`.

A text costs at most `_PATIENCE` tries of a pattern, and one try takes time linear in the text: a place ends at the
first point where the words after it stand, in atomic groups, so nothing is tried twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

LONGEST = 4000
"""Characters of a text that is translated; a longer one is no sentence."""

_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_DURATION = r"-?\d{1,9}(?:ms|[smhdw])(?: \d{1,9}[smhd])?"
_KINDS = {
    "": ".+?",
    "text": ".+?",
    "list": r"(?:[^.?!;]|[.?!;](?!\s))+?",
    "texts": ".+?",
    "conditions": ".+?",
    "time": _DURATION,
    "count": r"\d{1,12}",
    "nth": r"\d{1,12}(?:st|nd|rd|th)",
    "name": r"[^\s.?!;:()]{1,80}",
    "word": r"[^.?!;:()]{1,60}?",
}
_FREE = {kind for kind, fits in _KINDS.items() if fits.endswith("+?")}
_WORD = re.compile(r"[A-Za-z]+")
_END = re.compile(r"[.?!;]\Z")
_BREAK = re.compile(r"(?<=[.?!;])\s+")
_AMOUNT = re.compile(r"(\d+)([a-z]+)")
_IN_BRACKETS = re.compile(r"(?P<words>[^(]+)(?P<open> \()(?P<items>.*)(?P<close>\))\Z", re.DOTALL)
_AND = " and "
_CONDITION = re.compile(r"[\w.]+=")
_JOINT = re.compile(r"(, and |, | and |; | or )")
_PIECES = 24
_RUN = 5
_DEPTH = 5
_PATIENCE = 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """A sentence with places, ready to be looked for. `heft` is how many characters are its own."""

    finds: re.Pattern[str]
    kinds: Mapping[str, str]
    says: str
    heft: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """What a language has: sentences without places, patterns by a word that only they need, joints and units."""

    phrases: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, Sequence[Pattern]] = field(default_factory=dict)
    items: Sequence[Pattern] = ()
    joints: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


def catalogue(
    sentences: Mapping[str, str],
    *,
    items: Mapping[str, str] | None = None,
    joints: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> Catalogue:
    """A catalogue of sentences and their translations. Raises ValueError for places that do not agree."""
    phrases: dict[str, str] = {}
    patterns: dict[str, list[Pattern]] = {}
    for sentence, said in sentences.items():
        if _PLACE.search(sentence):
            word, pattern = _read(sentence, said)
            patterns.setdefault(word, []).append(pattern)
        else:
            phrases[_key(_without_end(sentence))] = _without_mark(said)
    short = tuple(_read(item, said)[1] for item, said in (items or {}).items())
    return Catalogue(phrases=phrases, patterns=patterns, items=short, joints=joints or {}, units=units or {})


def translated(known: Catalogue, text: str, kind: str = "text") -> str:
    """A text of a kind of place, with all of it that the catalogue knows in its language."""
    if not text or len(text) > LONGEST:
        return text
    return _Reading(known).value(text, kind, _DEPTH).said


# --- patterns --------------------------------------------------------------------------------------


def _read(sentence: str, said: str) -> tuple[str, Pattern]:
    sentence = _without_end(sentence)
    pieces = _PLACE.split(sentence)
    kinds = {name: kind or "" for name, kind in zip(pieces[1::3], pieces[2::3], strict=True)}
    literals = pieces[0::3]
    if unknown := set(kinds.values()) - _KINDS.keys():
        raise ValueError(f"{sentence!r} has a place of an unknown kind: {', '.join(sorted(unknown))}")
    if {match[1] for match in _PLACE.finditer(said)} != kinds.keys() or len(kinds) != len(literals) - 1:
        raise ValueError(f"{sentence!r} and its translation have not the same places")
    finds = re.compile(_expression(pieces), re.DOTALL)
    heft = sum(map(len, literals))
    return _rarest(literals), Pattern(finds=finds, kinds=kinds, says=_without_mark(said), heft=heft)


def _expression(pieces: Sequence[str]) -> str:
    """An expression in which every place that may hold anything ends as early as the words after it allow."""
    made, is_open = _literal(pieces[0], is_first=True), False
    for name, kind, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        if is_free := (kind or "") in _FREE:
            made += ")(?>" if is_open else "(?>"
        made += f"(?P<{name}>{_KINDS[kind or '']}){_literal(literal)}"
        is_open = is_open or is_free
    return made + (r"\Z)" if is_open else r"\Z")


def _literal(text: str, *, is_first: bool = False) -> str:
    if is_first and text[:1].islower():
        # It may have become the beginning of a sentence.
        return f"[{text[0].upper()}{text[0]}]{re.escape(text[1:])}"
    return re.escape(text)


def _rarest(literals: Sequence[str]) -> str:
    """The longest word that stands whole in a pattern; without one the pattern is tried on every text."""
    words: list[str] = []
    for number, literal in enumerate(literals):
        for match in _WORD.finditer(literal):
            is_cut = (number and match.start() == 0) or (number < len(literals) - 1 and match.end() == len(literal))
            words += [] if is_cut else [match.group().lower()]
    return max(words, key=len, default="")


def _key(text: str) -> str:
    return text[:1].lower() + text[1:]


def _without_end(text: str) -> str:
    return _END.sub("", text)


def _without_mark(text: str) -> str:
    return text.rstrip("。？！；")


# --- reading ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """A translation, how many characters of the original were known, and whether it ends with what was kept."""

    said: str
    heft: int = 0
    is_kept: bool = True


class _Reading:
    """One text on its way; it counts its tries, so that it ends whatever the text is."""

    def __init__(self, known: Catalogue) -> None:
        self._known, self._tries = known, 0
        self._seen: dict[str, _Said] = {}
        self._kinds: dict[str, Callable[[str, int], _Said]] = {"text": self.text, "texts": self._items}
        self._kinds |= {
            "word": self.text,
            "nth": self._number,
            "list": self._names,
            "time": self._time,
            "conditions": self._conditions,
        }

    def text(self, text: str, depth: int) -> _Said:
        """One or more sentences, cut so that as much as possible is known."""
        if text not in self._seen:
            self._seen[text] = _Said(text)
            self._seen[text] = self._sentences(text, depth)
        return self._seen[text]

    def _sentences(self, text: str, depth: int) -> _Said:
        starts = [0, *(match.end() for match in _BREAK.finditer(text))][:_PIECES]
        ends = [*starts[1:], len(text)]
        best: list[tuple[int, tuple[_Said, ...]]] = [(0, ())]
        for place, end in enumerate(ends):
            ways = []
            for first in range(max(0, place - _RUN + 1), place + 1):
                piece = self._one(text[starts[first] : end], depth, is_alone=first == place)
                if piece is not None:
                    heft, before = best[first]
                    ways.append((heft + piece.heft, (*before, piece)))
            best.append(max(ways, key=lambda way: (way[0], -len(way[1]))))
        heft, pieces = best[-1]
        return _Said("".join(piece.said for piece in pieces), heft, pieces[-1].is_kept)

    def _one(self, piece: str, depth: int, *, is_alone: bool) -> _Said | None:
        """A sentence with its mark and the space after it; what is not known is itself, if it is no run of several."""
        bare = piece.rstrip()
        core = _without_end(bare)
        found = self._sentence(core, depth) if core else None
        if found is None:
            return _Said(piece) if is_alone else None
        mark, space = bare[len(core) :], piece[len(bare) :]
        if found.is_kept:
            return _Said(f"{found.said}{mark if space else self._joint(mark)}{space}", found.heft)
        return _Said(
            f"{found.said}{self._joint(mark)}{space if not mark else space.strip(' ')}", found.heft, is_kept=False
        )

    def _sentence(self, core: str, depth: int) -> _Said | None:
        if (said := self._known.phrases.get(_key(core))) is not None:
            return _Said(said, len(core), is_kept=False)
        if depth == 0:
            return None
        found = (self._filled(pattern, match, depth - 1) for pattern, match in self._matches(core))
        return max(found, key=lambda one: one.heft, default=None)

    def _matches(self, core: str) -> Iterator[tuple[Pattern, re.Match[str]]]:
        words = {"", *(word.lower() for word in _WORD.findall(core))}
        for word in words & self._known.patterns.keys():
            for pattern in self._known.patterns[word]:
                self._tries += 1
                if self._tries > _PATIENCE:
                    return
                if match := pattern.finds.match(core):
                    yield pattern, match

    def _filled(self, pattern: Pattern, match: re.Match[str], depth: int) -> _Said:
        values = {name: self.value(match[name], kind, depth) for name, kind in pattern.kinds.items()}
        said = self._put_in(pattern.says, values)
        ends = [value.is_kept for name, value in values.items() if match.end(name) == match.end()]
        return _Said(said, pattern.heft + sum(value.heft for value in values.values()), any(ends))

    def _put_in(self, says: str, values: Mapping[str, _Said]) -> str:
        """The translation with its places filled; no space after the mark that ends a sentence in this language."""
        said = ""
        for literal, name in zip(*(_PLACE.split(says)[start::3] for start in (0, 1)), strict=False):
            said += self._close(said, literal) + values[name].said
        return said + self._close(said, _PLACE.split(says)[-1])

    def _close(self, before: str, literal: str) -> str:
        marks = {self._known.joints.get(mark, "") for mark in ".?!;"} - {""}
        return literal.lstrip(" ") if before[-1:] in marks else literal

    def value(self, text: str, kind: str, depth: int) -> _Said:
        """What stands in a place of a kind."""
        return self._kinds[kind](text, depth) if kind in self._kinds else _Said(text, is_kept=not kind)

    def _joint(self, mark: str) -> str:
        return self._known.joints.get(mark, mark)

    def _names(self, text: str, depth: int) -> _Said:  # noqa: ARG002 all kinds share a form
        return _Said("".join(self._joint(part) for part in _JOINT.split(text)), is_kept=False)

    def _items(self, text: str, depth: int) -> _Said:
        parts = _JOINT.split(text)
        items = [self._item(part, depth) for part in parts[0::2]]
        joints = [self._joint(part) for part in parts[1::2]]
        said = "".join(item.said + joint for item, joint in zip(items, [*joints, ""], strict=True))
        return _Said(said, sum(item.heft for item in items), is_kept=False)

    def _item(self, text: str, depth: int) -> _Said:
        found = ((pattern, pattern.finds.match(text)) for pattern in self._known.items if depth and text)
        fit = [self._filled(pattern, match, depth - 1) for pattern, match in found if match]
        return max((*fit, self.text(text, depth)), key=lambda one: one.heft) if text else _Said(text)

    def _conditions(self, text: str, depth: int) -> _Said:
        whole = self.text(text, depth)
        if whole.heft:
            return whole
        if (match := _IN_BRACKETS.match(text)) is None:
            return self._each(text, depth)
        words, items = self.text(match["words"], depth), self._each(match["items"], depth)
        said = f"{words.said}{self._joint(match['open'])}{items.said}{self._joint(match['close'])}"
        return _Said(said, words.heft + items.heft, is_kept=False)

    def _each(self, text: str, depth: int) -> _Said:
        """Conditions one by one; what is no condition of ours is what a label says, and is kept whole."""
        first, *rest = text.split(_AND)
        found = [self.text(first, depth)]
        said = found[0].said
        for part in rest:
            found.append(self.text(part, depth))
            said += (self._joint(_AND) if found[-1].heft or _CONDITION.match(part) else _AND) + found[-1].said
        return _Said(said, sum(one.heft for one in found), is_kept=False)

    def _number(self, text: str, depth: int) -> _Said:  # noqa: ARG002 all kinds share a form
        return _Said(text[:-2], is_kept=False)

    def _time(self, text: str, depth: int) -> _Said:  # noqa: ARG002 all kinds share a form
        units = self._known.units
        return _Said(_AMOUNT.sub(lambda part: f"{part[1]} {units.get(part[2], part[2])}", text), 1, is_kept=False)
