"""What somebody has reported, as they read it again: as it came in, without what was filled in later."""

from __future__ import annotations

from dataclasses import dataclass

from responder.domain.feedback import sheet_by
from responder.domain.policy import Policy
from responder.domain.report_form import as_reported
from responder.domain.ticket import Ticket
from responder.flows.report_by_person import BY_A_PERSON
from responder.flows.report_reading import label_of
from responder.flows.texts.languages import offered


@dataclass(frozen=True, kw_only=True, slots=True)
class Reported:
    """The title, and what was said of each field with what the form calls it."""

    title: str
    fields: tuple[tuple[str, str], ...]


def reported(policy: Policy, ticket: Ticket, language: str) -> Reported | None:
    """None for a ticket of an alert, or one that goes on for a closed one: its words may be those of others."""
    if ticket.previous_id is not None or not ticket.trouble.startswith(f"{BY_A_PERSON}:"):
        return None
    chosen = {one.name: one.understood or one.choices for one in sheet_by(policy).all}
    fields = tuple(
        (label_of(name, language), offered(text, language) if text in chosen.get(name, ()) else text)
        for name, text in as_reported(ticket).items()
    )
    return Reported(title=ticket.title, fields=fields)
