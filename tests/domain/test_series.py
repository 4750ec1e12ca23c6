"""Which labels an expression leaves: known, possible, or anybody's guess."""

from __future__ import annotations

import json

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.series import ANY, labels_of
from tests.fakes import material_folder


@pytest.mark.parametrize(
    ("expression", "known", "possible"),
    [
        ("up == 0", {}, None),
        ('up{job="node", env!="test", host=~"a|b"}', {"job": "node"}, None),
        ("{__name__=\"up\", job='node'}", {"job": "node"}, None),
        ("sum(rate(x[5m])) > 5", {}, ""),
        ('sum by (job, dc) (rate(x{job="a", env="p"}[5m])) / 3', {"job": "a"}, "dc job"),
        ("sum(x) by (job) > bool 1", {}, "job"),
        ("avg without (cpu) (x) > 1", {}, None),
        ("avg without (cpu) (sum by (cpu, host) (x))", {}, "host"),
        ("histogram_quantile(0.9, sum by (le, job) (rate(x[5m])))", {}, "job"),
        ('topk(3, x{a="b"})', {"a": "b"}, None),
        ('count_values("version", build) by (job)', {}, "job version"),
        ('absent(up{job="x", env=~"a"})', {"job": "x"}, "job"),
        ('absent(sum(up{job="x"}))', {}, ""),
        ("vector(1)", {}, ""),
        ("time() - 5 > 3", {}, ""),
        ('time() - last{job="x"} > 3', {"job": "x"}, None),
        ('label_replace(sum by (a) (x), "dst", "$1", "src", "(.*)")', {}, "a dst"),
        ("sum by (a) (x) / on (b) y", {}, ""),
        ("x / on (instance, job) y", {}, "instance job"),
        ("sum by (a, b) (x) / ignoring (b) sum by (a) (y)", {}, "a"),
        ('sum by (a) (x) * on (a) group_left (owner) owners{owner="me"}', {"owner": "me"}, "a owner"),
        ("sum by (a) (x) and on () y", {}, "a"),
        ('sum by (a) (x{a="1"}) or sum by (b) (y)', {}, "a b"),
        ("sum by (a) (x) or y", {}, None),
        ("max_over_time(sum by (a) (x)[1h:5m] offset 1d @ end()) > -1.5e3", {}, "a"),
        ("sum # why\n by (a) (x)", {}, "a"),
        ("((sum by (a) (x)))", {}, "a"),
        ("not a query at all", {}, None),
        ("sum by (a) (x", {}, None),
        ("(" * 3000, {}, None),
        ("", {}, None),
    ],
)
def test_labels_of_an_expression(expression: str, known: dict[str, str], possible: str | None) -> None:
    found = labels_of(expression)
    assert found.known == known
    assert found.possible == (None if possible is None else frozenset(possible.split()))


@given(st.text(alphabet="ab(){}[]\"'`,=~!<>+-*/^ 15m@#\n", max_size=40))
def test_no_text_stops_it(text: str) -> None:
    labels_of(text)


def test_what_is_understood_is_what_is_promql() -> None:
    path = material_folder() / "alert_rules" / "rules.json"
    if not path.is_file():
        pytest.skip("the collected rules are not here")
    expressions = [rule["expr"] for rule in json.loads(path.read_text())["rules"]]
    for expression in expressions:
        promql_parser.parse(expression)
    # Trailing nonsense makes each of them not understood, so it was read to its very end before.
    assert all(labels_of(f"({expression}) }}") is ANY for expression in expressions)
    closed = [one for one in expressions if labels_of(f"sum by (it) ({one})").possible == frozenset({"it"})]
    assert len([one for one in expressions if labels_of(one).possible is not None]) > 250
    assert all(labels_of(f"sum by (it) ({one} or anything)").possible == frozenset({"it"}) for one in closed)
    assert len(closed) > 600
