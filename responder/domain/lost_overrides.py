"""Lost overrides: those that count no more since the files do not know their rota, or somebody of them, any longer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from responder.domain.rota import Override

_SHOWN = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """An override and what is not there any more: `rota first`, or `person lars`."""

    override: Override
    missing: str

    @property
    def why(self) -> str:
        what, _, name = self.missing.partition(" ")
        return f"there is no rota {name}" if what == "rota" else f"nobody is called {name}"


def that_count(overrides: Iterable[Override], people: Collection[str]) -> list[Override]:
    """Without those of people who have left: nobody would be on call in their place."""
    return [one for one in overrides if not one.person or one.person in people]


def lost(overrides: Iterable[Override], rotas: Collection[str], people: Collection[str], now: datetime) -> list[Lost]:
    """The overrides that hold or would hold, and cannot. Somebody who is away and has left is missed by nobody."""
    held = [one for one in overrides if one.person and one.holds_after(now)]
    found = [(one, _missing(one, rotas, people)) for one in held]
    return [Lost(override=one, missing=missing) for one, missing in found if missing]


def _missing(one: Override, rotas: Collection[str], people: Collection[str]) -> str:
    if one.rota and one.rota not in rotas:
        return f"rota {one.rota}"
    gone = [name for name in (one.person, one.instead_of) if name and name not in people]
    return f"person {gone[0]}" if gone else ""


def by_missing(found: Iterable[Lost]) -> Mapping[str, Sequence[Lost]]:
    """What is not there any more, with all that hung on it."""
    grouped: dict[str, list[Lost]] = {}
    for one in found:
        grouped.setdefault(one.missing, []).append(one)
    return grouped


def told_of(found: Sequence[Lost]) -> str:
    """All that hung on one rota or person, in a sentence."""
    shown = [f"{one.override.id} ({one.override}), {_span(one.override)}" for one in found[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    count = f"{len(found)} overrides count" if len(found) > 1 else "an override counts"
    return f"{found[0].why[:1].upper()}{found[0].why[1:]} any more, so {count} no longer: {'; '.join([*shown, *more])}."


def _span(one: Override) -> str:
    return f"{one.start:%Y-%m-%d %H:%M} to {one.ends:%Y-%m-%d %H:%M} UTC"
