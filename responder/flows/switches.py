"""The kill switch: one file or one command, and no automation starts a further step."""

from __future__ import annotations

from responder.flows.desk import Desk
from responder.store.transaction import Transaction

KILL_SWITCH = "kill"


def kill_switch(desk: Desk, tx: Transaction) -> str:
    """Why automation is switched off; empty if it is on."""
    path = desk.configuration.settings.kill_switch_file
    if path is not None and path.exists():
        return f"the file {path} exists"
    return tx.switchboard.switch(KILL_SWITCH)


async def turn_off_automation(desk: Desk, reason: str, actor: str) -> None:
    now = desk.clock.now()
    await desk.store.write(lambda tx: tx.switchboard.turn_on(KILL_SWITCH, reason, actor, now))


async def turn_on_automation(desk: Desk) -> None:
    await desk.store.write(lambda tx: tx.switchboard.turn_off(KILL_SWITCH))
