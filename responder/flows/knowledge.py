"""Knowledge: articles are drafted from tickets or written, and published; the case library is searched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from responder.domain.access import Identity
from responder.domain.article import EDITABLE, Article, ArticleState, refusal_to_edit, refusal_to_publish
from responder.domain.dossier import Dossier
from responder.domain.knowledge import Rarity, Recognition, Source, described, weight
from responder.domain.masking import masked
from responder.domain.ticket import Change, EventKind, Ticket
from responder.domain.words import Passage, marked, names, tokens
from responder.errors import BadForm, NotFound, Refused
from responder.flows import deeds
from responder.flows.desk import Desk
from responder.flows.moves import refuse_other_teams
from responder.flows.recognise import ERROR_CODE, similar, solution_of, symptom_of
from responder.store.library import Candidate, LibraryStore
from responder.store.transaction import Transaction

_SCENE = ("alertname", "service", "job", "app", "component", "product", "model")
_LONGEST_EXCERPT = 160
_LONGEST_TITLE = 200
_Decide = Callable[[Article], Article]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """Something in the case library that a search has found; `score` says how much of what was looked for is in it."""

    source: Source
    id: int
    name: str
    title: Passage
    excerpt: Passage
    score: float


# --- finding -----------------------------------------------------------------------------------------


async def search(desk: Desk, text: str, limit: int = 20) -> list[Hit]:
    """What the case library holds of these words, the best first. Raises BadForm if there is no word in them."""
    wanted = (*tokens(text), *names(text))
    if not wanted:
        raise BadForm(f"“{text[:80]}” holds no word that could be looked for.")

    def gather(tx: Transaction) -> list[Hit]:
        library = LibraryStore(tx.connection)
        rarity = library.rarity(wanted)
        found = [(_share(wanted, one, rarity), one) for one in library.candidates(rarity, limit)]
        ranked = sorted(found, key=lambda pair: -pair[0])
        hits = (_hit(tx, candidate, wanted, score) for score, candidate in ranked)
        return [hit for hit in hits if hit is not None]

    return await desk.store.read(gather)


async def similar_to(desk: Desk, key: str) -> Recognition:
    """What the knowledge base says of a ticket's trouble now. Raises NotFound."""

    def gather(tx: Transaction) -> Recognition:
        ticket = tx.tickets.find(key).ticket
        return similar(desk, tx, ticket, tx.dossiers.of_ticket(ticket.id))

    return await desk.store.read(gather)


def _share(wanted: Iterable[str], candidate: Candidate, rarity: Rarity) -> float:
    there = candidate.description.all | candidate.description.names
    hefts = {word: rarity.of(word) * weight(word) for word in wanted}
    return sum(heft for word, heft in hefts.items() if word in there) / sum(hefts.values())


def _hit(tx: Transaction, candidate: Candidate, wanted: Collection[str], score: float) -> Hit | None:
    try:
        if candidate.source is Source.ARTICLE:
            article = LibraryStore(tx.connection).article(candidate.ref)
            name, title, text = article.name, article.title, _whole_text(article)
        else:
            ticket = tx.tickets.one(candidate.ref).ticket
            drawn = _drawn_from(ticket, tx.dossiers.of_ticket(ticket.id))
            name, title, text = ticket.number, ticket.title, _whole_text(drawn)
    except NotFound:
        return None
    excerpt = marked(text, wanted, _LONGEST_EXCERPT)
    return Hit(
        source=candidate.source, id=candidate.ref, name=name, title=marked(title, wanted), excerpt=excerpt, score=score
    )


def _whole_text(words: Article | Mapping[str, str]) -> str:
    parts = words if isinstance(words, Mapping) else {name: getattr(words, name) for name in EDITABLE}
    return "\n".join(parts[name] for name in EDITABLE if name != "title" and parts[name])


# --- writing -----------------------------------------------------------------------------------------


async def draft(desk: Desk, key: str, actor: str, who: Identity | None = None) -> Article:
    """Drafts an article from what a ticket's people found out. Raises NotFound, or Refused if there is one already.

    `who` is whose word it is, where somebody has signed in: the ticket must be of their teams.
    """
    now = desk.clock.now()

    def body(tx: Transaction) -> Article:
        known = tx.tickets.one(tx.tickets.find(key).ticket.id, locked=True)
        ticket, library = known.ticket, LibraryStore(tx.connection)
        refuse_other_teams(who, ticket)
        if (there := library.article_of(ticket.id)) is not None:
            raise Refused(f"{ticket.number} has article {there.id} already ({there.state}); edit that one.")
        dossier = tx.dossiers.of_ticket(ticket.id)
        new = Article(
            ticket_id=ticket.id, title="", labels=_scene(ticket, dossier), actor=actor, created_at=now, changed_at=now
        )
        written = library.write(_worded(desk, new, _drawn_from(ticket, dossier)))
        change = Change.of(ticket, known.clocks)
        change.note(now, EventKind.HANDLED, f"{actor} has drafted {written.name}.", actor, article=written.id)
        tx.apply([change], now)
        deeds.tell(desk, tx, f"{written.title} ({ticket.number})", str(written.id))
        return written

    return await desk.store.write(body)


