"""The API of people: who is there, on which channels, who is in quiet hours; and a test of the channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aiohttp import web

from responder.config.configuration import Configuration
from responder.domain.delivery import delay_of, quiet_until
from responder.domain.oncall import Channel, Person, Tier
from responder.flows.duty import Duty, on_duty
from responder.flows.reach import try_channels
from responder.web.bodies import actor_of, content_of, desk_of, json_answer, name_in
from responder.web.context import needs
from responder.web.operations import CONFIGURED, operation
from responder.web.schemas import duty
from responder.web.shapes import plain


@needs("read")
@operation(answers=duty.People, whole=CONFIGURED)
async def list_people(request: web.Request) -> web.StreamResponse:
    """Everybody of the people file, with masked channels; who is on duty now, and who in quiet hours, until when."""
    desk = desk_of(request)
    now, configuration = desk.clock.now(), desk.configuration
    duties = await desk.store.read(lambda tx: {name: on_duty(desk, tx, name, now) for name in configuration.rotas})
    lines = [_line(configuration, one, duties, now) for one in configuration.people.values()]
    return json_answer({"people": lines})


@needs("act")
@operation(body=duty.TestBody, answers=duty.Tried, unkeyed="Nothing is changed, and each send is one more message.")
async def test_person(request: web.Request) -> web.StreamResponse:
    """Sends a test on each channel, or on the one that is named. Body: perhaps channel, actor."""
    desk, content = desk_of(request), await content_of(request)
    name, actor = request.match_info["name"], actor_of(request, content)
    found = await try_channels(desk, name, actor, name_in(content, "channel"))
    return json_answer({"person": name, "channels": [asdict(one) for one in found]})


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/people", list_people),
        web.post("/api/v1/people/{name}/test", test_person),
    ]


def _line(configuration: Configuration, person: Person, duties: Mapping[str, Duty], now: datetime) -> dict[str, Any]:
    mine = {name: duty for name, duty in duties.items() if person.name in duty.people}
    return {
        "name": person.name,
        "full_name": person.full_name,
        "language": person.language,
        "zone": person.zone,
        "roles": list(person.roles),
        "teams": [
            {"team": team, "tier": tier.number, "rota": tier.rota, **_duty(tier, mine)}
            for team, tiers in configuration.tiers.items()
            for tier in tiers
            if person.name in tier.people or tier.rota in mine
        ],
        "on_duty": [{"rota": name, "until": plain(duty.until)} for name, duty in mine.items()],
        "channels": [_channel(person, channel) for channel in person.channels],
        "quiet_until": plain(quiet_until(person.quiet_hours, now)),
    }


def _duty(tier: Tier, mine: Mapping[str, Duty]) -> dict[str, Any]:
    """Whether the person is called on this tier now, and until when if that is known; names never change."""
    duty = mine.get(tier.rota)
    return {"is_on_duty": duty is not None or not tier.rota, "until": plain(duty.until) if duty else None}


def _channel(person: Person, channel: Channel) -> dict[str, Any]:
    """A channel without its address: that is a secret."""
    return {
        "name": channel.name,
        "address": f"{channel.scheme}://***",
        "length": "short" if channel.is_short else "long",
        "after_seconds": delay_of(person.contact, channel.name).total_seconds(),
    }
