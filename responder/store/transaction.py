"""One transaction: plain functions on one connection, so nothing in it can wait for a network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from sqlalchemy.engine import Connection

from responder.domain import numbering
from responder.domain.audit import Deed
from responder.domain.correlation import Decision
from responder.domain.policy import Policy
from responder.domain.ticket import Change, EventKind, Sums, Ticket
from responder.store.accounts import AccountStore
from responder.store.actions import ActionStore
from responder.store.answers import AnswerStore
from responder.store.approvals import ApprovalStore
from responder.store.attachments import AttachmentStore
from responder.store.audit_log import AuditStore
from responder.store.chains import ChainStore
from responder.store.changes import Touched, gather
from responder.store.cron_jobs import CronJobStore
from responder.store.dossiers import DossierStore
from responder.store.drills import DrillStore
from responder.store.duty_notices import DutyNoticeStore
from responder.store.health_checks import HealthCheckStore
from responder.store.holds import HoldStore
from responder.store.jobs import Job, Jobs, LocalJobs
from responder.store.library import LibraryStore
from responder.store.mails import MailStore
from responder.store.maintenance_windows import MaintenanceStore
from responder.store.messages import MessageStore
from responder.store.noise import NoiseStore
from responder.store.overrides import OverrideStore
from responder.store.page_audit import PageAuditStore
from responder.store.parts import PartStore
from responder.store.reporters import ReporterStore
from responder.store.reports import ReportStore
from responder.store.rounds import RoundStore
from responder.store.runs import RunStore
from responder.store.sendings import SendingStore
from responder.store.statistics import StatisticsStore
from responder.store.sums import SumStore
from responder.store.switchboard import Switchboard
from responder.store.tickets import TicketStore


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbering:
    """What new tickets need to get their numbers."""

    template: str
    local_now: datetime
    codes: Mapping[str, int]

    @classmethod
    def of(cls, policy: Policy, now: datetime) -> Numbering:
        codes = {name: kind.code for name, kind in policy.kinds.items()}
        return cls(template=policy.number, local_now=now.astimezone(policy.zone), codes=codes)

    def of_one_scope(self, new: list[Change]) -> dict[str, list[Change]]:
        """New tickets by the scope of their serials, in the same order on every replica."""
        if not (numbering.says(self.template, "kind") or numbering.says(self.template, "grade")):
            return {numbering.scope(self.template, self.local_now): new}
        found: dict[str, list[Change]] = {}
        for change in new:
            code, grade = self._said_by(change.after)
            scope = numbering.scope(self.template, self.local_now, kind=code, grade=grade)
            found.setdefault(scope, []).append(change)
        return dict(sorted(found.items()))

    def number(self, ticket: Ticket, serial: int) -> str:
        code, grade = self._said_by(ticket)
        return numbering.number(self.template, self.local_now, serial, kind=code, grade=grade)

    def _said_by(self, ticket: Ticket) -> tuple[int, str]:
        return self.codes.get(ticket.kind, 0), ticket.grade


class Transaction:
    """The stores of one connection, and the one way in which decisions are written."""

    def __init__(self, connection: Connection, first_grades: Collection[str] = ()) -> None:
        self.connection = connection
        self.has_promised = False
        self.refusal = ""
        self.deed: Deed | None = None
        self.touched = Touched()
        gather(connection, self.touched)
        self._first_grades = first_grades

    @cached_property
    def tickets(self) -> TicketStore:
        return TicketStore(self.connection)

    @cached_property
    def reports(self) -> ReportStore:
        return ReportStore(self.connection)

    @cached_property
    def accounts(self) -> AccountStore:
        return AccountStore(self.connection)

    @cached_property
    def answers(self) -> AnswerStore:
        return AnswerStore(self.connection)

    @cached_property
    def audit_log(self) -> AuditStore:
        return AuditStore(self.connection)

    @cached_property
    def runs(self) -> RunStore:
        return RunStore(self.connection)

    @cached_property
    def approvals(self) -> ApprovalStore:
        return ApprovalStore(self.connection)

    @cached_property
    def attachments(self) -> AttachmentStore:
        return AttachmentStore(self.connection)

    @cached_property
    def chains(self) -> ChainStore:
        return ChainStore(self.connection)

    @cached_property
    def actions(self) -> ActionStore:
        return ActionStore(self.connection)

    @cached_property
    def overrides(self) -> OverrideStore:
        return OverrideStore(self.connection)

    @cached_property
    def parts(self) -> PartStore:
        return PartStore(self.connection)

    @cached_property
    def dossiers(self) -> DossierStore:
        return DossierStore(self.connection)

    @cached_property
    def drills(self) -> DrillStore:
        return DrillStore(self.connection)

    @cached_property
    def duty_notices(self) -> DutyNoticeStore:
        return DutyNoticeStore(self.connection)

    @cached_property
    def health_checks(self) -> HealthCheckStore:
        return HealthCheckStore(self.connection)

    @cached_property
    def cron_jobs(self) -> CronJobStore:
        return CronJobStore(self.connection)

    @cached_property
    def page_audit(self) -> PageAuditStore:
        return PageAuditStore(self.connection)

    @cached_property
    def rounds(self) -> RoundStore:
        return RoundStore(self.connection)

    @cached_property
    def library(self) -> LibraryStore:
        return LibraryStore(self.connection)

    @cached_property
    def reporters(self) -> ReporterStore:
        return ReporterStore(self.connection)

    @cached_property
    def maintenance(self) -> MaintenanceStore:
        return MaintenanceStore(self.connection)

    @cached_property
    def holds(self) -> HoldStore:
        return HoldStore(self.connection)

    @cached_property
    def noise(self) -> NoiseStore:
        return NoiseStore(self.connection)

    @cached_property
    def mails(self) -> MailStore:
        return MailStore(self.connection)

    @cached_property
    def sendings(self) -> SendingStore:
        return SendingStore(self.connection)

    @cached_property
    def messages(self) -> MessageStore:
        return MessageStore(self.connection)

    @cached_property
    def switchboard(self) -> Switchboard:
        return Switchboard(self.connection)

    @cached_property
    def statistics(self) -> StatisticsStore:
        return StatisticsStore(self.connection)

    @cached_property
    def sums(self) -> SumStore:
        return SumStore(self.connection)

    @cached_property
    def jobs(self) -> Jobs:
        if self.connection.dialect.name != "postgresql":
            return self.local_jobs
        # Here, because a quarter of a start on SQLite would go into what only PostgreSQL needs.
        from responder.store.cluster_jobs import ClusterJobs

        return ClusterJobs(self.connection)

    @cached_property
    def local_jobs(self) -> LocalJobs:
        return LocalJobs(self.connection)

    def promise(self, promised: Collection[Job]) -> None:
        """Promises work; it becomes visible to the worker with the commit."""
        if promised:
            self.has_promised = True
            self.jobs.promise(list(promised))

    def apply(self, changes: Iterable[Change], now: datetime, numbers: Numbering | None = None) -> list[Ticket]:
        """Writes changes as they were decided and gives the tickets as they are now.

        Raises Conflict if a ticket was changed since it was read: gather and decide again.
        """
        changes = [change for change in changes if _says_something(change)]
        new = [change for change in changes if change.before is None]
        self._number(new, numbers)
        self.tickets.insert([change.after for change in new])
        # Even a change that only adds events goes through compare and set: it was decided on what was read.
        # Always in the same order, so that two replicas cannot wait for each other.
        known = sorted((change for change in changes if change.before is not None), key=lambda one: one.after.id)
        self.tickets.update([change.after for change in known])
        for change in known:
            change.after = replace(change.after, version=change.after.version + 1)
        self._write_what_follows(changes, now)
        return [change.after for change in changes]

    def _number(self, new: list[Change], numbers: Numbering | None) -> None:
        if not new:
            return
        if numbers is None:
            raise ValueError("new tickets need numbers")
        ids = dict(zip(map(id, new), self.sums.take("ticket id", len(new)), strict=True))
        for scope, changes in numbers.of_one_scope(new).items():
            serials = self.sums.take(f"number {scope}", len(changes))
            for change, serial in zip(changes, serials, strict=True):
                number = numbers.number(change.after, serial)
                change.after = replace(change.after, id=ids[id(change)], number=number)

    def _write_what_follows(self, changes: list[Change], now: datetime) -> None:
        said = [event.text for change in changes for event in change.events if event.kind is EventKind.REFUSED]
        self.refusal = said[0] if said else self.refusal
        self.tickets.append([(change.after.id, event) for change in changes for event in change.events])
        self.tickets.insert_clocks([(change.after.id, change.clocks) for change in changes if change.before is None])
        for change in changes:
            if change.before is not None and change.clocks != change.clocks_before:
                self.tickets.replace_clocks(change.after.id, change.clocks)
        for change in changes:
            if change.dossier is not None and change.dossier != change.dossier_before:
                self.dossiers.keep(change.after.id, change.dossier)
            if change.is_relapse:
                self.runs.verify(change.after.id, since=change.after.episode_at, is_good=False)
        self.promise([job for change in changes for job in self._jobs(change, now)])
        moved = [change.after.id for change in changes if change.may_overtake]
        self._look_at_consent(moved, now)
        self._look_at_reporters(moved, now)
        self.holds.end(moved, now)
        # What holds a ticket may not hold it in its new grade, or with an alert more.
        for change in filter(_grew, changes):
            self.wake(change.after, now, now)
        sums: Sums = Sums()
        for change in changes:
            sums.update(change.sums)
        self.sums.add(sums)
        self.statistics.keep(changes, now)

    def _look_at_consent(self, ticket_ids: list[int], now: datetime) -> None:
        """Promises a look at the questions that may not be needed any more."""
        asked = self.approvals.tickets_that_wait().intersection(ticket_ids) if ticket_ids else ()
        self.promise([Job(kind="consent", args={"ticket": one}, due_at=now, at_once=True) for one in sorted(asked)])

    def _look_at_reporters(self, ticket_ids: list[int], now: datetime) -> None:
        """Promises a letter to the people who reported these tickets, if their status calls for one."""
        having = self.reporters.having(ticket_ids) if ticket_ids else ()
        self.promise(
            [Job(kind="tell_reporter", args={"ticket": one}, due_at=now, at_once=True) for one in sorted(having)]
        )

    def wake(self, ticket: Ticket, at: datetime, now: datetime) -> None:
        """Lets a ticket that is held be looked at by then, if it would be later."""
        woken = self.holds.bring_forward(ticket.id, at, now)
        if woken is not None:
            self.promise([replace(woken, priority=int(ticket.grade in self._first_grades))])

    def apply_decision(self, decision: Decision, policy: Policy, now: datetime) -> dict[str, int]:
        """Writes what a batch of reports decided; gives the id of the ticket of each trouble."""
        self.apply(decision.changes.values(), now, Numbering.of(policy, now))
        ticket_ids = {trouble: change.after.id for trouble, change in decision.changes.items()}
        self.reports.file(decision.filed, ticket_ids, now)
        self.switchboard.beat(decision.heartbeats)
        self.sums.add(decision.sums)
        return ticket_ids

    def _jobs(self, change: Change, now: datetime) -> Iterable[Job]:
        priority = int(change.after.grade in self._first_grades)
        for promise in change.promises:
            args: Mapping[str, object] = {"ticket": change.after.id, **promise.args}
            # A job that waits for its time must not hold the ticket's lock: procrastinate lets no later job with the
            # same lock pass it. Jobs that come later therefore rely on the ticket's row lock alone.
            lock = promise.lock or ("" if promise.due_at else f"ticket:{change.after.id}")
            at_once = promise.due_at is None
            due_at = promise.due_at or now
            yield Job(kind=promise.kind, args=args, due_at=due_at, lock=lock, at_once=at_once, priority=priority)


def _says_something(change: Change) -> bool:
    return (
        change.before is not change.after
        or bool(change.events or change.promises or change.sums)
        or change.dossier != change.dossier_before
        or change.clocks != change.clocks_before
    )


def _grew(change: Change) -> bool:
    was, now = change.before, change.after
    return was is not None and (was.grade != now.grade or len(was.firing) < len(now.firing))
