"""Whether the one who reads may answer a question, said alike by every page that shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from responder.domain.approval import able
from responder.domain.oncall import Person
from responder.web.console import Visitor


def may_answer(visitor: Visitor, people: Mapping[str, Person], roles: Collection[str], team: str) -> bool:
    """Whether their yes or no would count; a token names who speaks only in the form."""
    if not visitor.may("approve") or visitor.objection_to_team(team):
        return False
    return not visitor.is_person or visitor.name in able(roles, people)
