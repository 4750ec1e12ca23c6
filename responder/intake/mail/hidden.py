"""Which inline styles hide what stands in an element (CSS 2.2): senders put words for programs there."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LOOKED_AT = 2000
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_NOTHING = re.compile(r"(?:0++(?:\.0*+)?|\.0++)(?:px|pt|em|rem|ex|%|cm|mm|in|pc|vh|vw)?")
_ALWAYS = {"display": ("none",), "visibility": ("hidden", "collapse"), "mso-hide": ("all",)}
_HEIGHTS = ("height", "max-height", "width", "max-width")


def is_hidden(style: str, *, has_children: bool) -> bool:
    """Whether no reader sees the text. Letters of no size hide nothing that has a size of its own within."""
    if not style:
        return False
    says = _declarations(style[:_LOOKED_AT])
    if any(says.get(name) in values for name, values in _ALWAYS.items()) or _is_nothing(says.get("opacity")):
        return True
    if says.get("overflow") == "hidden" and any(_is_nothing(says.get(name)) for name in _HEIGHTS):
        return True
    return not has_children and _is_nothing(says.get("font-size"))


def _declarations(style: str) -> Mapping[str, str]:
    """The last of each name counts."""
    found: dict[str, str] = {}
    for one in _COMMENT.sub("", style).lower().split(";"):
        name, _, value = one.partition(":")
        found[name.strip()] = value.replace("!important", "").strip()
    return found


def _is_nothing(value: str | None) -> bool:
    return value is not None and value != "" and _NOTHING.fullmatch(value) is not None
