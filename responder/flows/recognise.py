"""Recognise: is a trouble recurring or new? And what a closed ticket leaves for the next time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from responder.domain.dossier import Dossier
from responder.domain.knowledge import (
    Description,
    Match,
    Recognition,
    Source,
    described,
    matching_words,
    similarity,
    verdict,
)
from responder.domain.ticket import Change, Disposition, EventKind, Ticket
from responder.errors import NotFound
from responder.flows.desk import Desk
from responder.store.library import Candidate, LibraryStore
from responder.store.transaction import Transaction

SYMPTOM_FIELDS = ("symptom", "description", "trigger", "steps_to_reproduce", "steps", "message")
ERROR_CODE = "error_code"
_NOT_LEARNT_FROM = (Disposition.DUPLICATE, Disposition.FALSE_ALARM, Disposition.MAINTENANCE)
_MOST = 5
_LONGEST = 300


def recognise(desk: Desk, tx: Transaction, change: Change, dossier: Dossier) -> Recognition:
    """Looks for the ticket's trouble in the knowledge base, and writes the verdict into its history."""
    seen = similar(desk, tx, change.after, dossier)
    write_down(desk, change, seen)
    return seen


def write_down(desk: Desk, change: Change, seen: Recognition) -> None:
    """Writes a verdict into a ticket's history."""
    similar_ones = [match_line(match) for match in seen.similar]
    change.note(desk.clock.now(), EventKind.HANDLED, seen.sentence, recurring=seen.is_recurring, similar=similar_ones)


def similar(desk: Desk, tx: Transaction, ticket: Ticket, dossier: Dossier) -> Recognition:
    """What the knowledge base says of a ticket's trouble."""
    query, library = description_of(ticket, dossier), LibraryStore(tx.connection)
    rarity = library.rarity(query.shown)
    ranked = sorted(
        ((similarity(query, one.description, rarity), one) for one in library.candidates(rarity)),
        key=lambda pair: -pair[0],
    )
    found = []
    for score, candidate in ranked[: 2 * _MOST]:
        origin = _origin(tx, candidate)
        if origin is not None and origin.ticket_id != ticket.id:
            words = matching_words(query, candidate.description, rarity)
            found.append((origin.ticket_id, _match(candidate, origin, score, words)))
    # An article says all that its ticket does.
    told = {ticket_id for ticket_id, match in found if match.source is Source.ARTICLE}
    left = [match for ticket_id, match in found if match.source is Source.ARTICLE or ticket_id not in told]
    return verdict(left[:_MOST], desk.policy.similar_from)


def index_closed(tx: Transaction, ticket: Ticket, dossier: Dossier) -> None:
    """Keeps what a ticket that has ended teaches, in place of what was kept of it before.

    A pseudo-fault teaches only by its guide. Duplicates, false alarms and maintenance teach nothing.
    """
    library = LibraryStore(tx.connection)
    teaches_nothing = ticket.disposition == Disposition.PSEUDO_FAULT and not dossier.guide
    if ticket.disposition in _NOT_LEARNT_FROM or teaches_nothing:
        library.remove(Source.TICKET, ticket.id)
        return
    library.index(Source.TICKET, ticket.id, description_of(ticket, dossier), after=ticket.previous_id)


def description_of(ticket: Ticket, dossier: Dossier) -> Description:
    """A ticket as the knowledge base compares it."""
    return described(
        ticket.title,
        symptom=symptom_of(ticket, dossier),
        insight="\n".join(_insight(ticket, dossier)),
        labels={**dossier.fields, **ticket.labels},
        code=dossier.fields.get(ERROR_CODE, ""),
    )


def symptom_of(ticket: Ticket, dossier: Dossier) -> str:
    """What was reported, in the words of the form or of the alert. Nothing else of a form: it is about the reporter."""
    said: Mapping[str, str] = dossier.fields or ticket.annotations
    return "\n".join(said[name] for name in SYMPTOM_FIELDS if said.get(name))


def solution_of(dossier: Dossier) -> str:
    """What helped, as people wrote it; what was planned if nothing else is said."""
    planned = "; ".join(dossier.plan.steps) if dossier.plan and dossier.plan.approved_at else ""
    return dossier.solution or dossier.guide or planned


def match_line(match: Match) -> dict[str, object]:
    """A match for programs."""
    return {
        "source": match.source.value,
        "id": match.id,
        "name": match.name,
        "title": match.title,
        "score": round(match.score, 2),
        "words": list(match.words),
        "solution": match.solution,
        "times": match.times,
    }


def _insight(ticket: Ticket, dossier: Dossier) -> Iterable[str]:
    if ticket.disposition == Disposition.PSEUDO_FAULT:
        yield dossier.guide
        return
    yield from (dossier.diagnosis, dossier.cause, dossier.solution, dossier.guide)
    if dossier.plan:
        yield from dossier.plan.steps
    if dossier.review:
        yield from (dossier.review.root_cause, *dossier.review.whys, *dossier.review.factors)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Origin:
    """What a document was made of, as far as people want to see it."""

    name: str
    title: str
    solution: str
    ticket_id: int | None


def _origin(tx: Transaction, candidate: Candidate) -> _Origin | None:
    try:
        if candidate.source is Source.ARTICLE:
            one = LibraryStore(tx.connection).article(candidate.ref)
            return _Origin(name=one.name, title=one.title, solution=one.solution, ticket_id=one.ticket_id)
        ticket = tx.tickets.one(candidate.ref).ticket
    except NotFound:
        return None
    solution = solution_of(tx.dossiers.of_ticket(ticket.id))
    return _Origin(name=ticket.number, title=ticket.title, solution=solution, ticket_id=ticket.id)


def _match(candidate: Candidate, origin: _Origin, score: float, words: tuple[str, ...]) -> Match:
    shown = " ".join(origin.solution.split())
    return Match(
        source=candidate.source,
        id=candidate.ref,
        name=origin.name,
        title=origin.title,
        score=score,
        words=words,
        solution=shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…",
        times=candidate.times,
    )
