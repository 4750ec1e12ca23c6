"""Masking: what looks like a secret, or is a known one, does not reach the ticket."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

MASK = "***"

_SHAPES = (
    # A private key, whole or cut off at its end.
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    # user:password@ in a URL.
    re.compile(r"(?<=://)[^\s/:@]{1,100}:[^\s/@]{1,200}(?=@)"),
    re.compile(r"(?i)(?<=authorization: )(?:basic|bearer|token)? ?[^\s\"',]{4,}"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
    # JSON Web Tokens, and keys of AWS, GitHub, Slack, Google.
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}\b"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"\bAIza[A-Za-z0-9_-]{30,}\b"),
)
_NAMED = re.compile(
    r"(?i)(?P<name>[\w.-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|credential)[\w.-]{0,20}"
    r"[\"']?\s{0,3}[=:]\s{0,3}[\"']?)(?P<value>[^\s\"',;&]{3,200})"
)
_OPTION = re.compile(r"(?i)--?(?:[\w-]*-)?(?:password|passwd|passphrase|secret|token|api-?key|access-?key|pass)")
_SHORTEST = 6
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,253}")


def masked(text: str, known: Collection[str] = ()) -> str:
    """The text with known secrets, and what has a secret's shape or name, replaced by ***.

    Known secrets shorter than six characters are left: they would blot out ordinary words. A mail address is masked
    without regard to case, and as mail servers spell it within another one. A NUL, which no database keeps in a text,
    becomes U+FFFD.
    """
    text = text.replace("\0", "\ufffd")
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, MASK)
            for spelling in _spellings(secret):
                text = re.sub(re.escape(spelling), MASK, text, flags=re.IGNORECASE)
    for shape in _SHAPES:
        text = shape.sub(MASK, text)
    return _NAMED.sub(lambda found: f"{found['name']}{MASK}", text)


def masked_words(words: Sequence[str], known: Collection[str] = ()) -> list[str]:
    """The arguments of a command, each masked, and whole what follows an option for a secret, such as --password.

    A name of a file is shown: what is in it stays there.
    """
    before = ("", *words)
    return [
        MASK if is_secret_of(option, word) else masked(word, known) for option, word in zip(before, words, strict=False)
    ]


def is_secret_of(option: str, value: str) -> bool:
    """Whether an argument is the secret that the argument before it announces."""
    return _OPTION.fullmatch(option) is not None and not value.startswith(("-", "/"))


def _spellings(secret: str) -> Iterator[str]:
    """How an address is written; nothing for what is none, such as a password, whose case counts."""
    if "@" in secret:
        yield from (secret.replace("@", sign) for sign in ("@", "=", "%40"))


def without_addresses(text: str) -> str:
    """The text with whatever looks like a mail address replaced by ***."""
    return _ADDRESS.sub(MASK, text)
