"""Counting: numbers in sentences that people read."""

from __future__ import annotations


def counted(number: int, one: str, more: str = "") -> str:
    """The number with its noun, as it is said: `1 page`, `0 pages`; `more` for what takes no `s`: `1 is`, `2 are`."""
    return f"{number} {one if number == 1 else more or f'{one}s'}"
