"""A line in its sentences and clauses, in English and Chinese: what is said in one is not said of another."""

from __future__ import annotations

import re

_MOST = 40
# A number such as `serial no. 123` goes over no end of a sentence.
_ENDS = re.compile(r"(?<=[!?。！？])\s{0,20}|(?<=\.)(?<!\bno\.)(?<!\bNo\.)\s{1,20}")
_PARTS = re.compile(
    r"(?:(?<!\d),|,(?!\d)|[，、;；:：()（）!！。—–\t]|\.(?=\s|$)|\s-{1,2}\s"
    r"|\b(?:and|but|because|as|so|where|while|therefore|hence)\b"
    r"|但是?|而且|并且|所以|因此|目前|现在|因为|由于)\s{0,20}",
    re.IGNORECASE,
)


def sentences(line: str) -> list[str]:
    """The sentences of one line, each with what ends it. Beyond a bound the rest of the line is one."""
    return [one for one in _ENDS.split(line, _MOST) if one.strip()]


def clauses(sentence: str) -> list[str]:
    """The parts of a sentence between commas and joining words, without these."""
    return [one.strip() for one in _PARTS.split(sentence) if one.strip()]
