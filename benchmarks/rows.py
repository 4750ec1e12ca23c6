"""A row of the result: ours and the limit in turn, several rounds, and their medians."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

import orjson


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How long and how often, and on which database ours stores."""

    rounds: int = 3
    seconds: float = 1.5
    server: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One JSON line; `more` holds what this row has beside the common figures."""

    name: str
    unit: str
    ours: float
    limit: float
    rounds: int
    more: dict[str, object] = field(default_factory=dict)

    def line(self) -> str:
        """`ratio` is ours / limit: for rates 1 is the best one can hope for, for times and sizes too."""
        common = {"name": self.name, "ours": _short(self.ours), "limit": _short(self.limit)}
        ratio = {"ratio": _short(self.ours / self.limit), "unit": self.unit, "rounds": self.rounds}
        more = {key: _short(value) if isinstance(value, float) else value for key, value in self.more.items()}
        return orjson.dumps({**common, **ratio, **more}).decode()


def middle(values: Iterable[float]) -> float:
    """The median; 0 of nothing."""
    found = list(values)
    return median(found) if found else 0.0


def _short(value: float) -> float:
    return float(f"{value:.3g}") if abs(value) < 1000 else round(value)
