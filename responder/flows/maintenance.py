"""Maintenance: targets that people are working on, so that no run starts on them for a while."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from responder.config.configuration import Configuration
from responder.domain.switches import Switch, in_maintenance, maintenance_of
from responder.domain.target import find
from responder.errors import NotFound, Refused
from responder.flows import deeds
from responder.flows.desk import Desk
from responder.store.transaction import Transaction

_LONGEST_REASON = 500


def in_maintenance_now(tx: Transaction, now: datetime) -> dict[str, Switch]:
    """Every target in maintenance, with why, by whom and until when."""
    switches = ((in_maintenance(switch.name), switch) for switch in tx.switchboard.switches(now))
    return {target: switch for target, switch in switches if target}


def maintenance_of_hosts(tx: Transaction, hosts: Collection[str], now: datetime) -> dict[str, str]:
    """For those of the hosts that are in maintenance: until when, by whom and why."""
    return {
        host: f"until {switch.until:%Y-%m-%d %H:%M} UTC ({switch.actor}: {switch.reason})"
        for host, switch in in_maintenance_now(tx, now).items()
        if host in hosts
    }


async def start_maintenance(
    desk: Desk, targets: Collection[str], reason: str, actor: str, *, lasting: timedelta
) -> list[str]:
    """Puts the targets into maintenance for so long; gives the runs at work on them, which go on."""
    now = desk.clock.now()

    def body(tx: Transaction) -> list[str]:
        for target in targets:
            name, why = maintenance_of(target), reason[:_LONGEST_REASON]
            tx.switchboard.turn_on(Switch(name=name, reason=why, actor=actor, at=now, until=now + lasting))
        text = f"in maintenance {deeds.until(now + lasting)}: {deeds.reason(desk, reason)} ({', '.join(targets)})"
        deeds.tell(desk, tx, text, " ".join(targets))
        return [busy for target in targets if (busy := tx.runs.busy_with([target]))]

    return await desk.store.write(body)


async def end_maintenance(desk: Desk, targets: Collection[str]) -> None:
    """Ends it early; a target that is in none stays as it is."""

    def body(tx: Transaction) -> None:
        for target in targets:
            tx.switchboard.turn_off(maintenance_of(target))
        deeds.tell(desk, tx, f"maintenance ended ({', '.join(targets)})", " ".join(targets))

    await desk.store.write(body)


def known_targets(configuration: Configuration, names: Iterable[str], group: str) -> tuple[str, ...]:
    """The inventory's names of these targets and of all in the group. Raises NotFound for a name or group that is
    not there, and Refused if neither is given."""
    found = [target.name for target in configuration.targets if group in target.groups]
    if group and not found:
        raise NotFound(f"No target of the inventory is in the group {group[:100]}.")
    for name in names:
        target = find(configuration.targets, name)
        if target is None:
            raise NotFound(f"There is no target {name[:100]} in the inventory.")
        found.append(target.name)
    if not found:
        raise Refused("Name a target or a group.")
    return tuple(dict.fromkeys(found))
