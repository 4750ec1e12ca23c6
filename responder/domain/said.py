"""What somebody wrote and who they are, as grade rules ask for it. Alerts say nothing of the kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

WORDS, SENDER = "said:words", "said:sender"
"""Names of facts under which a report by a person carries them. No form and no alert can have a name with a colon."""
_LONGEST = 20_000


def told_by(text: Iterable[str], sender: str) -> dict[str, str]:
    """The facts for grading a report by a person; they are kept nowhere."""
    return {WORDS: "\n".join(text)[:_LONGEST], SENDER: sender}


def found_words(words: Iterable[str], facts: Mapping[str, str]) -> tuple[str, ...]:
    """Which of these words stand in what a person wrote, in capitals or not. Latin words only as whole words, so that
    `down` is not found in `download`; Chinese has no spaces between words."""
    text = facts.get(WORDS, "").casefold()
    return tuple(word for word in words if text and _pattern(word.casefold()).search(text))


def is_from(senders: Iterable[str], facts: Mapping[str, str]) -> bool:
    """Whether the sender's address is one of these, such as `boss@example.org` or `*@vip.example.org`."""
    address = facts.get(SENDER, "").casefold()
    return bool(address) and any(fnmatchcase(address, one.casefold()) for one in senders)


@lru_cache(maxsize=1024)
def _pattern(word: str) -> re.Pattern[str]:
    begin = r"\b" if _is_latin(word[:1]) else ""
    end = r"\b" if _is_latin(word[-1:]) else ""
    # Words may be parted by any spaces, also where a line ends.
    inside = r"\s+".join(re.escape(part) for part in word.split())
    return re.compile(f"{begin}{inside}{end}")


def _is_latin(letter: str) -> bool:
    return letter.isalnum() and letter < "\u0250"
