"""What one process measures of itself. Sums about tickets live in the database instead (`store.stats`)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from responder import __version__

REGISTRY = CollectorRegistry()

FAST = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLOW = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30, 60, 300, 900)

intake_seconds = Histogram(
    "responder_intake_seconds",
    "From a webhook's last byte to the answer after the commit.",
    buckets=FAST,
    registry=REGISTRY,
)
intake_waiting = Gauge("responder_intake_waiting", "Requests waiting for the next commit.", registry=REGISTRY)
intake_refused_total = Counter(
    "responder_intake_refused_total", "Requests not taken, by status code.", ["status"], registry=REGISTRY
)
mail_refused_total = Counter(
    "responder_mail_refused_total",
    "Connections and mails that the listener for mail servers did not take, by reason.",
    ["reason"],
    registry=REGISTRY,
)
mailbox_last_look_timestamp_seconds = Gauge(
    "responder_mailbox_last_look_timestamp_seconds",
    "When the server of the mailbox answered last; 0 where no mailbox is followed.",
    registry=REGISTRY,
)
watch_failures_total = Counter(
    "responder_watch_failures_total", "Rounds of a watch that failed, by its name.", ["watch"], registry=REGISTRY
)
report_to_command_seconds = Histogram(
    "responder_report_to_command_seconds",
    "From an alert's arrival to the start of the first command on a host.",
    buckets=FAST,
    registry=REGISTRY,
)
step_seconds = Histogram(
    "responder_step_seconds", "How long runbook steps take.", ["kind"], buckets=SLOW, registry=REGISTRY
)
jobs_running = Gauge("responder_jobs_running", "Jobs at work in this process.", registry=REGISTRY)
config_last_reload_successful = Gauge(
    "responder_config_last_reload_successful",
    "1 if the files on disk are the ones in use, 0 if the last reload was refused.",
    registry=REGISTRY,
)
config_last_reload_success_timestamp_seconds = Gauge(
    "responder_config_last_reload_success_timestamp_seconds",
    "When the configuration in use was taken over.",
    registry=REGISTRY,
)
build_info = Gauge("responder_build_info", "Always 1; the label is the version.", ["version"], registry=REGISTRY)
build_info.labels(__version__).set(1)
