"""The body that Alertmanager posts, and what others post in its shape.

Unknown keys are ignored, optional ones may be missing (see prometheus/alertmanager, template/template.go); what
an alert says of itself wins over what its group says. A body none of whose alerts can be used is a BadReport.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from responder.domain.report import Report, Signal, prometheus_fingerprint
from responder.errors import BadReport

_SIGNALS = {"firing": Signal.FIRING, "resolved": Signal.CLEARED}
_REPLACEMENT = "\ufffd"
_UNSTORABLE = re.compile("[\\x00\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """The reports of a body, and a sentence for each alert that could not be used."""

    reports: tuple[Report, ...]
    complaints: tuple[str, ...] = ()


class NotJson(BadReport):
    """Not even JSON; the other complaints are about its shape."""


def parse(body: bytes, *, source: str, received_at: datetime, receipt: str) -> Parsed:
    """The reports in a webhook's body. Raises BadReport (NotJson when it is not JSON)."""
    payload = _payload(body)
    if not isinstance(payload, dict):
        raise BadReport(f"The body is a JSON {_kind(payload)}, not an object.")
    alerts = payload.get("alerts")
    if not isinstance(alerts, list):
        raise BadReport(_not_alertmanager(payload))
    group = _Group(payload, source=source, received_at=received_at, receipt=receipt)
    reports, complaints = [], []
    for position, alert in enumerate(alerts, start=1):
        try:
            reports.append(group.report(alert))
        except BadReport as complaint:
            complaints.append(f"alert {position}: {complaint}")
    if complaints and not reports:
        raise BadReport("No alert of the body can be used: " + "; ".join(complaints[:5]))
    return Parsed(reports=tuple(reports), complaints=tuple(complaints))


class _Group:
    """What all alerts of one body share."""

    def __init__(self, payload: dict[str, Any], *, source: str, received_at: datetime, receipt: str) -> None:
        self._status = payload.get("status")
        self._source = source
        self._received_at = received_at
        self._receipt = receipt
        external = payload.get("externalURL")
        self._links = {"alertmanager": external} if isinstance(external, str) and external else {}
        truncated = payload.get("truncatedAlerts")
        self._incomplete = isinstance(truncated, int) and truncated > 0

    def report(self, alert: object) -> Report:
        if not isinstance(alert, dict):
            raise BadReport(f"it is a JSON {_kind(alert)}, not an object")
        labels = _texts(alert.get("labels"))
        if not labels:
            raise BadReport("it has no labels, so nothing tells which trouble it is")
        ended_at = _instant(alert.get("endsAt"))
        fingerprint = alert.get("fingerprint")
        generator = alert.get("generatorURL")
        return Report(
            source=self._source,
            signal=self._signal(alert, ended_at),
            labels=labels,
            annotations=_texts(alert.get("annotations")),
            started_at=_instant(alert.get("startsAt")) or self._received_at,
            ended_at=ended_at,
            fingerprint=fingerprint if isinstance(fingerprint, str) and fingerprint else prometheus_fingerprint(labels),
            links={**self._links, "generator": generator} if isinstance(generator, str) and generator else self._links,
            receipt=self._receipt,
            incomplete=self._incomplete,
        )

    def _signal(self, alert: dict[str, Any], ended_at: datetime | None) -> Signal:
        for status in (alert.get("status"), self._status):
            if isinstance(status, str) and status in _SIGNALS:
                return _SIGNALS[status]
        # Nothing says: an end in the past is an end, and in doubt it fires.
        return Signal.CLEARED if ended_at and ended_at <= self._received_at else Signal.FIRING


def _payload(body: bytes) -> Any:
    body = body.removeprefix(codecs.BOM_UTF8)
    if b"\\u0000" not in body:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
    try:
        # Broken UTF-8, lone surrogates and NULs are kept as the replacement character: no byte stops the intake.
        return _clean(json.loads(body.decode("utf-8", "replace"), strict=False))
    except (ValueError, RecursionError) as error:
        raise NotJson(f"The body is not JSON: {error}") from error


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub(_REPLACEMENT, value)
    if isinstance(value, dict):
        return {_clean(key): _clean(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_clean(entry) for entry in value]
    return value


def _texts(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        return {}
    if all(type(entry) is str for entry in value.values()):
        return value
    return {key: _text(entry) for key, entry in value.items()}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else json.dumps(value, ensure_ascii=False)
    except RecursionError as error:
        raise BadReport("a label's value is nested too deeply") from error


def _instant(value: object) -> datetime | None:
    """An RFC 3339 time in UTC; None for the year 1 (Go's zero time) and for what is no time."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year > 1970 else None


def _kind(value: object) -> str:
    names = {list: "list", str: "text", bool: "boolean", type(None): "null", dict: "object"}
    return names.get(type(value), "number")


def _not_alertmanager(payload: dict[str, Any]) -> str:
    if "ruleName" in payload or "evalMatches" in payload:
        return "The body is from Grafana's old dashboard alerting (7 and older), which has no list of alerts."
    return "The body has no list “alerts”, so it is not from Alertmanager."
