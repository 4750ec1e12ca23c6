"""A real switchover: hosts in namespaces of their own, users who ask every 10 ms, an alert, and who serves after it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.acceptance.progress import require, say, until
from tests.acceptance.traffic import Traffic
from tests.servers.haproxy import Haproxy
from tests.servers.keepalived import Keepalived
from tests.servers.namespaces import SERVICE_PORT, Network
from tests.servers.ports import free_port
from tests.servers.program import asked
from tests.servers.responder import Responder
from tests.servers.sshd import Sshd

Ticket = dict[str, Any]

_MAIN = """\
listen: 127.0.0.1:{port}
base_url: http://127.0.0.1:{port}
console: open
database: {database}
runbooks: [runbooks]
kill_switch_file: automation-off
sources:
  - {{name: main, open: true}}
"""
_POLICY = """\
extends: p1-p4
first_aid:
  - name: leave the node that fails
    when: ['alertname="ServiceDown"']
    runbook: move-service
    target: node
"""
_PEOPLE = """\
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
teams:
  - {name: ops, tiers: {1: [mei], 2: [mei]}}
"""
_TARGET = (
    "  - {{name: {name}, address: {address}, port: {port}, user: {user}, key_file: {key}, host_key: {host_key}}}\n"
)
_LISTENS = ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{SERVICE_PORT}"]
_VERIFY = {"times": 3, "every": "100ms", "within": "3s", "timeout": "500ms"}


class Site:
    """Two nodes and, where it is asked for, more hosts; responder with one runbook; everything ends with it."""

    def __init__(self, folder: Path, more: Sequence[str] = (), database: str = "sqlite:///responder.db") -> None:
        self.folder = folder
        self._running = ExitStack()
        self.network = Network(folder, ["a", "b", *more])
        # Stands for what can cut a host off without asking it: here, this machine, which has the other end of its wire.
        self.switch = Sshd(folder / "switch", key_types=("ed25519",))
        self._database = database
        self.responder = Responder(folder / "responder" / "responder.yml", free_port())

    def __enter__(self) -> Self:
        try:
            self._running.enter_context(self.network)
            for host in self.network.hosts.values():
                host.sshd.start()
            self._running.enter_context(self.switch)
            for name in ("a", "b"):
                self.network.hosts[name].service.start()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._running.close()

    def use(self, step: Mapping[str, Any]) -> None:
        """Writes the files with a runbook of this one step, and starts responder."""
        folder = self.responder.config.parent
        (folder / "runbooks").mkdir(parents=True)
        port = int(self.responder.url.rsplit(":", 1)[1])
        self.responder.config.write_text(_MAIN.format(port=port, database=self._database))
        (folder / "policy.yml").write_text(_POLICY)
        (folder / "people.yml").write_text(_PEOPLE)
        (folder / "secret.key").write_text("a secret for tests, long enough to sign with")
        servers = {**{name: host.sshd for name, host in self.network.hosts.items()}, "switch": self.switch}
        (folder / "inventory.yml").write_text(
            "targets:\n" + "".join(_target(name, sshd) for name, sshd in servers.items())
        )
        runbook = {
            "runbook": "move-service",
            "summary": "Leave the node that fails",
            "on_resolve": "cancel",
            "steps": [
                {"name": "switch over", "switchover": {"from": "{{ target }}", "to": "b", "every": "50ms", **step}}
            ],
        }
        # JSON is YAML.
        (folder / "runbooks" / "move-service.yml").write_text(json.dumps(runbook, indent=2))
        self._running.enter_context(self.responder)
        self.responder.log_in("read")

    def alert(self, node: str = "a") -> None:
        """What Alertmanager would post."""
        labels = {"alertname": "ServiceDown", "severity": "critical", "node": node}
        body = {"version": "4", "status": "firing", "alerts": [{"status": "firing", "labels": labels}]}
        asked(
            f"{self.responder.url}/webhooks/alertmanager/main",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )

    def ended_run(self, within: float = 60.0) -> Ticket:
        """The one run of the one ticket, once it has ended."""

        def look() -> Ticket | None:
            runs = [run for ticket in self.responder.tickets() for run in ticket["runs"]]
            return next((run for run in runs if run["ended_at"]), None)

        return until("the run has ended", look, within=within)


class KeepalivedSite(Site):
    """The address moves between a and b by VRRP; a has the higher priority."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, **more)
        self.keepalived: dict[str, Keepalived] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self._elect()
        except BaseException:
            self._running.close()
            raise
        return self

    @property
    def vip(self) -> str:
        return self.network.address(100)

    def _elect(self) -> None:
        for name, priority in (("a", 150), ("b", 100)):
            self.keepalived[name] = Keepalived(self.network.hosts[name], vip=self.vip, priority=priority)
            self.keepalived[name].start()
        self.keepalived["a"].wait_until_it_holds()

    def step(self, **more: Any) -> dict[str, Any]:
        return {
            "driver": "keepalived",
            "service": {
                "vip": self.vip,
                "status": self._control("is-active"),
                "stop": self._control("stop"),
                "start": self._control("start"),
                "become": False,
            },
            "standby_check": _LISTENS,
            "verify": {"url": f"http://{self.vip}:{SERVICE_PORT}/", "contains": "this is b", **_VERIFY},
            "fence_within": "5s",
            "promote_within": "5s",
            **more,
        }

    def fence_at_the_switch(self) -> dict[str, Any]:
        link = self.network.hosts["a"].link
        return {
            "run": ["ip", "link", "set", link, "down"],
            "on": "switch",
            # What counts is a line that says so: no answer must not look like a proof.
            "proof": ["sh", "-c", 'ip -o link show dev "$0" | grep -q "<BROADCAST,MULTICAST>"', link],
            "undo": ["ip", "link", "set", link, "up"],
        }

    def _control(self, word: str) -> list[str]:
        """The same argument list on both hosts: which folder is meant is found by the host's own address."""
        found = 'ip -o addr | grep -q "inet $(cat "$0/$d/address")/"'
        script = f'for d in a b; do {found} && exec "$0/$d/keepalivedctl" "$1"; done'
        for name in ("a", "b"):
            host = self.network.hosts[name]
            (host.folder / "address").write_text(host.address)
        return ["sh", "-c", script, str(self.folder), word]


