"""Bodies as Alertmanager posts them (version 4), about 1 KB per alert; only the running number differs."""

from __future__ import annotations

import orjson

_HOLE = "0" * 11 + "@"
_PATH = "/webhooks/alertmanager"


def request(numbers: range) -> bytes:
    """A whole HTTP request with one alert for each of these numbers."""
    return http_post(_PATH, _ENVELOPE[0] + b",".join(map(_alert, numbers)) + _ENVELOPE[1])


def http_post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def envelope(alerts: list[dict[str, object]]) -> dict[str, object]:
    """What Alertmanager wraps around the alerts of one notification."""
    return {
        "receiver": "responder",
        "status": "firing",
        "alerts": alerts,
        "groupLabels": {"alertname": "HostHighCpuLoad"},
        "commonLabels": {"alertname": "HostHighCpuLoad", "severity": "warning", "team": "platform"},
        "commonAnnotations": {"runbook_url": "https://wiki.example.net/runbooks/host-high-cpu-load"},
        "externalURL": "http://alertmanager.example.net:9093",
        "version": "4",
        "groupKey": '{}/{severity="warning"}:{alertname="HostHighCpuLoad"}',
        "truncatedAlerts": 0,
    }


def _one_alert() -> dict[str, object]:
    host = f"web-{_HOLE}.prod.example.net"
    return {
        "status": "firing",
        "labels": {
            "alertname": "HostHighCpuLoad",
            "availability_zone": "eu-central-1b",
            "cluster": "production-eu-1",
            "environment": "production",
            "instance": f"{host}:9100",
            "job": "node-exporter",
            "prometheus": "monitoring/k8s",
            "service": "checkout",
            "severity": "warning",
            "team": "platform",
        },
        "annotations": {
            "summary": f"CPU load of {host} has been above 90 % for ten minutes",
            "description": "The load of all cores together is 93.7 %. Requests of the checkout may take longer than "
            "they should; look at the processes that use most and at what was deployed last.",
            "runbook_url": "https://wiki.example.net/runbooks/host-high-cpu-load",
        },
        "startsAt": "2026-03-02T08:15:42.371Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.net:9090/graph?g0.expr=100+-+avg+by%28instance%29+"
        "%28rate%28node_cpu_seconds_total%7Bmode%3D%22idle%22%7D%5B5m%5D%29%29+%2A+100+%3E+90&g0.tab=1",
        "fingerprint": f"f00d{_HOLE}",
    }


_TEMPLATE = orjson.dumps(_one_alert())
_ENVELOPE = orjson.dumps(envelope([{"hole": 0}])).split(b'{"hole":0}')
_HOLE_BYTES = _HOLE.encode()


def one_alert(number: int, severity: str) -> bytes:
    """The same alert as the others, of another severity: the whole body of a post."""
    alert = _alert(number).replace(b'"severity":"warning"', b'"severity":"%s"' % severity.encode())
    return _ENVELOPE[0] + alert + _ENVELOPE[1]


def _alert(number: int) -> bytes:
    return _TEMPLATE.replace(_HOLE_BYTES, b"%012d" % number)
