"""/metrics: the sums of the database, what is open now, and what this process measures of itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from responder.domain.budgets import Left
from responder.domain.heartbeat import Heartbeat
from responder.domain.measures import BUCKETS, COUNTERS, HISTOGRAMS
from responder.flows.audit_pages import ROUND, open_differences
from responder.flows.cron_jobs import heartbeats_up
from responder.flows.dead_man import last_sent_at
from responder.flows.desk import Desk
from responder.flows.drill import confirmed_last
from responder.flows.situation import budgets_left
from responder.flows.switches import Off, switched_off
from responder.flows.watch_rotas import gap_seconds
from responder.metrics import REGISTRY
from responder.store.rounds import Round
from responder.store.transaction import Transaction
from responder.web.context import CONTEXT, needs
from responder.web.health import is_from_monitoring

PREFIX = "responder_"
Labelled = list[tuple[dict[str, str], float]]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All that is read from the database for one scrape, in one transaction."""

    now: datetime
    sums: list[tuple[str, dict[str, str], float]]
    open: list[tuple[str, str, str, int]]
    unacknowledged: list[tuple[str, str, int]]
    least_remaining: list[tuple[str, str, datetime]]
    jobs: list[tuple[str, int]]
    messages: tuple[int, datetime | None]
    heartbeats: list[Heartbeat]
    cron_jobs: dict[str, float]
    rota_gaps: dict[str, float]
    drills: dict[str, float]
    audit: Round | None
    beat_at: datetime | None
    off: list[Off]
    budgets: list[Left]
    actions: tuple[int, int]


async def metrics(request: web.Request) -> web.StreamResponse:
    """For who may read, and for the networks that the settings name: Prometheus is there."""
    if is_from_monitoring(request):
        return await _shown(request)
    return await _guarded(request)


async def _shown(request: web.Request) -> web.StreamResponse:
    desk = request.app[CONTEXT].desk
    snapshot = await desk.store.read(lambda tx: _gather(desk, tx))
    registry = CollectorRegistry()
    registry.register(_Collected(snapshot))
    text = generate_latest(registry) + generate_latest(REGISTRY)
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


_guarded = needs("read")(_shown)


def _gather(desk: Desk, tx: Transaction) -> Snapshot:
    now = desk.clock.now()
    return Snapshot(
        now=now,
        sums=tx.sums.all(),
        open=tx.tickets.open_counts(),
        unacknowledged=tx.tickets.unacknowledged_counts(),
        least_remaining=tx.tickets.least_remaining(),
        jobs=tx.jobs.waiting(now),
        messages=tx.messages.waiting(now),
        heartbeats=tx.switchboard.heartbeats(),
        cron_jobs=heartbeats_up(desk, tx),
        rota_gaps=gap_seconds(desk, tx),
        drills=confirmed_last(desk, tx),
        audit=tx.rounds.last(ROUND),
        beat_at=last_sent_at(tx),
        off=switched_off(desk, tx),
        budgets=budgets_left(desk, tx, now),
        actions=tx.actions.counts(now),
    )


class _Collected(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Metric]:
        yield from _counters(self._snapshot.sums)
        yield from _histograms(self._snapshot.sums)
        yield from _gauges(self._snapshot)


def _counters(sums: list[tuple[str, dict[str, str], float]]) -> Iterator[Metric]:
    for name, text in COUNTERS.items():
        rows = [(labels, value) for key, labels, value in sums if key == name]
        yield _family(CounterMetricFamily, name, text, rows)


def _family(
    kind: type[CounterMetricFamily | GaugeMetricFamily], name: str, text: str, rows: Labelled
) -> CounterMetricFamily | GaugeMetricFamily:
    # Sums outlive versions: a label that came later is empty on what was counted before.
    names = sorted({label for labels, _ in rows for label in labels})
    family = kind(PREFIX + name, text, labels=names)
    for labels, value in rows:
        family.add_metric([labels.get(label, "") for label in names], value)
    return family


def _histograms(sums: list[tuple[str, dict[str, str], float]]) -> Iterator[Metric]:
    for name, text in HISTOGRAMS.items():
        family = HistogramMetricFamily(PREFIX + name, text, labels=["by", "priority", "team"])
        totals = {_key(labels): value for key, labels, value in sums if key == f"{name}_sum"}
        counts: dict[tuple[str, str, str], dict[str, float]] = {}
        for key, labels, value in sums:
            if key == f"{name}_bucket":
                counts.setdefault(_key(labels), {})[labels["le"]] = value
        for series, total in sorted(totals.items()):
            family.add_metric(list(series), _cumulative(counts.get(series, {})), sum_value=total)
        yield family


def _key(labels: dict[str, str]) -> tuple[str, str, str]:
    return labels["by"], labels["priority"], labels["team"]


