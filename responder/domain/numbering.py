"""Ticket numbers from a template with a serial, such as `INC-{date:%Y%m%d}-{seq:03d}`."""

from __future__ import annotations

import re
import string
from datetime import datetime
from functools import lru_cache

_FIELDS = ("date", "seq", "kind", "grade")
_DAY = "%Y%m%d"
_WIDTH = re.compile(r"(0[1-9]\d?)?d|")
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_DIGITS = {"Y": 4, "G": 4, "j": 3, "u": 1, "%": 0} | dict.fromkeys("ymdHMSV", 2)
"""What a date may say: only parts that always have as many digits."""

_SERIAL_IS_TOLD = re.compile(r"(?:(?P<left>.*)x)?9*#9*(?:x(?P<right>.*))?", re.DOTALL)


def check_template(template: str) -> None:
    """Raises ValueError if `template` cannot give unique numbers."""
    fields = [(name, spec or "", conversion) for _, name, spec, conversion in _parsed(template) if name is not None]
    for name, spec, conversion in fields:
        if name not in _FIELDS:
            raise ValueError(f"unknown field {{{name}}}; there are {{date:…}}, {{seq:03d}}, {{kind:02d}} and {{grade}}")
        if conversion:
            raise ValueError(f"{{{name}}} is written without !{conversion}")
        _check_spec(name, spec)
    serials = [name for name, _, _ in fields].count("seq")
    if serials != 1:
        raise ValueError("a number needs the serial once, like {seq:03d}, or two tickets would share it")
    _check_that_the_serial_is_told(template)


def scope(template: str, local_now: datetime, *, kind: int = 0, grade: str = "") -> str:
    """The serial starts anew whenever this text changes: all that the template says but the serial."""
    return "".join(_said(name, text, local_now, kind, grade) for name, text in _parts(template) if name != "seq")


def number(template: str, local_now: datetime, serial: int, *, kind: int = 0, grade: str = "") -> str:
    """The number of a ticket opened at `local_now` as the `serial`-th of its scope; `kind` is the code of its kind."""
    before, spec, after = _frame(template, local_now.replace(tzinfo=None), kind, grade)
    return f"{before}{serial:{spec}}{after}"


@lru_cache(maxsize=64)
def _frame(template: str, local_now: datetime, kind: int, grade: str) -> tuple[str, str, str]:
    """What stands before the serial, how it is written, and what stands after it: the same for many new tickets.

    `local_now` is without its zone: one instant in two zones would be one key, and may be two days.
    """
    parts = _parts(template)
    place = next(place for place, (name, _) in enumerate(parts) if name == "seq")
    said = ["" if name == "seq" else _said(name, text, local_now, kind, grade) for name, text in parts]
    return "".join(said[:place]), parts[place][1], "".join(said[place:])


def says(template: str, field: str) -> bool:
    """Whether numbers name this: date, seq, kind or grade."""
    return any(name == field for name, _ in _parts(template))


def largest_code(template: str) -> int | None:
    """The largest code of a kind that the template has room for; None if there is no limit."""
    widths = [int(text[1:-1]) for name, text in _parts(template) if name == "kind" and len(text) > 1]
    return 10 ** min(widths) - 1 if widths else None


@lru_cache(maxsize=16)
def _parts(template: str) -> tuple[tuple[str, str], ...]:
    """The pieces in their order: a field with its format, or an empty name with a text."""
    found: list[tuple[str, str]] = []
    for literal, name, spec, _ in _parsed(template):
        found += [("", literal)] if literal else []
        found += [(name, spec or (_DAY if name == "date" else ""))] if name is not None else []
    return tuple(found)


def _said(name: str, text: str, local_now: datetime, kind: int, grade: str) -> str:
    if name == "date":
        return format(local_now, text)
    if name == "kind":
        return format(kind, text)
    return grade if name == "grade" else text


def _parsed(template: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return list(string.Formatter().parse(template))


def _check_spec(name: str, spec: str) -> None:
    if name in ("seq", "kind") and not _WIDTH.fullmatch(spec):
        what = "the serial" if name == "seq" else "the kind"
        raise ValueError(f"{what} is written {{{name}}} or like {{{name}:03d}}, with at most two digits of width")
    if name == "grade" and spec:
        raise ValueError("the grade is written {grade}")
    if name == "date":
        _check_date(spec)


def _check_date(spec: str) -> None:
    if len(spec) > 20 or "{" in spec:
        raise ValueError("a field's format is too long or holds another field")
    for letter in _DIRECTIVE.findall(spec):
        if letter not in _DIGITS:
            known = " ".join(f"%{one}" for one in "YymdHMSjGVu")
            raise ValueError(f"a date in a number may say {known}, not %{letter}")


# --- where the serial begins and ends ---------------------------------------------------------------


def _check_that_the_serial_is_told(template: str) -> None:
    """Raises ValueError if two tickets may get one number, as 1 and 11 do with 11 and 1 by `{kind}{seq}`.

    A number can be taken apart again if the digits around the serial have a fixed width, if something that is no
    digit bounds them, and if they can be counted from one end: grades are any text, so only one side may have them.
    """
    found = _SERIAL_IS_TOLD.fullmatch(_shape(template))
    if found and not ("*" in (found["left"] or "") and "*" in (found["right"] or "")):
        return
    raise ValueError(
        "two tickets could get the same number: beside a kind or grade of any length nothing tells where the serial "
        "begins or ends; put a dash between, or give the kind a width, {kind:02d}"
    )


def _shape(template: str) -> str:
    """Each character of a number by its nature: `9` a digit, `x` none, `k` digits, `*` any text, `#` the serial."""
    return "".join(_shape_of(name, text) for name, text in _parts(template))


def _shape_of(name: str, text: str) -> str:
    if name == "date":
        return _shape_of("", _DIRECTIVE.sub(lambda found: "9" * _DIGITS[found[1]] or "x", text))
    if name == "kind":
        return "9" * int(text[1:-1]) if len(text) > 1 else "k"
    if name:
        return {"seq": "#", "grade": "*"}[name]
    return re.sub("[0-9]", "9", re.sub("[^0-9]", "x", text))
