"""Escalate: the next call of a chain, unless somebody has the ticket by then."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.delivery import pages_of
from responder.domain.escalation import Chain, over
from responder.domain.message import MessageState
from responder.domain.ticket import Change, EventKind
from responder.flows.calling import make_call
from responder.flows.desk import Desk
from responder.store.jobs import Job
from responder.store.transaction import Transaction


async def escalate(desk: Desk, job: Job) -> None:
    """Makes the call that is due. With `skip`, a person whom no channel reaches, the next one comes at once."""
    await desk.store.write(lambda tx: _escalate(desk, tx, job))


def _escalate(desk: Desk, tx: Transaction, job: Job) -> None:
    known = tx.tickets.one(int(job.args["ticket"]), locked=True)
    change, now = Change.of(known.ticket, known.clocks), desk.clock.now()
    newest = tx.chains.newest(known.ticket.id)
    number = int(job.args.get("chain", newest))
    chain = tx.chains.one(known.ticket.id, number)
    if chain is None or chain.ended_at is not None:
        return
    if int(job.args.get("step", chain.position)) != chain.position:
        # That call was made already: the job is done again, or somebody could not be reached and it came earlier.
        return
    if why := over(chain, known.ticket, newest):
        tx.chains.keep(replace(chain, ended_at=now, ended_because=why))
        return
    if "skip" in job.args and chain.next_call is not None:
        mark = {"skipped": str(job.args["skip"])}
        change.note(
            now, EventKind.ESCALATION, f"No channel reaches {job.args['skip']}: the next call comes now.", **mark
        )
    if chain.next_call is not None:
        make_call(desk, tx, change, chain)
    elif "skip" not in job.args:
        _nobody_came(desk, tx, change, chain)
    tx.apply([change], now)


def _nobody_came(desk: Desk, tx: Transaction, change: Change, chain: Chain) -> None:
    now = desk.clock.now()
    pages = pages_of(tx.messages.of_ticket(chain.ticket_id), chain.episode)
    if wakes_at := [page.due_at for page in pages if page.state is MessageState.HELD and page.due_at]:
        # They are called when they wake up.
        again_at = max(min(wakes_at), now) + desk.policy.delivery.next_after
        change.promise("escalate", again_at, chain=chain.number, step=chain.position)
        return
    text = f"Everybody of “{chain.plan}” was called, and nobody has taken it."
    tx.chains.keep(replace(chain, ended_at=now, ended_because=text))
    change.note(now, EventKind.ESCALATION, text, chain=chain.number, exhausted=True)
    change.count("escalations_exhausted_total", priority=change.after.grade, team=change.after.team)
