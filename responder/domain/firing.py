"""Which alerts of a ticket still show, with their labels: as its history tells of those that came later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from responder.domain.report import identity
from responder.domain.ticket import Event, EventKind, Ticket


def firing_labels(ticket: Ticket, history: Iterable[Event]) -> Sequence[Mapping[str, str]] | None:
    """The labels of each alert that still shows; None if one of them is not known well enough to say."""
    known = {identity(ticket.labels): ticket.labels}
    for event in history:
        labels = event.data.get("labels")
        if event.kind is EventKind.ATTACHED and isinstance(labels, Mapping):
            known[identity(labels)] = labels
    found = [known.get(alert.partition(":")[0]) for alert in ticket.firing]
    return None if None in found else [labels for labels in found if labels is not None]
