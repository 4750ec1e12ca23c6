"""People for whom a proxy in front of us vouches: their accounts follow what it says with each request."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.access import Via
from responder.domain.accounts import Source, User
from responder.domain.audit import Entry
from responder.errors import SignInRefused
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


async def known_by_proxy(desk: Desk, wanted: User) -> User:
    """The account that belongs to a name, made or brought up to date where it must be.

    Raises SignInRefused for one that is disabled, or is not the proxy's to speak for.
    """
    known = await desk.store.read(lambda tx: tx.accounts.named(wanted.name))
    if known is None or (not _objection(known) and not _is_as(known, wanted)):
        known = await desk.store.write(lambda tx: _kept(tx, wanted))
    if objection := _objection(known):
        raise SignInRefused(objection)
    return known


def _kept(tx: Transaction, wanted: User) -> User:
    """What others changed meanwhile stays as they changed it."""
    known = tx.accounts.named(wanted.name, locked=True)
    if known is None:
        tx.audit_log.add(_entry(wanted, f"{wanted.role} of {wanted.acts_for}"))
        return tx.accounts.add(wanted)
    if _objection(known) or _is_as(known, wanted):
        return known
    current = replace(known, role=wanted.role, teams=wanted.teams, teamless=wanted.teamless)
    said = f"{known.role} of {known.acts_for} → {current.role} of {current.acts_for}"
    tx.audit_log.add(_entry(wanted, said))
    tx.accounts.change(current)
    return current


def _objection(known: User) -> str:
    if known.source is not Source.PROXY:
        return f"{known.name} is a {known.source} account, which no proxy can speak for."
    return f"{known.name} is disabled." if known.disabled_at is not None else ""


def _is_as(known: User, wanted: User) -> bool:
    return (known.role, known.teams, known.teamless) == (wanted.role, wanted.teams, wanted.teamless)


def _entry(wanted: User, text: str) -> Entry:
    at = wanted.seen_at or wanted.created_at
    return Entry(at=at, actor="proxy", via=Via.PROXY, action="renew the role", object=wanted.name, text=text)
