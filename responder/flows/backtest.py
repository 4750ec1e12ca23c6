"""Backtest: what the recorded reports would have led to under another policy. Runs, sends and writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from responder.config.configuration import Configuration
from responder.domain import autonomy
from responder.domain.autonomy import Autonomy
from responder.domain.heartbeat import Heartbeat
from responder.domain.oncall import recipients
from responder.domain.replay import COUNTED, Aid, Replay, Surroundings, Tally
from responder.domain.report import Report, Signal
from responder.domain.rota import people_on_call
from responder.domain.target import find
from responder.domain.ticket import Ticket
from responder.errors import BadReport
from responder.firstaid.plan import from_snapshot, snapshot
from responder.flows.receive import Post, about_quarantine, about_stranger, with_complaints
from responder.flows.watch import report_on
from responder.intake.alertmanager import parse
from responder.store.database import Store
from responder.store.reports import Body

FIELDS = ("tickets", *COUNTED)
_SHOWN = 100
_Node = tuple[bool, str]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One trouble, or several that are one under the other policy: what was counted under each of the two."""

    title: str
    since: datetime
    before: Tally
    after: Tally

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for name in FIELDS if getattr(self.before, name) != getattr(self.after, name))


@dataclass(kw_only=True)
class Backtest:
    """The differences in the order in which the troubles first showed, and the sums. `quarantined` holds the first
    bodies that were not understood."""

    bodies: int = 0
    reports: int = 0
    quarantined: list[Body] = field(default_factory=list)
    quarantined_count: int = 0
    troubles: tuple[int, int] = (0, 0)
    pages: tuple[int, int] = (0, 0)
    tickets: tuple[int, int] = (0, 0)
    differences: tuple[Difference, ...] = ()

    @property
    def by_field(self) -> dict[str, int]:
        """How many troubles differ in each field."""
        counted = Counter(name for one in self.differences for name in one.fields)
        return {name: counted[name] for name in FIELDS if counted[name]}


async def backtest(
    store: Store, present: Configuration, changed: Configuration, period: tuple[datetime, datetime]
) -> Backtest:
    """Replays all bodies of the period under both configurations. Raises StoreUnavailable."""
    found = Backtest()
    pair = (Replay(present.policy, surroundings(present)), Replay(changed.policy, surroundings(changed)))
    families = _Families()
    async for body in _bodies(store, period):
        reports = _reports(body, found)
        for replay in pair:
            replay.feed(reports, body.received_at)
        for report in reports:
            families.join(present.policy.trouble(report), changed.policy.trouble(report))
    for replay in pair:
        replay.finish(period[1])
    found.differences = tuple(_differences(families, pair))
    found.troubles = (len(pair[0].tallies), len(pair[1].tallies))
    found.tickets = (_tickets(pair[0]), _tickets(pair[1]))
    found.pages = (_pages(pair[0]), _pages(pair[1]))
    return found


async def _bodies(store: Store, period: tuple[datetime, datetime]) -> AsyncIterator[Body]:
    """Page by page, each in a transaction of its own: nothing is held while the replay thinks."""
    after: tuple[datetime, str] | None = None
    while page := await store.read(lambda tx, after=after: tx.reports.arrived(*period, after=after)):  # type: ignore[misc]
        for body in page:
            yield body
        after = (page[-1].received_at, page[-1].id)


def _reports(body: Body, found: Backtest) -> Sequence[Report]:
    """The reports of a body as they were filed when it came in."""
    if body.quarantined_because:
        return _quarantined(body, found)
    if not body.body:
        # A part of a body that was filed in parts; the whole is kept, and quarantined.
        return ()
    try:
        parsed = parse(body.body, source=body.source, received_at=body.received_at, receipt=body.id)
    except BadReport as error:
        return _quarantined(_because(body, str(error)), found)
    found.bodies += 1
    found.reports += len(parsed.reports)
    post = Post(body=body, reports=parsed.reports, complaints=parsed.complaints)
    return with_complaints(post, body.received_at)


def _because(body: Body, why: str) -> Body:
    return Body(id=body.id, source=body.source, received_at=body.received_at, body=b"", quarantined_because=why)


def _quarantined(body: Body, found: Backtest) -> Sequence[Report]:
    found.bodies += 1
    found.quarantined_count += 1
    if len(found.quarantined) < _SHOWN:
        found.quarantined.append(_because(body, body.quarantined_because))
    about = about_stranger if body.quarantined_because.startswith("401:") else about_quarantine
    return (about(body, body.received_at),)


