"""Accounts, their sessions, and wrong passwords."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    delete,
    distinct,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.engine import Connection

from responder.clock import from_microseconds
from responder.domain.access import Role
from responder.domain.accounts import TOLD_EACH, Failure, Session, Source, Untold, User
from responder.domain.throttle import around
from responder.domain.topics import ACCOUNTS
from responder.store.changes import touch
from responder.store.tables import login_failures, saved_views, sessions, users


class AccountStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- accounts ------------------------------------------------------------------------------------

    def add(self, user: User) -> User:
        """Adds an account and gives it with its id. A second of the same name is a Conflict."""
        return self._user(self._connection.execute(insert(users).values(_row(user)).returning(users)).one())

    def change(self, user: User) -> None:
        """Writes an account as it is now."""
        self._connection.execute(update(users).where(users.c.id == user.id).values(_row(user)))
        touch(self._connection, ACCOUNTS)

    # An account that is read to be changed is read `locked`: what another replica changes meanwhile would be undone.

    def named(self, name: str, *, locked: bool = False) -> User | None:
        """The account of this name, whatever the case of its letters."""
        return self._found(users.c.folded == name.casefold(), locked=locked)

    def one(self, user_id: int, *, locked: bool = False) -> User | None:
        return self._found(users.c.id == user_id, locked=locked)

    def known_as(self, source: Source, subject: str, *, locked: bool = False) -> User | None:
        """The account that this source knows under this name of its own."""
        return self._found((users.c.source == source) & (users.c.subject == subject), locked=locked)

    def _found(self, here: ColumnElement[bool], *, locked: bool) -> User | None:
        query = select(users).where(here)
        row = self._connection.execute(query.with_for_update() if locked else query).first()
        return self._user(row) if row else None

    def all(self) -> list[User]:
        return [self._user(row) for row in self._connection.execute(select(users).order_by(users.c.folded))]

    def listed(self, after: int, limit: int) -> list[User]:
        """Accounts in the order in which they were made, behind one."""
        query = select(users).where(users.c.id > after).order_by(users.c.id).limit(limit)
        return [self._user(row) for row in self._connection.execute(query)]

    def other_admins(self, user_id: int) -> int:
        """How many others can sign in and are admin. Two who take each other's role at once wait for each other."""
        here = (users.c.role == Role.ADMIN) & users.c.disabled_at.is_(None)
        found = self._connection.execute(select(users.c.id).where(here).order_by(users.c.id).with_for_update())
        return sum(row.id != user_id for row in found)

    def _user(self, row: Row[Any]) -> User:
        given = {name: value for name, value in row._mapping.items() if name != "folded"}
        kept = {"role": Role(row.role), "source": Source(row.source), "teams": tuple(row.teams)}
        return User(**{**given, **kept})

    # --- sessions ------------------------------------------------------------------------------------

    def begin(self, session: Session) -> None:
        self._connection.execute(insert(sessions).values(asdict(session)))

    def session(self, digest: str) -> tuple[Session, User] | None:
        """A session with its account."""
        row = self._connection.execute(select(sessions).where(sessions.c.digest == digest)).first()
        user = self.one(row.user_id) if row else None
        return (Session(**row._mapping), user) if row and user else None

    def sessions_of(self, user_id: int) -> list[Session]:
        """The sessions of an account, the one used last first."""
        query = select(sessions).where(sessions.c.user_id == user_id).order_by(sessions.c.seen_at.desc()).limit(200)
        return [Session(**row._mapping) for row in self._connection.execute(query)]

    def touch(self, digest: str, user_id: int, at: datetime) -> None:
        """Notes that a session was used."""
        self._connection.execute(update(sessions).where(sessions.c.digest == digest).values(seen_at=at))
        self._connection.execute(update(users).where(users.c.id == user_id).values(seen_at=at))

    def end(self, digest: str) -> bool:
        touch(self._connection, ACCOUNTS)
        return self._connection.execute(delete(sessions).where(sessions.c.digest == digest)).rowcount == 1

    def end_all(self, user_id: int, *, but: str = "") -> int:
        """Ends the sessions of an account, perhaps but one; how many that were."""
        gone = (sessions.c.user_id == user_id) & (sessions.c.digest != but)
        touch(self._connection, ACCOUNTS)
        return self._connection.execute(delete(sessions).where(gone)).rowcount

    def forget_before(self, now: datetime, used_before: datetime) -> int:
        """Removes sessions that are over; how many."""
        over = or_(sessions.c.expires_at <= now, sessions.c.seen_at <= used_before)
        return self._connection.execute(delete(sessions).where(over)).rowcount

    def was_at(self, user_id: int, address: str) -> bool:
        """True if somebody has signed in from there and is signed in still."""
        here = (sessions.c.user_id == user_id) & (sessions.c.address == address)
        return self._connection.execute(select(sessions.c.digest).where(here).limit(1)).first() is not None

    # --- wrong passwords -----------------------------------------------------------------------------

    def failures(self, name: str, address: str, since: datetime) -> list[Failure]:
        """The latest wrong passwords for this name, from this address, or from the network around it."""
        same = or_(login_failures.c.name == name, login_failures.c.address == address)
        if wide := around(address):
            same = or_(same, login_failures.c.around == wide)
        found = select(login_failures.c.name, login_failures.c.address, login_failures.c.at).where(
            same, login_failures.c.at > since
        )
        latest = found.order_by(login_failures.c.at.desc()).limit(200)
        return [Failure(**row._mapping) for row in self._connection.execute(latest)]

    def failed(self, failure: Failure) -> None:
        row = {**asdict(failure), "around": around(failure.address)}
        self._connection.execute(insert(login_failures).values(row))

    def told(self, user_id: int | None, since: datetime) -> int:
        """How many wrong passwords have had entries of their own: of an account, or of names that nobody has."""
        whose = login_failures.c.user_id.is_(None) if user_id is None else login_failures.c.user_id == user_id
        here = login_failures.c.is_told.is_(True) & whose & (login_failures.c.at > since)
        return self._connection.execute(select(func.count()).where(here)).scalar_one()

    def untold_before(self, at: datetime) -> list[Untold]:
        """Wrong passwords before an instant that have no entries of their own, by account and hour."""
        length = TOLD_EACH // timedelta(microseconds=1)
        hour = (type_coerce(login_failures.c.at, BigInteger) // length).label("hour")
        many = (func.count().label("tries"), func.count(distinct(login_failures.c.address)).label("addresses"))
        query = select(login_failures.c.user_id, hour, *many).group_by(login_failures.c.user_id, hour).order_by(hour)
        found = self._connection.execute(query.where(login_failures.c.is_told.is_(False), login_failures.c.at < at))
        return [
            Untold(
                user_id=row.user_id,
                hour=from_microseconds(row.hour * length),
                tries=row.tries,
                addresses=row.addresses,
            )
            for row in found
        ]

    def forget_failures(self, told_before: datetime, untold_before: datetime) -> None:
        """Removes failures that no longer count, of those with an entry of their own, and of the others."""
        for said, before in ((True, told_before), (False, untold_before)):
            old = login_failures.c.is_told.is_(said) & (login_failures.c.at < before)
            self._connection.execute(delete(login_failures).where(old))

    def forgive(self, name: str, address: str) -> None:
        """Forgets the failures of somebody who then knew the password; what is not told yet stays, nameless."""
        same = (login_failures.c.name == name) & (login_failures.c.address == address)
        self._connection.execute(delete(login_failures).where(same, login_failures.c.is_told.is_(True)))
        self._connection.execute(update(login_failures).where(same).values(name=""))

    # --- saved views ---------------------------------------------------------------------------------

    def views(self, user_id: int) -> list[tuple[int, str, str]]:
        """Id, name and query of what somebody saved, by name."""
        mine = select(saved_views).where(saved_views.c.user_id == user_id).order_by(saved_views.c.name).limit(100)
        return [(row.id, row.name, row.query) for row in self._connection.execute(mine)]

    def save_view(self, user_id: int, name: str, query: str, at: datetime) -> None:
        """Saves a view, in place of one of the same name."""
        mine = (saved_views.c.user_id == user_id) & (saved_views.c.name == name)
        self._connection.execute(delete(saved_views).where(mine))
        row = {"user_id": user_id, "name": name, "query": query, "created_at": at}
        self._connection.execute(insert(saved_views).values(row))

    def drop_view(self, user_id: int, view_id: int) -> bool:
        mine = (saved_views.c.user_id == user_id) & (saved_views.c.id == view_id)
        return self._connection.execute(delete(saved_views).where(mine)).rowcount == 1


def _row(user: User) -> dict[str, Any]:
    row = {name: value for name, value in asdict(user).items() if name != "id"}
    return {**row, "teams": list(user.teams), "folded": user.name.casefold()}
