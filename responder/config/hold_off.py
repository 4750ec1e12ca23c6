"""The part of policy.yml that says which alerts wait a little before anybody is troubled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from responder.adapters.yaml_file import Place
from responder.config.budgets import Within
from responder.config.model import Model, SomeMatchers
from responder.domain.durations import spoken
from responder.domain.hold_off import HoldOffRule

_LONGEST = timedelta(hours=1)


class HoldOffFile(Model):
    """Alerts that match wait so long; without `grades` those of all but the most urgent one."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    when: SomeMatchers
    lasting: Annotated[Within, Field(alias="for")]
    grades: tuple[str, ...] = ()

    def as_rule(self) -> HoldOffRule:
        """The rule as the domain knows it."""
        return HoldOffRule(name=self.name, when=self.when, lasting=self.lasting, grades=self.grades)


def complaints(rules: Sequence[HoldOffFile], grades: Collection[str]) -> Iterator[tuple[Place, str]]:
    """What cannot be meant, each with its place."""
    for index, rule in enumerate(rules):
        place: tuple[Any, ...] = ("hold_off", index)
        if rule.name in {other.name for other in rules[:index]}:
            yield (*place, "name"), f"there is another rule called {rule.name}"
        if rule.lasting > _LONGEST:
            yield (*place, "for"), f"a trouble that may wait longer than {spoken(_LONGEST)} wants a lower grade instead"
        for position, name in enumerate(rule.grades):
            if name not in grades:
                yield (*place, "grades", position), f"there is no grade {name}; there are {', '.join(grades)}"
