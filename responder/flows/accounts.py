"""Accounts, as administrators keep them and as their owners choose."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from responder.adapters.passwords import fits, hashed
from responder.domain.access import Role
from responder.domain.account_changes import objection_to_change, objection_to_new_password, objection_to_teams
from responder.domain.accounts import WITHIN, Failure, User, objection_to_name, objection_to_password, wait_for
from responder.domain.durations import spoken
from responder.domain.reporter import LANGUAGES
from responder.errors import BadForm, NotFound, Refused, TooManyTries
from responder.flows import deeds
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What of an account shall be otherwise; None is left as it is."""

    role: Role | None = None
    teams: tuple[str, ...] | None = None
    is_disabled: bool | None = None


# --- by an administrator -----------------------------------------------------------------------------


async def add_account(desk: Desk, name: str, role: Role, teams: tuple[str, ...], password: str) -> User:
    """A local account. Raises BadForm for what nobody can be called or sign in with, Refused if there is one."""
    _raise(objection_to_name(name), "name")
    _raise(objection_to_password(password, name), "password")
    _raise(_about_teams(desk, teams), "teams")
    secret, now = await asyncio.to_thread(hashed, password), desk.clock.now()

    def body(tx: Transaction) -> User:
        if known := tx.accounts.named(name):
            raise Refused(f"There is already an account called {known.name}.")
        deeds.tell(desk, tx, f"role {role}, teams {deeds.listed(teams)}", name)
        return tx.accounts.add(User(name=name, role=role, teams=teams, password_hash=secret, created_at=now))

    return await desk.store.write(body)


async def change_account(desk: Desk, name: str, wanted: Wanted) -> User:
    """The account as it is then. Who is disabled is signed out at once. Raises NotFound, BadForm, Refused."""
    _raise(_about_teams(desk, wanted.teams or ()), "teams")
    now = desk.clock.now()

    def body(tx: Transaction) -> User:
        before = _named(tx, name, locked=True)
        after = _as_wanted(before, wanted, now)
        if objection := objection_to_change(before, after, tx.accounts.other_admins(before.id)):
            raise Refused(objection)
        tx.accounts.change(after)
        if after.disabled_at is not None:
            tx.accounts.end_all(after.id)
        deeds.tell(desk, tx, _difference(before, after), after.name)
        return after

    return await desk.store.write(body)


async def give_password(desk: Desk, name: str, password: str) -> None:
    """Another password, after which all sessions are over. Raises NotFound, BadForm, Refused."""
    user = await desk.store.read(lambda tx: _named(tx, name))
    if objection := objection_to_new_password(user):
        raise Refused(objection)
    _raise(objection_to_password(password, user.name), "password")
    secret = await asyncio.to_thread(hashed, password)

    def body(tx: Transaction) -> None:
        tx.accounts.change(replace(_named(tx, name, locked=True), password_hash=secret))
        tx.accounts.end_all(user.id)

    await desk.store.write(body)


async def end_sessions(desk: Desk, name: str) -> int:
    """Signs somebody out everywhere; how many sessions that were. Raises NotFound."""
    return await desk.store.write(lambda tx: tx.accounts.end_all(_named(tx, name).id))


# --- by the owner ------------------------------------------------------------------------------------


async def choose(desk: Desk, user_id: int, *, language: str | None = None, zone: str | None = None) -> User:
    """How somebody reads: a language, and a zone of the IANA database; empty is as it comes. Raises BadForm."""
    _raise(_about_language(language or ""), "language")
    _raise(_about_zone(zone or ""), "zone")

    def body(tx: Transaction) -> User:
        user = _one(tx, user_id, locked=True)
        changed = replace(
            user,
            language=user.language if language is None else language,
            zone=user.zone if zone is None else zone,
        )
        tx.accounts.change(changed)
        return changed

    return await desk.store.write(body)