# --- what surrounds the replay ---------------------------------------------------------------------


def surroundings(configuration: Configuration) -> Surroundings:
    """First aid, people and heartbeats as this configuration has them."""
    return Surroundings(
        aid_for=lambda ticket: _aid(configuration, ticket),
        told=lambda ticket: _told(configuration, ticket),
        about_heartbeat=lambda source, name, signal, at: _about_heartbeat(configuration, (source, name), signal, at),
    )


def _aid(configuration: Configuration, ticket: Ticket) -> Aid | None:
    rule = configuration.policy.first_aid_for(ticket.labels, ticket.grade)
    if rule is None:
        return None
    wanted = ticket.labels.get(rule.target, "")
    target = find(configuration.targets, wanted)
    if target is None:
        why = f"{wanted!r} is no target in the inventory" if wanted else f"the alert has no label {rule.target}"
        return Aid(runbook=rule.runbook, objection=why)
    try:
        made = snapshot(configuration.runbooks[rule.runbook], ticket.labels, target, inventory=configuration.targets)
    except ValueError as error:
        return Aid(runbook=rule.runbook, target=target.name, objection=str(error))
    level, _ = autonomy.level(rule.autonomy, ticket.grade, target.groups, ())
    return Aid(
        runbook=rule.runbook,
        target=target.name,
        steps=_steps(made),
        level=level,
        is_for_people=level is Autonomy.SUGGEST or from_snapshot(made).only_looks,
        asks_for=rule.approval.within if level is Autonomy.APPROVE else None,
        goes_on_without=rule.approval.go_on_without,
    )


def _steps(made: Mapping[str, object]) -> str:
    phases = {name: made[name] for name in ("precheck", "steps", "on_failure", "always") if made.get(name)}
    return orjson.dumps(phases, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def _told(configuration: Configuration, ticket: Ticket) -> list[str]:
    policy = configuration.policy
    tiers = configuration.tiers.get(ticket.team) or configuration.tiers.get(policy.default_team, ())
    on_duty = {name: people_on_call(rota, (), ticket.opened_at) for name, rota in configuration.rotas.items()}
    told, _ = recipients(tiers, policy.promises_of(ticket.grade).tiers, configuration.people, on_duty)
    return [f"{one.person} by {one.channel}" for one in told]


def _about_heartbeat(configuration: Configuration, beat: tuple[str, str], signal: Signal, at: datetime) -> Report:
    rule = next(rule for rule in configuration.policy.heartbeats if rule.name == beat[1])
    is_back = signal is Signal.CLEARED
    last_at = at if is_back else at - rule.within - rule.within.resolution
    known = Heartbeat(
        source=beat[0],
        name=beat[1],
        last_at=last_at,
        watched_since=last_at,
        silent_since=at if is_back else None,
    )
    report = report_on(known, rule, at)
    if report is None:
        raise AssertionError("a heartbeat that changed has a report")
    return report


# --- comparing -------------------------------------------------------------------------------------


class _Families:
    """Which troubles of the one policy share alerts with which of the other: those are compared together."""

    def __init__(self) -> None:
        self._parents: dict[_Node, _Node] = {}

    def join(self, before: str, after: str) -> None:
        """One alert lies in both of these."""
        one, other = self.root((False, before)), self.root((True, after))
        self._parents[other] = one

    def root(self, node: _Node) -> _Node:
        while (parent := self._parents.setdefault(node, node)) != node:
            self._parents[node] = self._parents.setdefault(parent, parent)
            node = self._parents[node]
        return node


def _differences(families: _Families, pair: tuple[Replay, Replay]) -> list[Difference]:
    for key in pair[0].tallies:
        families.join(key, key)
    sides: dict[_Node, tuple[list[Tally], list[Tally]]] = {}
    for is_changed, replay in enumerate(pair):
        for key, tally in replay.tallies.items():
            sides.setdefault(families.root((bool(is_changed), key)), ([], []))[is_changed].append(tally)
    found = [_compared(*both) for both in sides.values()]
    return sorted((one for one in found if one.fields), key=lambda one: (one.since, one.title))


def _compared(before: list[Tally], after: list[Tally]) -> Difference:
    first = min((*before, *after), key=lambda tally: (tally.since, tally.title))
    return Difference(title=first.title, since=first.since, before=Tally.of(before), after=Tally.of(after))


def _tickets(replay: Replay) -> int:
    return sum(tally.tickets for tally in replay.tallies.values())


def _pages(replay: Replay) -> int:
    return sum(tally.pages.total() for tally in replay.tallies.values())
