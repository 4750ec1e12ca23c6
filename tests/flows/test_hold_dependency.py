"""Hosts behind one that is down wait as members of its ticket, and go on when it is over and they still show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from responder.config.configuration import read
from responder.domain.matching import parse_matcher
from responder.domain.policy import CorrelationRule
from responder.domain.storm import StormRule
from responder.store.database import Database
from tests.flows.people import MINUTE, Team
from tests.world import alert, texts, write_files

P2 = "error"
INVENTORY = """
defaults: {key_file: key}
targets:
  - {name: core-1}
  - {name: switch-1, aliases: [sw1], depends_on: core-1}
  - {name: switch-2}
  - {name: web-1, depends_on: [switch-1]}
  - {name: web-2, depends_on: [switch-1]}
  - {name: both, depends_on: [switch-1, switch-2]}
  - {name: alone}
"""


class Network(Team):
    async def down(self, host: str, severity: str = P2, **labels: str) -> None:
        await self.fires(severity, instance=f"{host}:9100", **labels)

    async def up(self, host: str, severity: str = P2, **labels: str) -> None:
        await self.clears(severity=severity, instance=f"{host}:9100", **labels)

    async def paged(self) -> list[str]:
        """The hosts for which mei was paged, one for each page."""

        def find(tx: Any) -> list[str]:
            every = [one for ticket_id in tx.tickets.all_ids() for one in tx.messages.of_ticket(ticket_id)]
            pages = [one for one in every if one.purpose.startswith("hand_over") and one.person == "mei"]
            about = [tx.tickets.one(one.ticket_id).ticket.labels for one in pages]
            return [labels.get("instance", labels["alertname"]).removesuffix(":9100") for labels in about]

        found: list[str] = await self.read(find)
        return found


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Network:
    made = Network(tmp_path, database)
    policy, people = (tmp_path / name for name in ("policy.yml", "people.yml"))
    write_files(tmp_path, inventory=INVENTORY, policy=policy.read_text(), people=people.read_text())
    made.desk.take_over(read(made.path))
    return made


async def test_hosts_behind_a_switch_that_is_down_are_held_as_members_of_its_ticket(world: Network) -> None:
    await world.down("switch-1")
    await world.down("web-1")
    await world.down("web-2")
    assert await world.paged() == ["switch-1"]

    parent, member = await world.ticket("1"), await world.ticket("2")
    assert parent["members"] == [member["number"], (await world.ticket("3"))["number"]]
    assert f"{member['number']} waits behind it: ServiceDown on web-1:9100" in texts(parent)
    assert member["held"] == {
        "name": "dependency",
        "sentence": f"It depends on switch-1, and that is in trouble: {parent['number']} stands for it.",
        "parent": parent["number"],
    }
    await world.advance(5 * MINUTE)
    assert texts(await world.ticket("1")).count("waits behind it") == 2
    assert texts(await world.ticket("2")).count("It depends on switch-1") == 1
    assert await world.sums("tickets_held_total") == {(("by", "dependency"),): 2}


async def test_what_still_shows_when_the_switch_is_back_goes_on(world: Network) -> None:
    await world.down("switch-1")
    await world.down("web-1")
    await world.down("web-2")
    await world.up("switch-1")
    await world.advance(MINUTE)
    await world.up("web-2")
    assert await world.paged() == ["switch-1"]
    await world.advance(MINUTE)
    assert await world.paged() == ["switch-1", "web-1"]
    assert (await world.ticket("3"))["status"] == "restored"


async def test_what_still_shows_when_people_dismiss_the_ticket_of_the_switch_goes_on(world: Network) -> None:
    await world.down("switch-1")
    await world.down("web-1")
    await world.do("dismiss", key="1", **{"as": "false_alarm", "reason": "the probe is broken"})
    await world.advance(MINUTE)
    assert await world.paged() == ["switch-1", "web-1"]


async def test_what_a_host_depends_on_through_others_holds_it_too(world: Network) -> None:
    await world.down("core-1")
    await world.down("switch-1")
    await world.down("web-1")
    assert await world.paged() == ["core-1"]
    await world.up("core-1")
    await world.advance(2 * MINUTE)
    assert await world.paged() == ["core-1", "switch-1"]
    assert (await world.ticket("3"))["held"]["parent"] == (await world.ticket("2"))["number"]


async def test_the_ticket_of_a_host_that_the_monitoring_calls_by_an_alias_counts(world: Network) -> None:
    await world.down("sw1")
    await world.down("web-1")
    assert await world.paged() == ["sw1"]


async def test_one_of_two_ways_that_is_down_holds_it(world: Network) -> None:
    await world.down("switch-2")
    await world.down("both")
    assert await world.paged() == ["switch-2"]


async def test_hosts_beside_it_and_hosts_that_nobody_knows_are_paged(world: Network) -> None:
    await world.down("switch-1")
    for host in ("alone", "switch-2", "stranger", "core-1"):
        await world.down(host)
    assert await world.paged() == ["switch-1", "alone", "switch-2", "stranger", "core-1"]


async def test_a_slight_trouble_of_a_switch_hides_no_grave_one_behind_it(world: Network) -> None:
    await world.down("switch-1", severity="warning", name="FanSlow")
    await world.down("web-1", severity=P2)
    assert "web-1" in await world.paged()


async def test_a_host_that_was_paged_before_its_switch_was_reported_stays_paged(world: Network) -> None:
    await world.down("web-1")
    await world.down("switch-1")
    await world.advance(MINUTE)
    assert sorted(await world.paged()) == ["switch-1", "web-1"]


async def test_a_ticket_of_several_hosts_waits_only_if_all_of_them_are_behind_it(world: Network) -> None:
    rule = CorrelationRule(name="job", when=(parse_matcher('job="shop"'),), by=("job",))
    world.rule(correlation=(rule,))
    await world.down("switch-1")
    await world.down("web-1", job="shop")
    await world.down("web-2", job="shop")
    await world.advance(MINUTE)
    assert await world.paged() == ["switch-1"]
    await world.down("alone", job="shop")
    await world.advance(MINUTE)
    assert await world.paged() == ["switch-1", "web-1"]


async def test_hosts_behind_a_switch_make_no_storm(world: Network) -> None:
    world.rule(storm=StormRule(tickets=3))
    await world.down("switch-1")
    await world.down("web-1")
    await world.down("web-2")
    await world.down("alone")
    await world.down("stranger")
    assert await world.paged() == ["switch-1", "alone", "ResponderStorm"]
    assert (await world.ticket("5"))["held"]["name"] == "storm"


async def test_hosts_that_come_together_with_their_switch_make_no_storm(world: Network) -> None:
    world.rule(storm=StormRule(tickets=3))
    hosts = ("switch-1", "web-1", "web-2", "alone")
    await world.post(*(alert(severity=P2, instance=f"{host}:9100") for host in hosts))
    await world.work()
    assert sorted(await world.paged()) == ["alone", "switch-1"]


async def test_hosts_behind_a_switch_make_no_storm_either_when_all_of_them_are_back(world: Network) -> None:
    world.rule(storm=StormRule(tickets=3))
    for host in ("switch-1", "web-1", "web-2"):
        await world.down(host)
    for host in ("switch-1", "web-1", "web-2"):
        await world.up(host)
    await world.down("alone")
    assert await world.paged() == ["switch-1", "alone"]


async def test_hosts_that_are_down_by_themselves_after_their_switch_is_back_count_for_a_storm(world: Network) -> None:
    world.rule(storm=StormRule(tickets=3))
    for host in ("switch-1", "web-1", "web-2"):
        await world.down(host)
    await world.up("switch-1")
    await world.advance(2 * MINUTE)
    assert await world.paged() == ["switch-1", "web-1", "web-2"]
    await world.down("alone")
    assert (await world.ticket("4"))["held"]["name"] == "storm"
