"""Maintenance of alerts: windows that people begin and end by hand, and which are open now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.maintenance import MaintenanceWindow, mutes_everything
from responder.domain.matching import parse_matcher
from responder.errors import NotFound, Refused
from responder.flows import deeds
from responder.flows.desk import Desk
from responder.store.maintenance_windows import AdHocWindow
from responder.store.transaction import Transaction

_LONGEST_REASON = 500
_MOST_MATCHERS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenWindow:
    """A window that is open now. `id` is None for one of the policy, which no command ends."""

    id: int | None
    name: str
    matchers: tuple[str, ...]
    is_everything: bool
    reason: str
    actor: str
    until: datetime


async def begin_window(
    desk: Desk, matchers: Sequence[str], reason: str, actor: str, *, lasting: timedelta, everything: bool = False
) -> int:
    """Expects the alerts that match for so long; gives the window's number.

    Raises Refused for matchers that are not understood, and for such as would mute everything unless that is meant.
    """
    if why := refusal_of(matchers, everything=everything):
        raise Refused(why)
    now = desk.clock.now()
    window = AdHocWindow(
        matchers=tuple(matchers),
        is_everything=everything,
        reason=reason[:_LONGEST_REASON],
        actor=actor,
        at=now,
        until=now + lasting,
    )

    def body(tx: Transaction) -> int:
        number = tx.maintenance.begin(window)
        what = "every alert" if everything else ", ".join(matchers)
        text = f"{deeds.reason(desk, what)} {deeds.until(window.until)}: {deeds.reason(desk, reason)}"
        deeds.tell(desk, tx, text, str(number))
        return number

    return await desk.store.write(body)


def refusal_of(matchers: Sequence[str], *, everything: bool) -> str:
    """Why such a window is not begun; empty if it may be."""
    if len(matchers) > _MOST_MATCHERS:
        return f"A window has at most {_MOST_MATCHERS} matchers."
    try:
        when = tuple(map(parse_matcher, matchers))
    except ValueError as error:
        return f"{error}."
    if everything and when:
        return "It is for everything, so matchers have no say; leave out one of the two."
    if not everything and mutes_everything(when):
        return (
            "It would mute every alert, or all but a few. Name the alerts that are meant, or say that it is everything."
        )
    return ""


async def end_window(desk: Desk, number: int, actor: str) -> None:
    """Ends a window before its time; what it held goes on within a minute. Raises NotFound if it is not open."""

    def body(tx: Transaction) -> None:
        if not tx.maintenance.end(number, actor, desk.clock.now()):
            raise NotFound(f"There is no open maintenance window {number}; those of the policy end by the policy.")

    await desk.store.write(body)


def open_windows(desk: Desk, tx: Transaction, now: datetime) -> list[OpenWindow]:
    """The windows that are open now: the policy's, then those that people began."""
    of_policy = [_of_policy(window, end) for window in desk.policy.maintenance if (end := window.end_at(now))]
    return [*of_policy, *map(_by_hand, tx.maintenance.open_at(now))]


def _of_policy(window: MaintenanceWindow, end: datetime) -> OpenWindow:
    return OpenWindow(
        id=None,
        name=window.name,
        matchers=tuple(map(str, window.when)),
        is_everything=window.is_everything,
        reason=window.reason,
        actor="policy",
        until=end,
    )


def _by_hand(row: AdHocWindow) -> OpenWindow:
    return OpenWindow(
        id=row.id,
        name="",
        matchers=row.matchers,
        is_everything=row.is_everything,
        reason=row.reason,
        actor=row.actor,
        until=row.until,
    )
