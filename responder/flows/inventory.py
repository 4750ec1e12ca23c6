"""The inventory as it stands: each target, and what keeps automation off it now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain.run_filter import RunInList
from responder.domain.switches import Switch
from responder.domain.target import Target
from responder.flows.desk import Desk
from responder.flows.maintenance import in_maintenance_now
from responder.flows.switches import Off, switched_off
from responder.store.run_search import RunSearch
from responder.store.transaction import Transaction

_LONGEST_RUN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One target. `cooldowns` are (runbook, until); `held_by` is the run that nobody else may run beside."""

    target: Target
    held_by: RunInList | None
    maintenance: Switch | None
    off: Off | None
    cooldowns: tuple[tuple[str, datetime], ...]
    last_run: RunInList | None

    @property
    def is_free(self) -> bool:
        """Whether nothing keeps first aid off it."""
        return not (self.held_by or self.maintenance or self.off or self.cooldowns) and bool(self.target.host_key)


def chosen(targets: Iterable[Target], text: str, group: str) -> list[Target]:
    """The targets in a group that hold every word of the text in a name, address, group or failure domain."""
    words = text.lower().split()
    return [
        one
        for one in targets
        if (not group or group in one.groups) and all(any(word in said for said in _said(one)) for word in words)
    ]


def _said(target: Target) -> list[str]:
    said = (target.name, *target.aliases, target.address, *target.groups, target.failure_domain)
    return [one.lower() for one in said]


def standing(desk: Desk, tx: Transaction, targets: Sequence[Target]) -> list[Standing]:
    """How these targets stand, in a handful of queries however many they are."""
    now, search = desk.clock.now(), RunSearch(tx.connection)
    held, last = search.at_work(), search.last_on({one.name for one in targets})
    maintenance = in_maintenance_now(tx, now)
    off = {one.scope.name: one for one in switched_off(desk, tx) if one.scope.kind == "target"}
    cooling = _cooling(desk, search, now)
    return [
        Standing(
            target=one,
            held_by=held.get(one.name),
            maintenance=maintenance.get(one.name),
            off=off.get(one.name),
            cooldowns=cooling.get(one.name, ()),
            last_run=last.get(one.name),
        )
        for one in targets
    ]


def _cooling(desk: Desk, search: RunSearch, now: datetime) -> Mapping[str, tuple[tuple[str, datetime], ...]]:
    """For each target which runbooks may not run there again before when."""
    runbooks = desk.configuration.runbooks
    longest = max((one.cooldown for one in runbooks.values()), default=timedelta())
    found: dict[str, tuple[tuple[str, datetime], ...]] = {}
    for (name, target), ended_at in sorted(search.ended_since(now - longest - _LONGEST_RUN).items()):
        until = ended_at + runbooks[name].cooldown if name in runbooks else now
        if until > now:
            found[target] = (*found.get(target, ()), (name, until))
    return found
