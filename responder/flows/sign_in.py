"""Signing in and out, and who a session belongs to."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from responder.adapters.notifier import Secret
from responder.adapters.passwords import fits, hashed, is_outdated
from responder.config.settings import digest
from responder.config.sign_in import SignIn
from responder.domain.access import Identity, Via
from responder.domain.accounts import TOUCHED_EVERY, WITHIN, Failure, Session, Source, User, wait_for
from responder.domain.audit import Entry
from responder.domain.durations import spoken
from responder.errors import SignInRefused, TooManyTries
from responder.flows.desk import Desk
from responder.flows.wrong_passwords import keep
from responder.store.transaction import Transaction

_LONGEST_AGENT, _LONGEST_NAME = 200, 256
WRONG = "The name or the password is wrong."


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """From where somebody signs in: the address, what the browser calls itself, and the session that it had before."""

    address: str
    agent: str = ""
    had: str = ""


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
            failure, why = Failure(name=asked, address=visit.address, at=now), _why(user, is_right=is_right)
            # Who knows the password of an account that is disabled is worth an entry whatever else goes on.
            await desk.store.write(lambda tx: keep(tx, failure, user, why, always=is_right))
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
        tx.accounts.forget_before(now, now - rules.idle)
        tx.accounts.forgive(user.name.casefold(), visit.address)
        tx.accounts.change(replace(current, seen_at=now, password_hash=newer_hash or current.password_hash))
        tx.accounts.begin(session)
        _end_former(tx, visit.had, entry, user)
        tx.audit_log.add(entry)

    await desk.store.write(body)
    return SignedIn(secret=Secret(secret), user=user, expires_at=session.expires_at)


def _end_former(tx: Transaction, had: str, entry: Entry, user: User) -> None:
    """The browser forgets the session that it had, so nobody could sign out of it any more: its owner's log tells."""
    former = tx.accounts.session(had)
    if tx.accounts.end(had) and former and former[1].id != user.id:
        why = "ended: somebody else signed in with this browser"
        tx.audit_log.add(replace(entry, actor=former[1].name, action="sign out", object="", text=why))


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
    if user.disabled_at is not None or session.is_over(now, rules.idle) or not _is_offered(user, rules):
        return None
    if is_used and now - session.seen_at >= TOUCHED_EVERY:
        await desk.store.write(lambda tx: tx.accounts.touch(key, user.id, now))
    return user.identity(Via.SESSION, session=key)


def _is_offered(user: User, rules: SignIn) -> bool:
    """Whether people still come in by the way by which this account does: after a reload it may be another provider."""
    if user.source is Source.OIDC:
        return rules.oidc is not None and user.subject.startswith(f"{rules.oidc.issuer} ")
    return rules.local or user.source is not Source.LOCAL


def _why(user: User | None, *, is_right: bool) -> str:
    if user is None:
        return "there is no such account"
    if not user.password_hash:
        return f"the account is {user.source}, without a password of ours"
    return "the account is disabled" if is_right else "wrong password"
