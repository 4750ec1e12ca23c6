"""How responder itself is: gathered by the same functions as the metrics, so that both say the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from responder.domain.cron_job import BAD
from responder.domain.heartbeat import Heartbeat
from responder.domain.vitals import Process, Seen, State, Vital, vitals, worst
from responder.flows.audit_pages import last_round
from responder.flows.cron_jobs import shown
from responder.flows.dead_man import last_sent_at, last_word
from responder.flows.desk import Desk
from responder.metrics import REGISTRY
from responder.store.schema import revisions
from responder.store.transaction import Transaction
from responder.store.vitals import ChannelLoad, DatabaseVitals, VitalStore

_MAILBOX = "responder_mailbox_last_look_timestamp_seconds"


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """All that is known of how responder is. `jobs`: kind, how many are due, and since when the oldest is; `sent`: by
    kind of channel and outcome, since the service exists."""

    at: datetime
    process: Process
    database: DatabaseVitals
    answered_in: timedelta
    jobs: tuple[tuple[str, int, datetime | None], ...]
    messages_waiting: int
    oldest_message_at: datetime | None
    channels: tuple[ChannelLoad, ...]
    sent: tuple[tuple[str, str, int], ...]
    sources: tuple[Heartbeat, ...]
    cron_jobs: tuple[dict[str, Any], ...]
    pages: dict[str, Any]
    mailbox_seen_at: datetime | None
    beat_at: datetime | None
    state: State = State.GOOD
    vitals: tuple[Vital, ...] = ()


async def health_of(desk: Desk, process: Process, answered_in: timedelta) -> Health:
    """How this process and all that it shares with others are now. Raises StoreUnavailable."""
    return await desk.store.read(lambda tx: _gathered(desk, tx, process, answered_in))


def _gathered(desk: Desk, tx: Transaction, process: Process, answered_in: timedelta) -> Health:
    now, store = desk.clock.now(), VitalStore(tx.connection)
    oldest = store.oldest_jobs(now)
    count, oldest_message_at = tx.messages.waiting(now)
    health = Health(
        at=now,
        process=process,
        database=store.database(),
        answered_in=answered_in,
        jobs=tuple((kind, waiting, oldest.get(kind)) for kind, waiting in sorted(tx.jobs.waiting(now))),
        messages_waiting=count,
        oldest_message_at=oldest_message_at,
        channels=tuple(store.channels(now)),
        sent=_sent(tx),
        sources=tuple(tx.switchboard.heartbeats()),
        cron_jobs=tuple(shown(desk, tx)),
        pages=last_round(tx),
        mailbox_seen_at=mailbox_seen_at(now),
        beat_at=last_sent_at(tx),
    )
    found = vitals(process, _seen(desk, health, last_word(tx)), now)
    return replace(health, state=worst(found), vitals=tuple(found))


def _seen(desk: Desk, health: Health, beat_objection: str) -> Seen:
    configuration = desk.configuration
    dead_man = configuration.settings.dead_man
    return Seen(
        answered_in=health.answered_in,
        revision=health.database.revision,
        newest_revision=revisions()[-1],
        oldest_jobs={kind: at for kind, _, at in health.jobs if at},
        messages_waiting=health.messages_waiting,
        oldest_message_at=health.oldest_message_at,
        failing_channels=[one.channel for one in health.channels if one.failing],
        mailbox_seen_at=health.mailbox_seen_at,
        has_mailbox=bool(configuration.mail and configuration.mail.mailbox),
        beat_every=dead_man.every if dead_man else None,
        beat_at=health.beat_at,
        beat_objection=beat_objection if dead_man else "",
        silent_sources=[_of_source(one) for one in health.sources if one.silent_since],
        unheard_sources=[_of_source(one) for one in health.sources if one.not_heard_since],
        cron_jobs_in_trouble=[one["name"] for one in health.cron_jobs if one["state"] in BAD],
        pages_at=health.pages["at"],
        differences=health.pages["open"],
        unreached=health.pages["unreached"],
    )


def _of_source(beat: Heartbeat) -> str:
    return f"{beat.name} ({beat.source})"


def mailbox_seen_at(now: datetime) -> datetime | None:
    """When the server of the mailbox answered this process last; None where it follows none."""
    looked = REGISTRY.get_sample_value(_MAILBOX)
    return datetime.fromtimestamp(looked, now.tzinfo) if looked else None


def _sent(tx: Transaction) -> tuple[tuple[str, str, int], ...]:
    found = (
        (labels.get("channel", ""), labels.get("outcome", ""), int(value))
        for name, labels, value in tx.sums.all()
        if name == "messages_total"
    )
    return tuple(sorted(found))