async def write(desk: Desk, words: Mapping[str, str], actor: str, labels: Mapping[str, str]) -> Article:
    """Writes an article that comes from no ticket, as a draft. Raises BadForm."""
    if not words.get("title"):
        raise BadForm("“title” is missing: what the trouble is called.")
    now = desk.clock.now()
    made = _worded(desk, Article(title="", labels=labels, actor=actor, created_at=now, changed_at=now), words)

    def body(tx: Transaction) -> Article:
        written = LibraryStore(tx.connection).write(made)
        deeds.tell(desk, tx, written.title, str(written.id))
        return written

    return await desk.store.write(body)


async def edit(
    desk: Desk, article_id: int, words: Mapping[str, str], actor: str, *, seen_at: datetime | None = None
) -> Article:
    """Changes what `words` names; what is published is found by its new words at once. Raises NotFound, and Refused
    also if somebody else has changed it after `seen_at`, when it was last changed as far as the editor knows."""
    unknown = sorted(set(words) - set(EDITABLE))
    if unknown or not words:
        raise BadForm(f"Say what to change: {', '.join(EDITABLE)}.")

    def decide(article: Article) -> Article:
        if why := refusal_to_edit(article):
            raise Refused(why)
        if seen_at is not None and article.changed_at != seen_at:
            raise Refused(f"{article.actor} has changed {article.name} meanwhile; look at both and change it again.")
        changed = _worded(desk, article, words)
        if article.state is ArticleState.PUBLISHED and (why := refusal_to_publish(changed)):
            raise Refused(f"It is published: {why}")
        return changed

    return await _change(desk, article_id, actor, decide)


async def publish(desk: Desk, article_id: int, actor: str) -> Article:
    """From now on it is recommended. Raises NotFound, or Refused with what it still needs."""

    def decide(article: Article) -> Article:
        if why := refusal_to_publish(article):
            raise Refused(why)
        return replace(article, state=ArticleState.PUBLISHED)

    return await _change(desk, article_id, actor, decide)


async def retire(desk: Desk, article_id: int, actor: str) -> Article:
    """It is kept, but found no more. Raises NotFound."""
    return await _change(desk, article_id, actor, lambda article: replace(article, state=ArticleState.RETIRED))


async def _change(desk: Desk, article_id: int, actor: str, decide: _Decide) -> Article:
    now = desk.clock.now()

    def body(tx: Transaction) -> Article:
        library = LibraryStore(tx.connection)
        article = library.article(article_id, locked=True)
        changed = decide(article)
        if changed == article:
            return article
        changed = replace(changed, actor=actor, changed_at=now)
        library.keep(changed)
        _index(library, changed)
        parts = ", ".join(name for name in EDITABLE if getattr(article, name) != getattr(changed, name))
        deeds.tell(desk, tx, f"{changed.title}: {parts}" if parts else changed.title)
        return changed

    return await desk.store.write(body)


def _index(library: LibraryStore, article: Article) -> None:
    """Only what is published is in the index."""
    if article.state is not ArticleState.PUBLISHED:
        library.remove(Source.ARTICLE, article.id)
        return
    insight = f"{article.cause}\n{article.solution}"
    words = described(article.title, symptom=article.symptom, insight=insight, labels=article.labels)
    library.index(Source.ARTICLE, article.id, words)


def _drawn_from(ticket: Ticket, dossier: Dossier) -> dict[str, str]:
    """What an article says that is drafted from a ticket: what is empty people have to fill in."""
    review, code = dossier.review, dossier.fields.get(ERROR_CODE, "")
    symptom = symptom_of(ticket, dossier) or ticket.title
    cause = [review.root_cause, *review.whys] if review else [dossier.cause or dossier.diagnosis]
    solution = [solution_of(dossier), review.improvements if review else ""]
    return {
        "title": ticket.title[:_LONGEST_TITLE],
        "symptom": f"{symptom}\n{code}" if code and code not in symptom else symptom,
        "cause": "\n".join(filter(None, cause)),
        "solution": "\n".join(filter(None, solution)),
    }


def _scene(ticket: Ticket, dossier: Dossier) -> dict[str, str]:
    said = {**dossier.fields, **ticket.labels}
    return {name: said[name] for name in _SCENE if said.get(name)}


def _worded(desk: Desk, article: Article, words: Mapping[str, str]) -> Article:
    """The article in these words, without secrets."""
    secrets = desk.configuration.secrets
    said = {name: masked(words.get(name, getattr(article, name)).strip(), secrets) for name in EDITABLE}
    return replace(
        article, title=said["title"], symptom=said["symptom"], cause=said["cause"], solution=said["solution"]
    )
