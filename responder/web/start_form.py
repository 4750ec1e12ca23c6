"""The form on a ticket that starts a runbook, with what the runbook's parameters take once it has been chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from responder.config.configuration import Configuration
from responder.domain.ticket import Ticket
from responder.web.runbook_pages import Field as Taken
from responder.web.runbook_pages import fields_of
from responder.web.verb_forms import Field, VerbForm

START = "runs"
"""What starting a runbook is called in the paths of a ticket; it is no verb, for it has rules of its own."""
VALUES = "values"
"""Where the button leads that shows what the chosen runbook takes, and starts nothing."""
_MOST_TARGETS = 500
_LABEL = "label:"
_TARGET = Field(name="target", label="Target, if not the alert's", kind="choice", is_needed=False, is_name=True)
_MOST = 500


def start_form(configuration: Configuration, ticket: Ticket, typed: Mapping[str, str]) -> VerbForm:
    """What a person asks first aid for. Of a runbook that was chosen already its values are asked, too."""
    targets = tuple(one.name for one in configuration.targets[:_MOST_TARGETS])
    chosen = configuration.runbooks.get(typed.get("runbook", ""))
    return VerbForm(
        name=START,
        label="Start a runbook",
        fields=(
            _runbooks(configuration, ticket),
            replace(_TARGET, choices=targets),
            *(_value(one, ticket) for one in (fields_of(chosen) if chosen else ())),
        ),
    )


def nothing_to_fill_in(configuration: Configuration, ticket: Ticket, runbook: str) -> str:
    """Why there are no values to be filled in; empty if there are."""
    chosen = configuration.runbooks.get(runbook)
    if not ticket.is_open:
        return f"{ticket.number} is {ticket.status}, so there is nothing to run for."
    if chosen is None:
        return f"There is no runbook {runbook[:100]}." if runbook else "Choose a runbook first."
    return "" if fields_of(chosen) else f"{chosen.name} takes no values."


def given_labels(configuration: Configuration, typed: Mapping[str, str]) -> dict[str, str]:
    """What was filled in of the chosen runbook's values; those of one that was chosen before are left out."""
    chosen = configuration.runbooks.get(typed.get("runbook", ""))
    labels = [one.label for one in fields_of(chosen)] if chosen else []
    given = {label: typed.get(f"{_LABEL}{label}", "").replace("\x00", "").strip()[:_MOST] for label in labels}
    return {label: text for label, text in given.items() if text}


def _runbooks(configuration: Configuration, ticket: Ticket) -> Field:
    """Those that the policy has for such an alert apart from all others."""
    known, rules = configuration.runbooks, configuration.policy.first_aid
    meant = [one.runbook for one in rules if one.runbook in known and one.applies(ticket.labels, ticket.grade)]
    fits = tuple(dict.fromkeys(meant))
    others = tuple(name for name in sorted(known) if name not in fits)
    asks = Field(name="runbook", label="Runbook", kind="choice", choices=(*fits, *others), is_name=True)
    return replace(asks, groups=(("For such an alert", fits), ("All others", others))) if fits else asks


def _value(taken: Taken, ticket: Ticket) -> Field:
    said = ticket.labels.get(taken.label, "") or taken.default or ""
    return Field(
        name=f"{_LABEL}{taken.label}",
        label=taken.label,
        kind="choice" if taken.choices else "text",
        choices=taken.choices,
        # What the runbook that was chosen before needs must keep nobody from starting another.
        is_needed=False,
        value=said,
        is_value=True,
        is_name=True,
    )
