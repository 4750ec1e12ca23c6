"""Runs, their steps, and the journal of acts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import func, select, text, union
from sqlalchemy.engine import Connection, Row

from responder.domain.runbook import Attempt, Run, RunOutcome, Verdict
from responder.errors import NotFound, RunLost
from responder.store.changes import touch
from responder.store.tables import attempts, run_hosts, run_steps, runs, tickets


class PlannedStepRow(Protocol):
    """What is stored of a planned step."""

    @property
    def index(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def host(self) -> str: ...


class RunStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start(self, run: Run, hosts: Collection[str] = ()) -> Run:
        """Takes the locks of all `hosts`, and writes the run. Raises Conflict (from the index) if one of them is
        taken."""
        values = {
            "ticket_id": run.ticket_id,
            "runbook": run.runbook,
            "target": run.target,
            "snapshot": run.snapshot,
            "step": 0,
            "epoch": 0,
            "leg": 0,
            "started_at": run.started_at,
            "sentence": "",
            "ordered_by": run.ordered_by,
        }
        row = self._connection.execute(runs.insert().values(values).returning(runs.c.id)).one()
        held = [{"run_id": row.id, "host": name, "at_work": True} for name in sorted(set(hosts))]
        if held:
            self._connection.execute(run_hosts.insert(), held)
        touch(self._connection, "runs", run=row.id, tickets=[run.ticket_id])
        return self.one(row.id)

    def one(self, run_id: int) -> Run:
        row = self._connection.execute(select(runs).where(runs.c.id == run_id)).first()
        if row is None:
            raise NotFound(f"There is no run {run_id}.")
        return _run(row)

    def take_over(self, run_id: int, leg: int) -> Run | None:
        """Begins a new epoch: whoever held the run before can start no further step. None if the run has
        ended, or has waited since this leg: then another job goes on with it."""
        done = self._connection.execute(
            runs.update()
            .where(runs.c.id == run_id, runs.c.leg == leg, runs.c.ended_at.is_(None))
            .values(epoch=runs.c.epoch + 1)
        )
        touch(self._connection, "runs", run=run_id)
        return self.one(run_id) if done.rowcount == 1 else None

    def suspend(self, run: Run) -> int:
        """Lets the run wait; gives the leg that goes on with it. Raises RunLost if another worker holds it."""
        done = self._connection.execute(
            runs.update()
            .where(runs.c.id == run.id, runs.c.epoch == run.epoch, runs.c.ended_at.is_(None))
            # A newer leg: what it would wait for has come already, and another job goes on with it.
            .where(runs.c.leg == run.leg)
            .values(leg=runs.c.leg + 1)
        )
        if done.rowcount != 1:
            raise RunLost(f"Run {run.id} has ended or was taken over by another worker.")
        touch(self._connection, "runs", run=run.id)
        return run.leg + 1

    def advance(self, run: Run, step: int) -> None:
        """Moves the run to `step` if this epoch still holds it. Raises RunLost if not."""
        self._held(run, step=step)
        touch(self._connection, run=run.id)

    def hold(self, run: Run) -> None:
        """Raises RunLost if this epoch does not hold the run any more: what a worker that was cut off knows of an
        act must not overwrite what its successor has found out."""
        self._held(run, epoch=run.epoch)

    def _held(self, run: Run, **values: int) -> None:
        done = self._connection.execute(
            runs.update()
            .where(runs.c.id == run.id, runs.c.epoch == run.epoch, runs.c.ended_at.is_(None))
            .values(**values)
        )
        if done.rowcount != 1:
            raise RunLost(f"Run {run.id} has ended or was taken over by another worker.")

    def end(self, run: Run, outcome: RunOutcome, sentence: str, at: datetime) -> bool:
        """Ends the run and frees its hosts; False if it had ended already."""
        done = self._connection.execute(
            runs.update()
            .where(runs.c.id == run.id, runs.c.epoch == run.epoch, runs.c.ended_at.is_(None))
            .values(ended_at=at, outcome=outcome.value, sentence=sentence)
        )
        if done.rowcount == 1:
            self._connection.execute(run_hosts.update().where(run_hosts.c.run_id == run.id).values(at_work=False))
            touch(self._connection, "runs", run=run.id, tickets=[run.ticket_id])
        return done.rowcount == 1

    def next_leg(self, run_id: int) -> int | None:
        """A new leg for a run that waits, so that a job promised now goes on with it and the one that waited for
        its time does not. None if the run has ended."""
        done = self._connection.execute(
            runs.update().where(runs.c.id == run_id, runs.c.ended_at.is_(None)).values(leg=runs.c.leg + 1)
        )
        return self.one(run_id).leg if done.rowcount == 1 else None

    def verify(self, ticket_id: int, *, since: datetime, is_good: bool) -> None:
        """Notes for the ticket's runs ended since then, and not judged yet, whether the alert proved them right."""
        self._connection.execute(
            runs.update()
            .where(runs.c.ticket_id == ticket_id, runs.c.started_at >= since, runs.c.ended_at.is_not(None))
            .where(runs.c.verified.is_(None), runs.c.outcome.in_(("helped", "failed", "unknown")))
            .values(verified=is_good)
        )
        touch(self._connection, "runs", tickets=[ticket_id])

    def judge(self, run_id: int, *, is_good: bool) -> None:
        """Notes for one run whether its outcome is proved, unless that is known already."""
        self._connection.execute(
            runs.update().where(runs.c.id == run_id, runs.c.verified.is_(None)).values(verified=is_good)
        )
        touch(self._connection, "runs", run=run_id)

    def of_ticket(self, ticket_id: int) -> list[Run]:
        query = select(runs).where(runs.c.ticket_id == ticket_id).order_by(runs.c.id)
        return [_run(row) for row in self._connection.execute(query)]

    def at_work(self, ticket_id: int) -> Run | None:
        """The ticket's run that has not ended."""
        return next((run for run in self.of_ticket(ticket_id) if run.ended_at is None), None)

    # --- what the guards ask -------------------------------------------------------------------------

    def busy_with(self, hosts: Collection[str]) -> str:
        """Which ticket's run holds one of these hosts, and which, or nothing."""
        query = (
            select(tickets.c.number, runs.c.runbook, run_hosts.c.host)
            .join(runs, runs.c.id == run_hosts.c.run_id)
            .join(tickets, tickets.c.id == runs.c.ticket_id)
            .where(run_hosts.c.host.in_(sorted(hosts)), run_hosts.c.at_work)
            .order_by(run_hosts.c.host)
        )
        row = self._connection.execute(query).first()
        return f"{row.runbook} for {row.number} is at work on {row.host}" if row else ""

    def touched_since(self, since: datetime) -> list[tuple[str, str, datetime]]:
        """(host, runbook, started_at) of every run at work now or started after `since`."""
        columns = run_hosts.c.host, runs.c.runbook, runs.c.started_at
        touched = select(*columns).join(runs, runs.c.id == run_hosts.c.run_id)
        # Two halves, each with an index of its own; in one they would read all runs that ever were.
        query = union(touched.where(runs.c.started_at > since), touched.where(text("run_hosts.at_work")))
        return [tuple(row) for row in self._connection.execute(query)]

    def judged(self, runbook: str, limit: int = 1000) -> list[Run]:
        """The runbook's runs whose outcome is proved or disproved, the oldest first, without what they executed."""
        query = (
            select(*(column for column in runs.c if column is not runs.c.snapshot))
            .where(runs.c.runbook == runbook, runs.c.verified.is_not(None))
            .order_by(runs.c.started_at.desc(), runs.c.id.desc())
            .limit(limit)
        )
        return [_run(row) for row in self._connection.execute(query)][::-1]

    def last_ended_at(self, runbook: str, target: str) -> datetime | None:
        query = select(func.max(runs.c.ended_at)).where(runs.c.runbook == runbook, runs.c.target == target)
        return self._connection.execute(query).scalar()

    def started_since(self, runbook: str, since: datetime) -> int:
        query = select(func.count()).select_from(runs).where(runs.c.runbook == runbook, runs.c.started_at > since)
        return self._connection.execute(query).scalar_one()

    # --- the journal -------------------------------------------------------------------------------

    def begin_step(self, run_id: int, step: PlannedStepRow, at: datetime) -> datetime:
        """Notes that a step began; after a crash it keeps its first beginning, which is given."""
        query = select(run_steps.c.started_at).where(run_steps.c.run_id == run_id, run_steps.c.step == step.index)
        known: datetime | None = self._connection.execute(query).scalar()
        if known is not None:
            return known
        self._connection.execute(
            run_steps.insert().values(
                run_id=run_id,
                step=step.index,
                name=step.name,
                kind=step.kind,
                host=step.host,
                started_at=at,
                outcome="",
                sentence="",
            )
        )
        touch(self._connection, run=run_id)
        return at

    def first_facts(self, run_id: int, step: int) -> Mapping[str, object] | None:
        query = select(run_steps.c.first).where(run_steps.c.run_id == run_id, run_steps.c.step == step)
        facts: Mapping[str, object] | None = self._connection.execute(query).scalar()
        return facts

    def keep_first_facts(self, run_id: int, step: int, facts: Mapping[str, object]) -> None:
        self._update_step(run_id, step, first=facts)

    def end_step(self, run_id: int, step: int, outcome: str, sentence: str, *, at: datetime) -> None:
        self._update_step(run_id, step, outcome=outcome, sentence=sentence, ended_at=at)

    def _update_step(self, run_id: int, step: int, **values: object) -> None:
        self._connection.execute(
            run_steps.update().where(run_steps.c.run_id == run_id, run_steps.c.step == step).values(**values)
        )
        touch(self._connection, run=run_id)

    def steps(self, run_id: int) -> list[Row[tuple[object, ...]]]:
        """The steps as rows (step, name, kind, host, started_at, first, ended_at, outcome, sentence)."""
        query = select(run_steps).where(run_steps.c.run_id == run_id).order_by(run_steps.c.step)
        return list(self._connection.execute(query))

    def begin_attempt(self, attempt: Attempt) -> int:
        values = {
            "run_id": attempt.run_id,
            "step": attempt.step,
            "kind": attempt.kind,
            "command": attempt.command,
            "started_at": attempt.started_at,
            "output": "",
            "verdict": attempt.verdict.value,
            "become": attempt.become,
            "host": attempt.host,
            "label": attempt.label,
        }
        row = self._connection.execute(attempts.insert().values(values).returning(attempts.c.id)).one()
        touch(self._connection, run=attempt.run_id)
        return int(row.id)

    def end_attempt(
        self, attempt_id: int, exit_code: int | None, output: str, verdict: Verdict, *, at: datetime
    ) -> None:
        row = self._connection.execute(
            attempts.update()
            .where(attempts.c.id == attempt_id)
            .values(ended_at=at, exit_code=exit_code, output=output, verdict=verdict.value)
            .returning(attempts.c.run_id)
        ).first()
        touch(self._connection, run=row.run_id if row else None)

    def attempts(self, run_id: int) -> list[Attempt]:
        query = select(attempts).where(attempts.c.run_id == run_id).order_by(attempts.c.id)
        return [_attempt(row) for row in self._connection.execute(query)]


def _run(row: Row[tuple[object, ...]]) -> Run:
    values = dict(row._mapping)
    outcome = values.pop("outcome")
    return Run(**values, outcome=RunOutcome(outcome) if outcome else None)


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(**{**row._mapping, "command": tuple(row.command), "verdict": Verdict(row.verdict)})
