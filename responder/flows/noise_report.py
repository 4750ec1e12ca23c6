"""The noise report: alerts that nobody ever acted on, by rule, with the pages that they cost."""

from __future__ import annotations

from datetime import timedelta

from responder.domain.noise import Noise, noise
from responder.flows.desk import Desk

USUAL = timedelta(days=30)


async def noise_report(desk: Desk, lasting: timedelta = USUAL) -> Noise:
    """What was noise in so much time until now."""
    now = desk.clock.now()
    heard = await desk.store.read(lambda tx: tx.noise.heard(now - lasting))
    return noise(heard, now - lasting, now)
