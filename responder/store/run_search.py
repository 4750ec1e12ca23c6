"""Runs by a filter, page by page, and what else pages show of them. Each is answered by an index."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Text, and_, case, column, func, or_, select, text, values
from sqlalchemy.engine import Connection

from responder.domain.run_filter import AT_WORK, MACHINE, PEOPLE, RunFilter, RunInList, RunPage, RunPlace
from responder.domain.statistics import RunCount
from responder.store.tables import run_hosts, runs, tickets

_Condition = ColumnElement[bool]
_SHOWN = (
    runs.c.id,
    runs.c.ticket_id,
    tickets.c.number.label("ticket"),
    tickets.c.title,
    runs.c.runbook,
    runs.c.target,
    runs.c.started_at,
    runs.c.ended_at,
    runs.c.outcome,
    runs.c.sentence,
    runs.c.ordered_by,
    runs.c.verified,
)


class RunSearch:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, asked: RunFilter, *, after: RunPlace | None = None, limit: int = 100) -> RunPage:
        """The runs that a filter asks for, the newest first, behind a place in that order."""
        wanted = (
            select(runs.c.id, runs.c.started_at)
            .where(*_conditions(asked), *_behind(after))
            .order_by(runs.c.started_at.desc(), runs.c.id.desc())
            .limit(limit + 1)
        )
        places = [RunPlace(started_at=row.started_at, run_id=row.id) for row in self._connection.execute(wanted)]
        following = places[limit - 1] if len(places) > limit else None
        return RunPage(runs=tuple(self.many([place.run_id for place in places[:limit]])), next=following)

    def many(self, ids: Collection[int]) -> list[RunInList]:
        """These runs, the newest first."""
        query = select(*_SHOWN).join(tickets, tickets.c.id == runs.c.ticket_id).where(runs.c.id.in_(ids))
        found = self._connection.execute(query.order_by(runs.c.started_at.desc(), runs.c.id.desc()))
        return [RunInList(**row._mapping) for row in found]

    def hosts(self, run_id: int) -> dict[str, bool]:
        """Every host that a run may touch, and whether it holds it at this moment."""
        query = select(run_hosts.c.host, run_hosts.c.at_work).where(run_hosts.c.run_id == run_id)
        return {row.host: row.at_work for row in self._connection.execute(query.order_by(run_hosts.c.host))}

    def at_work(self) -> dict[str, RunInList]:
        """For every host that a run holds now, that run."""
        held = {
            row.host: row.run_id
            for row in self._connection.execute(
                select(run_hosts.c.host, run_hosts.c.run_id).where(text("run_hosts.at_work"))
            )
        }
        known = {run.id: run for run in self.many(set(held.values()))}
        return {host: known[run_id] for host, run_id in held.items()}

    def last_on(self, hosts: Collection[str]) -> dict[str, RunInList]:
        """For each of the hosts the newest run that was for it or could touch it."""
        if not hosts:
            return {}
        wanted = values(column("host", Text), name="wanted").data([(host,) for host in hosts]).cte("wanted")
        newest = (
            select(func.max(run_hosts.c.run_id)).where(run_hosts.c.host == wanted.c.host).correlate(wanted)
        ).scalar_subquery()
        # What only looks touches no host, and yet has got there or not.
        looked = select(runs.c.target, func.max(runs.c.id).label("run_id")).group_by(runs.c.target)
        found = {row.target: row.run_id for row in self._connection.execute(looked) if row.target in hosts}
        for row in self._connection.execute(select(wanted.c.host, newest.label("run_id"))):
            if row.run_id is not None:
                found[row.host] = max(row.run_id, found.get(row.host, 0))
        known = {run.id: run for run in self.many(set(found.values()))}
        return {host: known[run_id] for host, run_id in found.items()}

    def ended_since(self, since: datetime, limit: int = 2000) -> dict[tuple[str, str], datetime]:
        """(runbook, target) of the newest runs that began after `since` and have ended, and when the last one did."""
        query = (
            select(runs.c.runbook, runs.c.target, runs.c.ended_at)
            .where(runs.c.started_at > since, runs.c.ended_at.is_not(None))
            .order_by(runs.c.started_at.desc())
            .limit(limit)
        )
        found: dict[tuple[str, str], datetime] = {}
        for row in self._connection.execute(query):
            key = (row.runbook, row.target)
            found[key] = max(found.get(key, row.ended_at), row.ended_at)
        return found

    def judgements(self, since: datetime, runbook: str = "") -> dict[str, RunCount]:
        """What became of the runs that began after `since`, by runbook; of one alone, if it is named."""
        state = case(
            (runs.c.verified.is_(True), "proven"),
            (runs.c.verified.is_(False), "disproved"),
            (runs.c.outcome.in_(("refused", "cancelled", "diagnosed")), "left_out"),
            else_="unknown",
        )
        # As an expression: SQLite would else go by the index of runbooks, through all runs that ever were.
        name = runs.c.runbook.concat("")
        query = select(name.label("runbook"), state.label("state"), func.count().label("count")).where(
            runs.c.started_at > since, *([runs.c.runbook == runbook] if runbook else [])
        )
        found: dict[str, dict[str, int]] = {}
        for row in self._connection.execute(query.group_by(name, state)):
            found.setdefault(row.runbook, {})[row.state] = row._mapping["count"]
        return {one: RunCount(**counts) for one, counts in found.items()}


def _conditions(asked: RunFilter) -> list[_Condition]:
    found: list[_Condition] = []
    if asked.runbook:
        found.append(runs.c.runbook == asked.runbook)
    if asked.target:
        touching = select(run_hosts.c.run_id).where(run_hosts.c.host == asked.target)
        found.append(or_(runs.c.target == asked.target, runs.c.id.in_(touching)))
    if asked.ticket_id is not None:
        found.append(runs.c.ticket_id == asked.ticket_id)
    if asked.started_from:
        found.append(runs.c.started_at >= asked.started_from)
    if asked.started_to:
        found.append(runs.c.started_at < asked.started_to)
    return [*found, *_by_outcome(asked.outcomes), *_by_whom(asked.by)]


def _by_outcome(outcomes: Collection[str]) -> list[_Condition]:
    if not outcomes:
        return []
    ended = [one for one in outcomes if one != AT_WORK]
    any_of: list[_Condition] = [runs.c.outcome.in_(ended)] if ended else []
    return [or_(*any_of, *([runs.c.outcome.is_(None)] if AT_WORK in outcomes else []))]


def _by_whom(by: str) -> list[_Condition]:
    if not by:
        return []
    if by == MACHINE:
        return [runs.c.ordered_by == ""]
    if by == PEOPLE:
        return [runs.c.ordered_by != ""]
    # Several who approved stand with commas between them.
    among = (runs.c.ordered_by.contains(one, autoescape=True) for one in (f"{by}, ", f", {by}"))
    return [or_(runs.c.ordered_by == by, *among)]


def _behind(after: RunPlace | None) -> list[_Condition]:
    if after is None:
        return []
    at = runs.c.started_at
    return [and_(at <= after.started_at, or_(at < after.started_at, runs.c.id < after.run_id))]
