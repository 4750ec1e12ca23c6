"""Sizes and shares as runbooks write them: `500MiB`, `2GB`, `80%`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_UNITS = {"": 1, "B": 1} | {
    letter + ending: base**power
    for power, letter in enumerate("kMGT", start=1)
    for ending, base in (("B", 1000), ("iB", 1024))
}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,3})?) ?([A-Za-z]{0,3})")
_PERCENT = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?%")


def parse_size(value: object) -> int:
    """Bytes. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    unit = found[2].replace("K", "k") if found else ""
    if not found or unit not in _UNITS:
        raise ValueError(f"{value!r} is not a size; write it like 500MiB or 2GB")
    return int(float(found[1]) * _UNITS[unit])


def parse_percent(value: object) -> float:
    """The number before the percent sign. Raises ValueError."""
    if isinstance(value, float):
        return value
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is not a share; write it like 80%")
    return float(found[1])


def spoken_size(size: int) -> str:
    """A size for people: `0 B`, `1.5 GiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    power = next((power for power in range(len(units)) if size < 1024 ** (power + 1)), len(units) - 1)
    number = f"{size / 1024**power:.1f}".removesuffix(".0")
    return f"{number} {units[power]}"


Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema({"type": ["string", "integer"]})]
Percent = Annotated[float, BeforeValidator(parse_percent), WithJsonSchema({"type": "string"})]
