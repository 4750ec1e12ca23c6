"""Bytes to text: what is declared where it fits, else what the bytes themselves show.

Mails in Chinese often declare gb2312 and hold letters of GBK (RFC 1922 knows neither), or declare us-ascii or
iso-8859-1 and hold GBK or UTF-8. So gb2312 and gbk mean GB 18030, which holds both; valid UTF-8 beyond Latin wins over
them; and a declaration that fits every byte, as iso-8859-1 does, wins only if nothing else shows.
"""

from __future__ import annotations

import codecs
import re

_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "hz-gb-2312": "hz", "iso8859-1": "cp1252", "ascii": "cp1252"}
_SAYS_NOTHING = ("", "cp1252")
_ALIASES = {
    "x-gbk": "gbk", "gb_2312-80": "gb2312", "gb2312-80": "gb2312", "gb_2312": "gb2312", "cp-936": "gbk", "ms936": "gbk",
    "windows-936": "gbk", "gb18030-2000": "gb18030", "hz-gb-2312": "hz", "x-big5": "big5", "cn-big5": "big5",
    "utf-8-mac": "utf-8", "utf8mb4": "utf-8", "unicode-1-1-utf-8": "utf-8", "8bit": "", "7bit": "", "default": "",
    "default_charset": "", "unknown-8bit": "", "x-unknown": "", "ansi": "", "binary": "",
}  # fmt: skip
# They are codecs, but not of mails: some run in quadratic time, some do as they are told.
_REFUSED = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem", "charmap"}
)
_NAME = re.compile(r"[A-Za-z0-9._:+-]{1,40}")
_FAR_FROM_LATIN = re.compile("[\u0800-\U0010ffff]")
_CANDIDATES = (("utf-8", 3), ("gb18030", 2), ("big5", 4))
"""In their order, each with the fewest letters that show it. One odd byte of Latin makes a letter of Big5."""
_ENOUGH = 0.8
_SAMPLE = 4096
_LONGEST_SHOWN = 40


def decoded(data: bytes, declared: str = "") -> tuple[str, str]:
    """The text in some bytes, and a sentence if it is not what is declared. Every byte string has a text."""
    if data.isascii() and _is_plain(declared):
        return data.decode("ascii"), ""
    name, shown = known(declared), " ".join(declared.split())[:_LONGEST_SHOWN]
    if name is None:
        text, used = _guessed(data)
        return text, f"“{shown}” is no charset that is known here; the text was read as {used}."
    text, used = _as_declared(data, name)
    if used == name or name in _SAYS_NOTHING[:1]:
        return text, ""
    return text, f"A text says that it is in {shown}, but it is not; it was read as {used}."


def known(declared: str) -> str | None:
    """The codec for a declared charset: empty if nothing is declared, None if nobody knows it."""
    name = declared.strip().strip("\"'").lower()
    name = _ALIASES.get(name, name)
    if not name:
        return ""
    if not _NAME.fullmatch(name):
        return None
    try:
        codec = codecs.lookup(name).name
        "".encode(codec)
    except (LookupError, ValueError):
        return None
    return None if codec.replace("_", "-") in _REFUSED else _WIDER.get(codec, codec)


def _is_plain(declared: str) -> bool:
    # Charsets of Japan and UTF-7 write other letters in bytes of ASCII.
    name = declared.strip().strip("\"'").lower()
    return name in ("", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1") or name.startswith(("gb", "big5"))


def _as_declared(data: bytes, name: str) -> tuple[str, str]:
    if name in _SAYS_NOTHING:
        return _guessed(data)
    text, utf8 = _strict(data, name), _strict(data, "utf-8")
    # Two characters of GBK may by chance be one of UTF-8, hardly ever two.
    is_utf8 = utf8 is not None and len(_FAR_FROM_LATIN.findall(utf8)) >= 2
    if utf8 is not None and _is_chinese(name) and is_utf8:
        return utf8, "utf-8"
    if text is not None:
        return text, name
    guess, used = _guessed(data)
    if used in ("cp1252", name):
        # Nothing fits: a few bytes are broken, the rest is as declared.
        return data.decode(name, "replace"), name
    return guess, used


def _is_chinese(name: str) -> bool:
    return name.startswith(("gb", "big5"))


def _guessed(data: bytes) -> tuple[str, str]:
    text = _strict(data, "utf-8")
    if text is not None:
        return text, "utf-8"
    for name, fewest in _CANDIDATES:
        if _speaks(data, name, fewest):
            return data.decode(name, "replace"), name
    return _latin(data), "cp1252"


def _latin(data: bytes) -> str:
    return data.decode("cp1252", "replace") if _strict(data, "cp1252") is not None else data.decode("latin-1")


def _strict(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeError, LookupError):
        return None


def _speaks(data: bytes, name: str, fewest: int) -> bool:
    """Whether nearly all letters beyond ASCII are common ones of a charset, and there are enough to tell."""
    text = data[:_SAMPLE].decode(name, "replace")
    letters = [letter for letter in text if not letter.isascii()]
    common = sum(_is_common(letter, name) for letter in letters)
    return common >= max(fewest, _ENOUGH * len(letters))


def _is_common(letter: str, name: str) -> bool:
    """Whether a letter stands among the punctuation or the frequent characters (level 1) of GB 2312 or Big5."""
    if name == "utf-8":
        return letter != "\ufffd"
    try:
        pair = letter.encode("gb2312" if name == "gb18030" else "big5")
    except UnicodeError:
        return False
    if name == "gb18030":
        return 0xB0 <= pair[0] <= 0xD7 or pair[0] in (0xA1, 0xA3)
    return 0xA4 <= pair[0] <= 0xC6 or pair[0] in (0xA1, 0xA2)
