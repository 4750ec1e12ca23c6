"""Which regular expressions are let through, and that those are quick whatever the line."""

from __future__ import annotations

import time

import pytest

from responder.domain.line_patterns import LONGEST_LINE, line_pattern, matched

SLOW = [
    "^(a+)+$", "(?:ab|cd|a.)+x", r"(?:\s*,\s*)*x", "(?:(?:a|b)?c)+", ".*.*x", r"\w+\w+x", "a*b*a*b*a*c", "中*中*中*x",
    "a?" * 20 + "a" * 20, "(?:.+)?(?:.+)?x", "[a-z]{2,40}[a-z]{2,40}[a-z]{2,40}1", "(?:a?){30}b", ".*告.*警x",
    "(?:.*|x)(?:.*|y)q",
]  # fmt: skip
QUICK = [
    r"^\*\* (?P<kind>\w+) Service Alert: (?P<host>[^/]+)/(?P<service>.+) is (?P<state>\w+) \*\*$",
    r"^\[(?P<kind>\w+)\] (?P<service>.+) on (?P<host>\S+) is (?P<state>\w+)!$",
    r"\s*Host:\s*(?P<host>.+)$", "(?:ab)+c", "(?:a{2}){3}b", "(?P<k>Problem|Resolved)[^:]*: (?P<p>.+)", "a*b*c*d*x",
]  # fmt: skip


@pytest.mark.parametrize("text", SLOW)
def test_a_pattern_that_can_be_slow_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="on some lines"):
        line_pattern(text)


@pytest.mark.parametrize("text", ["(?=a)b", "(?<!a)b", r"(a)\1", "(?>a)b", "a++b"])
def test_a_pattern_that_looks_around_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="looks ahead or back"):
        line_pattern(text)


@pytest.mark.parametrize("text", ["[", "(?P<a>x)(?P<a>y)", "*"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a regular expression"):
        line_pattern(text)


@pytest.mark.parametrize("text", QUICK)
def test_a_pattern_that_is_let_through_is_quick_on_lines_made_to_hurt(text: str) -> None:
    pattern = line_pattern(text)
    began = time.process_time()
    for unit in ("a", "ab", " ", "a/", " is ", " on a", "** A Service Alert: a/", "[a] ", "a: ", "Host:", "aabb"):
        for begin in ("", "** PROBLEM Service Alert: a/", "[PROBLEM] ", "Problem: ", "Host: "):
            matched(pattern, begin + unit * LONGEST_LINE)
    assert time.process_time() - began < 1


def test_only_the_begin_of_a_long_line_is_looked_at() -> None:
    found = matched(line_pattern("(?P<all>.+)"), "x" * 10_000)
    assert found == {"all": "x" * LONGEST_LINE}


def test_upper_and_lower_case_are_the_same() -> None:
    assert matched(line_pattern("host: (?P<host>.+)"), "HOST: A") == {"host": "A"}
