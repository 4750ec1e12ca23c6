"""Wrong passwords in the audit log: the first of an hour one by one, the others counted once the hour is over.

The log never shrinks, so nobody may fill it who has no more than many addresses.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from responder.clock import EPOCH
from responder.domain.access import Via
from responder.domain.accounts import TOLD_EACH, WITHIN, Failure, Untold, User, is_told
from responder.domain.audit import Entry, Outcome
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


def keep(tx: Transaction, failure: Failure, user: User | None, why: str, *, always: bool = False) -> None:
    """Writes a wrong password down. A name that nobody has stays out of the log, for it may be somebody's password."""
    whose = user.id if user else None
    told = always or is_told(tx.accounts.told(whose, failure.at - TOLD_EACH), is_account=user is not None)
    tx.accounts.failed(replace(failure, user_id=whose, is_told=told))
    if told:
        tx.audit_log.add(_entry(failure.at, user, why, address=failure.address))


async def tell_of_the_rest(desk: Desk) -> int:
    """Writes one entry for what an hour that is over has left without one, and forgets what is old; how many entries.

    Of an account the entry is in its name; of all names that nobody has there is one.
    """
    now = desk.clock.now()
    # What may still make somebody wait is kept.
    over = now - WITHIN - (now - WITHIN - EPOCH) % TOLD_EACH

    def body(tx: Transaction) -> int:
        # Taking this number orders all replicas: the second one finds nothing left.
        tx.sums.take("wrong passwords told", 1)
        found = tx.accounts.untold_before(over)
        for one in found:
            tx.audit_log.add(_counted(tx, one, now))
        tx.accounts.forget_failures(now - TOLD_EACH, over)
        return len(found)

    return await desk.store.write(body)


def _counted(tx: Transaction, one: Untold, now: datetime) -> Entry:
    user = tx.accounts.one(one.user_id) if one.user_id is not None else None
    return _entry(now, user, one.sentence)


def _entry(at: datetime, user: User | None, why: str, address: str = "") -> Entry:
    return Entry(
        at=at,
        actor=user.name if user else "",
        via=Via.SESSION,
        address=address,
        action="sign in",
        object="password",
        outcome=Outcome.REFUSED,
        status=401,
        text=why,
    )
