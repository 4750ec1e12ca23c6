"""Signing in and out, and who a session belongs to."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from responder.adapters.notifier import Secret
from responder.adapters.passwords import fits, hashed, is_outdated
from responder.config.settings import digest
from responder.domain.access import Identity, Via
from responder.domain.accounts import TOUCHED_EVERY, WITHIN, Failure, Session, Source, User, wait_for
from responder.domain.audit import Entry, Outcome
from responder.domain.durations import spoken
from responder.errors import SignInRefused, TooManyTries
from responder.flows.desk import Desk
from responder.store.transaction import Transaction

_LONGEST_AGENT, _LONGEST_NAME = 200, 256
WRONG = "The name or the password is wrong."


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """From where somebody signs in: the address, and what the browser calls itself."""

    address: str
    agent: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """A fresh session: the secret is for the browser's cookie, and is kept nowhere."""

    secret: Secret
    user: User
    expires_at: datetime


async def sign_in(desk: Desk, name: str, password: str, visit: Visit) -> SignedIn:
    """Signs somebody in by the password of a local account.

    Raises TooManyTries, or SignInRefused with one sentence for every way to be wrong.
    """
    if not desk.configuration.settings.sign_in.local:
        raise SignInRefused("Nobody signs in by a password here.")
    now, asked = desk.clock.now(), name.casefold().replace("\x00", "")[:_LONGEST_NAME]

    def gather(tx: Transaction) -> tuple[User | None, timedelta]:
        failures = tx.accounts.failures(asked, visit.address, now - WITHIN)
        user = tx.accounts.named(asked)
        is_usual = user is not None and tx.accounts.was_at(user.id, visit.address)
        return user, wait_for(failures, asked, visit.address, now, is_usual=is_usual)

    # Looked up behind the door: of many tries at once, each sees the failures of those before it.
    async with desk.passwords.through():
        user, wait = await desk.store.read(gather)
        if wait > timedelta():
            # The wrong ones are in the log; those that are not looked at would fill it.
            raise TooManyTries(f"Too many wrong passwords; try again in {spoken(wait)}.", after=wait)
        is_right = await asyncio.to_thread(fits, password, user.password_hash if user else "")
        if user is None or not is_right or user.disabled_at is not None:
            await _refuse(desk, asked, visit, user, _why(user, is_right=is_right))
            raise SignInRefused(WRONG)
    newer = await asyncio.to_thread(hashed, password) if is_outdated(user.password_hash) else ""
    return await begin_session(desk, user, visit, by="password", newer_hash=newer)


async def begin_session(desk: Desk, user: User, visit: Visit, *, by: str, newer_hash: str = "") -> SignedIn:
    """A session for an account whose owner has proved to be there; `by` says how.

    Raises SignInRefused if it was disabled, or given another password, since it was looked at.
    """
    now, secret = desk.clock.now(), secrets.token_urlsafe(32)
    rules = desk.configuration.settings.sign_in
    session = Session(
        digest=digest(secret),
        user_id=user.id,
        created_at=now,
        seen_at=now,
        expires_at=now + rules.longest,
        address=visit.address,
        agent=visit.agent[:_LONGEST_AGENT],
    )
    entry = Entry(at=now, actor=user.name, via=Via.SESSION, address=visit.address, action="sign in", object=by)

    def body(tx: Transaction) -> None:
        current = tx.accounts.one(user.id, locked=True)
        if current is None or current.disabled_at is not None or current.password_hash != user.password_hash:
            raise SignInRefused(WRONG)
        tx.accounts.forget_before(now, now - rules.idle, now - WITHIN)
        tx.accounts.forgive(user.name.casefold(), visit.address)
        tx.accounts.change(replace(current, seen_at=now, password_hash=newer_hash or current.password_hash))
        tx.accounts.begin(session)
        tx.audit_log.add(entry)

    await desk.store.write(body)
    return SignedIn(secret=Secret(secret), user=user, expires_at=session.expires_at)


async def sign_out(desk: Desk, identity: Identity, address: str) -> None:
    """Ends the session that somebody asks with."""
    now = desk.clock.now()
    entry = Entry(at=now, actor=identity.name, via=identity.via, address=address, action="sign out")

    def body(tx: Transaction) -> None:
        if tx.accounts.end(identity.session):
            tx.audit_log.add(entry)

    await desk.store.write(body)


async def whose_session(desk: Desk, secret: str, *, is_used: bool = True) -> Identity | None:
    """Who holds this cookie; None if the session is over, was ended, or never was. Not `is_used`: only looked at."""
    now, key = desk.clock.now(), digest(secret)
    found = await desk.store.read(lambda tx: tx.accounts.session(key))
    if found is None:
        return None
    session, user = found
    rules = desk.configuration.settings.sign_in
    ways = {Source.LOCAL: rules.local, Source.OIDC: rules.oidc is not None}
    if user.disabled_at is not None or session.is_over(now, rules.idle) or not ways.get(user.source, True):
        return None
    if is_used and now - session.seen_at >= TOUCHED_EVERY:
        await desk.store.write(lambda tx: tx.accounts.touch(key, user.id, now))
    return user.identity(Via.SESSION, session=key)


async def _refuse(desk: Desk, name: str, visit: Visit, user: User | None, why: str) -> None:
    """A name that nobody has stays out of the log, which keeps it for good: it may be somebody's password."""
    now = desk.clock.now()
    entry = Entry(
        at=now,
        actor=user.name if user else "",
        via=Via.SESSION,
        address=visit.address,
        action="sign in",
        object="password",
        outcome=Outcome.REFUSED,
        status=401,
        text=why,
    )

    def body(tx: Transaction) -> None:
        tx.accounts.failed(Failure(name=name, address=visit.address, at=now))
        tx.audit_log.add(entry)

    await desk.store.write(body)


def _why(user: User | None, *, is_right: bool) -> str:
    if user is None:
        return "there is no such account"
    if not user.password_hash:
        return f"the account is {user.source}, without a password of ours"
    return "the account is disabled" if is_right else "wrong password"
