"""Audit of pages: in every round, who should have been told is compared with what is stored.

What differs is tried once more, is said on its ticket, and is a ticket of its own; until it agrees again, or somebody
has looked at it and says so, nothing is sent to the dead man's switch. Neither is while a ticket waits for people of
whom no message has reached anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from responder.clock import from_microseconds, microseconds
from responder.domain.counting import counted
from responder.domain.page_audit import Account, Difference, audit
from responder.domain.page_reach import Unreached, unreached_tickets
from responder.domain.report import Signal
from responder.domain.ticket import Change, EventKind
from responder.errors import Conflict, NotFound
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.store.jobs import Job
from responder.store.transaction import Transaction

log = structlog.get_logger()
ROUND = "page_audit"
EVERY = timedelta(minutes=1)
LATEST = 3 * EVERY
"""After so long without a round what was due counts anew: nobody was there to do it."""
MOST_AT_ONCE = 100
_LABELS = {"alertname": "ResponderPagesDiffer", "severity": "critical"}


async def audit_pages(desk: Desk) -> int | None:
    """Makes the round if it is due: how many differences nobody has looked at yet; None if it is not due."""
    now = desk.clock.now()
    if not await desk.store.read(lambda tx: tx.rounds.is_due(ROUND, EVERY, now)):
        return None
    before = await desk.store.write(lambda tx: _begin(tx, now))
    if before is None:
        return None
    since = awake_since(before, now)
    accounts, found = await desk.store.read(lambda tx: _found(tx, desk.clock.now(), since))
    mended: set[str] = set()
    for one in [one for one in found if one.key not in _known(before)][:MOST_AT_ONCE]:
        if await _speak_of(desk, one, since):
            mended.add(one.key)
    return await desk.store.write(lambda tx: _conclude(desk, tx, before, found, mended=mended, accounts=accounts))


def _found(tx: Transaction, now: datetime, since: datetime) -> tuple[list[Account], list[Difference]]:
    """What is stored, and how it differs; on the reader's thread, since it may take a while with many open tickets."""
    accounts = tx.page_audit.accounts()
    return accounts, audit(accounts, now, since)


def _begin(tx: Transaction, now: datetime) -> dict[str, Any] | None:
    """What came of the round before; None if another replica makes this one."""
    last = tx.rounds.last(ROUND)
    return (last.result if last else {}) if tx.rounds.begin(ROUND, EVERY, now) else None


def awake_since(before: Mapping[str, Any], now: datetime) -> datetime:
    """Since when there was always somebody to make these rounds, and so to do what was due."""
    if "at" not in before or now - from_microseconds(before["at"]) > LATEST:
        return now
    return from_microseconds(before["awake_since"])


def _known(before: Mapping[str, Any]) -> set[str]:
    return {one["key"] for one in before.get("differences", ()) if one["is_said"]}


async def _speak_of(desk: Desk, difference: Difference, since: datetime) -> bool:
    """Says it on the ticket and promises its job once more; False if somebody else was just changing the ticket."""
    log.error("the audit of pages found a difference", difference=difference.sentence)
    try:
        await desk.store.write(lambda tx: _say(desk, tx, difference, since))
    except Conflict:
        return False
    return True


def _say(desk: Desk, tx: Transaction, difference: Difference, since: datetime) -> None:
    try:
        known = tx.tickets.one(difference.ticket_id, locked=True)
    except NotFound:
        return
    # Read again, now that nobody else can change the ticket: what has been mended since must not be done twice.
    still = audit([tx.page_audit.account(difference.ticket_id)], desk.clock.now(), since)
    if difference.key not in {one.key for one in still} and not difference.key.partition("/")[2].startswith("bundle/"):
        return
    change, now = Change.of(known.ticket, known.clocks), desk.clock.now()
    again = f" It is promised once more ({difference.kind.replace('_', ' ')})." if difference.kind else ""
    change.note(now, EventKind.NOTE, f"Self-audit: {difference.sentence}{again}", audit=difference.key)
    tx.apply([change], now)
    if difference.kind:
        args = {"ticket": difference.ticket_id, **difference.args}
        lock = difference.lock or f"ticket:{difference.ticket_id}"
        tx.promise([Job(kind=difference.kind, args=args, due_at=now, at_once=True, lock=lock)])


def _conclude(
    desk: Desk,
    tx: Transaction,
    before: dict[str, Any],
    found: list[Difference],
    *,
    mended: set[str],
    accounts: list[Account],
) -> int:
    now, said = desk.clock.now(), _known(before) | mended
    first_seen = {one["key"]: one["since"] for one in before.get("differences", ())}
    latest = tx.rounds.last(ROUND)
    accepted = _still_accepted(latest.result if latest else {}, found)
    open_ones = [one for one in found if one.key not in accepted]
    unreached = _unreached(desk, accounts)
    result = {
        "at": microseconds(now),
        "awake_since": microseconds(awake_since(before, now)),
        "tickets": len(accounts),
        "unreached": [one.sentence for one in unreached],
        "unreached_ids": [one.ticket_id for one in unreached],
        "is_told": bool(open_ones),
        "accepted": accepted,
        "differences": [
            {
                "key": one.key,
                "ticket": one.number,
                "text": one.sentence,
                "since": first_seen.get(one.key, microseconds(now)),
                "is_said": one.key in said,
            }
            for one in found
        ],
    }
    tx.rounds.keep(ROUND, now, result)
    _report(desk, tx, open_ones, was_told=bool(before.get("is_told")))
    return len(open_ones)