class HaproxySite(Site):
    """A balancer in front of a and b; b is in maintenance."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, more=["lb"], **more)
        self.haproxy: Haproxy | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            hosts = self.network.hosts
            self.haproxy = Haproxy(hosts["lb"], {name: hosts[name].address for name in ("a", "b")})
            self._running.enter_context(self.haproxy)
        except BaseException:
            self._running.close()
            raise
        return self

    @property
    def balancer(self) -> Haproxy:
        assert self.haproxy is not None
        return self.haproxy

    def step(self, **more: Any) -> dict[str, Any]:
        return {
            "driver": "haproxy",
            "service": {
                "balancers": ["lb"],
                "backend": "web",
                "old_server": "{{ target }}",
                "new_server": "b",
                "helper": self.balancer.helper,
                "drain_for": "2s",
                "become": False,
            },
            "standby_check": _LISTENS,
            "verify": {"url": self.balancer.url, "contains": "this is b", **_VERIFY},
            "fence_within": "5s",
            "promote_within": "5s",
            **more,
        }


def _target(name: str, sshd: Sshd) -> str:
    target = sshd.target(name)
    return _TARGET.format(
        name=name,
        address=target.address,
        port=target.port,
        user=target.user,
        key=target.key_file,
        host_key=target.host_key,
    )


def measured(site: Site, address: str, *, kills: bool) -> dict[str, Any]:
    """An alert for a, and what users see until b answers them. `kills`: the service on a dies first."""
    with Traffic(address, SERVICE_PORT) as traffic:
        traffic.wait_for("a")
        began = time.monotonic()
        if kills:
            site.network.hosts["a"].service.stop()
        site.alert()
        traffic.wait_for("b", answers=50)
        run = site.ended_run()
        found = traffic.answers()
        gap = round(traffic.gap("a", "b"), 1)
        return {
            "outcome": run["outcome"],
            "sentence": run["sentence"],
            "gap_ms": gap,
            "alert_to_new_node_ms": round((min(one.at for one in found if one.node == "b") - began) * 1000, 1),
            "asked": traffic.asked,
            "answered_by_a": sum(one.node == "a" for one in found),
            "answered_by_b": sum(one.node == "b" for one in found),
            "a_answered_after_b": sum(
                one.node == "a" and one.at > min(two.at for two in found if two.node == "b") for one in found
            ),
            "acts": [
                act["label"] if "label" in act else act["command"] for step in run["steps"] for act in step["acts"]
            ],
        }


def play(folder: Path) -> dict[str, Any]:
    """Both ways of moving a service, for real; gives the gaps. Raises Failed when one did not help."""
    found = {}
    for name, make in (("keepalived", KeepalivedSite), ("haproxy", HaproxySite)):
        with make(folder / name) as site:
            site.use(site.step())
            address = site.vip if isinstance(site, KeepalivedSite) else site.balancer.host.address
            say(f"{name}: users ask http://{address}:{SERVICE_PORT}/ every 10 ms; the service on a is killed")
            seen = measured(site, address, kills=True)
            require(seen["outcome"] == "helped", f"the switchover helped: {seen['sentence']}")
            require(not seen["a_answered_after_b"], "a answers nobody after b has answered")
            say(f"{name}: b answers; nobody was answered for {seen['gap_ms']} ms ({seen['sentence']})")
            found[name] = {key: seen[key] for key in ("gap_ms", "alert_to_new_node_ms", "asked")}
    return found
