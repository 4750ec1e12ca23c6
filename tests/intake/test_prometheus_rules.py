"""Rule files in all their shapes; nothing that is written in one stops the reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responder.adapters.yaml_file import load_texts
from responder.errors import ConfigError
from responder.intake.prometheus_rules import AlertRule, Mistake, rules_in

GROUPS = """
- name: first
  rules:
  - {alert: Down, expr: up == 0, labels: {severity: critical}}
  - {record: a, expr: b}
"""


def indented(text: str, by: int) -> str:
    return text.replace("\n", "\n" + " " * by)


def read_in(tmp_path: Path, text: str) -> list[list[AlertRule | Mistake] | None]:
    path = tmp_path / "rules.yml"
    path.write_text(text)
    return [rules_in(document.data) for document in load_texts(path)]


def names(found: list[list[AlertRule | Mistake] | None]) -> list[str]:
    return [rule.name if isinstance(rule, AlertRule) else rule.text for rules in found for rule in rules or []]


def test_plain_files_manifests_lists_and_single_groups_are_understood(tmp_path: Path) -> None:
    manifest = f"kind: PrometheusRule\nspec:\n  groups:{indented(GROUPS, 2)}"
    for text in (
        f"groups:{GROUPS}",
        manifest,
        f"kind: List\nitems:\n- {indented(manifest, 2)}",
        "name: first\nrules:\n- {alert: Down, expr: up == 0}\n",
        '{"rules": [{"alert": "Down", "expr": "up == 0"}]}',
    ):
        assert names(read_in(tmp_path, text)) == ["Down"], text


def test_every_document_of_a_file_is_read(tmp_path: Path) -> None:
    found = read_in(tmp_path, f"---\ngroups:{GROUPS}\n---\nkind: Service\n---\n---\ngroups:{GROUPS}")
    assert names(found) == ["Down", "Down"]
    assert found[1] is None


def test_values_are_the_texts_that_stand_there(tmp_path: Path) -> None:
    labels = "{a: yes, b: 0x10, c: 2026-01-01, d: '{{ $labels.x }}', e: ~}"
    ((rule, *_),) = read_in(tmp_path, f"groups: [{{rules: [{{alert: X, expr: 1, labels: {labels}}}]}}]")  # type: ignore[misc]
    assert isinstance(rule, AlertRule)
    assert rule.labels == {"a": "yes", "b": "0x10", "c": "2026-01-01", "d": "{{ $labels.x }}", "e": ""}
    assert rule.expression == "1"


def test_merged_and_repeated_parts_are_followed(tmp_path: Path) -> None:
    text = "x: &l {severity: critical, team: a}\nrules:\n- {alert: X, expr: up, labels: {<<: *l, team: b}}\n"
    ((rule,),) = read_in(tmp_path, text)  # type: ignore[misc]
    assert isinstance(rule, AlertRule)
    assert rule.labels == {"severity": "critical", "team": "b"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("groups: 5", "groups is no list"),
        ("groups: [5]", "this group is no mapping"),
        ("groups: [{rules: 5}]", "rules is no list"),
        ("groups: [{rules: [5]}]", "this rule is no mapping"),
        ("groups: [{rules: [{expr: up}]}]", "this rule has neither alert nor record"),
        ("groups: [{rules: [{alert: [], expr: up}]}]", "the alert's name is no text"),
        ("groups: [{rules: [{alert: X}]}]", "X has no expr"),
        ("groups: [{rules: [{alert: X, expr: up, labels: [a]}]}]", "the labels of X are no mapping of texts"),
        ("groups: [{rules: [{alert: X, expr: up, annotations: {a: []}}]}]", "the annotations of X are no mapping"),
    ],
)
def test_a_mistake_is_said_and_the_rest_is_read(tmp_path: Path, text: str, complaint: str) -> None:
    (found,) = read_in(tmp_path, text)
    assert found is not None
    assert [complaint in mistake.text for mistake in found if isinstance(mistake, Mistake)] == [True]


@pytest.mark.parametrize(
    "text", ["groups: []", "groups:", "kind: PrometheusRule", "kind: List\nitems: []", "a: 1", "5"]
)
def test_a_file_without_rules_has_none(tmp_path: Path, text: str) -> None:
    assert not any(rules for rules in read_in(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "groups:\n{{- if .Values.on }}\n- name: a\n",
        "[" * 5000,
        "a: *nowhere",
        "a: b\n\tc: d",
        "\x00",
        "%YAML 9.9\n---\na: 1",
    ],
)
def test_what_is_no_yaml_is_refused_with_a_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_in(tmp_path, text)
    assert refused.value.problems[0].line >= 1


def test_parts_that_hold_themselves_and_parts_repeated_without_end_do_no_harm(tmp_path: Path) -> None:
    assert read_in(tmp_path, "&a {kind: List, items: [*a, *a]}") == [None]
    assert names(read_in(tmp_path, "groups: &a [*a]")) == ["this group is no mapping"]
    rules = ", ".join(["*r"] * 2000)
    text = f"a: &r {{alert: X, expr: up}}\nb: &l [{rules}]\nc: &g {{rules: *l}}\ngroups: [{', '.join(['*g'] * 2000)}]"
    (found,) = read_in(tmp_path, text)
    assert found is not None
    assert (len(found), isinstance(found[-1], Mistake)) == (100_001, True)


anything: st.SearchStrategy[Any] = st.recursive(
    st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["groups", "rules", "alert", "expr", "labels", "kind", "items", "spec", "group", "name"]),
            inner,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(anything)
def test_no_structure_stops_the_reading(document: Any) -> None:
    rules_in(document)
