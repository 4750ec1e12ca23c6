"""Bodies from outside: understood, or refused with a reason; nothing else may happen."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.domain.report import Report, Signal, prometheus_fingerprint
from responder.errors import BadReport
from responder.intake.alertmanager import NotJson, Parsed, parse
from tests.fakes import MINUTE, NOW, material_folder

WEBHOOKS = material_folder() / "webhooks"


def read(body: bytes) -> Parsed:
    return parse(body, source="am", received_at=NOW, receipt="r1")


def a_body(*alerts: object, **keys: object) -> bytes:
    return json.dumps({"version": "4", "status": "firing", "alerts": list(alerts), **keys}).encode()


def an_alert(**keys: object) -> dict[str, object]:
    return {"status": "firing", "labels": {"alertname": "Down"}, "startsAt": "2026-11-20T09:59:00Z", **keys}


def one(body: bytes) -> Report:
    (report,) = read(body).reports
    return report


def refusal(body: bytes) -> str:
    with pytest.raises(BadReport) as raised:
        read(body)
    return str(raised.value)


# --- what Alertmanager sends -----------------------------------------------------------------------


def test_a_firing_alert_becomes_a_report_with_everything_it_says() -> None:
    alert = an_alert(
        annotations={"summary": "web-1 is down"},
        endsAt="0001-01-01T00:00:00Z",
        generatorURL="http://prometheus/graph",
        fingerprint="c2bd7a47f0b1a1c2",
    )
    assert one(a_body(alert, externalURL="http://alertmanager")) == Report(
        source="am",
        signal=Signal.FIRING,
        labels={"alertname": "Down"},
        annotations={"summary": "web-1 is down"},
        started_at=NOW - MINUTE,
        ended_at=None,
        fingerprint="c2bd7a47f0b1a1c2",
        links={"alertmanager": "http://alertmanager", "generator": "http://prometheus/graph"},
        receipt="r1",
        incomplete=False,
    )


def test_a_resolved_alert_clears_with_its_end() -> None:
    report = one(a_body(an_alert(status="resolved", endsAt="2026-11-20T10:00:00Z"), status="resolved"))
    assert (report.signal, report.ended_at) == (Signal.CLEARED, NOW)


def test_what_an_alert_says_of_itself_wins_over_its_group() -> None:
    assert one(a_body(an_alert(status="resolved"), status="firing")).signal is Signal.CLEARED
    assert one(a_body(an_alert(status="firing"), status="resolved")).signal is Signal.FIRING


def test_an_alert_without_a_status_takes_that_of_its_group() -> None:
    assert one(a_body({"labels": {"a": "b"}}, status="resolved")).signal is Signal.CLEARED


@pytest.mark.parametrize(
    ("ends_at", "signal"),
    [
        (None, Signal.FIRING),
        ("2026-11-20T09:00:00Z", Signal.CLEARED),
        ("2026-11-20T10:00:00Z", Signal.CLEARED),
        ("2026-11-20T11:00:00Z", Signal.FIRING),
        ("0001-01-01T00:00:00Z", Signal.FIRING),
        ("1970-01-01T00:00:00Z", Signal.FIRING),
    ],
)
def test_without_any_status_an_end_in_the_past_clears_and_in_doubt_it_fires(
    ends_at: str | None, signal: Signal
) -> None:
    assert one(a_body({"labels": {"a": "b"}, "endsAt": ends_at}, status=None)).signal is signal


def test_a_status_that_nobody_knows_fires() -> None:
    assert one(a_body(an_alert(status="suppressed"), status="odd")).signal is Signal.FIRING


def test_the_end_of_a_firing_alert_is_no_end_when_it_is_in_the_year_one() -> None:
    assert one(a_body(an_alert(endsAt="0001-01-01T00:00:00Z"))).ended_at is None


@pytest.mark.parametrize(
    ("starts_at", "expected"),
    [
        ("2026-11-20T10:00:00.123456789Z", datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-20T13:00:00.5+03:00", datetime(2026, 11, 20, 10, 0, 0, 500000, tzinfo=UTC)),
        ("2026-11-20T06:00:00-04:00", NOW),
        ("2026-11-20T10:00:00", NOW),
    ],
)
def test_times_are_understood_with_any_precision_and_offset(starts_at: str, expected: datetime) -> None:
    at = one(a_body(an_alert(startsAt=starts_at))).started_at
    assert (at, at.tzinfo) == (expected, UTC)


@pytest.mark.parametrize(
    "starts_at",
    [None, "", "soon", 5, [], "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"],
)
def test_a_start_that_is_no_time_is_the_moment_it_came_in(starts_at: object) -> None:
    assert one(a_body(an_alert(startsAt=starts_at))).started_at == NOW


@pytest.mark.parametrize("fingerprint", [None, "", 5, []])
def test_a_missing_fingerprint_is_derived_from_the_labels(fingerprint: object) -> None:
    report = one(a_body(an_alert(fingerprint=fingerprint)))
    assert report.fingerprint == prometheus_fingerprint({"alertname": "Down"})


@pytest.mark.parametrize(("truncated", "incomplete"), [(0, False), (3, True), (None, False), ("3", False), (-1, False)])
def test_a_list_that_was_cut_short_is_marked(truncated: object, incomplete: bool) -> None:
    assert one(a_body(an_alert(), truncatedAlerts=truncated)).incomplete is incomplete


def test_keys_that_nobody_knows_are_ignored() -> None:
    alert = an_alert(future={"a": [1]}, silenceURL="x")
    body = a_body(
        alert, notification_reason="first notification", routeLabels={"a": "b"}, groupKey=12345678901234567890
    )
    assert one(body) == one(a_body(an_alert()))


def test_a_body_with_no_alerts_is_understood_and_gives_nothing() -> None:
    assert read(a_body()) == Parsed(reports=())


def test_group_labels_are_not_taken_for_the_alerts_own() -> None:
    report = one(a_body(an_alert(), commonLabels={"alertname": "Other", "x": "y"}, groupLabels={"z": "1"}))
    assert report.labels == {"alertname": "Down"}


# --- what is not as it should be -------------------------------------------------------------------


def test_one_bad_alert_does_not_cost_the_others() -> None:
    parsed = read(a_body(an_alert(), "no alert", {"labels": {}}, an_alert(labels={"a": "b"})))
    assert [report.labels for report in parsed.reports] == [{"alertname": "Down"}, {"a": "b"}]
    assert parsed.complaints == (
        "alert 2: it is a JSON text, not an object",
        "alert 3: it has no labels, so nothing tells which trouble it is",
    )


def test_a_body_none_of_whose_alerts_can_be_used_is_refused_with_the_first_reasons() -> None:
    sentence = refusal(a_body(*[{}] * 9))
    assert sentence.startswith("No alert of the body can be used: alert 1: it has no labels")
    assert "alert 5" in sentence
    assert "alert 6" not in sentence


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[]", "The body is a JSON list, not an object."),
        (b'"text"', "The body is a JSON text, not an object."),
        (b"null", "The body is a JSON null, not an object."),
        (b"true", "The body is a JSON boolean, not an object."),
        (b"1.5", "The body is a JSON number, not an object."),
        (b"{}", "The body has no list “alerts”, so it is not from Alertmanager."),
        (b'{"alerts": {}}', "The body has no list “alerts”, so it is not from Alertmanager."),
    ],
)
def test_a_body_of_another_shape_is_refused_with_what_it_is(body: bytes, said: str) -> None:
    assert refusal(body) == said


def test_grafanas_old_alerting_is_recognised() -> None:
    assert "Grafana's old dashboard alerting" in refusal(b'{"ruleName": "x", "evalMatches": []}')


@pytest.mark.parametrize("body", [b"", b"\x00", b"alerts", b'{"alerts": [', b"\xff\xfe", b"<xml/>", b"[" * 100_000])
def test_what_is_no_json_is_told_apart_from_a_wrong_shape(body: bytes) -> None:
    with pytest.raises(NotJson, match="The body is not JSON: "):
        read(body)


def test_broken_utf8_is_kept_as_the_replacement_character() -> None:
    assert one(b'{"alerts": [{"labels": {"a": "x\xffy"}}]}').labels == {"a": "x\ufffdy"}


@pytest.mark.parametrize("nul", [b"\\u0000", b"\x00"])
def test_a_nul_is_kept_as_the_replacement_character_in_keys_and_values(nul: bytes) -> None:
    report = one(b'{"alerts": [{"labels": {"a' + nul + b'": "x' + nul + b'"}}]}')
    assert report.labels == {"a\ufffd": "x\ufffd"}


def test_a_lone_surrogate_leaves_text_that_can_be_stored() -> None:
    report = one(b'{"alerts": [{"labels": {"a": "x\\ud800y", "b": "\\ud83d\\ude00"}}]}')
    assert report.labels["a"].encode()
    assert report.labels["a"] != "xy"
    assert report.labels["b"] == "\U0001f600"


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (1.5, "1.5"), (True, "true"), (None, ""), ([1, "ü"], '[1, "ü"]'), ({"k": None}, '{"k": null}')],
)
def test_label_values_that_are_no_text_become_text(value: object, text: str) -> None:
    assert one(a_body(an_alert(labels={"alertname": "Down", "x": value}))).labels == {"alertname": "Down", "x": text}


@pytest.mark.parametrize("labels", [None, [], "x", {}, 5])
def test_an_alert_without_labels_is_refused_since_nothing_tells_which_trouble_it_is(labels: object) -> None:
    assert "it has no labels, so nothing tells which trouble it is" in refusal(a_body(an_alert(labels=labels)))


def test_annotations_of_another_shape_are_left_out_and_cost_nothing() -> None:
    assert one(a_body(an_alert(annotations=["x"]))).annotations == {}
    assert one(a_body(an_alert(annotations={"n": 3}))).annotations == {"n": "3"}


# --- anything at all -------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
ALERT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("status", "labels", "annotations", "startsAt", "endsAt", "fingerprint", "generatorURL"), JSON
    ),
)
BODY = st.fixed_dictionaries(
    {"alerts": st.lists(ALERT | JSON, max_size=3) | JSON},
    optional=dict.fromkeys(("status", "externalURL", "truncatedAlerts", "version"), JSON),
)


def understood_or_refused(body: bytes) -> None:
    """Any other error than BadReport fails the test; what is understood can be stored."""
    with suppress(BadReport):
        for report in read(body).reports:
            assert report.labels
            assert report.started_at.tzinfo is UTC
            texts = [*report.labels, *report.labels.values(), *report.annotations, *report.annotations.values()]
            for text in (*texts, report.fingerprint, *report.links.values()):
                assert "\x00" not in text
                assert text.encode().decode() == text


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_understood_or_refused(body: bytes) -> None:
    understood_or_refused(body)


@settings(max_examples=300)
@given(JSON | BODY, st.booleans())
def test_arbitrary_json_is_understood_or_refused(value: Any, escaped: bool) -> None:
    understood_or_refused(json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=40), st.integers(0, 200))
def test_a_good_body_with_some_bytes_overwritten_is_understood_or_refused(noise: bytes, at: int) -> None:
    good = a_body(an_alert(annotations={"summary": "web-1 is down"}, fingerprint="c2bd7a47f0b1a1c2"))
    understood_or_refused(good[:at] + noise + good[at + len(noise) :])


# --- bodies that others have sent ------------------------------------------------------------------


def material() -> list[dict[str, Any]]:
    if not WEBHOOKS.is_dir():
        return []
    files: list[dict[str, Any]] = json.loads((WEBHOOKS / "index.json").read_text(encoding="utf-8"))["files"]
    return files


needs_material = pytest.mark.skipif(not WEBHOOKS.is_dir(), reason="the material folder is absent")
UNUSABLE = {"zulip_grafana_alert_without_labels.json": "it has no labels"}


@needs_material
def test_the_material_is_all_there() -> None:
    named = {entry["file"] for entry in material()}
    assert named == {path.name for path in WEBHOOKS.glob("*.json")} - {"index.json"}
    assert len(named) >= 30


@needs_material
@pytest.mark.parametrize("entry", material(), ids=lambda entry: Path(entry["file"]).stem)
def test_every_collected_body_is_understood_or_refused_as_its_index_says(entry: dict[str, Any]) -> None:
    body, facts = (WEBHOOKS / entry["file"]).read_bytes(), entry["facts"]
    if "alerts" not in facts:
        said = "Grafana's old dashboard alerting" if entry["kind"] == "grafana-legacy" else "The body"
        assert said in refusal(body)
        return
    if entry["file"] in UNUSABLE:
        assert UNUSABLE[entry["file"]] in refusal(body)
        return
    parsed = read(body)
    assert parsed.complaints == ()
    assert len(parsed.reports) == facts["alerts"]
    statuses = facts["alert_statuses"]
    if "(missing)" not in statuses:
        cleared = sum(report.signal is Signal.CLEARED for report in parsed.reports)
        assert cleared == statuses.get("resolved", 0)
    truncated = facts["truncatedAlerts"]
    assert {report.incomplete for report in parsed.reports} == {isinstance(truncated, int) and truncated > 0}
    for report, verdict in zip(parsed.reports, facts["fingerprints"], strict=True):
        own = prometheus_fingerprint(report.labels)
        assert (report.fingerprint == own) is (verdict != "does not match labels")


@needs_material
def test_two_alerts_that_share_a_fingerprint_stay_two() -> None:
    first, second = read((WEBHOOKS / "prom2teams_two_alerts_same_fingerprint.json").read_bytes()).reports
    assert first.fingerprint == second.fingerprint
    assert first.alert != second.alert


@needs_material
def test_two_alerts_with_the_same_labels_but_other_fingerprints_stay_two() -> None:
    first, second = read((WEBHOOKS / "zulip_two_alerts_same_labels.json").read_bytes()).reports
    assert first.labels == second.labels
    assert first.alert != second.alert
