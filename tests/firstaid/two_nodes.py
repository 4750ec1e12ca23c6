"""A small world of two nodes for switchovers: what is sent may fail, hang, or take effect late, and nodes may die.

`Core` is the truth; each dialect answers one driver's questions from it and does what its acts say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from responder.domain.acts import Command, CommandResult, Fetch, Page, Query, Request, Sample
from responder.errors import CommandTimedOut, ConnectionCut, HostUnreachable, QueryFailed
from tests.fakes import SECOND, CrashPlan, FakeClock

OLD, NEW, THIRD = "db-1", "db-2", "power-1"
GOOD, BAD = CommandResult(exit_code=0), CommandResult(exit_code=1, stderr="it says no")
FATES = ("works", "fails", "never starts", "hangs", "is cut", "works late", "says nothing and works late")
URL = "http://198.51.100.9/health"


@dataclass
class Core:
    """The truth about both nodes. Two that serve at the same time, or a promotion before the fence, is the end."""

    clock: FakeClock
    fates: list[str] = field(default_factory=list)
    late: timedelta = 20 * SECOND
    new_is_healthy: bool = True
    new_answers: bool = True
    old_serves: bool = True
    new_serves: bool = False
    old_is_up: bool = True
    new_is_up: bool = True
    third_is_up: bool = True
    is_cut_off: bool = False
    is_stopped: bool = False
    arbiter: bool = False
    pending: list[tuple[datetime, str, Callable[[], None]]] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    @property
    def is_fenced(self) -> bool:
        return self.is_cut_off or self.is_stopped

    @property
    def old_reaches_users(self) -> bool:
        return self.old_serves and self.old_is_up and not self.is_cut_off

    @property
    def new_reaches_users(self) -> bool:
        return self.new_serves and self.new_is_up

    def check(self) -> None:
        assert not (self.old_reaches_users and self.new_reaches_users), f"two serve at once: {self.story}"

    def pass_time(self) -> None:
        """What was late and is due now takes effect."""
        due = [one for one in self.pending if one[0] <= self.clock.now()]
        self.pending = [one for one in self.pending if one[0] > self.clock.now()]
        for _, name, effect in due:
            self.story.append(f"{name} takes effect late")
            effect()
            self.check()

    # --- what acts do ------------------------------------------------------------------------------

    def stop_old(self) -> None:
        self.is_stopped, self.old_serves = True, False

    def cut_off(self) -> None:
        self.is_cut_off = True

    def promote(self) -> None:
        assert self.arbiter or self.is_fenced, f"promoted before the old node was fenced: {self.story}"
        self.new_serves = True

    def demote(self) -> None:
        # A promotion that is under way is over by this.
        self.pending = [one for one in self.pending if one[1] not in ("promote", "ready b")]
        self.new_serves = False

    def let_back(self) -> None:
        self.is_stopped, self.old_serves = False, True

    def undo_cut(self) -> None:
        self.is_cut_off = False

    def send(self, name: str, effect: Callable[[], None], *, is_up: bool = True) -> CommandResult:
        """Does what the next fate says."""
        fate = self.fates.pop(0) if self.fates else "works"
        self.story.append(f"{name} {fate}")
        if not is_up or fate == "never starts":
            raise HostUnreachable(f"no answer to {name}")
        if fate == "fails":
            return BAD
        if fate == "hangs":
            raise CommandTimedOut(f"{name} hung", after=10 * SECOND, is_over=False)
        if "late" in fate:
            self.pending.append((self.clock.now() + self.late, name, effect))
            if fate == "works late":
                return GOOD
            raise CommandTimedOut(f"{name} hung", after=10 * SECOND, is_over=False)
        effect()
        self.check()
        if fate == "is cut":
            raise ConnectionCut(f"cut in the middle of {name}")
        return GOOD

    def event(self, what: str) -> None:
        """Something happens that nobody ordered."""
        self.story.append(what)
        if what == "old dies":
            self.old_is_up = False
        elif what == "old comes back":
            self.old_is_up = True
        elif what == "new dies":
            self.new_is_up = False
        elif what == "new comes back":
            self.new_is_up = True
        elif what == "third comes and goes":
            self.third_is_up = not self.third_is_up


class Dialect:
    """One driver's questions and acts, over the core."""

    settings: ClassVar[dict[str, Any]]

    def __init__(self, core: Core) -> None:
        self.core = core

    def run(self, host: str, argv: tuple[str, ...]) -> CommandResult:
        raise NotImplementedError

    def page(self, url: str) -> Page:
        raise NotImplementedError

    def send(self, request: Request) -> Page:
        raise NotImplementedError


