"""Matchers in Alertmanager's notation."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.matching import all_match, parse_matcher

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,20}", fullmatch=True)
VALUES = st.text(max_size=40)


def quoted(value: str) -> str:
    """As Alertmanager's own tools write a value."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@pytest.mark.parametrize(
    ("text", "label", "operator", "value"),
    [
        ('severity="critical"', "severity", "=", "critical"),
        ("severity=critical", "severity", "=", "critical"),
        ('  severity  =  "critical"  ', "severity", "=", "critical"),
        ('severity!="info"', "severity", "!=", "info"),
        ('job=~"db|web"', "job", "=~", "db|web"),
        ("job!~db.*", "job", "!~", "db.*"),
        ('team=""', "team", "=", ""),
        ("team=", "team", "=", ""),
        (r'path="C:\\x"', "path", "=", "C:\\x"),
        (r'say="\"hi\"\n"', "say", "=", '"hi"\n'),
        ('kubernetes.io/name="x"', "kubernetes.io/name", "=", "x"),
        ('größe="ü"', "größe", "=", "ü"),
        ('expr="a=b"', "expr", "=", "a=b"),
    ],
)
def test_a_matcher_is_read_as_alertmanager_reads_it(text: str, label: str, operator: str, value: str) -> None:
    matcher = parse_matcher(text)
    assert (matcher.label, matcher.operator, matcher.value) == (label, operator, value)


@pytest.mark.parametrize(
    "text", ["", "severity", '="x"', '{severity="x"}', 'a~"x"', 'a="x', 'a=x"', 'a="', '"a b"="c"', 'a>"1"', "= ="]
)
def test_what_is_no_matcher_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a matcher|one matcher has one value"):
        parse_matcher(text)


@pytest.mark.parametrize("text", ['a=~"(["', 'a!~"*"', "a=~(?P<x"])
def test_a_broken_regular_expression_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ValueError, match="is not a regular expression"):
        parse_matcher(text)


@pytest.mark.parametrize(
    ("text", "actual", "holds"),
    [
        ('a="x"', "x", True),
        ('a="x"', "X", False),
        ('a="x"', "xx", False),
        ('a!="x"', "y", True),
        ('a!="x"', "x", False),
        ('a=~"x|y"', "y", True),
        ('a=~"x"', "xx", False),
        ('a=~"x.*"', "x\ny", True),
        ('a=~"x"', "x\n", False),
        ('a!~"x.*"', "xylophone", False),
        ('a!~"x.*"', "yx", True),
        ('a=~"(?i)critical"', "CRITICAL", True),
    ],
)
def test_values_are_compared_whole_and_in_their_case(text: str, actual: str, holds: bool) -> None:
    assert parse_matcher(text).matches({"a": actual}) is holds


@pytest.mark.parametrize(
    ("text", "holds"), [('a=""', True), ('a!=""', False), ('a="x"', False), ('a!="x"', True), ('a=~".*"', True)]
)
def test_a_label_that_is_missing_counts_as_empty(text: str, holds: bool) -> None:
    assert parse_matcher(text).matches({}) is holds
    assert parse_matcher(text).matches({"a": ""}) is holds


def test_all_of_several_matchers_must_hold_and_none_match_everything() -> None:
    both = (parse_matcher('a="1"'), parse_matcher('b="2"'))
    assert all_match(both, {"a": "1", "b": "2"})
    assert not all_match(both, {"a": "1"})
    assert all_match((), {"anything": "at all"})


def test_a_matcher_shows_itself_as_it_is_written() -> None:
    assert str(parse_matcher("job=~db|web")) == 'job=~"db|web"'


@given(NAMES, VALUES, VALUES)
def test_an_equality_matcher_matches_exactly_its_value(name: str, value: str, other: str) -> None:
    labels = {name: other}
    assert parse_matcher(f"{name}={quoted(value)}").matches(labels) is (value == other)
    assert parse_matcher(f"{name}!={quoted(value)}").matches(labels) is (value != other)


@given(NAMES, VALUES, VALUES)
def test_a_negated_regular_expression_is_the_opposite_of_the_plain_one(name: str, value: str, other: str) -> None:
    expression = quoted(re.escape(value))
    labels = {name: other}
    assert parse_matcher(f"{name}=~{expression}").matches(labels) is (value == other)
    assert parse_matcher(f"{name}!~{expression}").matches(labels) is (value != other)


@given(st.text(max_size=60))
def test_any_text_is_a_matcher_or_refused(text: str) -> None:
    with suppress(ValueError):
        matcher = parse_matcher(text)
        assert matcher.matches({matcher.label: "x"}) in (True, False)
