"""The kill switch: one file or one command, and no automation starts a further step, here or anywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from responder.config.configuration import Configuration
from responder.domain.switches import EVERYTHING, Names, Scope, Switch, of_runbook, of_target, scope_of, scopes_in
from responder.domain.target import find
from responder.errors import NotFound, Refused
from responder.flows import deeds
from responder.flows.desk import Desk
from responder.store.transaction import Transaction

_LARGEST_FILE = 64 * 1024
_LONGEST_REASON = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Off:
    """Something that is switched off, why, and until when; `by_file`: only removing the file's line ends it. `switch`
    is what somebody has switched, and holds the parts of the reason."""

    scope: Scope
    reason: str
    until: datetime | None = None
    by_file: bool = False
    switch: Switch | None = None


def switched_off(desk: Desk, tx: Transaction) -> list[Off]:
    """All that is switched off now: by the file, and by people."""
    by_people = (
        Off(scope=scope, reason=_reason(scope, switch), until=switch.until, switch=switch)
        for switch in tx.switchboard.switches(desk.clock.now())
        if (scope := scope_of(switch.name))
    )
    return [*_by_file(desk.configuration), *by_people]


def kill_switch(desk: Desk, tx: Transaction) -> str:
    """Why all automation is switched off; empty if it is on."""
    return _first(switched_off(desk, tx), [EVERYTHING])


def stopped_by(desk: Desk, tx: Transaction, runbook: str, hosts: Collection[str]) -> str:
    """Why this runbook may not act on these hosts now; empty if it may."""
    return _first(switched_off(desk, tx), [EVERYTHING, of_runbook(runbook), *map(of_target, hosts)])


async def turn_off_automation(
    desk: Desk, reason: str, actor: str, scope: Scope = EVERYTHING, *, lasting: timedelta | None = None
) -> None:
    """Switches everything, a runbook or a target off, until somebody ends it or for so long."""
    now = desk.clock.now()
    until = now + lasting if lasting else None
    switch = Switch(name=scope.switch, reason=reason[:_LONGEST_REASON], actor=actor, at=now, until=until)

    def body(tx: Transaction) -> None:
        tx.switchboard.turn_on(switch)
        deeds.tell(desk, tx, f"off {deeds.until(until)}: {deeds.reason(desk, reason)}", str(scope))

    await desk.store.write(body)


async def turn_on_automation(desk: Desk, scope: Scope = EVERYTHING) -> None:
    """Switches it on again; what else is off stays off."""

    def body(tx: Transaction) -> None:
        tx.switchboard.turn_off(scope.switch)
        deeds.tell(desk, tx, "on again", str(scope))

    await desk.store.write(body)


def known_scope(configuration: Configuration, runbook: str, target: str) -> Scope:
    """What these names mean. Raises NotFound for a name that is not there: a switch with a typing error in it would
    stop nothing. Raises Refused if both are given."""
    if runbook and target:
        raise Refused("Give a runbook or a target, not both: each is a switch of its own.")
    if runbook and runbook not in configuration.runbooks:
        raise NotFound(f"There is no runbook {runbook[:100]}.")
    return of_runbook(runbook) if runbook else _of_known_target(configuration, target)


def _of_known_target(configuration: Configuration, name: str) -> Scope:
    if not name:
        return EVERYTHING
    target = find(configuration.targets, name)
    if target is None:
        raise NotFound(f"There is no target {name[:100]} in the inventory.")
    return of_target(target.name)


def lenient_scope(configuration: Configuration, runbook: str, target: str) -> Scope:
    """As `known_scope`, but a name that has gone is taken as it is: what it stopped can still be ended."""
    try:
        return known_scope(configuration, runbook, target)
    except NotFound:
        return of_runbook(runbook) if runbook else of_target(target)


def _first(off: Iterable[Off], scopes: Collection[Scope]) -> str:
    return next((one.reason for one in off if one.scope in scopes), "")


def _reason(scope: Scope, switch: Switch) -> str:
    what = "" if scope.is_everything else f"{scope} "
    until = f", until {switch.until:%Y-%m-%d %H:%M} UTC" if switch.until else ""
    return f"{switch.reason} ({what}switched off by {switch.actor} at {switch.at:%Y-%m-%d %H:%M} UTC{until})"


# --- the file --------------------------------------------------------------------------------------


def _by_file(configuration: Configuration) -> Iterable[Off]:
    """What the file says. Whatever cannot be read or understood of it stops everything."""
    path = configuration.settings.kill_switch_file
    if path is None:
        return
    try:
        text = _content(path)
        if text is None:
            return
        for scope in scopes_in(text, _names(configuration)):
            said = "exists" if scope.is_everything else f"names {scope}"
            yield Off(scope=scope, reason=f"the file {path} {said}", by_file=True)
    except OSError as error:
        yield Off(scope=EVERYTHING, reason=f"the file {path} cannot be read ({error.strerror})", by_file=True)
    except ValueError as error:
        yield Off(scope=EVERYTHING, reason=f"the file {path} exists, and {error}", by_file=True)


def _content(path: Path) -> str | None:
    """The text of the file; None if there is none. Raises OSError, and ValueError for what is no small text."""
    if not path.exists():
        return None
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ValueError("it is too long to be read")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError("it is not text") from error


def _names(configuration: Configuration) -> Names:
    targets = {name: target.name for target in configuration.targets for name in (target.name, *target.aliases)}
    return {"runbook": {name: name for name in configuration.runbooks}, "target": targets}
