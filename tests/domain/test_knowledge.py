"""What words a text is compared by, how like two troubles are, and the verdict."""

from __future__ import annotations

import pytest

from responder.domain.concepts import generic, meanings, symptoms
from responder.domain.knowledge import Match, Rarity, Source, described, matching_words, similarity, verdict, weight
from responder.domain.words import marked, names, stem, tokens

NOBODY_KNOWS = Rarity(total=0, documents={})

# --- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HighErrorRate", ("higherrorrate", "high", "fail", "rat")),
        ("node_exporter", ("node_exporter", "node", "exporter")),
        ("ORA-01555", ("ora-01555",)),
        ("error 0x80070005", ("fail", "0x80070005")),
        ("HTTP 502 Bad Gateway", ("http", "502", "bad", "gateway")),
        ("caches, cached, caching", ("cache",)),
        ("the queries of a query", ("query",)),
        ("no space left on device", ("disk", "full")),
        ("They were logged out", ("logout",)),
        ("磁盘空间不足", ("disk", "full")),
        ("数据库的密码和账号", ("database", "password", "account")),
        ("蓝屏", ("蓝屏",)),
        ("磁盘满了", ("disk", "full")),
        ("满意度和键盘", ("满意", "意度", "键盘")),
        ("ＯＲＡ－０１５５５　报错", ("ora-01555", "fail")),
        ("redis报错", ("redis", "fail")),
        ("", ()),
        ("。，；", ()),
        ("的 了 the and", ()),
    ],
)
def test_a_text_is_compared_by_its_words_identifiers_and_pairs_of_characters(
    text: str, expected: tuple[str, ...]
) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    "name",
    ["web-1", "db02", "10.2.3.4", "web-01.example.com", "v2.3.1", "5.2.0", "2026-11-20", "9100", "100", "3f2a9c1e"],
)
def test_hosts_numbers_and_versions_are_searched_but_never_compared(name: str) -> None:
    assert tokens(name) == ()
    assert names(f"on {name} again") == (name,)


@pytest.mark.parametrize("text", ["mail mei@example.com now", "请联系mei@example.com谢谢"])
def test_mail_addresses_are_neither_compared_nor_searched(text: str) -> None:
    assert not any("mei" in token or "example" in token for token in (*tokens(text), *names(text)))


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "a_" * 50_000, "-._" * 50_000, "盘" * 50_000, "\x00\ud800\u200b", "İ磁盘"]
)
def test_no_text_is_too_odd_to_be_split(text: str) -> None:
    assert all(len(token) <= 65 for token in tokens(text))


