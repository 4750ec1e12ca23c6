"""Watch the rotas: time in which nobody is on call is told of before it comes, and is a trouble when it is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from responder.config.configuration import Configuration
from responder.domain.lost_overrides import that_count
from responder.domain.oncall import Person
from responder.domain.report import Report, Signal
from responder.domain.rota import Override, Rota, Shift, gaps, people_on_call, why_nobody
from responder.flows.desk import Desk
from responder.flows.lost_overrides import watch_lost_overrides
from responder.flows.receive import file_reports, internal_report
from responder.store.overrides import RotaWatch
from responder.store.transaction import Transaction

LOOKED_AHEAD = timedelta(days=14)
log = structlog.get_logger()


def rotas_that_call(configuration: Configuration) -> dict[str, Rota]:
    """The rotas that a tier names and that must always have somebody."""
    named = {tier.rota for tiers in configuration.tiers.values() for tier in tiers}
    return {name: rota for name, rota in configuration.rotas.items() if name in named and not rota.may_be_empty}


async def watch_rotas(desk: Desk) -> int:
    """Reports rotas in which nobody can be reached now, and those where somebody can again, and overrides that count no
    more; how many reports."""
    now = desk.clock.now()

    def look(tx: Transaction) -> list[tuple[RotaWatch, Report]]:
        return _found(desk.configuration, tx.overrides.since(now), tx.overrides.watches(), now)

    def body(tx: Transaction) -> int:
        found = look(tx)
        for watch, _ in found:
            tx.overrides.keep_watch(watch)
        file_reports(tx, [report for _, report in found], desk.policy, now)
        return len(found)

    reported = await desk.store.write(body) if await desk.store.read(look) else 0
    return reported + await watch_lost_overrides(desk)


def _found(
    configuration: Configuration, overrides: list[Override], watches: Mapping[str, RotaWatch], now: datetime
) -> list[tuple[RotaWatch, Report]]:
    rotas, overrides = rotas_that_call(configuration), that_count(overrides, configuration.people)
    found = []
    for name in sorted({*rotas, *watches}):
        watch, rota = watches.get(name, RotaWatch(rota=name)), rotas.get(name)
        why = nobody_to_call(rota, overrides, configuration.people, now) if rota else ""
        if bool(why) != (watch.empty_since is not None):
            seen = RotaWatch(rota=name, empty_since=now if why else None, gap_at=watch.gap_at)
            found.append((seen, _report(name, why, now)))
    return found


def nobody_to_call(rota: Rota, overrides: list[Override], people: Mapping[str, Person], at: datetime) -> str:
    """Why nobody of a rota can be reached at an instant, as a sentence; empty if somebody can."""
    names = people_on_call(rota, overrides, at)
    if not names:
        why = why_nobody(rota, overrides, at)
        return f"Nobody is on call in rota {rota.name} ({why}): calls go to the next tier."
    if any(name in people and people[name].channels for name in names):
        return ""
    return f"{', '.join(names)}, on call in rota {rota.name}, has no channel: calls go to the next tier."


def _report(rota: str, why: str, now: datetime) -> Report:
    labels = {"alertname": "ResponderNobodyOnCall", "rota": rota, "severity": "critical"}
    if why:
        return internal_report(labels, why, now)
    return internal_report(labels, f"Somebody is on call in rota {rota} again.", now, signal=Signal.CLEARED)


def gaps_ahead(configuration: Configuration, overrides: list[Override], now: datetime) -> dict[str, list[Shift]]:
    """The times in the next 14 days in which nobody is on call, of every rota that must always have somebody."""
    rotas, overrides = rotas_that_call(configuration), that_count(overrides, configuration.people)
    return {name: gaps(rota, overrides, now, now + LOOKED_AHEAD) for name, rota in rotas.items()}


def gap_seconds(desk: Desk, tx: Transaction) -> dict[str, float]:
    """How many seconds of the next 14 days are without anybody on call, by rota."""
    now = desk.clock.now()
    found = gaps_ahead(desk.configuration, tx.overrides.since(now), now)
    return {name: sum((one.until - one.start).total_seconds() for one in each) for name, each in found.items()}


async def warn_of_gaps(desk: Desk) -> int:
    """Writes a warning into the log for every rota whose next gap is another one than before; how many."""
    now = desk.clock.now()

    def body(tx: Transaction) -> list[tuple[str, Shift]]:
        watches, new = tx.overrides.watches(), []
        for name, found in gaps_ahead(desk.configuration, tx.overrides.since(now), now).items():
            watch = watches.get(name, RotaWatch(rota=name))
            start = found[0].start if found else None
            if start == watch.gap_at or (start == now and watch.gap_at is not None):
                continue
            tx.overrides.keep_watch(RotaWatch(rota=name, empty_since=watch.empty_since, gap_at=start))
            new += [(name, found[0])] if found else []
        return new

    told = await desk.store.write(body)
    for name, gap in told:
        log.warning("nobody is on call", rota=name, start=gap.start.isoformat(), until=gap.until.isoformat())
    return len(told)
