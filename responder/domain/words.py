"""Words: what of a text, in English and Chinese, can be compared with another text.

Latin text gives stemmed words, with identifiers (`HighErrorRate`, `node_exporter`, `ORA-01555`) whole and in parts.
Chinese gives the words of `concepts`, and pairs of neighbouring characters of what is left between function characters.
Host names, addresses, versions and plain numbers are names: people may search them, but they are no likeness.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from responder.domain.concepts import meanings

_LONGEST = 64
_HAN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_LETTER = rf"[^\W{_HAN}]"
_CHUNK = re.compile(
    rf"(?P<mail>[a-zA-Z0-9_.+-]{{1,64}}@[\w-]{{1,64}}\.[\w.-]{{1,64}})|(?P<han>[{_HAN}]+)|(?P<latin>{_LETTER}+(?:[-._]{_LETTER}+)*)"
)
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_HTTP_STATUS = re.compile(r"[45]\d\d")
_NAME = re.compile(
    r"[\d.:_-]+(?:[a-z]{1,2})?"  # numbers, addresses, dates, and amounts with their unit
    r"|v?\d+(?:\.\w+)+"  # versions
    r"|[a-z]+(?:-[a-z]+)*-?\d{1,4}"  # hosts: web-1, db02
    r"|(?=\w*\d)[0-9a-f]{8,}"  # hashes and identifiers
    r"|[\w-]+\.[\w-]+\.[\w.-]+"  # domains
)
_FUNCTION = frozenset(
    "的了着过是在和与及或也都就还又被把给对从到向于以因为所但而且并这那其此之等吗呢吧啊我你您他她它们有没无不未会能可要请让使"
    "由按用个台条次种些每某几已正将再才很太更最非常时候后前中上下里外内间多少大小两一二三四五六七八九十年月日号天分钟秒"
)
_STOP_WORDS = """
a an the this that these those it its i we you he she they them their our your my me us is are was were be
been being am do does did done has have had having will would can could should may might must shall to of in
on at by for from with without into onto over under about as than then so such and or but if because until
before during between not no nor none any all some each every both other another more most much many few only
own same too very just also there here what which who whom whose where why how again once ever never always
still yet already now up down out off s t re ve ll don doesn didn isn aren wasn cannot please let get got gets
go goes went going come comes came see seen one two three via per etc ok yes
"""
_STOP = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True, slots=True)
class Found:
    """A token and where it stands in the text; `is_name` for what is no likeness."""

    token: str
    start: int
    end: int
    is_name: bool = False


def found(text: str) -> tuple[Found, ...]:
    """All tokens of a text in its order; some stand at the same place."""
    return tuple(sorted(_found(text), key=lambda one: one.start))


def tokens(text: str) -> tuple[str, ...]:
    """What of a text is compared, each once, in its order."""
    return tuple(dict.fromkeys(one.token for one in found(text) if not one.is_name))


def names(text: str) -> tuple[str, ...]:
    """Hosts, numbers and versions in a text: searched, never compared."""
    return tuple(dict.fromkeys(one.token for one in found(text) if one.is_name))


def _found(text: str) -> Iterator[Found]:
    given = "".join(map(_folded, text))
    row: list[Found] = []
    for match in _CHUNK.finditer(given):
        if match.lastgroup == "latin" and match.end() - match.start() <= _LONGEST:
            yield from _latin(match.group(), match.start(), row)
            continue
        yield from _phrases(row)
        row.clear()
        if match.lastgroup == "han":
            yield from _han(match.group(), match.start())
    yield from _phrases(row)


def _folded(character: str) -> str:
    """NFKC, as far as it keeps the place of what follows."""
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


# --- Latin -----------------------------------------------------------------------------------------


def _latin(chunk: str, start: int, row: list[Found]) -> Iterator[Found]:
    """Yields a chunk's name or identifier; what are plain words goes into the row, where phrases are looked for."""
    whole, end = chunk.lower(), start + len(chunk)
    if _HTTP_STATUS.fullmatch(whole):
        row.append(Found(whole, start, end))
    elif _NAME.fullmatch(whole) and not _is_code(chunk):
        yield Found(whole, start, end, is_name=True)
    else:
        pieces = [] if _is_code(chunk) else [one for one in _PIECE.finditer(chunk) if not one.group().isdigit()]
        if len(pieces) != 1 or pieces[0].group() != chunk:
            yield Found(whole, start, end)
        row += [Found(one.group().lower(), start + one.start(), start + one.end()) for one in pieces]


