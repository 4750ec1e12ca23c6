"""Which host of the inventory an alert is about."""

from __future__ import annotations

from collections.abc import Mapping

from responder.domain.target import Target, find
from responder.flows.desk import Desk

_USUAL = "instance"


def host_of(desk: Desk, labels: Mapping[str, str], grade: str) -> Target | None:
    """The target that the label of its first-aid rule names, else the label `instance`; None if it is not known."""
    rule = desk.policy.first_aid_for(labels, grade)
    named = labels.get(rule.target if rule else _USUAL, "") or labels.get(_USUAL, "")
    return find(desk.configuration.targets, named) if named else None
