"""Set aside: a job that cannot be done becomes visible, and the ticket still reaches a person."""

from __future__ import annotations

from responder.domain.runbook import RunOutcome
from responder.domain.ticket import Change, EventKind
from responder.errors import NotFound
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_FIRST_AID = ("first_aid", "run")


async def set_aside(desk: Desk, job: Job, why: str) -> None:
    """Writes onto the job's ticket that it was given up, and opens a ticket about it where a page could be lost."""
    await desk.store.write(lambda tx: _set_aside(desk, tx, job, why))


def _set_aside(desk: Desk, tx: Transaction, job: Job, why: str) -> None:
    now = desk.clock.now()
    tx.sums.add({("jobs_set_aside_total", (("kind", job.kind),)): 1})
    source = _note(desk, tx, job, why)
    # A ticket about a failure of a ticket about a failure would go on for ever.
    if job.kind not in _FIRST_AID and source != "responder":
        about = str(job.args.get("ticket", ""))
        labels = {"alertname": "ResponderJobSetAside", "kind": job.kind, "ticket": about, "severity": "critical"}
        summary = f"A job was given up: {job.kind} {dict(job.args)}: {why}"
        file_reports(tx, [internal_report(labels, summary, now)], desk.policy, now)


def _end_run(desk: Desk, tx: Transaction, ticket_id: int, why: str) -> None:
    """Ends the ticket's run, so that its target is free again; what it did last is not known."""
    at_work = tx.runs.at_work(ticket_id)
    run = at_work and tx.runs.take_over(at_work.id, at_work.leg)
    if run:
        tx.runs.end(run, RunOutcome.UNKNOWN, f"It was given up: {why}", desk.clock.now())
        tx.runs.judge(run.id, is_good=False)


def _note(desk: Desk, tx: Transaction, job: Job, why: str) -> str:
    if "ticket" not in job.args:
        return ""
    try:
        known = tx.tickets.one(int(job.args["ticket"]), locked=True)
    except NotFound:
        return ""
    change = Change.of(known.ticket, known.clocks)
    change.note(desk.clock.now(), EventKind.SET_ASIDE, f"The job {job.kind} was given up: {why}")
    if job.kind in _FIRST_AID:
        _end_run(desk, tx, known.ticket.id, why)
        change.promise("hand_over", why=f"First aid could not be carried out: {why}")
    tx.apply([change], desk.clock.now())
    return known.ticket.source