COMMON: dict[str, Any] = {
    "from": OLD,
    "to": NEW,
    "standby_check": ["healthy"],
    "verify": {"url": URL, "times": 2, "within": "5s"},
    "fence_within": "10s",
    "promote_within": "10s",
}
ELSEWHERE = {"run": ["power", "off"], "on": THIRD, "proof": ["power", "is-off"], "undo": ["power", "on"]}


class OwnCommands(Dialect):
    settings: ClassVar[dict[str, Any]] = {
        **COMMON,
        "driver": "command",
        "service": {
            "old_active": {"run": ["serves"], "on": "old"},
            "new_active": {"run": ["serves"], "on": "new"},
            "fence": {"run": ["stop"], "on": "old"},
            "fenced": {"run": ["is-stopped"], "on": "old"},
            "promote": {"run": ["promote"], "on": "new"},
            "demote": {"run": ["demote"], "on": "new"},
            "demoted": {"run": ["is-demoted"], "on": "new"},
            "let_back": {"run": ["start"], "on": "old"},
        },
    }

    def run(self, host: str, argv: tuple[str, ...]) -> CommandResult:
        core = self.core
        acts = {"stop": core.stop_old, "promote": core.promote, "demote": core.demote, "start": core.let_back}
        if argv[0] in acts:
            return core.send(argv[0], acts[argv[0]])
        holds = {
            "serves": core.old_serves if host == OLD else core.new_serves,
            "is-stopped": core.is_stopped,
            "is-demoted": not core.new_serves,
        }
        return GOOD if holds[argv[0]] else BAD


class Vrrp(Dialect):
    """keepalived: the address moves by itself when the old node gives it up."""

    settings: ClassVar[dict[str, Any]] = {
        **COMMON,
        "driver": "keepalived",
        "service": {"vip": "198.51.100.9", "stop": ["stop"], "start": ["start"], "status": ["runs"]},
    }
    new_runs = True

    def run(self, host: str, argv: tuple[str, ...]) -> CommandResult:
        core = self.core
        if argv[0] == "stop":
            return core.send("stop", self._stop_old if host == OLD else self._stop_new)
        if argv[0] == "start":
            return core.send("start", self._start_old)
        if argv[0] == "runs":
            runs = not core.is_stopped if host == OLD else self.new_runs
            return CommandResult(exit_code=0 if runs else 3, stdout="active\n" if runs else "inactive\n")
        serves = core.old_serves if host == OLD else core.new_serves
        return CommandResult(exit_code=0, stdout=shown_addresses(*(["198.51.100.9"] if serves else [])))

    def elect(self) -> None:
        """The new node takes what the old one has given up, and gives up what the old one takes again."""
        if self.core.old_reaches_users:
            self.core.new_serves = False
        elif self.new_runs and self.core.new_is_up and (self.core.is_fenced or not self.core.old_is_up):
            self.core.new_serves = True

    def _stop_old(self) -> None:
        self.core.stop_old()

    def _start_old(self) -> None:
        # It has the higher priority: whoever holds the address gives it up on hearing it.
        self.core.let_back()
        self.elect()

    def _stop_new(self) -> None:
        self.new_runs = False
        self.core.demote()


class Balancer(Dialect):
    settings: ClassVar[dict[str, Any]] = {
        **COMMON,
        "driver": "haproxy",
        "service": {
            "balancers": [THIRD],
            "backend": "web",
            "old_server": "a",
            "new_server": "b",
            "helper": ["tell"],
            "drain_for": "5s",
        },
    }
    state: dict[str, str]

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.state = {"a": "UP", "b": "MAINT"}
        core.third_is_up = True

    def run(self, host: str, argv: tuple[str, ...]) -> CommandResult:
        words = argv[1].split()
        if words[:2] == ["show", "stat"]:
            return CommandResult(
                exit_code=0, stdout=shown_table({name: (state, 0) for name, state in self.state.items()})
            )
        server, state = words[2].split("/")[1], words[4]
        # haproxy carries a command out before it answers.
        self.core.fates[:1] = ["works" if fate == "works late" else fate for fate in self.core.fates[:1]]
        return self.core.send(f"{state} {server}", lambda: self._set(server, state))

    def _set(self, server: str, state: str) -> None:
        core = self.core
        if server == "a" and state == "drain" and self.state["a"] != "MAINT":
            self.state["a"] = "DRAIN"
        elif state in ("maint", "ready"):
            self.state[server] = "MAINT" if state == "maint" else "UP"
            effects = {
                ("a", "maint"): core.stop_old,
                ("a", "ready"): core.let_back,
                ("b", "ready"): core.promote,
                ("b", "maint"): core.demote,
            }
            effects[server, state]()


