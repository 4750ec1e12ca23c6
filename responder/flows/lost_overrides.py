"""Lost overrides: whoever renames a rota or removes a person hears which overrides count no more since then."""

from __future__ import annotations

from datetime import datetime

from responder.domain.lost_overrides import Lost, by_missing, lost, told_of
from responder.domain.report import Report, Signal
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.store.transaction import Transaction

_ROUND = "lost overrides"
_MISSED = "missed"


def lost_overrides(desk: Desk, tx: Transaction) -> list[Lost]:
    """The overrides that hold or would hold, and whose rota or people the files do not know any more."""
    now, configuration = desk.clock.now(), desk.configuration
    return lost(tx.overrides.since(now), configuration.rotas, configuration.people, now)


async def watch_lost_overrides(desk: Desk) -> int:
    """Reports what has gone from the files while overrides hung on it, and what is back, or over; how many reports."""

    def body(tx: Transaction) -> int:
        now = desk.clock.now()
        reports, missed = _found(desk, tx, now)
        tx.rounds.keep(_ROUND, now, {_MISSED: missed})
        file_reports(tx, reports, desk.policy, now)
        return len(reports)

    is_new = (await desk.store.read(lambda tx: _found(desk, tx, desk.clock.now())))[0]
    return await desk.store.write(body) if is_new else 0


def _found(desk: Desk, tx: Transaction, now: datetime) -> tuple[list[Report], list[str]]:
    """What has to be reported, and all that is missed now."""
    found, last = by_missing(lost_overrides(desk, tx)), tx.rounds.last(_ROUND)
    before = set(last.result.get(_MISSED, ())) if last else set()
    new = [_report(missing, told_of(found[missing]), now) for missing in sorted(set(found) - before)]
    over = [_over(missing, now) for missing in sorted(before - set(found))]
    return [*new, *over], sorted(found)


def _report(missing: str, text: str, now: datetime, signal: Signal = Signal.FIRING) -> Report:
    labels = {"alertname": "ResponderOverridesLost", "missing": missing, "severity": "warning"}
    return internal_report(labels, text, now, signal=signal)


def _over(missing: str, now: datetime) -> Report:
    return _report(missing, f"No override hangs on {missing} any more, or it is there again.", now, Signal.CLEARED)
