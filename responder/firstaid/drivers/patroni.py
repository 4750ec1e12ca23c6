"""`patroni`: its REST API moves the leadership; its leader lock, not responder, keeps two from leading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from responder.domain.acts import Act, Fetch, Moment, Page, Question, Request, Unanswered
from responder.firstaid.drivers.base import (
    DEMOTE,
    PROMOTE,
    Driver,
    Name,
    Pair,
    Replies,
    Url,
    View,
    fresh,
)
from responder.firstaid.step import Duration

_LEADS = ("leader", "standby_leader", "master", "primary")
_RUNS = ("running", "streaming")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cluster:
    """The one view that all members which answer share; `doubt` says why there is none."""

    url: str = ""
    members: Mapping[str, Mapping[str, object]]
    is_paused: bool = False
    doubt: str = ""

    @property
    def leaders(self) -> list[str]:
        return [name for name, member in self.members.items() if member.get("role") in _LEADS]


class Patroni(Driver):
    """Asks for a switchover while the old leader leads, and for a failover only when Patroni itself names no leader.

    `urls` are the REST addresses of the members; one that answers is enough. `old_member` and `new_member` are
    Patroni's names of the two nodes.
    """

    arbitrates: ClassVar[bool] = True

    driver: Literal["patroni"] = "patroni"
    urls: Annotated[tuple[Url, ...], Field(min_length=1)]
    old_member: Name
    new_member: Name
    max_lag: Annotated[int, Field(ge=0)] = 1024 * 1024
    credential_file: str = ""
    act_timeout: Duration = timedelta(seconds=60)

    def questions(self, pair: Pair) -> dict[str, Question]:
        return {url: Fetch(url=f"{url.rstrip('/')}/cluster", timeout=pair.look_timeout) for url in self.urls}

    def view(self, replies: Replies, pair: Pair) -> View:  # noqa: ARG002 drivers share a form
        cluster = _cluster(replies, self.urls)
        if cluster.doubt:
            why = cluster.doubt
            return View(old_holds=None, new_holds=None, is_fenced=False, proof=why, objection=why, cannot_fence=why)
        leaders = cluster.leaders
        told = f"the leader is {', '.join(leaders)}" if leaders else "there is no leader"
        return View(
            old_holds=self.old_member in leaders,
            new_holds=leaders == [self.new_member] and _runs(cluster, self.new_member),
            is_fenced=len(leaders) <= 1,
            proof=f"Patroni says that {told}, and its leader lock lets no second one lead",
            is_demoted=leaders == [self.old_member],
            objection=self._objection(cluster),
            cannot_fence="" if len(leaders) <= 1 else f"Patroni names several leaders: {', '.join(leaders)}",
            detail={"url": cluster.url, "leader": ", ".join(leaders), "old": self._unfit(cluster, self.old_member)},
        )

    def to_fence(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return ()

    def to_promote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        if view.old_holds is None:
            return ()
        if view.detail["leader"] == self.old_member:
            body = {"leader": self.old_member, "candidate": self.new_member}
            return fresh(moment, [self._post(view, "switchover", body, PROMOTE)])
        return fresh(moment, [self._post(view, "failover", {"candidate": self.new_member}, PROMOTE)])

    def to_demote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        if view.old_holds is None or view.detail["old"]:
            return ()
        body = {"leader": self.new_member, "candidate": self.old_member}
        return fresh(moment, [self._post(view, "switchover", body, DEMOTE)])

    def to_let_back(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return ()

    def _post(self, view: View, what: str, body: Mapping[str, str], label: str) -> Request:
        return Request(
            url=f"{view.detail['url'].rstrip('/')}/{what}",
            body=json.dumps(body),
            headers={"Content-Type": "application/json"},
            credential_file=self.credential_file,
            timeout=self.act_timeout,
            expect=(200,),
            judged=True,
            label=label,
        )

    def _objection(self, cluster: _Cluster) -> str:
        if cluster.is_paused:
            return "Patroni is paused: it would not demote a leader that it has lost"
        others = [name for name in cluster.leaders if name not in (self.old_member, self.new_member)]
        if others:
            return f"the leader is {others[0]}, neither {self.old_member} nor {self.new_member}"
        return "" if self.new_member in cluster.leaders else self._unfit(cluster, self.new_member)

    def _unfit(self, cluster: _Cluster, name: str) -> str:
        """Why a member must not become the leader; nothing if it may."""
        member = cluster.members.get(name)
        if member is None:
            return f"Patroni knows no member {name}"
        tags = member.get("tags")
        if isinstance(tags, Mapping) and tags.get("nofailover"):
            return f"{name} is tagged nofailover"
        if member.get("state") not in _RUNS:
            return f"{name} is {member.get('state')}"
        lag = member.get("lag", 0 if name in cluster.leaders else None)
        if not isinstance(lag, int):
            return f"the lag of {name} is not known"
        return f"{name} lags {lag} bytes behind, more than {self.max_lag}" if lag > self.max_lag else ""


def _runs(cluster: _Cluster, name: str) -> bool:
    return cluster.members.get(name, {}).get("state") in _RUNS


def _cluster(replies: Replies, urls: tuple[str, ...]) -> _Cluster:
    found = [one for one in (_read(url, replies.get(url)) for url in urls) if not one.doubt]
    if not found:
        return _Cluster(
            members={}, doubt=f"no member of the cluster answers: {_read(urls[0], replies.get(urls[0])).doubt}"
        )
    views = {tuple(sorted(one.leaders)) for one in found}
    if len(views) > 1:
        told = "; ".join(f"{one.url} says {', '.join(one.leaders) or 'nobody'}" for one in found)
        return _Cluster(members={}, doubt=f"the members do not agree on who leads: {told}")
    return found[0]


def _read(url: str, reply: object) -> _Cluster:
    if isinstance(reply, Unanswered):
        return _Cluster(members={}, doubt=reply.why)
    if not isinstance(reply, Page) or reply.status != 200:
        status = reply.status if isinstance(reply, Page) else "nothing"
        return _Cluster(members={}, doubt=f"{url}/cluster answered {status}")
    try:
        content = json.loads(reply.text)
        members = {str(member["name"]): member for member in content["members"]}
        return _Cluster(url=url, members=members, is_paused=bool(content.get("pause")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return _Cluster(members={}, doubt=f"{url}/cluster answered something else than a cluster")
