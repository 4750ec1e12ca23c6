"""What people fill in, read with a sentence for everything that is missing or odd."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from responder.errors import BadForm

LONGEST_TEXT = 10_000
_MOST = 200


class Form:
    """The fields of one request. Every reader raises BadForm with a sentence that names the field."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    def text(self, name: str) -> str:
        """A text that must be there."""
        found = self.optional(name)
        if not found:
            raise BadForm(f"“{name}” is missing: a text that says why or what.")
        return found

    def optional(self, name: str) -> str:
        """A text that may be left out."""
        found = self._content.get(name)
        if found is None:
            return ""
        if not isinstance(found, str):
            raise BadForm(f"“{name}” is not a text.")
        return _clean(found)

    def content(self, name: str) -> bytes:
        """The content of a file: a text, or bytes in base64 under the same name with `_base64`."""
        coded = self._content.get(f"{name}_base64")
        if coded is None:
            found = self._content.get(name)
            if not isinstance(found, str) or not found:
                raise BadForm(f"“{name}” is missing: a text, or bytes as “{name}_base64”.")
            return found.encode()
        try:
            return b64decode(coded if isinstance(coded, str) else "", validate=True)
        except ValueError as error:
            raise BadForm(f"“{name}_base64” is not base64.") from error

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty ones are left out."""
        found = self._content.get(name) or ()
        if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
            raise BadForm(f"“{name}” is not a list of texts.")
        return tuple(_clean(one) for one in found[:_MOST] if one.strip())

    def fields(self, name: str) -> dict[str, str]:
        """Names with their texts."""
        found = self._content.get(name) or {}
        if not isinstance(found, Mapping) or not all(isinstance(one, str) for one in (*found, *found.values())):
            raise BadForm(f"“{name}” is no list of names with their texts.")
        return {_clean(key)[:80]: _clean(value) for key, value in list(found.items())[:_MOST]}

    def counts(self, name: str) -> dict[str, int]:
        """Names with how many."""
        found = self._content.get(name) or {}
        if not isinstance(found, Mapping) or not all(_is_count(one) for one in found.values()):
            raise BadForm(f"“{name}” is no list of names with how many (1 or more) of each.")
        return {_clean(str(key))[:80]: int(value) for key, value in list(found.items())[:_MOST]}

    def number(self, name: str) -> int | None:
        """A whole number that may be left out."""
        found = self._content.get(name)
        if found is None or found == "":
            return None
        if isinstance(found, str) and found.strip().isascii() and found.strip().isdigit() and len(found) < 16:
            return int(found)
        if isinstance(found, bool) or not isinstance(found, int):
            raise BadForm(f"“{name}” is not a whole number.")
        return found

    def yes(self, name: str, *, default: bool) -> bool:
        """Yes or no."""
        found = self._content.get(name, default)
        if isinstance(found, str) and found.lower() in _YES | _NO:
            return found.lower() in _YES
        if not isinstance(found, bool):
            raise BadForm(f"“{name}” is neither true nor false.")
        return found

    def instant(self, name: str) -> datetime | None:
        """An instant as RFC 3339 with its offset, or without one in UTC; it may be left out."""
        text = self.optional(name)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise BadForm(f"“{name}” is no time; write it like 2026-05-01T17:00+08:00.") from error

    def one_of(self, name: str, choices: Iterable[str]) -> str:
        """A word from a list."""
        found, known = self.text(name), list(choices)
        if found not in known:
            raise BadForm(f"“{name}” is one of {', '.join(known)}, not {found[:40]!r}.")
        return found


_YES, _NO = {"yes", "true", "1", "on"}, {"no", "false", "0", "off"}


def _clean(text: str) -> str:
    return text.replace("\x00", "\ufffd").strip()[:LONGEST_TEXT]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1_000_000
