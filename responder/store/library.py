"""The library: documents of the known-issue base with their full-text index, and the articles.

Finding is bounded, however many documents there are. For each word it is known how many documents hold it. The lists
of the rare words are read whole; of the common ones only the newest documents that hold two of them together, and the
articles that hold one; if that is too little, the newest that hold one. What is found is ranked by the words it shares,
and the best few are compared exactly (`domain.knowledge.similarity`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.engine import Connection, Row

from responder.domain.article import Article, ArticleState
from responder.domain.knowledge import Description, Rarity, Source, weight
from responder.errors import NotFound
from responder.store.bulk import listed
from responder.store.changes import touch
from responder.store.tables import articles, dumped

_RARE = 300
_MOST_RARE, _MOST_COMMON = 24, 5
_MOST_PAIRED, _MOST_ALONE = 100, 50
_TELLING = 0.5
_KEPT = [one.name for one in fields(Description) if one.name != "said"]
_Question = tuple[tuple[str, ...], int]
_ARTICLE = [one.name for one in fields(Article) if one.name != "id"]

_INSERT = {
    "sqlite": "INSERT INTO documents (source, ref, times, content) VALUES (?, ?, ?, ?) RETURNING id",
    "postgresql": "INSERT INTO documents (source, ref, times, content, words) "
    "VALUES (%s, %s, %s, %s, array_to_tsvector(CAST(%s AS text[])))",
}
_RECOUNT = {
    "sqlite": "INSERT INTO document_words (word, documents) SELECT key, value FROM json_each(?) WHERE true "
    "ON CONFLICT (word) DO UPDATE SET documents = documents + excluded.documents",
    # In one order, so that two replicas cannot wait for each other.
    "postgresql": "INSERT INTO document_words (word, documents) SELECT key, value::bigint FROM json_each_text(%s) "
    "ORDER BY key ON CONFLICT (word) DO UPDATE SET documents = document_words.documents + excluded.documents",
}
_HOLDING = {
    "sqlite": "SELECT rowid FROM documents_search WHERE documents_search MATCH ? ORDER BY rowid DESC LIMIT ?",
    "postgresql": "SELECT id FROM documents WHERE words @@ CAST(%s AS tsquery) ORDER BY id DESC LIMIT %s",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A document that shares telling words; `times`: for how many tickets in the very same words it stands."""

    source: Source
    ref: int
    times: int
    description: Description


class LibraryStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name
        self._is_sqlite = self._dialect == "sqlite"

    # --- documents: writing --------------------------------------------------------------------------

    def index(self, source: Source, ref: int, description: Description, *, after: int | None = None) -> None:
        """Keeps a document in place of what was kept for the same ticket or article.

        `after` is the ticket before of the same trouble. If nobody wrote a word to either, one document stands for
        both: an alert that comes every night shall not fill the base.
        """
        forgotten, times = self._forget(source, ref)
        before = None if after is None or description.insight else self._row_of(source, after)
        if before is not None and not orjson.loads(before.content)["insight"]:
            words_before, times_before = self._forget(source, after or 0)
            forgotten, times = forgotten + words_before, max(times, 1) + times_before
        content = _content(description)
        words = _words(source, content)
        self._insert((source.value, ref, max(times, 1), dumped(content)), words)
        self._recount(forgotten, words)

    def remove(self, source: Source, ref: int) -> None:
        """Forgets the document of a ticket or article, if there is one."""
        self._recount(self._forget(source, ref)[0], Counter())

    def _insert(self, values: tuple[Any, ...], words: Collection[str]) -> None:
        if self._is_sqlite:
            row = self._connection.exec_driver_sql(_INSERT["sqlite"], values).one()
            self._run("INSERT INTO documents_search (rowid, words) VALUES (?, ?)", row.id, " ".join(sorted(words)))
        else:
            self._connection.exec_driver_sql(_INSERT["postgresql"], (*values, sorted(words)))

    def _row_of(self, source: Source, ref: int) -> Any:
        return self._run(
            "SELECT id, times, content FROM documents WHERE ref = ? AND source = ?", ref, source.value
        ).first()

    def _forget(self, source: Source, ref: int) -> tuple[Counter[str], int]:
        """Deletes a document; gives its words and for how many tickets it stood."""
        row = self._row_of(source, ref)
        if row is None:
            return Counter(), 0
        words = _words(source, orjson.loads(row.content))
        self._run("DELETE FROM documents WHERE id = ?", row.id)
        if self._is_sqlite:
            gone = "INSERT INTO documents_search (documents_search, rowid, words) VALUES ('delete', ?, ?)"
            self._run(gone, row.id, " ".join(sorted(words)))
        return words, row.times

    def _recount(self, before: Counter[str], after: Counter[str]) -> None:
        by = {word: after[word] - before[word] for word in {*before, *after} if after[word] != before[word]}
        if by:
            self._connection.exec_driver_sql(_RECOUNT[self._dialect], (dumped(by),))

    # --- documents: finding --------------------------------------------------------------------------

    def rarity(self, words: Iterable[str]) -> Rarity:
        """How many documents there are, and how many hold each of these words."""
        kinds = [_kind(source) for source in Source]
        condition, value = listed(self._connection, "word", [*kinds, *map(_word, words)])
        rows = self._connection.exec_driver_sql(
            f"SELECT word, documents FROM document_words WHERE {condition}",  # noqa: S608 our own columns
            (value,),
        )
        counts = {row.word: row.documents for row in rows}
        total = sum(counts.pop(kind, 0) for kind in kinds)
        return Rarity(total=total, documents={word: count for word, count in counts.items() if count})

    def candidates(self, rarity: Rarity, limit: int = 50) -> list[Candidate]:
        """The documents that share the most telling of these words, the best first and the newest of equals."""
        shared: dict[int, set[str]] = {}
        for stage in plan(rarity):
            if len(shared) < limit:
                self._gather(stage, shared)
        hefts = {word: rarity.of(word) * weight(word) for word in rarity.documents}
        points = {one: sum(hefts.get(word, 0.0) for word in words) for one, words in shared.items()}
        return self._read(sorted(points, key=lambda one: (-points[one], -one))[:limit])

    def _gather(self, stage: Iterable[_Question], shared: dict[int, set[str]]) -> None:
        for words, most in stage:
            for document in self._holding(words, most):
                shared.setdefault(document, set()).update(words)

    def _holding(self, words: Iterable[str], most: int) -> list[int]:
        """The newest documents that hold all of these words."""
        query = (" AND " if self._is_sqlite else " & ").join(map(self._quoted, words))
        found = self._connection.exec_driver_sql(_HOLDING[self._dialect], (query, most))
        return [document for (document,) in found.fetchall()]

    def _quoted(self, word: str) -> str:
        # Words hold no quotes and no backslashes: see `_word`.
        return f'"{word}"' if self._is_sqlite else f"'{word}'"

    def _read(self, documents: list[int]) -> list[Candidate]:
        condition = "id IN (SELECT value FROM json_each(?))" if self._is_sqlite else "id = ANY(?)"
        given = dumped(documents) if self._is_sqlite else documents
        found = self._run(f"SELECT id, source, ref, times, content FROM documents WHERE {condition}", given)  # noqa: S608
        rows = {row.id: row for row in found}
        return [_candidate(rows[one]) for one in documents if one in rows]

    def _run(self, statement: str, *values: Any) -> Any:
        statement = statement if self._is_sqlite else statement.replace("?", "%s")
        return self._connection.exec_driver_sql(statement, values)

    # --- articles ------------------------------------------------------------------------------------

    def article(self, article_id: int, *, locked: bool = False) -> Article:
        """One article. `locked` orders this transaction with every other that changes it. Raises NotFound."""
        query = select(articles).where(articles.c.id == article_id)
        row = self._connection.execute(query.with_for_update() if locked else query).first()
        if row is None:
            raise NotFound(f"There is no article {article_id}.")
        return _article(row)

    def article_of(self, ticket_id: int) -> Article | None:
        """The newest article drawn from a ticket that is not retired."""
        is_in_use = articles.c.state != ArticleState.RETIRED.value
        query = select(articles).where(articles.c.ticket_id == ticket_id, is_in_use).order_by(articles.c.id.desc())
        row = self._connection.execute(query).first()
        return _article(row) if row else None

    def articles(self, *, state: str = "", before: int | None = None, limit: int = 100) -> list[Article]:
        """Articles, the newest first; `before` is the last id of the page before."""
        query = select(articles).order_by(articles.c.id.desc()).limit(limit)
        if state:
            query = query.where(articles.c.state == state)
        if before is not None:
            query = query.where(articles.c.id < before)
        return [_article(row) for row in self._connection.execute(query)]

    def write(self, article: Article) -> Article:
        """Writes a new article; gives it with its id."""
        row = self._connection.execute(articles.insert().values(_row(article)).returning(articles.c.id)).one()
        touch(self._connection, "knowledge")
        return self.article(row.id)

    def keep(self, article: Article) -> None:
        """Writes what was changed; the caller holds the row."""
        self._connection.execute(articles.update().where(articles.c.id == article.id).values(_row(article)))
        touch(self._connection, "knowledge")


def plan(rarity: Rarity) -> tuple[list[_Question], ...]:
    """What to ask the index for: words that a document holds together, and how many documents at most.

    The second stage is for the case that the first finds too little: common words that no document holds together.
    """
    counts = rarity.documents
    telling = [word for word in counts if weight(word) >= _TELLING] or list(counts)
    telling.sort(key=lambda word: (counts[word], word))
    rare = [word for word in telling if counts[word] <= _RARE][:_MOST_RARE]
    common = [word for word in telling if counts[word] > _RARE][:_MOST_COMMON]
    first = [
        *(((word,), _RARE) for word in rare),
        *((pair, _MOST_PAIRED) for pair in combinations(common, 2)),
        *(((word, _kind(Source.ARTICLE)), _MOST_PAIRED) for word in common),
    ]
    return first, [((word,), _MOST_ALONE) for word in common]


# --- how a document is written -----------------------------------------------------------------------


def _content(description: Description) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in _KEPT:
        value = getattr(description, name)
        made[name] = value if isinstance(value, str) else sorted(map(_word, value))
    return made


def _candidate(row: Row[Any]) -> Candidate:
    content: Mapping[str, Any] = orjson.loads(row.content)
    values: dict[str, Any] = {
        name: value if isinstance(value, str) else frozenset(value) for name, value in content.items()
    }
    return Candidate(source=Source(row.source), ref=row.ref, times=row.times, description=Description(**values))


def _words(source: Source, content: Mapping[str, Any]) -> Counter[str]:
    """What a document is found by, each once. It comes from what is kept: FTS5 must be told the same to forget it."""
    return Counter({_kind(source), *content["title"], *content["symptom"], *content["insight"], *content["names"]})


def _kind(source: Source) -> str:
    return f"={source.value}"


def _word(token: str) -> str:
    """A token as the index takes it: nothing but letters, digits and `-_.`, whatever a text may hold one day."""
    return "".join(one if one.isalnum() or one in "-_.=" else "_" for one in token)


# --- how an article is written -----------------------------------------------------------------------


def _row(article: Article) -> dict[str, Any]:
    return {name: getattr(article, name) for name in _ARTICLE} | {"state": article.state.value}


def _article(row: Row[Any]) -> Article:
    return Article(**{**row._mapping, "state": ArticleState(row.state)})