@pytest.mark.parametrize(
    "words", [("fail", "fails", "failed", "failing"), ("retry", "retries", "retried"), ("stop", "stopped")]
)
def test_all_forms_of_a_word_are_one(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1


def test_every_word_means_one_thing() -> None:
    meant: dict[str, set[tuple[str, ...]]] = {}
    for word, concepts in meanings():
        meant.setdefault(" ".join(map(stem, word.split())) if word.isascii() else word, set()).add(concepts)
    assert [word for word, concepts in meant.items() if len(concepts) > 1] == []


def test_the_places_of_what_was_found_are_those_of_the_text_as_it_stands() -> None:
    text = "ＯＲＡ－01653：表空间 USERS 已满"
    passage = marked(text, {"ora-01653", "full"})
    assert [passage.text[start:end] for start, end in passage.hits] == ["ＯＲＡ－01653", "已满"]


def test_of_a_long_text_the_part_around_the_first_hit_is_shown() -> None:
    passage = marked("word " * 200 + "the disk is full " + "word " * 200, {"disk"}, 60)
    assert passage.text.startswith("…")
    assert passage.text.endswith("…")
    assert len(passage.text) == 62
    assert [passage.text[start:end] for start, end in passage.hits] == ["disk"]


# --- likeness --------------------------------------------------------------------------------------


def alike(report: str, title: str, **more: str) -> float:
    labels: dict[str, str] = {name: more.pop(name) for name in ("alertname", "service", "model") if name in more}
    known = described(title, labels=labels, **more)
    return similarity(described(report), known, NOBODY_KNOWS)


def test_the_same_words_are_nearly_the_same_trouble_and_other_words_none() -> None:
    assert alike("Disk full on the log volume", "Disk full on the log volume") > 0.9
    assert alike("Printer prints blank pages", "Login fails after password change") == 0


def test_chinese_and_english_words_for_the_same_thing_are_the_same() -> None:
    assert alike("磁盘已满，无法写日志", "Disk full, cannot write the log") > 0.7


@pytest.mark.parametrize(
    ("report", "title"),
    [
        ("Trouble on web-1 at 2026-11-20", "Failure of web-1 since 2026-11-20"),
        ("db02 10.2.3.4 100 %", "db02 10.2.3.4 100 %"),
        ("v2.3.1", "v2.3.1"),
    ],
)
def test_a_host_or_a_number_alone_is_no_likeness(report: str, title: str) -> None:
    assert alike(report, title) < 0.3


def test_one_word_that_everybody_uses_is_no_likeness() -> None:
    assert alike("The service has a problem", "The service has a problem") < 0.5


def test_the_same_code_speaks_for_and_another_code_against() -> None:
    report = "Nightly batch fails with ORA-01653"
    same, none, other = (
        alike(report, f"Nightly batch {code}") for code in ("ends with ORA-01653", "is late", "ends with ORA-00060")
    )
    assert same > none + 0.2
    assert none > other + 0.1


def test_the_same_thing_with_another_symptom_is_less_like_than_with_none() -> None:
    slow = described("Search in the shop is slow")
    same, none, other = (
        similarity(slow, described(f"Shop search is {how} for everybody"), NOBODY_KNOWS)
        for how in ("slow", "purple", "empty")
    )
    assert other < 0.5 < same
    assert other < 0.85 * none


def test_the_same_alert_counts_more_unless_it_is_of_another_service() -> None:
    def of(service: str) -> float:
        labels = {"alertname": "HighErrorRate", "service": service}
        query = described("HighErrorRate above 5 percent", labels={"alertname": "HighErrorRate", "service": "search"})
        return similarity(query, described("HighErrorRate, pool exhausted", labels=labels), NOBODY_KNOWS)

    assert of("search") > of("mail") + 0.15


def test_where_it_happens_counts_less_than_what_happens() -> None:
    where = alike("MX-200 printer jams", "MX-200 printer streaks", model="MX-200 printer")
    assert where < 0.35 < alike("MX-200 printer jams", "Paper jam", symptom="The printer jams.", model="MX-200 printer")


def test_words_of_the_cause_count_too() -> None:
    cause = "An inactive replication slot kept the write ahead log."
    report = "Disk full, inactive replication slot keeps the write ahead log"
    assert alike(report, "Disk full on a volume", insight=cause) > alike(report, "Disk full on a volume") + 0.1


def test_what_half_of_all_documents_hold_counts_little_and_what_nobody_holds_a_little_less_than_what_is_rare() -> None:
    rarity = Rarity(total=100_000, documents={"disk": 50_000, "raid": 40})
    assert rarity.of("disk") < 0.4 < rarity.of("never seen") < rarity.of("raid") == 1


def test_a_score_holds_while_the_base_grows() -> None:
    query, known = described("Disk full on the log volume"), described("log 目录磁盘已满")
    small, large = (
        similarity(query, known, Rarity(total=total, documents=dict.fromkeys(("disk", "full", "log"), total // 20)))
        for total in (2_000, 2_000_000)
    )
    assert small == pytest.approx(large, abs=0.02)


def test_nothing_is_like_nothing() -> None:
    assert similarity(described(""), described(""), NOBODY_KNOWS) == 0


@pytest.mark.parametrize("word", sorted(symptoms() | generic()))
def test_symptoms_weigh_more_than_words_that_stand_in_every_report(word: str) -> None:
    assert (weight(word) > 1) == (word in symptoms())


# --- the verdict -----------------------------------------------------------------------------------


def match(score: float, **more: object) -> Match:
    values: dict[str, object] = {
        "source": Source.TICKET, "id": 1, "name": "INC-1", "title": "Disk full", "words": ("disk", "满"), **more
    }  # fmt: skip
    return Match(score=score, **values)  # type: ignore[arg-type]


def test_from_the_floor_up_it_is_recurring_and_the_sentence_says_what_by_which_words_and_what_helped() -> None:
    seen = verdict([match(0.5), match(0.82, id=2, name="INC-2", solution="Delete old logs.", times=3)], 0.5)
    assert seen.is_recurring
    assert seen.sentence == (
        "Recurring: looks like INC-2 (82%: disk, 满, 3 times) and INC-1 (50%: disk, 满). "
        "What helped in INC-2: Delete old logs."
    )
    assert [one.name for one in seen.similar] == ["INC-2", "INC-1"]


def test_below_the_floor_it_is_new_and_the_nearest_is_named() -> None:
    seen = verdict([match(0.49)], 0.5)
    assert (seen.is_recurring, seen.similar) == (False, ())
    assert seen.sentence == (
        "New: nothing in the knowledge base is like it. The nearest is INC-1 (49%: disk, 满), below the floor of 50%."
    )
    assert verdict([], 0.5).sentence == "New: nothing in the knowledge base is like it."


def test_of_equals_an_article_goes_first_and_then_the_newest() -> None:
    found = [match(0.8), match(0.804, id=3, name="INC-3"), match(0.8, source=Source.ARTICLE, id=1, name="article 1")]
    assert [one.name for one in verdict(found, 0.5).similar] == ["article 1", "INC-3", "INC-1"]


def test_the_matching_words_are_those_of_the_report_the_most_telling_first_and_each_once() -> None:
    query = described("The disk is FULL, disk 磁盘 of the server is full: ORA-01653")
    words = matching_words(query, described("磁盘已满 ORA-01653 server"), NOBODY_KNOWS)
    assert words == ("FULL", "ORA-01653", "disk")
