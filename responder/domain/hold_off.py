"""Hold-off: alerts that often go away by themselves trouble nobody before they have shown for a while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.durations import spoken
from responder.domain.matching import Matcher, all_match

Labels = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldOffRule:
    """Alerts that match wait so long. Without `grades` it is for all but the most urgent one."""

    name: str
    when: tuple[Matcher, ...]
    lasting: timedelta
    grades: tuple[str, ...] = ()

    def applies(self, labels: Labels, grade: str, most_urgent: str) -> bool:
        """Whether an alert of a ticket of this grade waits."""
        is_meant = grade in self.grades if self.grades else grade != most_urgent
        return is_meant and all_match(self.when, labels)

    def __str__(self) -> str:
        return f"{self.name}: {spoken(self.lasting)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """By which rules a ticket waits, and until when."""

    rules: tuple[HoldOffRule, ...]
    until: datetime


def patience(
    rules: Sequence[HoldOffRule], alerts: Iterable[Labels], *, grade: str, grades: Iterable[str], since: datetime
) -> Patience | None:
    """How long a ticket that shows since then waits: as long as the most impatient of its alerts, of which each goes
    by the first rule that applies. None if one of them does not wait. `grades` begin with the most urgent one."""
    most_urgent, found = next(iter(grades), ""), []
    for labels in alerts:
        rule = next((rule for rule in rules if rule.applies(labels, grade, most_urgent)), None)
        if rule is None:
            return None
        found.append(rule)
    if not found:
        return None
    return Patience(rules=tuple(dict.fromkeys(found)), until=since + min(rule.lasting for rule in found))