class Arbiter(Dialect):
    """Patroni: the lock moves, and nobody leads without it."""

    settings: ClassVar[dict[str, Any]] = {
        **COMMON,
        "driver": "patroni",
        "service": {"urls": ["http://db-1:8008", "http://db-2:8008"], "old_member": OLD, "new_member": NEW},
    }

    def page(self, url: str) -> Page:
        if url.startswith("http://db-1") and not self.core.old_is_up:
            raise QueryFailed(f"{url} cannot be reached")
        if url.startswith("http://db-2") and not self.core.new_is_up:
            raise QueryFailed(f"{url} cannot be reached")
        return Page(status=200, text=json.dumps({"members": [self._member(OLD), self._member(NEW)]}))

    def _member(self, name: str) -> dict[str, object]:
        leads = self.core.old_serves if name == OLD else self.core.new_serves
        is_up = self.core.old_is_up if name == OLD else self.core.new_is_up
        if leads:
            return {"name": name, "role": "leader", "state": "running" if is_up else "stopped"}
        return {"name": name, "role": "replica", "state": "streaming" if is_up else "stopped", "lag": 0}

    def send(self, request: Request) -> Page:
        wanted = json.loads(request.body)["candidate"]
        try:
            result = self.core.send(f"switch to {wanted}", lambda: self._switch(wanted))
        except (ConnectionCut, CommandTimedOut) as error:
            raise QueryFailed(str(error)) from error
        return Page(status=200 if result.exit_code == 0 else 503, text="answer")

    def _switch(self, wanted: str) -> None:
        self.core.old_serves, self.core.new_serves = False, False
        if wanted == OLD:
            self.core.old_serves = True
        else:
            self.core.promote()


DIALECTS: Mapping[str, type[Dialect]] = {
    "command": OwnCommands,
    "keepalived": Vrrp,
    "haproxy": Balancer,
    "patroni": Arbiter,
}


class TwoNodeHands:
    """Implements the engine's `Hands` on the little world."""

    def __init__(self, dialect: Dialect, crash: CrashPlan | None = None) -> None:
        self.dialect = dialect
        self.core = dialect.core
        self._crash = crash or CrashPlan()
        self.probes = 0

    async def run(self, host: str, command: Command) -> CommandResult:
        name = command.on or host
        self._crash.place("before a command reaches the host")
        result = self._run(name, command.argv)
        self._crash.place("after a command ended on the host")
        return result

    def _run(self, name: str, argv: tuple[str, ...]) -> CommandResult:
        core = self.core
        is_up = {OLD: core.old_is_up, NEW: core.new_is_up, THIRD: core.third_is_up}[name]
        if not is_up:
            raise HostUnreachable(f"{name} cannot be reached.")
        if argv[0] == "healthy":
            return GOOD if core.new_is_healthy else BAD
        if argv == ("power", "is-off"):
            return GOOD if core.is_cut_off else BAD
        if argv[0] == "power":
            return core.send(" ".join(argv), core.cut_off if argv[1] == "off" else core.undo_cut)
        return self.dialect.run(name, argv)

    async def query(self, query: Query) -> tuple[Sample, ...]:
        raise QueryFailed("no Prometheus here")

    async def fetch(self, fetch: Fetch) -> Page:
        return self.dialect.page(fetch.url)

    async def send(self, request: Request) -> Page:
        self._crash.place("before a request is sent")
        page = self._asked_from_outside() if request.url == URL else self.dialect.send(request)
        self._crash.place("after a request is answered")
        return page

    def _asked_from_outside(self) -> Page:
        core = self.core
        answers = core.old_reaches_users or (core.new_reaches_users and core.new_answers)
        if not answers:
            raise QueryFailed(f"{URL} cannot be reached")
        return Page(status=200, text="here")


def shown_addresses(*more: str) -> str:
    """What `ip -o addr show` prints."""
    lines = ["1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever"]
    lines += [
        f"2: eth0    inet {one}/24 scope global eth0\\       valid_lft forever preferred_lft forever" for one in more
    ]
    return "\n".join(lines) + "\n"


def shown_table(servers: Mapping[str, tuple[str, int]], backend: str = "web") -> str:
    """What `show stat` prints, with the columns that matter and one that does not."""
    rows = [f"{backend},{name},{sessions},{state},L4OK," for name, (state, sessions) in servers.items()]
    return "\n".join(["# pxname,svname,scur,status,last_chk,", *rows]) + "\n"