def _cumulative(counts: dict[str, float]) -> list[tuple[str, float]]:
    rows, running = [], 0.0
    for limit in (*map(str, BUCKETS), "+Inf"):
        running += counts.get(limit, 0.0)
        rows.append((limit, running))
    return rows


def _gauges(snapshot: Snapshot) -> Iterator[Metric]:
    waiting, oldest = snapshot.messages
    rows: dict[str, tuple[str, Labelled]] = {
        "tickets_open": (
            "Tickets that are not closed.",
            [({"priority": grade, "team": team, "status": status}, n) for grade, team, status, n in snapshot.open],
        ),
        "tickets_unacknowledged": (
            "Tickets handed over that nobody has acknowledged, without those that are held.",
            [({"priority": grade, "team": team}, n) for grade, team, n in snapshot.unacknowledged],
        ),
        "sla_clock_remaining_seconds": (
            "What is left of the running clock that is due first; negative when it is past.",
            [
                ({"clock": clock, "priority": grade}, (due - snapshot.now).total_seconds())
                for clock, grade, due in snapshot.least_remaining
            ],
        ),
        "jobs_waiting": ("Jobs that are due and not done.", [({"kind": kind}, n) for kind, n in snapshot.jobs]),
        "messages_waiting": ("Messages that have not left yet.", [({}, waiting)]),
        "message_oldest_waiting_seconds": (
            "How long the oldest of them waits.",
            [({}, (snapshot.now - oldest).total_seconds() if oldest else 0.0)],
        ),
        **_of_the_watch(snapshot),
        "improvement_actions": (
            "Actions that reviews promised and that are not done.",
            [({"state": state}, float(n)) for state, n in zip(("open", "overdue"), snapshot.actions, strict=True)],
        ),
        "kill_switch": ("1 if all automation is switched off.", [({}, float(_all_is_off(snapshot)))]),
        "automation_off": (
            "1 for everything, a runbook or a target that is switched off.",
            [({"scope": "everything"}, float(_all_is_off(snapshot))), *_off(snapshot)],
        ),
        "budget_remaining": (
            "How many targets of a failure domain or group, or runs of a runbook, automation may still touch now.",
            [({"budget": left.name, "scope": left.scope}, float(left.remaining)) for left in snapshot.budgets],
        ),
    }
    for name, (text, labelled) in rows.items():
        yield _family(GaugeMetricFamily, name, text, labelled)


def _of_the_watch(snapshot: Snapshot) -> dict[str, tuple[str, Labelled]]:
    """Who is silent: sources, cron jobs, rotas, and the audit that looks after our own pages."""
    audit = snapshot.audit
    return {
        "heartbeat_age_seconds": (
            "Since a source's heartbeat was heard; nothing for one that never was.",
            [
                (_beat(beat), (snapshot.now - beat.last_at).total_seconds())
                for beat in snapshot.heartbeats
                if beat.last_at
            ],
        ),
        "heartbeat_silent": (
            "1 if a source's heartbeat is overdue.",
            [(_beat(beat), float(beat.silent_since is not None)) for beat in snapshot.heartbeats],
        ),
        "rota_gap_seconds": (
            "How many seconds of the next 14 days nobody is on call.",
            [({"rota": name}, seconds) for name, seconds in snapshot.rota_gaps.items()],
        ),
        "drill_confirmed": (
            "1 if a person confirmed the last drill in which they were asked.",
            [({"person": name}, has_confirmed) for name, has_confirmed in snapshot.drills.items()],
        ),
        "heartbeat_up": (
            "0 if a cron job is late, has failed or runs for too long.",
            [({"name": name}, is_up) for name, is_up in snapshot.cron_jobs.items()],
        ),
        "page_audit_differences": (
            "How many things differ between who should have been told and what is stored.",
            [({}, float(open_differences(audit.result)))] if audit else [],
        ),
        "page_audit_age_seconds": (
            "Since the last round of the audit of pages.",
            [({}, (snapshot.now - audit.at).total_seconds())] if audit else [],
        ),
        "dead_man_age_seconds": (
            "Since the last beat that the dead man's switch took.",
            [({}, (snapshot.now - snapshot.beat_at).total_seconds())] if snapshot.beat_at else [],
        ),
    }


def _all_is_off(snapshot: Snapshot) -> bool:
    return any(one.scope.is_everything for one in snapshot.off)


def _off(snapshot: Snapshot) -> Labelled:
    """What is off by itself; the file and a person may both have switched it off."""
    scopes = {str(one.scope) for one in snapshot.off if not one.scope.is_everything}
    return [({"scope": scope}, 1.0) for scope in sorted(scopes)]


def _beat(beat: Heartbeat) -> dict[str, str]:
    return {"source": beat.source, "name": beat.name}
