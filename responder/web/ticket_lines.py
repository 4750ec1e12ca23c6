"""A ticket in one line: how urgent it is, what the machine did, and who has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.escalation import Chain, over
from responder.domain.policy import Policy
from responder.domain.sla import Clock, is_breached, used
from responder.domain.ticket import Status, Ticket
from responder.domain.unreached import Reach, reach_of
from responder.store.overview import LastRun, Overview
from responder.store.transaction import Transaction

_SOON = 75


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockBar:
    """A clock as a bar. `percent` of its target is used, at most 100; `state` is running, soon, late, paused, met,
    breached or untimed."""

    name: str
    state: str
    percent: int
    due_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Doing:
    """What the machine did last, in few words, and in a sentence."""

    what: str
    outcome: str
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who has a ticket. Of nobody yet: who is called next and when, who was called, and who was called in vain.

    `unreached`: those whom no message has reached, by why; `is_lost`: nobody at all was reached, or is there to be.
    """

    who: str = ""
    called: str = ""
    next: str = ""
    next_at: datetime | None = None
    unreached: tuple[tuple[tuple[str, ...], str], ...] = ()
    is_lost: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketLine:
    ticket: Ticket
    clock: ClockBar | None
    did: Doing | None
    holder: Holder
    is_held: bool
    asks: bool


def lines_of(tx: Transaction, policy: Policy, found: Sequence[Ticket], now: datetime) -> list[TicketLine]:
    """These tickets as lines, in a handful of queries however many they are."""
    ids = [ticket.id for ticket in found]
    overview = Overview(tx.connection)
    clocks, runs, chains = tx.tickets.clocks(ids), overview.last_runs(ids), overview.last_chains(ids)
    patience = policy.delivery.next_after
    held, asking = overview.held(ids), overview.asking(ids)
    pages = overview.pages([ticket.id for ticket in found if ticket.waits_for_a_person])
    return [
        TicketLine(
            ticket=ticket,
            clock=next_clock(policy, clocks.get(ticket.id, {}), now),
            did=_did(runs.get(ticket.id), held.get(ticket.id, "")),
            holder=holder_of(ticket, chains.get(ticket.id), reach_of(pages.get(ticket.id, ()), now, patience), now),
            is_held=ticket.id in held,
            asks=ticket.id in asking,
        )
        for ticket in found
    ]


# --- clocks --------------------------------------------------------------------------------------------------


def next_clock(policy: Policy, clocks: Mapping[str, Clock], now: datetime) -> ClockBar | None:
    """The clock that is due first of those that run."""
    running = [clock for clock in clocks.values() if clock.is_running and clock.due_at is not None]
    if not running:
        return None
    return bar(policy, min(running, key=lambda clock: clock.due_at or now), now)


def bar(policy: Policy, clock: Clock, now: datetime) -> ClockBar:
    """A clock as a bar, whatever has become of it."""
    percent = _percent(policy, clock, now)
    return ClockBar(name=clock.name, state=_state(clock, percent, now), percent=percent, due_at=clock.due_at)


def _percent(policy: Policy, clock: Clock, now: datetime) -> int:
    if clock.breached_at is not None or is_breached(clock, now):
        return 100
    rule, target = policy.clock(clock.name), clock.target
    if rule is not None and isinstance(target, timedelta) and target:
        return min(int(used(clock, rule, now) / target * 100), 100)
    if clock.due_at is None or clock.due_at <= clock.started_at:
        return 0
    past = (clock.stopped_at or now) - clock.started_at
    return max(0, min(int(past / (clock.due_at - clock.started_at) * 100), 100))


def _state(clock: Clock, percent: int, now: datetime) -> str:
    is_late = clock.breached_at is not None or is_breached(clock, now)
    if not clock.is_running:
        return "breached" if is_late else "met" if clock.was_met else "untimed"
    if is_late:
        return "late"
    if clock.is_paused:
        return "paused"
    if clock.due_at is None:
        return "untimed"
    return "soon" if percent >= _SOON else "running"


# --- who and what ---------------------------------------------------------------------------------------------


def holder_of(ticket: Ticket, chain: Chain | None, reach: Reach, now: datetime) -> Holder:
    """Who has it, or who is called for it; `reach` is whom the messages of its episode have reached."""
    if ticket.acknowledged_by:
        return Holder(who=ticket.acknowledged_by)
    if chain is None or ticket.status is not Status.HANDED_OVER:
        return Holder()
    called = dict.fromkeys(name for call in chain.calls[: chain.position] for name in call.told)
    coming = None if over(chain, ticket, chain.number) else chain.next_call
    # A call that meant nobody and is past is the one for which somebody is looked for, minute by minute.
    is_nobody_there = coming is not None and not coming.who and coming.at <= now and not called
    in_vain = reach.in_vain
    reasons = dict.fromkeys(in_vain.values())
    return Holder(
        called=", ".join(name for name in called if name not in in_vain),
        next=(", ".join(coming.who) or str(coming.callees)) if coming and not is_nobody_there else "",
        next_at=coming.at if coming and not is_nobody_there else None,
        unreached=tuple((tuple(n for n, same in in_vain.items() if same == why), why) for why in reasons),
        is_lost=(is_nobody_there and not reach.reached) or reach.is_nobody(called),
    )


def _did(run: LastRun | None, held: str) -> Doing | None:
    if held:
        return Doing(what=held, outcome="held", sentence="")
    if run is None:
        return None
    return Doing(what=run.runbook, outcome=run.outcome or "at work", sentence=run.sentence)
