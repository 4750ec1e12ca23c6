"""Questions to people, and what they answered."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.engine import Connection, Row

from responder.clock import from_microseconds, microseconds
from responder.domain.approval import Answer, Approval, ApprovalKind, ApprovalState
from responder.errors import NotFound
from responder.store.changes import touch
from responder.store.tables import approvals

_IS_WAITING = text("state = 'waiting'")
_TICKETS_THAT_WAIT = text("SELECT DISTINCT ticket_id FROM approvals WHERE state = 'waiting'")
_AS_IT_IS = [field.name for field in fields(Approval) if field.name not in ("id", "answers")]


class ApprovalStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading -----------------------------------------------------------------------------------

    def one(self, approval_id: int) -> Approval:
        """Raises NotFound."""
        row = self._connection.execute(select(approvals).where(approvals.c.id == approval_id)).first()
        if row is None:
            raise NotFound(f"There is no approval {approval_id}.")
        return _approval(row)

    def of_step(self, run_id: int, step: int) -> Approval | None:
        """What a step of a run has asked."""
        query = select(approvals).where(approvals.c.run_id == run_id, approvals.c.step == step)
        row = self._connection.execute(query).first()
        return _approval(row) if row else None

    def of_episode(self, ticket_id: int, episode: int, kind: ApprovalKind) -> Approval | None:
        """The newest question of this kind in this episode of a ticket."""
        query = (
            select(approvals)
            .where(approvals.c.ticket_id == ticket_id, approvals.c.episode == episode, approvals.c.kind == kind.value)
            .order_by(approvals.c.id.desc())
        )
        row = self._connection.execute(query).first()
        return _approval(row) if row else None

    def of_ticket(self, ticket_id: int) -> list[Approval]:
        query = select(approvals).where(approvals.c.ticket_id == ticket_id).order_by(approvals.c.id)
        return [_approval(row) for row in self._connection.execute(query)]

    def listed(self, *, waiting_only: bool = True, before: int | None = None, limit: int = 100) -> list[Approval]:
        """Questions, the newest first; `before` is the last id of the page before."""
        query = select(approvals).order_by(approvals.c.id.desc()).limit(limit)
        if waiting_only:
            query = query.where(_IS_WAITING)
        if before is not None:
            query = query.where(approvals.c.id < before)
        return [_approval(row) for row in self._connection.execute(query)]

    def tickets_that_wait(self) -> set[int]:
        """The ids of the tickets with a question that waits for an answer."""
        return {int(row.ticket_id) for row in self._connection.execute(_TICKETS_THAT_WAIT)}

    # --- writing -----------------------------------------------------------------------------------

    def ask(self, approval: Approval) -> Approval:
        """Writes a new question."""
        row = self._connection.execute(approvals.insert().values(_values(approval)).returning(approvals.c.id)).one()
        touch(self._connection, "approvals", tickets=[approval.ticket_id])
        return self.one(row.id)

    def keep(self, approval: Approval) -> None:
        """Writes answers and the end of a question; what has ended already is not changed any more."""
        self._connection.execute(
            approvals.update().where(approvals.c.id == approval.id, _IS_WAITING).values(_values(approval))
        )
        touch(self._connection, "approvals", tickets=[approval.ticket_id])


def _values(approval: Approval) -> dict[str, Any]:
    answers = [[one.person, one.yes, one.reason, microseconds(one.at)] for one in approval.answers]
    plain = {name: getattr(approval, name) for name in _AS_IT_IS}
    return {**plain, "kind": approval.kind.value, "state": approval.state.value, "answers": answers}


def _approval(row: Row[Any]) -> Approval:
    values = dict(row._mapping)
    return Approval(
        **{
            **values,
            "kind": ApprovalKind(values["kind"]),
            "state": ApprovalState(values["state"]),
            "roles": tuple(values["roles"]),
            "answers": tuple(_answer(*one) for one in values["answers"]),
        }
    )


def _answer(person: str, yes: bool, reason: str, at: int) -> Answer:
    return Answer(person=person, yes=yes, reason=reason, at=from_microseconds(at))
