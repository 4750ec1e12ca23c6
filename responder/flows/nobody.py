"""Nobody: a call that means nobody who can be reached goes to anybody who can, and is tried until there is somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from responder.domain.durations import spoken
from responder.domain.escalation import Chain
from responder.domain.oncall import Recipient
from responder.domain.ticket import Change, EventKind, Ticket
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.flows.telling import reachable, tiers_from
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_AGAIN = timedelta(minutes=1)


def anybody(desk: Desk, tx: Transaction, ticket: Ticket) -> tuple[tuple[Recipient, ...], str]:
    """Whoever of the ticket's team can be reached, else of the default team, and why them."""
    for team in dict.fromkeys((ticket.team, desk.policy.default_team)):
        for tier in tiers_from(desk, team, ticket.tier):
            told, why = reachable(desk, tx, team, tier)
            if told:
                return told, f"nobody else can be reached; team {team}, {why}"
    return (), ""


def look_again(desk: Desk, tx: Transaction, change: Change, chain: Chain) -> Chain:
    """Puts the chain's call off by a minute, since nobody can be called; says so once, also as a ticket of its own."""
    now = desk.clock.now()
    mark: dict[str, Any] = {"chain": chain.number, "episode": chain.episode, "unreached": chain.position}
    if not any(mark.items() <= event.data.items() for event in tx.tickets.events(change.after.id)):
        text = f"Nobody can be reached: nobody of any team has a channel now. It is tried every {spoken(_AGAIN)}."
        change.note(now, EventKind.ESCALATION, text, **mark)
        report_that_nobody_is_told(desk, tx, change.after, "nobody is there who can be called")
    args = {"ticket": change.after.id, "chain": chain.number, "step": chain.position}
    # Past compare and set: a look each minute must not stand in the way of whoever has the ticket before their eyes.
    tx.promise([Job(kind="escalate", args=args, due_at=now + _AGAIN)])
    return chain


def report_that_nobody_is_told(desk: Desk, tx: Transaction, ticket: Ticket, why: str) -> None:
    """A page that can reach nobody is a trouble of its own, for whoever can be reached otherwise."""
    if ticket.source == "responder":
        return
    labels = {"alertname": "ResponderPageFailed", "ticket": ticket.number, "severity": "critical"}
    summary = f"Nobody could be told about {ticket.grade} {ticket.number}: {why}."
    now = desk.clock.now()
    file_reports(tx, [internal_report(labels, summary, now)], desk.policy, now)
