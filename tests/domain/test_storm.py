"""Storm: when it lasts, what its tickets have in common, and how often it is told."""

from __future__ import annotations

from responder.domain.storm import Storm, StormRule, in_common
from tests.fakes import NOW


def test_a_storm_lasts_from_the_threshold_on() -> None:
    rule = StormRule(tickets=50)
    assert [rule.lasts(opened) for opened in (0, 49, 50, 1000)] == [False, False, True, True]


def test_what_most_tickets_have_in_common_comes_first() -> None:
    labels = [{"job": "db", "instance": str(number), "rack": "r1" if number < 8 else "r2"} for number in range(10)]
    assert in_common(labels) == [('job="db"', 10), ('rack="r1"', 8), ('rack="r2"', 2)]


def test_a_label_of_fewer_than_a_tenth_is_not_in_common() -> None:
    labels = [{"job": "a" if number < 10 else "b", "zone": "x" if number < 9 else str(number)} for number in range(100)]
    assert in_common(labels) == [('job="b"', 90), ('job="a"', 10)]


def test_no_more_than_five_labels_are_told() -> None:
    assert len(in_common([{str(number): "x" for number in range(9)}] * 2)) == 5


def test_a_storm_is_told_again_when_it_has_doubled() -> None:
    storm = Storm(since=NOW, opened=100, labels=())
    assert [storm.is_news(told) for told in (49, 50, 51)] == [True, True, False]


def test_a_summary_says_since_when_and_what_is_common() -> None:
    storm = Storm(since=NOW, opened=3, labels=[{"job": "db"}, {"job": "db"}])
    assert storm.summary == 'Storm: 3 tickets since 10:00 UTC; of the latest 2: job="db" (2).'
    alone = Storm(since=NOW, opened=3, labels=[{"job": "db"}, {"job": "web"}])
    assert alone.summary == "Storm: 3 tickets since 10:00 UTC; they have little in common."
