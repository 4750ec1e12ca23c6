"""The library on both kinds of database: the same words find the same documents, in bounded work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from sqlalchemy import text

from responder.domain.article import Article, ArticleState
from responder.domain.knowledge import Description, Rarity, Source, described
from responder.domain.words import names, tokens
from responder.errors import NotFound
from responder.store.database import Database
from responder.store.library import LibraryStore, plan
from responder.store.search_schema import create_search, drop_search

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
T = TypeVar("T")


def done(database: Database, body: Callable[[LibraryStore], T]) -> T:
    return database.write_now(lambda tx: body(LibraryStore(tx.connection)))


def keep(database: Database, ref: int, title: str, *, insight: str = "", after: int | None = None) -> None:
    words = described(title, insight=insight)
    done(database, lambda library: library.index(Source.TICKET, ref, words, after=after))


def find(database: Database, words: str, limit: int = 50) -> list[int]:
    wanted = (*tokens(words), *names(words))
    return done(database, lambda library: [one.ref for one in library.candidates(library.rarity(wanted), limit)])


def counts(database: Database, words: str) -> tuple[int, dict[str, int]]:
    rarity = done(database, lambda library: library.rarity(tokens(words)))
    return rarity.total, dict(rarity.documents)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("disk", [3, 1]),
        ("磁盘", [3, 1]),
        ("full disk", [1, 3]),
        ("乱码", [2]),
        ("姓名", [2]),
        ("ORA-01653", [3]),
        ("ora-01653", [3]),
        ("web-1", [1]),
        ("printer", []),
        ("服务 service", []),
        ("", []),
    ],
)
def test_words_of_either_language_codes_and_hosts_are_found(
    database: Database, words: str, expected: list[int]
) -> None:
    keep(database, 1, "Disk full on web-1")
    keep(database, 2, "接口返回的姓名是乱码")
    keep(database, 3, "Disk error ORA-01653")
    assert find(database, words) == expected


@pytest.mark.parametrize(
    "odd",
    ["it's", 'a "quoted" word', "back\\slash", "x' OR 1=1 --", "NEAR(a b)", "a AND NOT b", "col:umn *", "é ñ ß Ωμέγα",
     "İstanbul", "नमस्ते", "①②③ ﬁne", "café_au-lait.v2"],
)  # fmt: skip
def test_whatever_stands_in_a_text_is_indexed_searched_and_forgotten(database: Database, odd: str) -> None:
    keep(database, 1, f"printer {odd}")
    assert find(database, f"printer {odd}") == [1]
    done(database, lambda library: library.remove(Source.TICKET, 1))
    assert find(database, f"printer {odd}") == []
    assert counts(database, f"printer {odd}") == (0, {})


@pytest.mark.parametrize("word", ['a"b', "it's", "x y", "back\\slash", "(a|b)", "a:*", "tab\tnew\nline"])
def test_a_word_cannot_break_out_of_the_question_even_if_the_splitting_let_it_pass(
    database: Database, word: str
) -> None:
    done(database, lambda library: library.index(Source.TICKET, 1, Description(title=frozenset({word, "disk"}))))
    found = done(database, lambda library: library.candidates(library.rarity([word])))
    assert [one.ref for one in found] == [1]


def test_a_document_takes_the_place_of_what_was_there(database: Database) -> None:
    keep(database, 1, "Disk full")
    keep(database, 1, "Printer jams")
    assert find(database, "disk") == []
    assert find(database, "printer") == [1]
    assert counts(database, "disk printer") == (1, {"printer": 1})


def test_what_is_taken_back_leaves_no_word(database: Database) -> None:
    keep(database, 1, "Disk full")

    def fails(library: LibraryStore) -> None:
        library.index(Source.TICKET, 2, described("Printer jams"))
        library.remove(Source.TICKET, 1)
        raise NotFound("no")

    with pytest.raises(NotFound):
        done(database, fails)
    assert counts(database, "disk printer") == (1, {"disk": 1})
    assert (find(database, "disk"), find(database, "printer")) == ([1], [])


def test_an_article_and_a_ticket_of_the_same_number_are_two_documents(database: Database) -> None:
    keep(database, 1, "Disk full")
    done(database, lambda library: library.index(Source.ARTICLE, 1, described("Disk full")))
    found = done(database, lambda library: library.candidates(library.rarity(["disk"])))
    assert {(one.source, one.ref) for one in found} == {(Source.TICKET, 1), (Source.ARTICLE, 1)}
    done(database, lambda library: library.remove(Source.ARTICLE, 1))
    assert find(database, "disk") == [1]


def test_what_was_described_comes_back_whole(database: Database) -> None:
    labels = {"alertname": "DiskFull", "service": "order", "model": "MX-200"}
    words = described("Disk full on web-1", symptom="ORA-01653", insight="日志轮转丢失", labels=labels)
    done(database, lambda library: library.index(Source.TICKET, 1, words))
    (found,) = done(database, lambda library: library.candidates(library.rarity(["disk"])))
    assert found.description == words


def test_the_same_alert_again_is_one_document_while_nobody_writes_a_word(database: Database) -> None:
    keep(database, 1, "Disk full")
    keep(database, 2, "Disk full", after=1)
    keep(database, 3, "Disk full", after=2)
    found = done(database, lambda library: library.candidates(library.rarity(["disk"])))
    assert [(one.ref, one.times) for one in found] == [(3, 3)]
    keep(database, 3, "Disk full", insight="Old logs.")
    keep(database, 4, "Disk full", after=3)
    found = done(database, lambda library: library.candidates(library.rarity(["disk"])))
    assert [(one.ref, one.times) for one in found] == [(4, 1), (3, 3)]
    assert counts(database, "disk") == (2, {"disk": 2})


def test_the_best_come_first_and_of_equals_the_newest(database: Database) -> None:
    for ref in range(1, 8):
        keep(database, ref, "Disk full")
    keep(database, 8, "Disk error")
    assert find(database, "disk full", limit=3) == [7, 6, 5]


def test_among_very_many_the_one_with_both_words_and_the_article_are_found(database: Database) -> None:
    def fill(library: LibraryStore) -> None:
        library.index(Source.ARTICLE, 1, described("Disk is full"))
        library.index(Source.TICKET, 2, described("Disk full by logs"))
        for ref in range(3, 700):
            library.index(Source.TICKET, ref, described("Disk slow" if ref % 2 else "Battery full"))

    done(database, fill)
    found = done(database, lambda library: library.candidates(library.rarity(["disk", "full"]), 5))
    assert [(one.source, one.ref) for one in found[:2]] == [(Source.TICKET, 2), (Source.ARTICLE, 1)]
    assert len(found) == 5


def test_common_words_that_no_document_holds_together_are_found_alone(database: Database) -> None:
    def fill(library: LibraryStore) -> None:
        for ref in range(1, 700):
            library.index(Source.TICKET, ref, described("Disk slow" if ref % 2 else "Battery full"))

    done(database, fill)
    assert find(database, "disk battery", limit=4) == [699, 698, 697, 696]
    assert find(database, "disk", limit=2) == [699, 697]


def test_the_work_of_finding_does_not_grow_with_the_base() -> None:
    common = {f"word{number}": 100_000 + number for number in range(200)}
    rare = {f"rare{number}": 300 for number in range(200)}
    asked = [one for stage in plan(Rarity(total=1_000_000, documents={**common, **rare})) for one in stage]
    assert len(asked) <= 50
    assert sum(most for _, most in asked) <= 10_000
    alone = [words for words, most in asked if len(words) == 1 and most > 50]
    assert alone
    assert all(word.startswith("rare") for (word,) in alone)


def test_the_rarest_words_are_asked_for_and_generic_ones_only_if_there_is_nothing_else() -> None:
    rarity = Rarity(total=1000, documents={"service": 5, "disk": 200, "raid": 2})
    assert [words for words, _ in plan(rarity)[0]] == [("raid",), ("disk",)]
    assert [words for words, _ in plan(Rarity(total=1000, documents={"service": 5}))[0]] == [("service",)]


def test_the_index_can_be_dropped_and_made_again(database: Database) -> None:
    with database.engine.begin() as connection:
        drop_search(connection)
        create_search(connection)
    keep(database, 1, "Disk full")
    assert find(database, "disk") == [1]


def test_sqlite_finds_its_index_whole_after_much_coming_and_going(database: Database) -> None:
    for ref in (1, 2, 3, 1, 2, 1):
        keep(database, ref, f"Disk full on {'volume' * (ref % 2)} 磁盘", insight="日志")
    done(database, lambda library: library.remove(Source.TICKET, 2))
    if database.is_cluster:
        return
    with database.engine.begin() as connection:
        connection.execute(text("INSERT INTO documents_search (documents_search) VALUES ('integrity-check')"))
        rows = connection.execute(text("SELECT count(*) FROM documents_search WHERE documents_search MATCH 'disk'"))
        assert rows.scalar() == 2


# --- articles --------------------------------------------------------------------------------------


def article(**values: object) -> Article:
    return Article(title="Disk full", created_at=NOW, changed_at=NOW, actor="mei", **values)  # type: ignore[arg-type]


def test_articles_are_kept_listed_and_found_by_their_ticket(database: Database) -> None:
    first = done(database, lambda library: library.write(article(labels={"service": "order"}, solution="Delete.")))
    second = done(database, lambda library: library.write(article(state=ArticleState.PUBLISHED)))
    assert done(database, lambda library: library.article(first.id)) == first
    assert (first.state, first.labels, first.created_at) == (ArticleState.DRAFT, {"service": "order"}, NOW)
    assert done(database, lambda library: library.articles()) == [second, first]
    assert done(database, lambda library: library.articles(state="draft")) == [first]
    assert done(database, lambda library: library.articles(before=second.id, limit=1)) == [first]
    assert done(database, lambda library: library.article_of(1)) is None
    with pytest.raises(NotFound, match="There is no article 99"):
        done(database, lambda library: library.article(99))
