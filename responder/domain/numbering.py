"""Ticket numbers from a template with a serial, such as `INC-{date:%Y%m%d}-{seq:03d}`."""

from __future__ import annotations

import re
import string
from datetime import datetime

_FIELDS = {"date", "seq"}
_DAY = "%Y%m%d"
_WIDTH = re.compile(r"(0?\d{0,2}d)?")


def check_template(template: str) -> None:
    """Raises ValueError if `template` cannot give unique numbers."""
    if any(spec and ("{" in spec or len(spec) > 20) for _, _, spec, _ in string.Formatter().parse(template)):
        raise ValueError("a field's format is too long or holds another field")
    if any(
        name == "seq" and not _WIDTH.fullmatch(spec or "") for _, name, spec, _ in string.Formatter().parse(template)
    ):
        raise ValueError("the serial is written {seq} or like {seq:03d}, with at most two digits of width")
    fields = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    if unknown := fields - _FIELDS:
        raise ValueError(f"unknown field {{{min(unknown)}}}; there are {{date:…}} and {{seq:03d}}")
    if "seq" not in fields:
        raise ValueError("a number needs the serial, {seq:03d}, or two tickets would share it")
    template.format(date=datetime(2026, 1, 1), seq=1)  # noqa: DTZ001 only its form is tried


def scope(template: str, local_now: datetime) -> str:
    """The serial starts anew whenever this text changes: what the template says of the date."""
    parts = []
    for literal, name, spec, _ in string.Formatter().parse(template):
        parts.append(literal)
        if name == "date":
            parts.append(format(local_now, spec or _DAY))
    return "".join(parts)


def number(template: str, local_now: datetime, serial: int) -> str:
    """The number of a ticket opened at `local_now` as the `serial`-th of its scope."""
    return template.replace("{date}", f"{{date:{_DAY}}}").format(date=local_now, seq=serial)
