"""How many reports one address, and all together, may send in an hour."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_HOUR = timedelta(hours=1)
_AROUND = 48
MORE = 4
"""So many times as much as one /64 may come from a /48: that is what one customer is given at most, and it holds 65536
of the former (RFC 6177; RIPE-690, 4.2)."""
_MOST_ADDRESSES = 10_000

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Sends of one address in an hour, `MORE` times as many of the /48 around one of IPv6, and reports of all."""

    per_address: int
    in_all: int


@dataclass(kw_only=True, slots=True)
class Throttle:
    """What was sent within the last hour, remembered by this process only. It holds a bounded number of addresses."""

    opened: deque[datetime] = field(default_factory=deque)
    sent: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)

    def knock(self, address: str, rates: Rates, now: datetime) -> timedelta | None:
        """Counts a send of this address. None if it may go on, else how long until it may."""
        counted = [(self._of(address), rates.per_address)]
        if wide := around(address):
            counted.append((self._of(wide), rates.per_address * MORE))
        waits = [wait for times, most in counted if (wait := _wait(times, most, now)) is not None]
        if waits:
            return max(waits)
        for times, _ in counted:
            times.append(now)
        return _wait(self.opened, rates.in_all, now)

    def count(self, now: datetime) -> None:
        """A report was opened."""
        self.opened.append(now)

    def _of(self, address: str) -> deque[datetime]:
        mine = self.sent.setdefault(address, deque())
        self.sent.move_to_end(address)
        while len(self.sent) > _MOST_ADDRESSES:
            self.sent.popitem(last=False)
        return mine


def _wait(times: deque[datetime], most: int, now: datetime) -> timedelta | None:
    while times and times[0] <= now - _HOUR:
        times.popleft()
    return None if len(times) < most else times[-most] + _HOUR - now


def sender_of(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """Who sends: the peer, or behind proxies of ours whom the last of them names. IPv6 counts by its /64."""
    hops = [one.strip() for one in forwarded.split(",") if one.strip()]
    sender = peer
    while hops and _is_ours(sender, proxies):
        sender = hops.pop()
    try:
        address = ipaddress.ip_address(_without_port(sender))
    except ValueError:
        return sender[:50]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def around(sender: str) -> str:
    """The /48 around an IPv6 sender, as `sender_of` names it; empty for all others."""
    try:
        network = ipaddress.ip_network(sender)
    except ValueError:
        return ""
    if not isinstance(network, ipaddress.IPv6Network) or network.prefixlen < _AROUND:
        return ""
    return str(network.supernet(new_prefix=_AROUND))


def _without_port(sender: str) -> str:
    """Some proxies write down the port, too, which is another one with every connection."""
    if sender.startswith("["):
        return sender[1:].partition("]")[0]
    return sender.partition(":")[0] if sender.count(":") == 1 else sender


def _is_ours(address: str, proxies: Sequence[Network]) -> bool:
    try:
        return any(ipaddress.ip_address(_without_port(address)) in network for network in proxies)
    except ValueError:
        return False
