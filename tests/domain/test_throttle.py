"""How often an address may send, and who that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from responder.domain.throttle import Rates, Throttle, around, sender_of

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
RATES = Rates(per_address=2, in_all=3)
MINUTE = timedelta(minutes=1)


def test_an_address_waits_until_its_oldest_send_is_an_hour_old() -> None:
    throttle = Throttle()
    assert [throttle.knock("a", RATES, NOW + minute * MINUTE) for minute in (0, 10)] == [None, None]
    assert throttle.knock("a", RATES, NOW + 20 * MINUTE) == 40 * MINUTE
    assert throttle.knock("b", RATES, NOW + 20 * MINUTE) is None
    assert throttle.knock("a", RATES, NOW + 59 * MINUTE) == MINUTE
    assert throttle.knock("a", RATES, NOW + 60 * MINUTE) is None


def test_reports_of_all_count_together() -> None:
    throttle = Throttle()
    for minute in range(3):
        throttle.count(NOW + minute * MINUTE)
    assert throttle.knock("new", RATES, NOW + 3 * MINUTE) == 57 * MINUTE
    assert throttle.knock("newer", RATES, NOW + 60 * MINUTE) is None


def test_a_limit_that_a_reload_lowers_holds_at_once() -> None:
    throttle = Throttle()
    for minute in (0, 10):
        throttle.knock("a", RATES, NOW + minute * MINUTE)
    assert throttle.knock("a", Rates(per_address=1, in_all=3), NOW + 20 * MINUTE) == 50 * MINUTE


def test_only_so_many_addresses_are_remembered() -> None:
    throttle = Throttle()
    for number in range(10_050):
        throttle.knock(str(number), RATES, NOW)
    assert len(throttle.sent) == 10_000


def test_the_networks_of_one_holder_count_together() -> None:
    throttle = Throttle()
    rates = Rates(per_address=2, in_all=1000)
    sent = [throttle.knock(f"2001:db8:7:{number:x}::/64", rates, NOW) for number in range(9)]
    assert sent == [None] * 8 + [timedelta(hours=1)]
    assert throttle.knock("2001:db8:8::/64", rates, NOW) is None
    assert throttle.knock("2001:db8:7:8::/64", rates, NOW + 60 * MINUTE) is None


@pytest.mark.parametrize(
    ("sender", "network"),
    [
        ("2001:db8:7:1::/64", "2001:db8:7::/48"),
        ("2001:db8:7::/64", "2001:db8:7::/48"),
        ("::/64", "::/48"),
        ("203.0.113.9", ""),
        ("nonsense", ""),
        ("", ""),
        ("reads session mei", ""),
    ],
)
def test_around_a_network_of_ipv6_is_that_of_its_holder(sender: str, network: str) -> None:
    assert around(sender) == network


@pytest.mark.parametrize(
    ("peer", "forwarded", "sender"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "", "198.51.100.7"),
        ("", "", ""),
    ],
)
def test_the_sender_is_the_peer_or_whom_a_proxy_of_ours_names(peer: str, forwarded: str, sender: str) -> None:
    assert sender_of(peer, forwarded, [ip_network("10.0.0.0/8")]) == sender
