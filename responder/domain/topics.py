"""Topics: what a change is about, said shortly enough to be passed on with each commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable

GENERAL = (
    "tickets", "runs", "approvals", "messages", "switches", "rotas", "knowledge", "config", "health",
)  # fmt: skip
"""What lists and states are about. `switches` are also maintenance windows, `rotas` also drills."""
ACCOUNTS = "accounts"
"""Who may read what. Nobody is told of it, but each open stream looks at its credential again."""
EVERYTHING = "everything"
"""Nobody knows what has changed: all of it may have."""
_NUMBERED = ("ticket", "run")
_MOST_NUMBERED = 50


def numbered(kind: str, ids: Collection[int]) -> Iterable[str]:
    """`ticket:7` for each of them; `ticket:*` for all, where they are too many to name."""
    if len(ids) > _MOST_NUMBERED:
        return (f"{kind}:*",)
    return (f"{kind}:{one}" for one in sorted(ids))


def collapsed(topics: Collection[str]) -> frozenset[str]:
    """The topics of several commits together, bounded as those of one are."""
    many = [f"{kind}:" for kind in _NUMBERED if sum(one.startswith(f"{kind}:") for one in topics) > _MOST_NUMBERED]
    return frozenset(f"{one.partition(':')[0]}:*" if one.startswith(tuple(many)) else one for one in topics)


def is_topic(text: str) -> bool:
    """Whether this can be asked for: a general topic, or one ticket or run or all of them."""
    kind, _, number = text.partition(":")
    is_number = number == "*" or (number.isascii() and number.isdigit() and len(number) < 18)
    return text in GENERAL or (kind in _NUMBERED and is_number)


def concerning(touched: Collection[str], wanted: Collection[str]) -> frozenset[str]:
    """Those of the touched topics that somebody asked for who wants only some; all of them for who wants all."""
    if not wanted or EVERYTHING in touched:
        return frozenset(touched)
    return frozenset(one for one in touched if one in wanted or _meets(one, wanted))


def _meets(touched: str, wanted: Collection[str]) -> bool:
    kind, separator, number = touched.partition(":")
    if not separator:
        return False
    return f"{kind}:*" in wanted or (number == "*" and any(one.startswith(f"{kind}:") for one in wanted))
