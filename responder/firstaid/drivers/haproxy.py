"""`haproxy`: the balancer stops sending to one server and begins to send to the other, by its runtime API."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from responder.domain.acts import Act, Command, Moment, Question
from responder.firstaid.drivers.base import (
    DEMOTE,
    FENCE,
    LET_BACK,
    PROMOTE,
    Driver,
    Name,
    Pair,
    Replies,
    View,
    fresh,
    result_of,
    why_not,
)
from responder.firstaid.step import Argv, Duration

_DISABLED = "MAINT"
_SEEN = "every balancer answers"
_SERVES = ("UP", "no check")
_HELPER = ("sh", "-c", 'printf "%s\\n" "$1" | socat stdio "$0"', "/run/haproxy/admin.sock")

Row = dict[str, str]


class Haproxy(Driver):
    """Drains the old server on every balancer, disables it, and ends what sessions are left after `drain_for`.

    `helper` gets the runtime command as its last argument and prints haproxy's answer. Unless `pool` says that both
    servers may serve at the same time, the new one must be in maintenance before.
    """

    acts_at_once: ClassVar[bool] = True

    driver: Literal["haproxy"] = "haproxy"
    balancers: Annotated[tuple[Name, ...], Field(min_length=1)]
    backend: Name
    old_server: Name
    new_server: Name
    helper: Argv = _HELPER
    pool: bool = False
    drain_for: Duration = timedelta(seconds=30)
    become: bool = True
    timeout: Duration = timedelta(seconds=10)

    def hosts(self) -> tuple[str, ...]:
        return self.balancers

    def patience(self) -> timedelta:
        return self.drain_for

    def blind_to_health(self) -> bool:
        return not self.pool

    def may_serve_together(self) -> bool:
        return self.pool

    def refuses_before(self, view: View) -> str:
        name = f"{self.backend}/{self.new_server}"
        for host in self.balancers:
            status = view.detail.get(f"new on {host}", "")
            if self.pool and not status.startswith(_SERVES):
                return f"haproxy on {host} says that {name} is {status}; a peer of the pool must serve already"
            if not self.pool and status != _DISABLED:
                return (
                    f"haproxy on {host} would send to {name} while the old server still has sessions: put it into "
                    f"maintenance beforehand, or say pool: true where both may serve at the same time"
                )
        return ""

    def questions(self, pair: Pair) -> dict[str, Question]:
        words = f"show stat {self.backend} 4 -1"
        return {host: replace(self._runtime(host, words, ""), timeout=pair.look_timeout) for host in self.balancers}

    def view(self, replies: Replies, pair: Pair) -> View:  # noqa: ARG002 drivers share a form
        tables = {host: _table(replies, host, self.backend) for host in self.balancers}
        unseen = [host for host, table in tables.items() if table is None]
        if unseen:
            why = f"haproxy on {unseen[0]} cannot be asked: {why_not(replies, unseen[0])}"
            return View(old_holds=None, new_holds=None, is_fenced=False, proof=why, objection=why, cannot_fence=why)
        old = {host: (table or {}).get(self.old_server) for host, table in tables.items()}
        new = {host: (table or {}).get(self.new_server) for host, table in tables.items()}
        if missing := self._missing(old, self.old_server) or self._missing(new, self.new_server):
            return View(
                old_holds=None, new_holds=None, is_fenced=False, proof=missing, objection=missing, cannot_fence=missing
            )
        return self._seen(
            {host: row or {} for host, row in old.items()}, {host: row or {} for host, row in new.items()}
        )

    def to_fence(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return fresh(moment, self._fence(view, moment)) if view.detail.get(_SEEN) else ()

    def to_promote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        if not view.detail.get(_SEEN):
            return ()
        asleep = [host for host in self.balancers if not view.detail[f"new on {host}"].startswith(_SERVES)]
        return fresh(moment, [self._set(host, self.new_server, "ready", f"{PROMOTE} on {host}") for host in asleep])

    def to_demote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return fresh(moment, self._demote(view)) if view.detail.get(_SEEN) else ()

    def to_let_back(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        acts = [self._set(host, self.old_server, "ready", f"{LET_BACK} on {host}") for host in self.balancers]
        return fresh(moment, acts)

    # --- what the tables say -----------------------------------------------------------------------

    def _seen(self, old: dict[str, Row], new: dict[str, Row]) -> View:
        detail = {_SEEN: "yes"} | {f"old on {host}": row["status"] for host, row in old.items()}
        detail |= {f"new on {host}": row["status"] for host, row in new.items()}
        detail |= {f"old sessions on {host}": row["scur"] for host, row in old.items()}
        detail |= {f"new sessions on {host}": row["scur"] for host, row in new.items()}
        is_fenced = all(_is_out(row) for row in old.values())
        state = ", ".join(f"{host}: {row['status']} with {row['scur']} sessions" for host, row in old.items())
        return View(
            old_holds=any(_serves(row) for row in old.values()),
            new_holds=all(_serves(row) for row in new.values()),
            is_fenced=is_fenced,
            proof=f"haproxy says of {self.backend}/{self.old_server}: {state}",
            is_demoted=all(_is_out(row) for row in new.values()),
            objection=self._objection(new),
            detail=detail,
        )

    def _missing(self, rows: dict[str, Row | None], server: str) -> str:
        lacking = [host for host, row in rows.items() if row is None]
        return f"haproxy on {lacking[0]} has no server {self.backend}/{server}" if lacking else ""

    def _objection(self, new: dict[str, Row]) -> str:
        for host, row in new.items():
            name = f"{self.backend}/{self.new_server}"
            if row["status"].startswith("DOWN"):
                return f"haproxy on {host} finds {name} {row['status']} ({row.get('last_chk') or 'no reason given'})"
        return ""

    # --- what is to be sent ------------------------------------------------------------------------

    def _fence(self, view: View, moment: Moment) -> Iterator[Command]:
        drained = moment.last(f"{FENCE}: drain on {self.balancers[-1]}")
        is_patient = drained is not None and moment.now < drained.at + self.drain_for
        for host in self.balancers:
            status, sessions = view.detail[f"old on {host}"], view.detail[f"old sessions on {host}"]
            if status == _DISABLED:
                if sessions != "0" and not is_patient:
                    yield self._shut(host, self.old_server, f"{FENCE}: end sessions on {host}")
            elif not moment.has(f"{FENCE}: drain on {host}"):
                yield self._set(host, self.old_server, "drain", f"{FENCE}: drain on {host}", repeatable=True)
            elif sessions == "0" or not is_patient:
                yield self._set(host, self.old_server, "maint", f"{FENCE}: disable on {host}", repeatable=True)

    def _demote(self, view: View) -> Iterator[Command]:
        for host in self.balancers:
            yield self._set(host, self.new_server, "maint", f"{DEMOTE} on {host}")
            if view.detail[f"new on {host}"] == _DISABLED and view.detail[f"new sessions on {host}"] != "0":
                yield self._shut(host, self.new_server, f"{DEMOTE}: end sessions on {host}")

    def _set(self, host: str, server: str, state: str, label: str, *, repeatable: bool = False) -> Command:
        return self._runtime(host, f"set server {self.backend}/{server} state {state}", label, repeatable=repeatable)

    def _shut(self, host: str, server: str, label: str) -> Command:
        return self._runtime(host, f"shutdown sessions server {self.backend}/{server}", label, repeatable=True)

    def _runtime(self, host: str, words: str, label: str, *, repeatable: bool = False) -> Command:
        return Command(
            argv=(*self.helper, words),
            on=host,
            become=self.become,
            timeout=self.timeout,
            label=label,
            judged=bool(label),
            repeatable=repeatable,
        )


def _serves(row: Row) -> bool:
    return row["status"].startswith((*_SERVES, "DRAIN", "NOLB"))


def _is_out(row: Row) -> bool:
    """Only what was disabled on purpose stays out: DOWN comes back by itself, and so does "MAINT (via …)"."""
    return row["status"] == _DISABLED and row["scur"] == "0"


def _table(replies: Replies, host: str, backend: str) -> dict[str, Row] | None:
    """The servers of a backend by name; None when haproxy did not answer with its table."""
    result = result_of(replies, host)
    if result is None or result.exit_code or result.truncated or not result.stdout.startswith("# pxname,"):
        return None
    rows = csv.DictReader(result.stdout.removeprefix("# ").splitlines())
    found = {row["svname"]: row for row in rows if row.get("pxname") == backend and row.get("status")}
    return {name: row for name, row in found.items() if name not in ("BACKEND", "FRONTEND")}
