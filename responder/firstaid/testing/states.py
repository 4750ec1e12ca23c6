"""States of a fake world: what an answer leaves behind, and what other answers depend on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_FORM = re.compile(r"(?P<no>not )?(?P<name>\S.*?)(?: on (?P<host>\S+))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """`name`, `not name`, `name on HOST`. Without a host: the host that the rule belongs to."""

    name: str
    host: str = ""
    is_set: bool = True


def parse_condition(text: object) -> Condition:
    """Raises ValueError."""
    found = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{text!r} is no state; write a word, `not WORD`, or `WORD on HOST`")
    return Condition(name=found["name"], host=found["host"] or "", is_set=not found["no"])


def _conditions(value: object) -> tuple[Condition, ...]:
    return tuple(parse_condition(one) for one in (value if isinstance(value, list | tuple) else [value]))


Conditions = Annotated[
    tuple[Condition, ...],
    BeforeValidator(_conditions),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class States:
    """The states that hold now, each on a host; what belongs to no host has the host ""."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str]] = set()

    def hold(self, conditions: Iterable[Condition], host: str) -> bool:
        """Whether all are as wanted. What belongs to no host asks about every host."""
        return all(self._has(one, host) is one.is_set for one in conditions)

    def become(self, conditions: Iterable[Condition], host: str) -> None:
        for one in conditions:
            if one.is_set:
                self._held.add((one.host or host, one.name))
            elif one.host or host:
                self._held.discard((one.host or host, one.name))
            else:
                self._held = {held for held in self._held if held[1] != one.name}

    def _has(self, condition: Condition, host: str) -> bool:
        where = condition.host or host
        if where:
            # What an answer of a URL left behind belongs to no host, and is seen from everywhere.
            return (where, condition.name) in self._held or ("", condition.name) in self._held
        return any(name == condition.name for _, name in self._held)
