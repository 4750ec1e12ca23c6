"""Languages: what people read is said in theirs, from files of translations per language, in gettext's format.

`zh.po` holds the fixed words of the messages and the sentences that are generated (`responder.domain.translation`);
`zh_*.po` hold those of the console, a file for each group of pages. All of a language count as one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from gettext import NullTranslations
from pathlib import Path

from responder.domain.translation import Catalogue, catalogue, translated

_HERE = Path(__file__).parent
_HAN = re.compile("[\u4e00-\u9fff]")
_PLACE_IN_FILE = re.compile(r"(?P<place>(?:[^\s:]+:\d+:\d+: )?(?:[\w.\[\]-]+: )?)(?P<says>.*)", re.DOTALL)
_LINE = re.compile(r'(?:(msgctxt|msgid|msgstr) )?(".*")\Z')


def said(text: str, language: str, kind: str = "text") -> str:
    """A generated text in a language, as far as it has translations; names, commands and outputs stay as they are.

    `kind` is that of a place in a pattern, for what is no sentence: `time`, `list`, `texts`, `conditions`.
    """
    return text if language == "en" else _said(text, language, kind)


def said_of_file(text: str, language: str) -> str:
    """What is wrong with a file: the place before it stays, and what only others say of it is marked as theirs."""
    if language == "en" or not text:
        return text
    found = _PLACE_IN_FILE.match(text)
    place, says = (found["place"], found["says"]) if found else ("", text)
    for before, words in ((place, says), ("", text)):
        if (theirs := said(words, language)) != words:
            return f"{before}{theirs}"
    return place + said(f"in English: {says}", language)


def meaning_of_grade(text: str, language: str) -> str:
    """What a policy says of a grade, in a language as far as it is translated."""
    return in_words_of(text, language) or said(text, language)


@lru_cache(maxsize=1024)
def _said(text: str, language: str, kind: str) -> str:
    return translated(sentences_in(language), text, kind)


@cache
def sentences_in(language: str) -> Catalogue:
    """The sentences of a language; none for one without a file."""
    of: dict[str, dict[str, str]] = {"": {}, "item": {}, "joint": {}, "unit": {}}
    for (kind, key), says in entries(language).items():
        of.setdefault(kind, {}).update({key: says} if key else {})
    return catalogue(of[""], items=of["item"], joints=of["joint"], units=of["unit"])


def offered(text: str, language: str) -> str:
    """A word that a form offers, which may mean something else in a sentence (`msgctxt "form"`)."""
    return entries(language).get(("form", text)) or said(text, language)


def in_words_of(text: str, language: str) -> str:
    """What a policy says of a grade, for people outside: whole in their language (`msgctxt "grade"`), else nothing."""
    is_theirs = bool(_HAN.search(text)) == (language == "zh")
    return text if is_theirs else entries(language).get(("grade", text), "")


class Translations(NullTranslations):
    """The fixed words of the templates. What has no translation stays as it is."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._words = {key: says for (kind, key), says in entries(language).items() if not kind}

    def gettext(self, message: str) -> str:
        return self._words.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@cache
def entries(language: str) -> Mapping[tuple[str, str], str]:
    """What a language's files say, by context and English text; the file without an addition has the last word."""
    paths = [*sorted(_HERE.glob(f"{language}_*.po")), *_HERE.glob(f"{language}.po")]
    return {key: says for path in paths for key, says in read_po(path.read_text(encoding="utf-8"))}


def read_po(text: str) -> Iterator[tuple[tuple[str, str], str]]:
    """The entries of a file in gettext's format. An entry without a translation is left out.

    Raises ValueError for a line that cannot be understood.
    """
    for block in re.split(r"\n\s*\n", text):
        parts = _parts(block)
        if parts.get("msgstr") and "msgid" in parts:
            yield (parts.get("msgctxt", ""), parts["msgid"]), parts["msgstr"]


def _parts(block: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line.strip())
        if match is None:
            raise ValueError(f"this is no line of a file of translations: {line[:80]}")
        name = match[1] or name
        parts[name] = parts.get(name, "") + ast.literal_eval(match[2])
    return parts
