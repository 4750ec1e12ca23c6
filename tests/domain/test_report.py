"""What makes an alert the same alert."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.report import identity, prometheus_fingerprint
from tests.fakes import a_report, material_folder

WEBHOOKS = material_folder() / "webhooks"
TEXT = st.text(alphabet="abc\n ü", max_size=4)
LABELS = st.dictionaries(TEXT, TEXT, max_size=4)


@given(LABELS)
def test_the_order_of_labels_does_not_matter(labels: dict[str, str]) -> None:
    turned = dict(reversed(labels.items()))
    assert identity(turned) == identity(labels)
    assert prometheus_fingerprint(turned) == prometheus_fingerprint(labels)


@given(LABELS, LABELS)
def test_labels_have_the_same_identity_exactly_when_they_are_equal(one: dict[str, str], two: dict[str, str]) -> None:
    assert (identity(one) == identity(two)) is (one == two)
    assert (prometheus_fingerprint(one) == prometheus_fingerprint(two)) is (one == two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"ab": "c"}, {"a": "bc"}),
        ({"a": "b", "c": "d"}, {"a": "bcd"}),
        ({"a": "", "b": "c"}, {"a": "bc"}),
        ({"a": "b,c=d"}, {"a": "b", "c": "d"}),
        ({"a": "x"}, {"a": "X"}),
        ({"a": "x"}, {"a": "x "}),
        ({"a": ""}, {}),
    ],
)
def test_labels_whose_joined_texts_are_equal_are_still_different(one: dict[str, str], two: dict[str, str]) -> None:
    assert identity(one) != identity(two)
    assert prometheus_fingerprint(one) != prometheus_fingerprint(two)


def test_only_the_named_labels_count_when_some_are_named() -> None:
    one, two = {"instance": "web-1", "alertname": "A"}, {"instance": "web-1", "alertname": "B"}
    assert identity(one, ["instance"]) == identity(two, ["instance"])
    assert identity(one, ["alertname", "instance"]) == identity(one, ["instance", "alertname"])
    assert identity(one, ["alertname"]) != identity(two, ["alertname"])


def test_a_lone_surrogate_in_a_label_has_an_identity_too() -> None:
    assert identity({"a": "\ud800"}) != identity({"a": "\ud801"})
    assert len(prometheus_fingerprint({"a": "\ud800"})) == 16


def test_no_labels_have_the_fingerprint_that_the_algorithm_starts_with() -> None:
    assert prometheus_fingerprint({}) == "cbf29ce484222325"


def test_the_senders_fingerprint_tells_alerts_with_equal_labels_apart() -> None:
    assert a_report(fingerprint="1").alert != a_report(fingerprint="2").alert
    assert a_report(fingerprint="1").alert == a_report(fingerprint="1").alert


def test_a_report_without_an_alertname_has_an_empty_name() -> None:
    assert (a_report({}).name, a_report().name) == ("", "Down")


@pytest.mark.skipif(not WEBHOOKS.is_dir(), reason="the material folder is absent")
def test_the_fingerprint_agrees_with_every_body_whose_index_says_that_it_matches() -> None:
    matching = 0
    for entry in json.loads((WEBHOOKS / "index.json").read_text(encoding="utf-8"))["files"]:
        verdicts = entry["facts"].get("fingerprints", [])
        for alert, verdict in zip(_alerts(WEBHOOKS / entry["file"]), verdicts, strict=False):
            computed = prometheus_fingerprint(alert.get("labels") or {})
            assert (alert.get("fingerprint") == computed) is (verdict == "matches labels"), entry["file"]
            matching += verdict == "matches labels"
    assert matching >= 9


def _alerts(path: Path) -> list[dict[str, Any]]:
    body = json.loads(path.read_text(encoding="utf-8"))
    alerts: list[dict[str, Any]] = body.get("alerts", []) if isinstance(body, dict) else []
    return alerts