async def change_own_password(desk: Desk, user_id: int, session: str, old: str, new: str, *, address: str) -> None:
    """Another password, by who knows the present one; the other sessions are over then.

    Raises TooManyTries, BadForm, Refused. Wrong ones count as at the sign-in: an open browser is no way around that.
    """
    now = desk.clock.now()
    async with desk.passwords.through():
        user, wait = await desk.store.read(lambda tx: _with_wait(tx, user_id, address, now))
        if objection := objection_to_new_password(user):
            raise Refused(objection)
        if wait > timedelta():
            raise TooManyTries(f"Too many wrong passwords; try again in {spoken(wait)}.", after=wait)
        if not await asyncio.to_thread(fits, old, user.password_hash):
            failure = Failure(name=user.name.casefold(), address=address, at=now, user_id=user_id)
            await desk.store.write(lambda tx: tx.accounts.failed(failure))
            raise Refused("The present password is wrong.")
    _raise(objection_to_password(new, user.name), "password")
    secret = await asyncio.to_thread(hashed, new)

    def body(tx: Transaction) -> None:
        current = _one(tx, user_id, locked=True)
        if current.password_hash != user.password_hash:
            raise Refused("The password was changed by somebody else meanwhile.")
        tx.accounts.change(replace(current, password_hash=secret))
        tx.accounts.end_all(user_id, but=session)

    await desk.store.write(body)


async def end_session(desk: Desk, user_id: int, key: str) -> None:
    """Ends one of somebody's own sessions, by the key that a list of them shows. Raises NotFound."""

    def body(tx: Transaction) -> None:
        mine = [one for one in tx.accounts.sessions_of(user_id) if session_key(one.digest) == key]
        if not mine:
            raise NotFound("There is no such session of yours.")
        tx.accounts.end(mine[0].digest)

    await desk.store.write(body)


def session_key(digest: str) -> str:
    """A session's name in lists: enough to tell them apart, and nothing to sign in with."""
    return digest[:16]


# --- what they share ---------------------------------------------------------------------------------


def _named(tx: Transaction, name: str, *, locked: bool = False) -> User:
    return _found(tx.accounts.named(name, locked=locked), f"There is no account called {name!r}.")


def _one(tx: Transaction, user_id: int, *, locked: bool = False) -> User:
    return _found(tx.accounts.one(user_id, locked=locked), "There is no such account any more.")


def _found(user: User | None, text: str) -> User:
    if user is None:
        raise NotFound(text)
    return user


def _as_wanted(before: User, wanted: Wanted, now: datetime) -> User:
    disabled_at = before.disabled_at
    if wanted.is_disabled is not None:
        disabled_at = (before.disabled_at or now) if wanted.is_disabled else None
    return replace(
        before,
        role=wanted.role or before.role,
        teams=before.teams if wanted.teams is None else wanted.teams,
        disabled_at=disabled_at,
    )


def _difference(before: User, after: User) -> str:
    """What of an account is otherwise, in words for the audit log."""
    said = []
    if before.role is not after.role:
        said.append(f"role {before.role} → {after.role}")
    if before.teams != after.teams:
        said.append(f"teams {deeds.listed(before.teams)} → {deeds.listed(after.teams)}")
    if (before.disabled_at is None) != (after.disabled_at is None):
        said.append("disabled" if after.disabled_at else "enabled again")
    return ", ".join(said) or "as it was"


def _with_wait(tx: Transaction, user_id: int, address: str, now: datetime) -> tuple[User, timedelta]:
    user = _one(tx, user_id)
    asked = user.name.casefold()
    return user, wait_for(tx.accounts.failures(asked, address, now - WITHIN), asked, address, now)


def _about_teams(desk: Desk, teams: tuple[str, ...]) -> str:
    return objection_to_teams(teams, desk.configuration.tiers)


def _about_language(language: str) -> str:
    if language in ("", *LANGUAGES):
        return ""
    return f"{language!r} is no language here; there are {', '.join(LANGUAGES)}."


def _about_zone(zone: str) -> str:
    try:
        ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{zone!r} is no time zone; write it like Europe/Berlin or Asia/Shanghai."
    return ""


def _raise(objection: str, field: str) -> None:
    if objection:
        raise BadForm(objection, field=field)