def _unreached(desk: Desk, accounts: list[Account]) -> list[Unreached]:
    return unreached_tickets(accounts, desk.clock.now() - desk.policy.delivery.next_after)


def _still_accepted(before: Mapping[str, Any], found: list[Difference]) -> dict[str, Any]:
    keys = {one.key for one in found}
    return {key: why for key, why in before.get("accepted", {}).items() if key in keys}


def _report(desk: Desk, tx: Transaction, found: list[Difference], *, was_told: bool) -> None:
    now = desk.clock.now()
    if found and not was_told:
        more = f" And {len(found) - 1} more." if len(found) > 1 else ""
        text = f"Who should have been told differs from what is stored. {found[0].sentence}{more}"
        file_reports(tx, [internal_report(_LABELS, text, now)], desk.policy, now)
    elif was_told and not found:
        text = "The audit of pages agrees again."
        file_reports(tx, [internal_report(_LABELS, text, now, signal=Signal.CLEARED)], desk.policy, now)


# --- shown, and looked at --------------------------------------------------------------------------


async def compare(desk: Desk) -> dict[str, Any]:
    """The comparison as it is now, and what came of the last round."""
    now = desk.clock.now()
    last = await desk.store.read(lambda tx: tx.rounds.last(ROUND))
    result = last.result if last else {}
    accounts, found = await desk.store.read(lambda tx: _found(tx, now, awake_since(result, now)))
    accepted = result.get("accepted", {})
    return {
        "agrees": all(one.key in accepted for one in found),
        "tickets": len(accounts),
        "messages": sum(len(account.sheets) for account in accounts),
        "last_round_at": from_microseconds(result["at"]) if "at" in result else None,
        "calling": [_calling(account) for account in accounts if account.status == "handed_over"],
        "unreached": [one.sentence for one in _unreached(desk, accounts)],
        "differences": [
            {"key": one.key, "ticket": one.number, "text": one.sentence, "accepted": accepted.get(one.key)}
            for one in found
        ],
    }


def _calling(account: Account) -> dict[str, Any]:
    pages = [one for one in account.sheets if one.episode == account.episode and one.purpose.startswith("hand_over")]
    told = dict.fromkeys(f"{one.person} by {one.channel}: {one.state}" for one in pages)
    return {"ticket": account.number, "acknowledged_by": account.acknowledged_by, "told": list(told)}


def last_round(tx: Transaction) -> dict[str, Any]:
    """What came of the last round, without looking at all that is stored: when it was, how many tickets it looked at,
    of which of them nobody was reached, and what differs."""
    last = tx.rounds.last(ROUND)
    result = last.result if last else {}
    accepted = result.get("accepted", {})
    found = [{**one, "accepted": accepted.get(one["key"])} for one in result.get("differences", ())]
    return {
        "at": last.at if last else None,
        "tickets": result.get("tickets", 0),
        "unreached": result.get("unreached", []),
        "differences": found,
        "open": open_differences(result),
    }


async def accept(desk: Desk, key: str, reason: str, actor: str) -> None:
    """Somebody has looked at a difference that cannot be mended, such as a row that was deleted. Raises NotFound."""

    def body(tx: Transaction) -> None:
        last = tx.rounds.last(ROUND)
        result = last.result if last else {}
        if last is None or key not in {one["key"] for one in result.get("differences", ())}:
            raise NotFound(
                f"The last audit found no difference {key[:100]}; `responder audit pages` shows what it found."
            )
        mark = {"reason": reason, "by": actor, "at": microseconds(desk.clock.now())}
        tx.rounds.keep(ROUND, last.at, {**result, "accepted": {**result.get("accepted", {}), key: mark}})
        log.warning("a difference of the audit of pages is accepted", difference=key, by=actor, reason=reason)

    await desk.store.write(body)


def objection(tx: Transaction, now: datetime) -> str:
    """Why the audit does not vouch for our pages now, in a sentence; empty if it does."""
    last = tx.rounds.last(ROUND)
    result = last.result if last else {}
    if "at" not in result:
        return "The audit of pages has not made its first round."
    age = now - from_microseconds(result["at"])
    if age > LATEST:
        return f"The audit of pages has made no round since {from_microseconds(result['at']):%Y-%m-%d %H:%M:%S} UTC."
    if count := open_differences(result):
        return f"The audit of pages finds {counted(count, 'difference')}."
    # Somebody outside has other ways to people than ours, which fail.
    return "There is a ticket of which no message has reached anybody." if result.get("unreached") else ""


def last_unreached(tx: Transaction) -> list[int]:
    """The ids of the tickets of which the last round found that nobody was reached."""
    last = tx.rounds.last(ROUND)
    return list(last.result.get("unreached_ids", ())) if last else []


def open_differences(result: Mapping[str, Any]) -> int:
    """How many differences nobody has accepted."""
    accepted = result.get("accepted", {})
    return sum(one["key"] not in accepted for one in result.get("differences", ()))
