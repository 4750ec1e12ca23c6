"""The node switchover for real: namespaces, sshd, keepalived with VRRP, haproxy, an alert, and users who ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.progress import until
from tests.acceptance.switchover import HaproxySite, KeepalivedSite, Site, measured
from tests.servers.sshd import SSHD

pytestmark = [pytest.mark.needs(SSHD, "network namespaces"), pytest.mark.xdist_group("switchover")]
with_keepalived = pytest.mark.needs("keepalived")
with_haproxy = pytest.mark.needs("haproxy")


@pytest.fixture
def vrrp(tmp_path: Path) -> Iterator[KeepalivedSite]:
    with KeepalivedSite(tmp_path) as site:
        yield site


@pytest.fixture
def balanced(tmp_path: Path) -> Iterator[HaproxySite]:
    with HaproxySite(tmp_path) as site:
        yield site


def after_an_alert(site: Site, step: dict[str, Any]) -> dict[str, Any]:
    site.use(step)
    site.alert()
    return site.ended_run()


def acts(run: dict[str, Any]) -> list[str]:
    return [" ".join(act["command"]) for step in run["steps"] for act in step["acts"]]


# --- keepalived ------------------------------------------------------------------------------------


@with_keepalived
def test_the_active_node_s_service_dies_and_users_are_answered_by_the_other(vrrp: KeepalivedSite) -> None:
    vrrp.use(vrrp.step())
    seen = measured(vrrp, vrrp.vip, kills=True)
    print(f"keepalived: nobody was answered for {seen['gap_ms']} ms")
    assert seen["outcome"] == "helped", seen["sentence"]
    assert seen["a_answered_after_b"] == 0
    assert seen["gap_ms"] < 10_000
    assert vrrp.keepalived["b"].holds()
    assert not vrrp.keepalived["a"].holds()
    assert not vrrp.keepalived["a"].is_active()
    (ticket,) = vrrp.responder.tickets()
    assert ticket["status"] == "restored"


@with_keepalived
def test_a_standby_without_its_service_is_left_alone_and_nothing_is_changed(vrrp: KeepalivedSite) -> None:
    vrrp.network.hosts["b"].service.stop()
    run = after_an_alert(vrrp, vrrp.step())
    assert run["outcome"] == "failed"
    assert "b must not take over: its standby_check does not hold" in run["sentence"]
    assert "Nothing was changed. State left: a holds the service" in run["sentence"]
    assert acts(run) == []
    assert vrrp.keepalived["a"].is_active()
    assert vrrp.keepalived["a"].holds()


@with_keepalived
def test_a_standby_that_does_not_answer_is_left_alone_and_nothing_is_changed(vrrp: KeepalivedSite) -> None:
    vrrp.network.hosts["b"].sshd.stop()
    run = after_an_alert(vrrp, vrrp.step())
    assert run["outcome"] == "failed"
    assert "b must not take over: b cannot be asked" in run["sentence"]
    assert acts(run) == []
    assert vrrp.keepalived["a"].holds()


@with_keepalived
def test_an_old_node_that_cannot_be_asked_is_not_fenced_so_nothing_is_promoted(vrrp: KeepalivedSite) -> None:
    vrrp.network.hosts["a"].sshd.stop()
    run = after_an_alert(vrrp, vrrp.step())
    assert run["outcome"] == "failed"
    assert "No fence: is configured that works without a" in run["sentence"]
    assert "State left: a cannot be seen and is not proven to be fenced; b does not hold the service" in run["sentence"]
    assert acts(run) == []
    assert vrrp.keepalived["a"].holds()
    assert not vrrp.keepalived["b"].holds()
    until("it is handed over", lambda: vrrp.responder.tickets()[0]["status"] == "handed_over")


@with_keepalived
def test_an_old_node_that_cannot_be_asked_is_cut_off_at_the_switch_and_left(vrrp: KeepalivedSite) -> None:
    vrrp.network.hosts["a"].sshd.stop()
    vrrp.use(vrrp.step(fence=vrrp.fence_at_the_switch(), look_timeout="2s"))
    seen = measured(vrrp, vrrp.vip, kills=True)
    print(f"keepalived, fenced at the switch: nobody was answered for {seen['gap_ms']} ms")
    assert seen["outcome"] == "helped", seen["sentence"]
    assert seen["a_answered_after_b"] == 0
    assert vrrp.keepalived["b"].holds()


@with_keepalived
def test_a_stop_that_stops_nothing_is_no_fence(vrrp: KeepalivedSite) -> None:
    step = vrrp.step(fence_within="1s")
    step["service"] |= {"stop": ["true"]}
    run = after_an_alert(vrrp, step)
    assert run["outcome"] == "failed"
    assert "b was not promoted: there was no proof that the old node is fenced. That was undone" in run["sentence"]
    assert "State left: a holds the service and is not proven to be fenced" in run["sentence"]
    assert vrrp.keepalived["a"].holds()
    assert not vrrp.keepalived["b"].holds()


@with_keepalived
def test_a_new_node_that_users_cannot_use_loses_the_service_again(vrrp: KeepalivedSite) -> None:
    step = vrrp.step()
    step["verify"] |= {"contains": "this is b, and all is well", "within": "500ms"}
    run = after_an_alert(vrrp, step)
    assert run["outcome"] == "failed"
    assert "the service did not answer through b" in run["sentence"]
    assert "State left: a holds the service" in run["sentence"]
    assert "b does not hold the service and was taken out of service" in run["sentence"]
    assert vrrp.keepalived["a"].holds()
    assert not vrrp.keepalived["b"].is_active()


# --- haproxy ---------------------------------------------------------------------------------------


@with_haproxy
def test_the_balancer_leaves_the_node_whose_service_has_died(balanced: HaproxySite) -> None:
    balanced.use(balanced.step())
    seen = measured(balanced, balanced.balancer.host.address, kills=True)
    print(f"haproxy: nobody was answered for {seen['gap_ms']} ms")
    assert seen["outcome"] == "helped", seen["sentence"]
    assert (balanced.balancer.state("a"), balanced.balancer.state("b")) == ("MAINT", "UP")


@with_haproxy
def test_the_balancer_drains_a_node_that_still_serves_and_it_never_serves_beside_the_other(
    balanced: HaproxySite,
) -> None:
    balanced.use(balanced.step())
    seen = measured(balanced, balanced.balancer.host.address, kills=False)
    print(f"haproxy, drained: nobody was answered for {seen['gap_ms']} ms")
    assert seen["outcome"] == "helped", seen["sentence"]
    assert seen["a_answered_after_b"] == 0


@with_haproxy
def test_a_standby_that_already_gets_traffic_is_no_standby(balanced: HaproxySite) -> None:
    balanced.balancer.tell("set server web/b state ready")
    run = after_an_alert(balanced, balanced.step())
    assert run["outcome"] == "failed"
    assert "or say pool: true" in run["sentence"]
    assert acts(run) == []


@with_haproxy
def test_a_dead_standby_leaves_the_balancer_as_it_is(balanced: HaproxySite) -> None:
    balanced.network.hosts["b"].service.stop()
    run = after_an_alert(balanced, balanced.step())
    assert run["outcome"] == "failed"
    assert "Nothing was changed" in run["sentence"]
    assert (balanced.balancer.state("a"), balanced.balancer.state("b")) == ("UP", "MAINT")


@with_haproxy
def test_what_users_cannot_use_is_rolled_back_at_the_balancer(balanced: HaproxySite) -> None:
    step = balanced.step()
    step["verify"] |= {"contains": "this is nobody", "within": "500ms"}
    run = after_an_alert(balanced, step)
    assert run["outcome"] == "failed"
    assert "the service did not answer through b" in run["sentence"]
    assert (balanced.balancer.state("a"), balanced.balancer.state("b")) == ("UP", "MAINT")