def _is_code(chunk: str) -> bool:
    """`ORA-01555`, `E-04`, `MX-200`: capitals and digits, unlike `web-1` or `1.8.4`."""
    return chunk.upper() == chunk and chunk[0].isalpha() and any(character.isdigit() for character in chunk)


def _phrases(row: list[Found]) -> Iterator[Found]:
    """The words of a row, the longest phrases first."""
    place = 0
    stems = [stem(one.token) for one in row]
    while place < len(row):
        length, meant = _longest(stems, place)
        start, end = row[place].start, row[place + length - 1].end
        yield from (Found(token, start, end) for token in meant)
        if not meant and row[place].token not in _STOP and len(row[place].token) > 1:
            yield Found(stems[place], start, end)
        place += length


def _longest(stems: list[str], place: int) -> tuple[int, tuple[str, ...]]:
    known, most = _latin_concepts()
    for length in range(min(most, len(stems) - place), 0, -1):
        meant = known.get(" ".join(stems[place : place + length]))
        if meant:
            return length, meant
    return 1, ()


def stem(word: str) -> str:
    """A word without the endings of plural and tense; no real word, but the same for all its forms."""
    for ending in ("ies", "ied", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "us", "is")):
            word = word[: -len(ending)] + ("y" if ending.startswith("i") and ending != "ing" else "")
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


# --- Chinese ---------------------------------------------------------------------------------------


def _han(run: str, start: int) -> Iterator[Found]:
    known, most = _han_concepts()
    place = rest = 0
    while place < len(run):
        longest = min(most, len(run) - place)
        sizes = (size for size in range(longest, 1, -1) if run[place : place + size] in known)
        word = run[place : place + next(sizes, 0)]
        if word or run[place] in _FUNCTION:
            yield from _pairs(run[rest:place], start + rest)
            yield from (Found(token, start + place, start + place + len(word)) for token in known.get(word, ()))
            place += len(word) or 1
            rest = place
        else:
            place += 1
    yield from _pairs(run[rest:], start + rest)


def _pairs(run: str, start: int) -> Iterator[Found]:
    """Neighbouring characters two by two; one that stands alone by what it means, or as it is."""
    if len(run) == 1:
        yield from (Found(token, start, start + 1) for token in _han_concepts()[0].get(run, (run,)))
    for place in range(len(run) - 1):
        yield Found(run[place : place + 2], start + place, start + place + 2)


# --- the words of the trade ------------------------------------------------------------------------


@cache
def _latin_concepts() -> tuple[dict[str, tuple[str, ...]], int]:
    known = {_stemmed(word.replace("-", " ").split()): meant for word, meant in meanings() if word.isascii()}
    return known, max(word.count(" ") + 1 for word in known)


@cache
def _han_concepts() -> tuple[dict[str, tuple[str, ...]], int]:
    known = {word: meant for word, meant in meanings() if not word.isascii()}
    return known, max(map(len, known))


def _stemmed(words: Iterable[str]) -> str:
    return " ".join(map(stem, words))


# --- showing what was found ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Passage:
    """A text, or a part of it, with the places of what was looked for: pairs of first and last-plus-one character."""

    text: str
    hits: tuple[tuple[int, int], ...] = ()


def marked(text: str, wanted: Collection[str], most: int = 0) -> Passage:
    """A text with the places of the wanted tokens; with `most` the part of so many characters around the first."""
    text = " ".join(text.split())
    hits = _merged((one.start, one.end) for one in found(text) if one.token in wanted)
    if not most or len(text) <= most:
        return Passage(text, tuple(hits))
    begin = max(0, min(hits[0][0] - most // 4, len(text) - most)) if hits else 0
    end = begin + most
    head, tail = "…" if begin else "", "…" if end < len(text) else ""
    shift = len(head) - begin
    inside = tuple((start + shift, stop + shift) for start, stop in hits if begin <= start and stop <= end)
    return Passage(f"{head}{text[begin:end]}{tail}", inside)


def _merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
