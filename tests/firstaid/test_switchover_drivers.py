"""Each driver of a switchover as tables: what its answers mean, what it sends, and which settings it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from responder.domain.acts import Command, CommandResult, Done, Moment, Page, Reply, Request, Unanswered
from responder.firstaid.drivers.base import Pair, View
from responder.firstaid.drivers.haproxy import Haproxy
from responder.firstaid.drivers.keepalived import Keepalived
from responder.firstaid.drivers.patroni import Patroni
from responder.firstaid.steps import kinds
from responder.firstaid.steps.switchover import Switchover
from tests.fakes import NOW, SECOND
from tests.firstaid.two_nodes import COMMON, DIALECTS, ELSEWHERE, shown_addresses, shown_table

PAIR = Pair(old="a", new="b", old_on="a")
START = Moment(started_at=NOW, now=NOW)
SILENT = Unanswered(why="a cannot be reached.")


def said(text: str, exit_code: int = 0) -> CommandResult:
    return CommandResult(exit_code=exit_code, stdout=text)


def after(*labels: str, seconds: float = 0) -> Moment:
    """So long after acts of these labels have ended well."""
    done = tuple(Done(label=label, is_good=True, at=NOW, exit_code=0) for label in labels)
    return Moment(started_at=NOW, now=NOW + seconds * SECOND, done=done)


def sent(acts: tuple[Any, ...]) -> list[tuple[str, str, str]]:
    return [(act.on, act.argv[-1], act.label) for act in acts if isinstance(act, Command)]


# --- keepalived ------------------------------------------------------------------------------------

KEEPALIVED = Keepalived(vip="192.0.2.10")
WITH, WITHOUT = said(shown_addresses("192.0.2.10")), said(shown_addresses("192.0.2.1", "192.0.2.100"))


@pytest.mark.parametrize(
    ("addresses", "status", "holds", "is_fenced", "is_seen"),
    [
        (WITH, said("active\n"), True, False, True),
        (WITHOUT, said("inactive\n", 3), False, True, True),
        (WITHOUT, said("failed\n", 3), False, True, True),
        (WITHOUT, said("active\n"), False, False, True),
        (WITH, said("inactive\n", 3), True, False, True),
        # On its way, or of its own restart: no proof. A sudo that refuses: no answer, though it ends with 1.
        (WITHOUT, said("deactivating\n", 3), False, False, False),
        (WITHOUT, said("activating\n", 3), False, False, False),
        (WITHOUT, CommandResult(exit_code=1, stderr="sudo: a password is required"), False, False, False),
        (WITHOUT, said("", 127), False, False, False),
        (WITHOUT, SILENT, False, False, False),
        (SILENT, said("inactive\n", 3), None, False, False),
        (said(""), said("inactive\n", 3), None, False, False),
        (said("ip: no such object", 1), said("inactive\n", 3), None, False, False),
        (SILENT, SILENT, None, False, False),
    ],
)
def test_keepalived_is_fenced_only_when_the_old_node_itself_says_so(
    addresses: Reply | Unanswered, status: Reply | Unanswered, holds: bool | None, is_fenced: bool, is_seen: bool
) -> None:
    replies = {
        "addresses of old": addresses,
        "keepalived of old": status,
        "addresses of new": WITHOUT,
        "keepalived of new": said("active\n"),
    }
    view = KEEPALIVED.view(replies, PAIR)
    assert (view.old_holds, view.is_fenced, view.cannot_fence == "") == (holds, is_fenced, is_seen)
    assert (view.new_holds, view.objection) == (False, "")


def test_keepalived_stops_the_old_node_once_and_lets_vrrp_do_the_rest() -> None:
    view = View(old_holds=True, new_holds=False, is_fenced=False, proof="")
    assert sent(KEEPALIVED.to_fence(view, START, PAIR)) == [("a", "keepalived", "fence")]
    assert KEEPALIVED.to_fence(view, after("fence"), PAIR) == ()
    assert KEEPALIVED.to_promote(view, START, PAIR) == ()
    assert sent(KEEPALIVED.to_let_back(view, after("fence"), PAIR)) == [("a", "keepalived", "let the old node back")]


# --- haproxy ---------------------------------------------------------------------------------------

HAPROXY = Haproxy(balancers=("lb",), backend="web", old_server="a", new_server="b", helper=("tell",))
TWO = Haproxy(balancers=("lb-1", "lb-2"), backend="web", old_server="a", new_server="b", helper=("tell",))


@pytest.mark.parametrize(
    ("old", "new", "holds", "is_fenced", "is_demoted"),
    [
        (("UP", 3), ("MAINT", 0), True, False, True),
        (("no check", 0), ("MAINT", 0), True, False, True),
        (("DRAIN", 3), ("MAINT", 0), True, False, True),
        (("DOWN", 0), ("MAINT", 0), False, False, True),
        (("MAINT", 3), ("MAINT", 0), False, False, True),
        (("MAINT", 0), ("MAINT", 0), False, True, True),
        # Comes back by itself when what it follows does.
        (("MAINT (via web/x)", 0), ("MAINT", 0), False, False, True),
        (("MAINT (resolution)", 0), ("MAINT", 0), False, False, True),
        (("MAINT", 0), ("UP", 5), False, True, False),
    ],
)
def test_haproxy_is_fenced_only_when_it_is_disabled_and_has_no_session_left(
    old: tuple[str, int], new: tuple[str, int], holds: bool, is_fenced: bool, is_demoted: bool
) -> None:
    view = HAPROXY.view({"lb": said(shown_table({"a": old, "b": new}))}, PAIR)
    assert (view.old_holds, view.is_fenced, view.is_demoted) == (holds, is_fenced, is_demoted)


def test_one_balancer_that_still_sends_to_the_old_node_is_no_fence() -> None:
    out, still = shown_table({"a": ("MAINT", 0), "b": ("MAINT", 0)}), shown_table({"a": ("UP", 1), "b": ("MAINT", 0)})
    view = TWO.view({"lb-1": said(out), "lb-2": said(still)}, PAIR)
    assert (view.is_fenced, view.old_holds) == (False, True)
    unseen = TWO.view({"lb-1": said(out), "lb-2": SILENT}, PAIR)
    assert (unseen.is_fenced, unseen.old_holds) == (False, None)
    assert unseen.cannot_fence == "haproxy on lb-2 cannot be asked: a cannot be reached"


@pytest.mark.parametrize(
    ("old", "done", "seconds", "words"),
    [
        (("UP", 3), (), 0, "set server web/a state drain"),
        (("DRAIN", 3), ("fence: drain on lb",), 10, ""),
        (("DRAIN", 0), ("fence: drain on lb",), 10, "set server web/a state maint"),
        (("DRAIN", 3), ("fence: drain on lb",), 31, "set server web/a state maint"),
        (("MAINT", 3), ("fence: drain on lb", "fence: disable on lb"), 31, "shutdown sessions server web/a"),
        (("MAINT", 0), ("fence: drain on lb", "fence: disable on lb"), 31, ""),
    ],
)
def test_haproxy_drains_then_disables_then_ends_what_is_left(
    old: tuple[str, int], done: tuple[str, ...], seconds: float, words: str
) -> None:
    view = HAPROXY.view({"lb": said(shown_table({"a": old, "b": ("MAINT", 0)}))}, PAIR)
    assert [argv for _, argv, _ in sent(HAPROXY.to_fence(view, after(*done, seconds=seconds), PAIR))] == (
        [words] if words else []
    )


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (said(shown_table({"a": ("UP", 0)})), "haproxy on lb has no server web/b"),
        (said(shown_table({"a": ("UP", 0), "b": ("UP", 0)}, backend="api")), "haproxy on lb has no server web/a"),
        (said("Can't find the target backend.\n"), "haproxy on lb cannot be asked"),
        (SILENT, "haproxy on lb cannot be asked: a cannot be reached"),
        (said(shown_table({"a": ("UP", 0), "b": ("DOWN", 0)})), "finds web/b DOWN (L4OK)"),
    ],
)
def test_haproxy_objects_to_a_standby_that_it_does_not_know_or_finds_down(answer: Reply | Unanswered, why: str) -> None:
    assert why in HAPROXY.view({"lb": answer}, PAIR).objection


@pytest.mark.parametrize(
    ("pool", "status", "why"),
    [
        (False, "MAINT", ""),
        (False, "UP", "or say pool: true"),
        (False, "DRAIN", "or say pool: true"),
        (True, "UP", ""),
        (True, "no check", ""),
        (True, "MAINT", "a peer of the pool must serve already"),
        (True, "DRAIN", "a peer of the pool must serve already"),
    ],
)
def test_a_standby_waits_in_maintenance_and_a_peer_serves_already(pool: bool, status: str, why: str) -> None:
    driver = HAPROXY.model_copy(update={"pool": pool})
    found = driver.refuses_before(driver.view({"lb": said(shown_table({"a": ("UP", 1), "b": (status, 0)}))}, PAIR))
    assert why in found
    assert bool(why) == bool(found)


# --- patroni ---------------------------------------------------------------------------------------

PATRONI = Patroni(urls=("http://a:8008", "http://b:8008/"), old_member="a", new_member="b", max_lag=100)


def cluster(*members: dict[str, object], **more: object) -> Page:
    return Page(status=200, text=json.dumps({"members": members, **more}))


def member(name: str, role: str = "replica", state: str = "streaming", **more: object) -> dict[str, object]:
    return {"name": name, "role": role, "state": state, **({"lag": 0} if role != "leader" else {}), **more}


LEADER = member("a", "leader", "running")


@pytest.mark.parametrize(
    ("page", "objection"),
    [
        (cluster(LEADER, member("b")), ""),
        (cluster(LEADER, member("b", "sync_standby")), ""),
        (cluster(LEADER, member("b", lag=101)), "b lags 101 bytes behind, more than 100"),
        (cluster(LEADER, member("b", lag="unknown")), "the lag of b is not known"),
        (cluster(LEADER, member("b", state="stopped")), "b is stopped"),
        (cluster(LEADER, member("b", tags={"nofailover": True})), "b is tagged nofailover"),
        (cluster(LEADER), "Patroni knows no member b"),
        (cluster(LEADER, member("b"), pause=True), "Patroni is paused"),
        (cluster(member("c", "leader", "running"), member("b")), "the leader is c, neither a nor b"),
        (Page(status=503, text=""), "no member of the cluster answers: http://a:8008/cluster answered 503"),
        (Page(status=200, text="<html>"), "answered something else than a cluster"),
        (Page(status=200, text='{"members": [1]}'), "answered something else than a cluster"),
        (Page(status=200, text='{"members": null}'), "answered something else than a cluster"),
        (SILENT, "no member of the cluster answers: a cannot be reached"),
    ],
)
def test_patroni_objects_to_a_member_that_is_not_fit(page: Page | Unanswered, objection: str) -> None:
    view = PATRONI.view(dict.fromkeys(PATRONI.urls, page), PAIR)
    assert objection in view.objection
    assert bool(objection) == bool(view.objection)


def test_members_that_do_not_agree_on_who_leads_are_no_view() -> None:
    other = cluster(member("a"), member("b", "leader", "running"))
    view = PATRONI.view({"http://a:8008": cluster(LEADER, member("b")), "http://b:8008/": other}, PAIR)
    assert (view.old_holds, view.new_holds, view.is_fenced) == (None, None, False)
    assert "the members do not agree on who leads" in view.objection


@pytest.mark.parametrize(
    ("page", "path", "body"),
    [
        (cluster(LEADER, member("b")), "switchover", {"leader": "a", "candidate": "b"}),
        (cluster(member("a", state="stopped"), member("b")), "failover", {"candidate": "b"}),
    ],
)
def test_patroni_fails_over_only_when_it_names_no_leader(page: Page, path: str, body: dict[str, str]) -> None:
    view = PATRONI.view({"http://b:8008/": page}, PAIR)
    (act,) = PATRONI.to_promote(view, START, PAIR)
    assert isinstance(act, Request)
    assert (act.method, act.url, json.loads(act.body)) == ("POST", f"http://b:8008/{path}", body)
    assert PATRONI.to_promote(view, after("promote"), PAIR) == ()


# --- settings --------------------------------------------------------------------------------------


def a_step(dialect: str, **changes: object) -> Switchover:
    made = kinds()["switchover"].model_validate({**DIALECTS[dialect].settings, **changes})
    assert isinstance(made, Switchover)
    return made


@pytest.mark.parametrize(
    ("driver", "changes", "why"),
    [
        ("command", {"to": "db-1"}, "the same host"),
        ("command", {"verify": {}}, "give either url: or run:"),
        ("command", {"verify": {"run": ["x"]}}, "run: needs on:"),
        ("command", {"verify": {"run": ["x"], "on": "db-2"}}, "a third host"),
        ("command", {"verify": {"url": "ftp://x"}}, "must begin with http"),
        ("command", {"verify": {"url": "http://x", "every": "100ms", "within": "1m"}}, "at most 30 times"),
        ("command", {"fence": {**ELSEWHERE, "on": "db-1"}}, "must work without db-1"),
        ("command", {"fence": {**ELSEWHERE, "proof_on": "db-1"}}, "must work without db-1"),
        ("command", {"driver": "ipvs"}, "ipvs"),
        ("patroni", {"fence": ELSEWHERE}, "of no use here"),
        ("haproxy", {"standby_check": None}, "standby_check: is needed"),
        (
            "haproxy",
            {"service": {"balancers": ["lb"], "backend": "a; b", "old_server": "a", "new_server": "b"}},
            "name",
        ),
        ("haproxy", {"service": {"balancers": [], "backend": "w", "old_server": "a", "new_server": "b"}}, "at least 1"),
        ("keepalived", {"service": {"vip": "10.0.0.300"}}, "does not appear to be an IPv4"),
        ("keepalived", {"service": {"vip": "10.0.0.3", "vpi": 1}}, "vpi"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(driver: str, changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        a_step(driver, **changes)


def test_what_cannot_be_proven_cannot_be_undone() -> None:
    service = dict(DIALECTS["command"].settings["service"])
    with pytest.raises(ValidationError, match="demote: and demoted: together"):
        a_step("command", service={name: value for name, value in service.items() if name != "demoted"})
    with pytest.raises(ValidationError, match="let_back: needs demote"):
        a_step("command", service={name: value for name, value in service.items() if "demote" not in name})


def test_the_run_takes_the_locks_of_all_hosts_that_are_named() -> None:
    assert a_step("command", fence=ELSEWHERE).hosts() == ("db-2", "db-1", "power-1")
    assert a_step("haproxy").hosts() == ("db-2", "db-1", "power-1")
    asked = a_step("command", verify={"run": ["x"], "on": "web-9"}).hosts()
    assert asked == ("db-2", "db-1", "web-9")


def test_templates_are_judged_only_when_they_are_filled_in() -> None:
    service = {"vip": "{{ vars.vip }}"}
    assert a_step("keepalived", service=service, to="{{ vars.standby }}", verify=COMMON["verify"])
