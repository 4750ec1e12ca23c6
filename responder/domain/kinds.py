"""Kinds: what sort of trouble a ticket is about, and which team that means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from responder.domain.matching import Matcher, all_match


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind. `code` is its number in ticket numbers, `team` who handles it (empty: by the team rules)."""

    name: str
    code: int = 0
    team: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class KindRule:
    """Reports that match are of this kind."""

    kind: str
    when: tuple[Matcher, ...] = ()


def kind_of(rules: Iterable[KindRule], default: str, labels: Mapping[str, str]) -> str:
    """The kind by the first rule that holds."""
    return next((rule.kind for rule in rules if all_match(rule.when, labels)), default)
