"""The audit log, and how it comes into the same transaction as what it tells of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, or_, select
from sqlalchemy.engine import Connection

from responder.domain.audit import Deed, Entry, Outcome, outcome_of
from responder.store.tables import audit_log
from responder.store.with_first_write import present

if TYPE_CHECKING:
    from responder.store.transaction import Transaction

_LONGEST = 500


@dataclass(kw_only=True, slots=True)
class Act:
    """What somebody is doing just now. Its entry is written with the first thing that it changes."""

    entry: Entry
    is_written: bool = False
    is_refused: bool = False

    def before(self, tx: Transaction) -> None: ...

    def after(self, tx: Transaction) -> None:
        no = tx.refusal
        tx.audit_log.add(refusal(self.entry, 409, no) if no else _with_deed(self.entry, tx.deed))

    def committed(self, refusal: str) -> None:
        self.is_written, self.is_refused = True, bool(refusal)


def names_too(*names: str) -> None:
    """Adds what else the present act is about, for which its address has no place; before anything is written."""
    if act := present(Act):
        act.entry = replace(act.entry, object=" ".join((act.entry.object, *names)).strip()[:_LONGEST])


def says(text: str) -> None:
    """What the present act does, where no transaction tells it; before anything is written."""
    if act := present(Act):
        act.entry = _with_deed(act.entry, Deed(text=text))


def is_known() -> None:
    """The present act was done before, and has its entry of then."""
    if act := present(Act):
        act.is_written = True


def _with_deed(entry: Entry, deed: Deed | None) -> Entry:
    if deed is None:
        return entry
    return replace(entry, text=deed.text[:_LONGEST], object=entry.object or deed.about[:_LONGEST])


def refusal(entry: Entry, status: int, text: str) -> Entry:
    """The entry of an act that was answered with this status, and why."""
    outcome = outcome_of(status)
    return replace(entry, outcome=outcome, status=status, text=text[:_LONGEST] if outcome is Outcome.REFUSED else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """Which entries are wanted; empty is every one. `before` is the instant and id of one: entries older than that."""

    actor: str = ""
    action: str = ""
    object: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, int] | None = None


class AuditStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry) -> None:
        row = {name: _writable(value) for name, value in asdict(entry).items() if name != "id"}
        self._connection.execute(insert(audit_log).values(row))

    def listed(self, wanted: AuditFilter, limit: int) -> list[Entry]:
        """Entries, newest first."""
        query = select(audit_log).order_by(audit_log.c.at.desc(), audit_log.c.id.desc()).limit(limit)
        for name in ("actor", "action", "object", "outcome"):
            if value := getattr(wanted, name):
                query = query.where(audit_log.c[name] == value)
        if wanted.since is not None:
            query = query.where(audit_log.c.at >= wanted.since)
        if wanted.until is not None:
            query = query.where(audit_log.c.at < wanted.until)
        if wanted.before is not None:
            at, number = wanted.before
            # The first half is what an index is asked, so that a page behind many costs no more than the first.
            is_behind = or_(audit_log.c.at < at, audit_log.c.id < number)
            query = query.where(audit_log.c.at <= at, is_behind)
        return [_entry(row._mapping) for row in self._connection.execute(query)]

    def about(self, objects: Collection[str], actions: str, limit: int) -> list[Entry]:
        """What was done to these objects by actions with this in their name, newest first."""
        query = select(audit_log).where(audit_log.c.object.in_(objects), audit_log.c.action.contains(actions))
        found = self._connection.execute(query.order_by(audit_log.c.at.desc(), audit_log.c.id.desc()).limit(limit))
        return [_entry(row._mapping) for row in found]


def _writable(value: Any) -> Any:
    """A NUL in what strangers send must not keep its entry out: PostgreSQL takes none."""
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value


def _entry(row: Any) -> Entry:
    return replace(Entry(**row), outcome=Outcome(row["outcome"]))
