"""Watch: clocks that run out, heartbeats that stop, and bodies whose retention has ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from responder.adapters.links import VALID_FOR
from responder.domain import lifecycle, measures, sla, ticking
from responder.domain.durations import spoken
from responder.domain.heartbeat import Heartbeat
from responder.domain.policy import HeartbeatRule
from responder.domain.report import Report, Signal
from responder.domain.reporter_news import UPDATE
from responder.domain.sla import Clock, ClockRule
from responder.domain.ticket import Change, EventKind
from responder.flows.alarms import ring
from responder.flows.audit_pages import LATEST, ROUND
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.flows.reporter import progress_due
from responder.store.transaction import Transaction

_ANSWERS_KEPT = VALID_FOR
"""As long as a signed link that has acted could be tried again."""
"""How long a request that is sent again is answered as the first time."""


async def look_at_clocks(desk: Desk) -> int:
    """Warns of clocks that come close to their target, and marks those that ran past it; how many that was."""
    async with desk.planning:
        now = desk.clock.now()
        due = await desk.store.read(lambda tx: tx.tickets.clocks_to_look_at(now))
        for ticket_id, name in due:
            await desk.store.write(lambda tx, ticket_id=ticket_id, name=name: _look(desk, tx, ticket_id, name, now))  # type: ignore[misc]
        return len(due)


def _look(desk: Desk, tx: Transaction, ticket_id: int, name: str, now: datetime) -> None:
    known = tx.tickets.one(ticket_id, locked=True)
    change, rule = Change.of(known.ticket, dict(known.clocks)), desk.policy.clock(name)
    clock = change.clocks.get(name)
    if clock is None or clock.next_at is None or clock.next_at > now:
        return
    if name == UPDATE:
        # Before the round ends: the news may be written in time, and a reminder names the time that counts.
        progress_due(desk, tx, change)
        clock = change.clocks[name]
    if clock.next_at is None or clock.next_at > now:
        pass
    elif lifecycle.breach(change, desk.policy, name, now=now):
        if rule is not None:
            ring(desk, tx, change, rule.on_breach, clock, what=f"The {name} clock ran past its target.")
    elif rule is None:
        # The policy has no such clock any more, so nobody is warned of it.
        change.clocks[name] = replace(clock, next_at=clock.due_at)
    else:
        _warn(desk, tx, change, rule, clock)
    tx.apply([change], now)


def _warn(desk: Desk, tx: Transaction, change: Change, rule: ClockRule, clock: Clock) -> None:
    now, percent = desk.clock.now(), sla.next_warning(clock, rule)
    if percent is None:
        return
    change.clocks[rule.name] = ticking.warned(clock, rule, percent)
    left = f"; {spoken(clock.due_at - now)} left" if clock.due_at else ""
    text = f"{percent} % of the {rule.name} clock is used{left}."
    measures.count_clock(change, "sla_clock_warnings_total", rule.name)
    change.note(now, EventKind.CLOCK, text, clock=rule.name, percent=percent)
    ring(desk, tx, change, rule.on_warn, clock, what=text)


async def listen_anew(desk: Desk) -> None:
    """Lets silence count from now on if nobody was there to hear anything; a quick restart and another replica that
    has listened all the time change nothing."""
    now = desk.clock.now()

    def body(tx: Transaction) -> None:
        last = tx.rounds.last(ROUND)
        # A round that lies ahead was made by a clock that has been put right since.
        if last is None or abs(now - last.at) > LATEST:
            tx.switchboard.listen_anew(now)

    await desk.store.write(body)


async def watch_heartbeats(desk: Desk) -> int:
    """Reports sources that have gone silent, and those that are back; how many reports that made."""
    now, policy = desk.clock.now(), desk.policy
    rules = {rule.name: rule for rule in policy.heartbeats}
    expected = {(source, name) for name, rule in rules.items() for source in _sources(desk) if rule.is_due_from(source)}
    beats = await desk.store.read(lambda tx: tx.switchboard.heartbeats())
    unheard = expected - {(beat.source, beat.name) for beat in beats}
    if not unheard and not any(_is_news(desk, beat, now) for beat in beats):
        return 0

    def body(tx: Transaction) -> int:
        made = []
        tx.switchboard.expect_beats(unheard, now)
        for stored in tx.switchboard.heartbeats():
            beat = _put_right(tx, stored, now)
            report = _no_longer_expected(desk, tx, beat) or report_on(beat, rules.get(beat.name), now)
            if report is not None:
                since = now if report.signal is Signal.FIRING else None
                tx.switchboard.mark_silent(beat.source, beat.name, since)
                made.append(report)
        file_reports(tx, made, policy, now)
        return len(made)

    return await desk.store.write(body)


def _is_news(desk: Desk, beat: Heartbeat, now: datetime) -> bool:
    rules = {rule.name: rule for rule in desk.policy.heartbeats}
    is_changed = report_on(beat, rules.get(beat.name), now) is not None
    return is_changed or _is_over(desk, beat) or beat.put_right(now) != beat


def _put_right(tx: Transaction, stored: Heartbeat, now: datetime) -> Heartbeat:
    beat = stored.put_right(now)
    if beat != stored:
        tx.switchboard.keep_beat(beat)
    return beat


def _sources(desk: Desk) -> set[str]:
    return {source.name for source in desk.configuration.settings.sources}


def _is_over(desk: Desk, beat: Heartbeat) -> bool:
    """Whether the configuration has let go of the source or of the heartbeat."""
    return beat.source not in _sources(desk) or all(rule.name != beat.name for rule in desk.policy.heartbeats)


def _no_longer_expected(desk: Desk, tx: Transaction, beat: Heartbeat) -> Report | None:
    """Forgets what nobody expects any more; the report that ends its ticket, if it has one."""
    if not _is_over(desk, beat):
        return None
    tx.switchboard.forget_beat(beat.source, beat.name)
    if beat.silent_since is None:
        return None
    text = f"{beat.name} of {beat.source} is not expected any more."
    return internal_report(_labels(beat), text, desk.clock.now(), signal=Signal.CLEARED)


def report_on(beat: Heartbeat, rule: HeartbeatRule | None, now: datetime) -> Report | None:
    """The report that a source has gone silent, or that it is back; None if nothing has changed."""
    is_silent = rule is not None and beat.is_silent(rule.within, now)
    if rule is None or is_silent == (beat.silent_since is not None):
        return None
    labels = _labels(beat)
    if not is_silent:
        return internal_report(labels, f"{beat.source} sends {beat.name} again.", now, signal=Signal.CLEARED)
    silent_for = spoken(now - beat.counted_from)
    summary = (
        f"{beat.source} has not sent {beat.name} for {silent_for}: "
        "alerts may be lost, so the monitoring itself is the incident."
    )
    if beat.not_heard_since:
        summary = (
            f"{beat.source} has not sent {beat.name} since the start, {silent_for} ago: "
            "alerts may be lost, so the monitoring itself is the incident."
        )
    return internal_report(labels, summary, now)


def _labels(beat: Heartbeat) -> dict[str, str]:
    return {
        "alertname": "ResponderHeartbeatSilent",
        "source": beat.source,
        "heartbeat": beat.name,
        "severity": "critical",
    }


async def forget(desk: Desk) -> int:
    """Deletes raw bodies, keys of sent reports and answers whose retention has ended; how many."""
    now = desk.clock.now()
    limit = now - desk.configuration.settings.retention
    return await desk.store.write(lambda tx: _forgotten(tx, limit) + tx.answers.forget_before(now - _ANSWERS_KEPT))


def _forgotten(tx: Transaction, limit: datetime) -> int:
    return tx.reports.forget_before(limit) + tx.sendings.forget_before(limit) + tx.mails.forget_before(limit)
