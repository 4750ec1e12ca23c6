"""What is wrong with a request, field by field."""

from __future__ import annotations

from aiohttp import web


class Invalid(web.HTTPUnprocessableEntity):
    """A request that cannot be meant so. `parameter` names what in the query, `pointer` what in the body (RFC 6901)."""

    def __init__(self, detail: str, *, parameter: str = "", pointer: str = "") -> None:
        where = {"parameter": parameter} if parameter else {"pointer": pointer} if pointer else {}
        self.errors: list[dict[str, str]] = [{**where, "detail": detail}] if where else []
        super().__init__(text=detail)


def unknown(word: str, known: tuple[str, ...] | list[str], *, parameter: str = "", pointer: str = "") -> Invalid:
    """A word where only others are known."""
    there_are = f"there are {', '.join(known)}" if known else "there is none"
    where = f"“{parameter}”: " if parameter else ""
    return Invalid(f"{where}“{word[:100]}” is not known; {there_are}.", parameter=parameter, pointer=pointer)
