"""Reach: whether a person's channels lead to that person, tried on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from responder.adapters.notifier import Secret
from responder.domain.oncall import Channel, Person, Recipient
from responder.errors import NotFound, Refused, SendFailed
from responder.flows.desk import Desk

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of one message on one channel; `sentence` says why it was not taken."""

    channel: str
    scheme: str
    is_taken: bool
    sentence: str


async def try_channels(desk: Desk, name: str, actor: str, channel: str = "") -> tuple[Verdict, ...]:
    """Sends a message that says it is a test on every channel of a person, or on one, and gives what became of each.

    Raises NotFound for a person or a channel that is not there, Refused for a person without any.
    """
    person = person_of(desk, name)
    channels = [one for one in person.channels if channel in ("", one.name)]
    if not person.channels:
        raise Refused(f"{name} has no channel in the people file.")
    if not channels:
        there = ", ".join(one.name for one in person.channels)
        raise NotFound(f"{name} has no channel {channel[:80]}; there are {there}.")
    log.info("channels are tried", person=name, actor=actor, channels=[one.name for one in channels])
    return await send_on(desk, person, channels, *_text(person, actor))


def person_of(desk: Desk, name: str) -> Person:
    """Raises NotFound."""
    person = desk.configuration.people.get(name)
    if person is None:
        there = ", ".join(desk.configuration.people) or "nobody"
        raise NotFound(f"Nobody is called {name[:80]}; there are {there}.")
    return person


async def send_on(
    desk: Desk, person: Person, channels: Sequence[Channel], subject: str, body: str
) -> tuple[Verdict, ...]:
    """Sends one text on several channels at once: one that hangs holds up no other."""
    return tuple(await asyncio.gather(*(_send(desk, person, one, subject, body) for one in channels)))


async def _send(desk: Desk, person: Person, channel: Channel, subject: str, body: str) -> Verdict:
    address: Secret = desk.configuration.addresses[Recipient(person=person.name, channel=channel.name)]
    try:
        await desk.notifier.send(address, subject, body)
    except SendFailed as error:
        return Verdict(channel=channel.name, scheme=channel.scheme, is_taken=False, sentence=str(error))
    return Verdict(channel=channel.name, scheme=channel.scheme, is_taken=True, sentence="")


def _text(person: Person, actor: str) -> tuple[str, str]:
    if person.language == "zh":
        return "测试消息", f"{actor} 正在测试此渠道。您无需做任何操作。"
    return "A test", f"{actor} tries whether this channel reaches you. There is nothing to do."
