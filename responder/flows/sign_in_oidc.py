"""Who signs in at an OpenID provider becomes a user here: made at the first time, brought up to date at each."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from responder.domain.access import Via
from responder.domain.accounts import Source, User
from responder.domain.arrivals import Arrival
from responder.domain.audit import Entry, Outcome
from responder.errors import SignInRefused
from responder.flows.desk import Desk
from responder.flows.sign_in import SignedIn, Visit, begin_session
from responder.store.transaction import Transaction

BY = "OpenID Connect"


async def admit(desk: Desk, met: Arrival, visit: Visit) -> SignedIn:
    """A session for somebody for whom the provider vouches. The account keeps the name of its first time.

    Raises SignInRefused when the account is disabled, or the name is that of another one: none is ever taken over.
    """
    now = desk.clock.now()

    def body(tx: Transaction) -> User | str:
        known = tx.accounts.known_as(Source.OIDC, _subject(met), locked=True)
        taken = tx.accounts.named(met.name) if known is None else None
        objection = _objection(known or taken, is_known=known is not None)
        if objection:
            tx.audit_log.add(_refusal(met, visit, objection, now))
            return objection
        return _brought_up_to_date(tx, known, met, now) if known else tx.accounts.add(_made(met, now))

    found = await desk.store.write(body)
    if isinstance(found, str):
        raise SignInRefused(found)
    return await begin_session(desk, found, visit, by=BY)


def _subject(met: Arrival) -> str:
    """Who it is for good: subjects are told apart within one issuer only (OpenID Connect Core 1.0, section 5.7)."""
    return f"{met.issuer} {met.subject}"


def _objection(user: User | None, *, is_known: bool) -> str:
    if user is None:
        return ""
    if not is_known:
        return (
            f"There is already {_KINDS[user.source]} called {user.name}, and nobody takes over the account of another. "
            "Whoever is admin can give that one up, or the sign-in provider can call you something else."
        )
    return f"The account {user.name} is disabled here. Whoever is admin can change that." if user.disabled_at else ""


_KINDS = {
    Source.LOCAL: "an account with a password of its own",
    Source.OIDC: "another account of the sign-in provider",
    Source.PROXY: "an account of the proxy",
}


def _made(met: Arrival, now: datetime) -> User:
    return User(
        name=met.name,
        role=met.role,
        source=Source.OIDC,
        subject=_subject(met),
        teams=met.teams,
        teamless=met.teamless,
        created_at=now,
        seen_at=now,
    )


def _brought_up_to_date(tx: Transaction, known: User, met: Arrival, now: datetime) -> User:
    """The account with the role and the teams of today; what changed is in the audit log."""
    current = replace(known, role=met.role, teams=met.teams, teamless=met.teamless)
    if current != known:
        tx.accounts.change(current)
        tx.audit_log.add(_renewal(known, current, now))
    return current


def _renewal(before: User, after: User, now: datetime) -> Entry:
    said = [f"{user.role} of {user.acts_for}" for user in (before, after)]
    return Entry(
        at=now, actor=BY, via=Via.SESSION, action="renew the role", object=after.name, text=f"{said[0]} → {said[1]}"
    )


def _refusal(met: Arrival, visit: Visit, why: str, now: datetime) -> Entry:
    return Entry(
        at=now,
        actor=met.name,
        via=Via.SESSION,
        address=visit.address,
        action="sign in",
        object=BY,
        outcome=Outcome.REFUSED,
        status=403,
        text=why,
    )
