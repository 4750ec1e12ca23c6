"""Builds the Grafana board: python grafana/build_board.py [FILE]. The same script always gives the same bytes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

BOARD = Path(__file__).parent / "dashboards" / "responder.json"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24

Json = dict[str, Any]
Steps = tuple[tuple[float | None, str], ...]

PLAIN: Steps = ((None, "green"),)
RED_ABOVE_ZERO: Steps = ((None, "green"), (1, "red"))
RED_AT_ZERO: Steps = ((None, "red"), (1, "green"))
ATTAINMENT: Steps = ((None, "red"), (0.9, "orange"), (0.95, "green"))
USEFULNESS: Steps = ((None, "red"), (0.5, "orange"), (0.8, "green"))
TIME_LEFT: Steps = ((None, "red"), (0, "orange"), (900, "green"))

WINDOWED = "Each point describes the $window before it."


@dataclass(frozen=True)
class Panel:
    """One picture. `lines` maps what a line is called to its expression; `steps` are (from this value on, colour),
    `nothing` is shown where there is no line at all."""

    title: str
    lines: Mapping[str, str]
    kind: str = "timeseries"
    unit: str = "short"
    text: str = ""
    width: int = 8
    height: int = 7
    steps: Steps = PLAIN
    nothing: str = ""
    words: Mapping[str, str] | None = None


def durations(metric: str, level: str) -> dict[str, str]:
    """Mean, p50 and p90 of one kind of duration in the chosen window, for each combination of the labels in `level`."""
    names = [name for name in level.split("_") if name != "job"]
    legend = " ".join(f"{{{{{name}}}}}" for name in names)
    buckets = f"sum by ({', '.join(names)}, le) (job_priority_by_le:{metric}_bucket:delta$window{{JOB}})"
    return {
        f"{legend} mean": f"{level}:{metric}:mean$window{{JOB}}",
        f"{legend} p50": f"histogram_quantile(0.5, {buckets}) >= 0",
        f"{legend} p90": f"{level}:{metric}:p90_$window{{JOB}}",
    }


def quantiles(metric: str) -> dict[str, str]:
    """Quantiles of what the processes measure of themselves, over all replicas."""
    buckets = f"sum by (le) (rate({metric}_bucket{{JOB}}[$__rate_interval]))"
    return {f"p{share * 100:g}": f"histogram_quantile({share}, {buckets}) >= 0" for share in (0.5, 0.9, 0.99)}


def grown(metric: str, by: str) -> str:
    """How much a sum of the database grew within an hour, counted once, however many replicas show it."""
    now = f"max by (job, {by}) ({metric}{{JOB}})"
    return f"sum by ({by}) ({now} - (max by (job, {by}) ({metric}{{JOB}} offset 1h) or {now} * 0))"


BREACHED = "sum by (priority, clock) (job_clock_priority:responder_sla_clocks_breached:delta$window{JOB})"
RUNS = "sum by (runbook, outcome) (job_runbook_outcome:responder_runs:delta$window{JOB}) > 0"
TAKEN_OVER = "max by (instance) (responder_config_last_reload_success_timestamp_seconds{JOB}) * 1000"
LOOKED = "time() - (max by (job) (responder_mailbox_last_look_timestamp_seconds{JOB}) > 0)"
STEPS = "sum by (kind, le) (rate(responder_step_seconds_bucket{JOB}[$__rate_interval]))"

BEATS = 'max by (job, outcome) (responder_dead_man_beats_total{outcome!="sent",JOB})'
BEATS_BEFORE = BEATS.replace("})", "} offset 1h)")

stat = partial(Panel, kind="stat")
bars = partial(Panel, kind="bargauge")

NOW = (
    stat(
        "Open tickets",
        {"{{priority}}": "sum by (priority) (job_priority:responder_tickets_open:sum{JOB})"},
        text="Not resolved yet, by priority.",
        nothing="none",
    ),
    stat(
        "Handed over, acknowledged by nobody",
        {"{{priority}}": "sum by (priority) (job_priority:responder_tickets_unacknowledged:sum{JOB})"},
        steps=RED_ABOVE_ZERO,
        nothing="none",
    ),
    bars(
        "Least time left on a clock",
        {"{{priority}} {{clock}}": "min by (clock, priority) (responder_sla_clock_remaining_seconds{JOB})"},
        unit="dtdurations",
        text="Of the open tickets. Below 0 the target is missed.",
        steps=TIME_LEFT,
    ),
    Panel(
        "Tickets by status",
        {"{{status}}": "sum by (status) (max by (job, priority, team, status) (responder_tickets_open{JOB}))"},
        width=12,
    ),
    Panel(
        "Tickets opened, per hour",
        {
            "{{priority}} {{team}} {{source}}": grown("responder_tickets_created_total", "priority, team, source"),
            "{{priority}} {{team}} reopened": grown("responder_tickets_reopened_total", "priority, team"),
            "held: {{by}}": grown("responder_tickets_held_total", "by"),
        },
        width=12,
    ),
)

SERVICE_LEVELS = (
    bars(
        "Clocks met, last $window",
        {"{{priority}} {{clock}}": "job_clock_priority:responder_sla_clocks_met:ratio$window{JOB}"},
        unit="percentunit",
        text="Met, of all that were met or breached. No bar: there was none.",
        steps=ATTAINMENT,
    ),
    Panel(
        "Clocks met over time",
        {"{{priority}} {{clock}}": "job_clock_priority:responder_sla_clocks_met:ratio$window{JOB}"},
        unit="percentunit",
        text=WINDOWED,
    ),
    stat("Clocks breached, last $window", {"{{priority}} {{clock}}": BREACHED}, steps=RED_ABOVE_ZERO),
    Panel(
        "Warned of before a breach, and left out of service levels",
        {
            "warned: {{clock}}": grown("responder_sla_clock_warnings_total", "clock"),
            "left out: {{reason}}": grown("responder_sla_clocks_excluded_total", "reason"),
        },
        text="Within an hour. Left out are tickets that ended without a solution; the clocks are still counted, here.",
    ),
    Panel(
        "Held back, and called in vain",
        {
            "held: {{by}}": grown("responder_tickets_held_total", "by"),
            "nobody came: {{priority}}": grown("responder_escalations_exhausted_total", "priority"),
            "late calls: {{priority}}": grown("responder_escalation_calls_late_total", "priority"),
        },
        text="Within an hour. Held: it waited before anybody was told. In vain: all were called, and nobody came.",
    ),
    Panel(
        "Reachability drills",
        {
            "{{person}}": "max by (person) (responder_drill_confirmed{JOB})",
            "{{outcome}}, within an hour": grown("responder_drill_answers_total", "outcome"),
        },
        text="By person: 1 for who confirmed the last drill in which they were asked, 0 for who did not.",
    ),
    Panel(
        "On call: hours without anybody, and changes by hand",
        {
            "nobody in the next 14 days: {{rota}}": "max by (rota) (responder_rota_gap_seconds{JOB}) / 3600",
            "changed within an hour: {{rota}}": grown("responder_overrides_total", "rota"),
        },
        text="Hours of the next 14 days in which a call would go to the next tier; and overrides that people made.",
    ),
    Panel(
        "MTTA: until the first answer",
        durations("responder_ticket_acknowledge_seconds", "job_priority_by"),
        unit="s",
        text=f"The machine's first step and a person's first answer are kept apart. {WINDOWED}",
    ),
    Panel(
        "MTTR: until restored",
        durations("responder_ticket_restore_seconds", "job_priority"),
        unit="s",
        text=f"Until the trouble no longer showed, whoever did it. {WINDOWED}",
    ),
    Panel(
        "MTTR: until resolved",
        durations("responder_ticket_resolve_seconds", "job_priority"),
        unit="s",
        text=f"Until it had stayed quiet. {WINDOWED}",
    ),
)

MACHINE_WORK = (
    bars(
        "First aid that helped, last $window",
        {"{{runbook}}": "job_runbook:responder_runs_helped:ratio$window{JOB}"},
        unit="percentunit",
        text="Of the runs that helped, failed or ended unknown.",
        steps=USEFULNESS,
    ),
    bars("Runs, last $window", {"{{runbook}} {{outcome}}": RUNS}),
    Panel(
        "Solved by the machine",
        {
            "all": "job:responder_tickets_resolved_by_machine:ratio$window{JOB}",
            "{{priority}}": "job_priority:responder_tickets_resolved_by_machine:ratio$window{JOB}",
        },
        unit="percentunit",
        text=f"Share of all resolved tickets. {WINDOWED}",
    ),
    stat(
        "Resolved by whom, last $window",
        {"{{by}}": "sum by (by) (job_priority_by:responder_tickets_resolved:delta$window{JOB})"},
    ),
    Panel("From the alert to the first command", quantiles("responder_report_to_command_seconds"), unit="s"),
    bars(
        "What is left of each budget",
        {"{{budget}} {{scope}}": "min by (budget, scope) (responder_budget_remaining{JOB})"},
        text="Runs that may still begin now. At 0 the next one is refused, and people get the ticket.",
        steps=RED_AT_ZERO,
    ),
    stat(
        "Automation switched off for",
        {"{{scope}}": "max by (scope) (responder_automation_off{JOB}) == 1"},
        steps=RED_ABOVE_ZERO,
        nothing="nothing",
    ),
    Panel("Steps: p90 by kind", {"{{kind}}": f"histogram_quantile(0.9, {STEPS}) >= 0"}, unit="s"),
)

DELIVERY = (
    Panel("Messages waiting", {"{{job}}": "max by (job) (responder_messages_waiting{JOB})"}),
    Panel(
        "Age of the oldest waiting message",
        {"{{job}}": "max by (job) (responder_message_oldest_waiting_seconds{JOB})"},
        unit="s",
    ),
    Panel(
        "Messages by channel, per hour",
        {"{{channel}} {{outcome}}": grown("responder_messages_total", "channel, outcome")},
        text="overtaken: somebody acknowledged before it was sent.",
    ),
)

HEALTH = (
    stat("Instances", {"{{version}}": "count by (version) (responder_build_info{JOB})"}, width=4),
    stat(
        "Configuration",
        {"{{instance}}": "min by (instance) (responder_config_last_reload_successful{JOB})"},
        steps=RED_AT_ZERO,
        words={"0": "refused", "1": "in use"},
        width=4,
    ),
    stat("Configuration taken over", {"{{instance}}": TAKEN_OVER}, unit="dateTimeAsIso"),
    stat(
        "Kill switch",
        {"{{job}}": "max by (job) (responder_kill_switch{JOB})"},
        steps=RED_ABOVE_ZERO,
        words={"0": "first aid is on", "1": "FIRST AID IS OFF"},
    ),
    Panel(
        "Time to answer a sender",
        quantiles("responder_intake_seconds"),
        unit="s",
        text="From the last byte to the answer after the commit.",
    ),
    Panel(
        "Reports taken in, per hour", {"{{source}} {{outcome}}": grown("responder_reports_total", "source, outcome")}
    ),
    Panel(
        "Mails taken in, per hour",
        {"{{way}} {{taken}}": grown("responder_mails_total", "way, taken")},
        text="By what became of them. quarantined: set aside with its bytes, as a ticket about itself.",
    ),
    stat(
        "Since the mailbox answered",
        {"{{job}}": LOOKED},
        unit="s",
        steps=((None, "green"), (600, "red")),
        text="Of the replica that heard from it last.",
        nothing="no mailbox",
    ),
    Panel(
        "Requests refused",
        {"{{status}}": "sum by (status) (rate(responder_intake_refused_total{JOB}[$__rate_interval]))"},
        unit="reqps",
    ),
    Panel(
        "Mails handed in and refused",
        {"{{reason}}": "sum by (reason) (rate(responder_mail_refused_total{JOB}[$__rate_interval]))"},
        unit="reqps",
        text="By the listener: the sender is told to come again, unless it is the recipient or the size.",
    ),
    Panel(
        "Watches that fail",
        {"{{watch}}": "sum by (watch) (rate(responder_watch_failures_total{JOB}[$__rate_interval]))"},
    ),
    Panel(
        "Waiting and at work",
        {
            "{{kind}} due": "max by (kind) (responder_jobs_waiting{JOB})",
            "at work on {{instance}}": "sum by (instance) (responder_jobs_running{JOB})",
            "requests waiting for the next commit": "sum(responder_intake_waiting{JOB})",
        },
    ),
    stat(
        "Jobs set aside, ever",
        {"{{kind}}": "max by (kind) (responder_jobs_set_aside_total{JOB})"},
        text="Given up after too many tries.",
        nothing="none",
    ),
    bars(
        "Since the last heartbeat",
        {
            "{{source}} {{name}}": "min by (source, name) (responder_heartbeat_age_seconds{JOB})",
            "audit of pages": "max(responder_page_audit_age_seconds{JOB})",
            "dead man's switch": "max(responder_dead_man_age_seconds{JOB})",
        },
        unit="s",
    ),
    stat(
        "Heartbeats",
        {
            "{{source}} {{name}}": "max by (source, name) (responder_heartbeat_silent{JOB})",
            "cron job {{name}}": "1 - min by (name) (responder_heartbeat_up{JOB})",
        },
        steps=RED_ABOVE_ZERO,
        words={"0": "well", "1": "SILENT OR FAILED"},
    ),
    stat(
        "Audit of pages",
        {
            "differences": "max(responder_page_audit_differences{JOB})",
            "beats not sent, within an hour": f"sum({BEATS} - ({BEATS_BEFORE} or {BEATS} * 0))",
        },
        steps=RED_ABOVE_ZERO,
        text="Who should have been told, compared with what is stored; while they differ no beat is sent.",
    ),
)

ROWS = {
    "Now": NOW,
    "SLA": SERVICE_LEVELS,
    "Machine work": MACHINE_WORK,
    "Delivery": DELIVERY,
    "Health of responder": HEALTH,
}


def target(number: int, legend: str, expr: str, *, instant: bool) -> Json:
    """One query. JOB stands for the installations that are chosen above the board."""
    return {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": expr.replace("JOB", 'job=~"$job"'),
        "instant": instant,
        "legendFormat": legend,
        "range": not instant,
        "refId": chr(ord("A") + number),
    }


def look(panel: Panel) -> Json:
    """Unit, limits, words and colours."""
    words = {value: {"index": index, "text": text} for index, (value, text) in enumerate((panel.words or {}).items())}
    lines = {"fillOpacity": 8, "lineWidth": 1, "showPoints": "auto", "spanNulls": False}
    return {
        "color": {"mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"},
        "custom": lines if panel.kind == "timeseries" else {},
        "mappings": [{"options": words, "type": "value"}] if words else [],
        "thresholds": {"mode": "absolute", "steps": [{"color": colour, "value": at} for at, colour in panel.steps]},
        "unit": panel.unit,
        **({"noValue": panel.nothing} if panel.nothing else {}),
        **({"max": 1, "min": 0} if panel.unit == "percentunit" else {}),
    }


def options(kind: str) -> Json:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    match kind:
        case "stat":
            return {"colorMode": "value", "graphMode": "none", "reduceOptions": last, "textMode": "value_and_name"}
        case "bargauge":
            return {"displayMode": "basic", "orientation": "horizontal", "reduceOptions": last}
        case _:
            return {
                "legend": {"calcs": ["lastNotNull"], "displayMode": "table", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }


def panel_json(panel: Panel, number: int, x: int, y: int) -> Json:
    instant = panel.kind != "timeseries"
    return {
        "datasource": DATASOURCE,
        "description": panel.text,
        "fieldConfig": {"defaults": look(panel), "overrides": []},
        "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y},
        "id": number,
        "options": options(panel.kind),
        "targets": [target(index, *line, instant=instant) for index, line in enumerate(panel.lines.items())],
        "title": panel.title,
        "type": panel.kind,
    }


def row_json(title: str, number: int, y: int) -> Json:
    place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
    return {"collapsed": False, "gridPos": place, "id": number, "panels": [], "title": title, "type": "row"}


def placed(panels: tuple[Panel, ...], y: int) -> Iterator[tuple[Panel, int, int]]:
    """Fills lines from the left, as one writes; gives each panel its x and y."""
    x = height = 0
    for panel in panels:
        if x + panel.width > WIDTH:
            x, y, height = 0, y + height, 0
        yield panel, x, y
        x, height = x + panel.width, max(height, panel.height)


def pictures() -> list[Json]:
    built: list[Json] = []
    bottom = 0
    for title, panels in ROWS.items():
        built.append(row_json(title, len(built) + 1, bottom))
        for panel, x, y in placed(panels, bottom + 1):
            built.append(panel_json(panel, len(built) + 1, x, y))
            bottom = max(bottom, y + panel.height)
    return built


def job_variable() -> Json:
    values = "label_values(responder_build_info, job)"
    return {
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "datasource": DATASOURCE,
        "definition": values,
        "includeAll": True,
        "label": "Installation",
        "multi": True,
        "name": "job",
        "query": {"qryType": 1, "query": values, "refId": "jobs"},
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }


def window_variable() -> Json:
    return {
        "current": {"selected": True, "text": "7d", "value": "7d"},
        "label": "Window",
        "name": "window",
        "options": [{"selected": span == "7d", "text": span, "value": span} for span in ("1d", "7d", "30d")],
        "query": "1d,7d,30d",
        "type": "custom",
    }


def board() -> Json:
    source = {"label": "Data source", "name": "datasource", "query": "prometheus", "refresh": 1, "type": "datasource"}
    return {
        "annotations": {"list": []},
        "description": "Tickets, service levels, first aid, delivery, and the health of responder itself.",
        "editable": False,
        "graphTooltip": 1,
        "panels": pictures(),
        "refresh": "30s",
        "schemaVersion": 39,
        "tags": ["responder"],
        "templating": {"list": [source, job_variable(), window_variable()]},
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "title": "Responder",
        "uid": "responder",
        "version": 1,
    }


def main(path: Path) -> None:
    path.write_text(json.dumps(board(), indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else BOARD)
