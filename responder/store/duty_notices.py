"""Notices of duty: what people are told of changes of the rotas, as rows before they are sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, Row

from responder.clock import from_microseconds, microseconds
from responder.domain.duty_news import DutyChange, Notice
from responder.domain.message import MessageState
from responder.errors import NotFound
from responder.store.tables import duty_notices

_UNTOLD = (MessageState.WAITING.value, MessageState.HELD.value)


class DutyNoticeStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, notice: Notice) -> Notice:
        """Writes a new notice; gives it with its number."""
        query = insert(duty_notices).values(_values(notice)).returning(duty_notices.c.id)
        return replace(notice, id=int(self._connection.execute(query).scalar_one()))

    def one(self, notice_id: int) -> Notice:
        """Until the commit no other transaction changes it. Raises NotFound."""
        query = select(duty_notices).where(duty_notices.c.id == notice_id).with_for_update()
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound(f"There is no notice {notice_id}.")
        return _notice(row)

    def keep(self, notice: Notice) -> None:
        """Writes a notice as it is now; the caller holds its row."""
        here = duty_notices.c.id == notice.id
        self._connection.execute(update(duty_notices).where(here).values(_values(notice)))

    def untold(self, person: str) -> list[Notice]:
        """What a person does not know yet."""
        query = select(duty_notices).where(duty_notices.c.person == person, duty_notices.c.state.in_(_UNTOLD))
        return [one for one in map(_notice, self._connection.execute(query)) if one.is_untold]

    def about(self, override_ids: Collection[int], since: datetime) -> list[Notice]:
        """What was written because of these overrides since an instant, in the order of writing."""
        query = select(duty_notices).where(duty_notices.c.made_at >= since).order_by(duty_notices.c.id)
        found = map(_notice, self._connection.execute(query))
        return [one for one in found if not set(override_ids).isdisjoint(one.override_ids)]


def _values(notice: Notice) -> dict[str, Any]:
    names = duty_notices.c.keys()  # columns are no mapping
    values = {name: getattr(notice, name) for name in names if name != "id"}
    changes = [
        {**asdict(one), "start": microseconds(one.start), "until": microseconds(one.until)} for one in notice.changes
    ]
    return {**values, "changes": changes, "override_ids": [*notice.override_ids], "state": notice.state.value}


def _notice(row: Row[Any]) -> Notice:
    values = dict(row._mapping)
    changed = {
        "changes": tuple(map(_change, values["changes"])),
        "override_ids": tuple(values["override_ids"]),
        "state": MessageState(values["state"]),
    }
    return Notice(**{**values, **changed})


def _change(kept: Mapping[str, Any]) -> DutyChange:
    start, until = from_microseconds(kept["start"]), from_microseconds(kept["until"])
    return DutyChange(rota=kept["rota"], start=start, until=until, is_on=kept["is_on"])
