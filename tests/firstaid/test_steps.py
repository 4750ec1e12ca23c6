"""Each kind of step: from facts to a plan, and what it asks and reads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from responder.domain.acts import (
    Act,
    Command,
    CommandResult,
    Facts,
    Fail,
    Fetch,
    Moment,
    Page,
    Query,
    Sample,
    Suspend,
)
from responder.firstaid.step import Step
from responder.firstaid.steps import kinds
from tests.fakes import MINUTE, NOW, SECOND


def a_step(kind: str, **settings: object) -> Step:
    return kinds()[kind].model_validate(settings)


def a_moment(since_start: float = 0, acted: float | None = None) -> Moment:
    """So many seconds after the step's beginning; `acted`: when its last act ended."""
    return Moment(
        started_at=NOW,
        now=NOW + since_start * SECOND,
        acted_at=None if acted is None else NOW + acted * SECOND,
    )


def plan(step: Step, seen: Facts, moment: Moment, first: Facts | None = None) -> tuple[Act, ...]:
    return step.plan(seen if first is None else first, seen, moment)


def failure(acts: tuple[Act, ...]) -> str:
    (act,) = acts
    assert isinstance(act, Fail)
    return act.why


def waits_until(acts: tuple[Act, ...]) -> float:
    """Seconds after the beginning until which the step waits."""
    (act,) = acts
    assert isinstance(act, Suspend)
    assert act.why
    return (act.until - NOW) / SECOND


def test_there_are_these_kinds_and_each_is_found_by_its_word() -> None:
    own = {"check", "collect", "disk_cleanup", "http", "process", "promql", "script", "service_restart", "ssh", "wait"}
    assert own <= set(kinds())
    assert all(step.kind == word for word, step in kinds().items())


# --- wait ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passed", [0, 1, 59])
def test_wait_counts_from_the_steps_beginning(passed: float) -> None:
    assert waits_until(plan(a_step("wait", **{"for": "1m"}), {}, a_moment(passed))) == 60


@pytest.mark.parametrize("passed", [60, 61])
def test_wait_is_done_when_the_time_has_passed(passed: float) -> None:
    assert plan(a_step("wait", **{"for": "1m"}), {}, a_moment(passed)) == ()


def test_wait_asks_nothing() -> None:
    assert a_step("wait", **{"for": "1m"}).look() is None


# --- ssh -------------------------------------------------------------------------------------------

CHECKED = a_step("ssh", run=["fix"], check=["test"], grace="10s", every="2s")
ONCE = a_step("ssh", run=["fix"], once="because nothing can tell")
AS_WANTED = {"as_wanted": True, "check_exit_code": 0}
NOT_YET = {"as_wanted": False, "check_exit_code": 3}


def test_ssh_looks_with_its_check_and_reads_the_exit_code() -> None:
    assert CHECKED.look() == Command(argv=("test",))
    assert CHECKED.read(CommandResult(exit_code=0)) == AS_WANTED
    assert CHECKED.read(CommandResult(exit_code=3)) == NOT_YET


def test_ssh_does_nothing_when_the_check_passes() -> None:
    assert plan(CHECKED, AS_WANTED, a_moment()) == ()


def test_ssh_runs_when_the_check_fails_and_nothing_was_done_yet() -> None:
    assert plan(CHECKED, NOT_YET, a_moment()) == (Command(argv=("fix",)),)


@pytest.mark.parametrize(("now", "until"), [(1, 3), (10, 12)])
def test_ssh_waits_for_the_check_within_its_grace(now: float, until: float) -> None:
    assert waits_until(plan(CHECKED, NOT_YET, a_moment(now, acted=1))) == until


def test_ssh_fails_when_the_check_still_fails_after_the_grace() -> None:
    assert failure(plan(CHECKED, NOT_YET, a_moment(11, acted=1))) == "the check still exits with 3"


def test_ssh_once_runs_marked_and_then_never_again() -> None:
    assert plan(ONCE, {}, a_moment()) == (Command(argv=("fix",), once=True),)
    assert plan(ONCE, {}, a_moment(1, acted=1)) == ()
    assert ONCE.look() is None


@pytest.mark.parametrize(
    "settings",
    [
        {"run": ["fix"]},
        {"run": ["fix"], "check": ["test"], "once": "why"},
        {"run": [], "once": "why"},
        {"run": "fix --now", "once": "why"},
        {"run": ["fix"], "once": ""},
        {"run": ["fix"], "once": "why", "nonsense": 1},
    ],
)
def test_ssh_refuses_settings_that_cannot_be_made_safe(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_step("ssh", **settings)


# --- http ------------------------------------------------------------------------------------------

HTTP = a_step("http", url="http://web-1/health", contains="ok", within="10s", every="2s")


def test_http_asks_its_url() -> None:
    assert HTTP.look() == Fetch(url="http://web-1/health", timeout=5 * SECOND)


@pytest.mark.parametrize(
    ("status", "text", "well"), [(200, "all ok", True), (200, "bad", False), (503, "ok", False), (204, "ok", False)]
)
def test_http_wants_the_status_and_the_text(status: int, text: str, well: bool) -> None:
    seen = HTTP.read(Page(status=status, text=text))
    assert (plan(HTTP, seen, a_moment()) == ()) is well


@pytest.mark.parametrize("seen", [{"status": 503, "contains": True}, {"error": "no connection"}, {}])
def test_http_waits_within_its_time_whatever_goes_wrong(seen: Facts) -> None:
    assert waits_until(plan(HTTP, seen, a_moment(9))) == 11


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"status": 503, "contains": False}, "but it answered 503"),
        ({"status": 200, "contains": False}, "but it answered 200 without that text"),
        ({"error": "no connection"}, "but no connection"),
    ],
)
def test_http_fails_after_its_time_and_says_what_it_found(seen: Facts, said: str) -> None:
    why = failure(plan(HTTP, seen, a_moment(10)))
    assert why == f"expected http://web-1/health to answer 200 with 'ok' within 10s, {said}"


@pytest.mark.parametrize("url", ["ftp://x", "file:///etc/passwd", "web-1/health", ""])
def test_http_refuses_other_schemes(url: str) -> None:
    with pytest.raises(ValidationError, match="http:// or https://"):
        a_step("http", url=url)


# --- promql ----------------------------------------------------------------------------------------


def a_query(expect: str, **settings: object) -> Step:
    return a_step("promql", expr="up", expect=expect, **settings)


@pytest.mark.parametrize(
    ("expect", "values", "holds"),
    [
        ("none", [], True),
        ("none", [1.0], False),
        ("some", [0.0], True),
        ("some", [], False),
        ("== 1", [1.0, 1.0], True),
        ("== 1", [1.0, 0.0], False),
        ("== 1", [], False),
        ("!= 0", [1.0], True),
        ("> 0.5", [0.5], False),
        (">= 0.5", [0.5], True),
        ("< -1", [-2.0], True),
        ("<= 3", [4.0], False),
        ("== 1", [float("nan")], False),
    ],
)
def test_promql_holds_when_every_series_does(expect: str, values: list[float], holds: bool) -> None:
    step = a_query(expect)
    seen = step.read(tuple(Sample(labels={}, value=value) for value in values))
    assert (plan(step, seen, a_moment()) == ()) is holds


def test_promql_waits_then_fails_with_what_it_found() -> None:
    step = a_query("== 1", within="30s")
    assert waits_until(plan(step, {"values": [0.0]}, a_moment(29))) == 34
    assert failure(plan(step, {"values": [0.0]}, a_moment(30))) == (
        "expected up to be == 1 within 30s, but the answer is [0.0]"
    )
    assert failure(plan(step, {"values": []}, a_moment(30))).endswith("but the answer is empty")


@pytest.mark.parametrize("expect", ["none", "some", "== 0"])
def test_promql_does_not_take_a_failed_question_for_an_answer(expect: str) -> None:
    assert failure(plan(a_query(expect), {"error": "Prometheus is away"}, a_moment())).endswith("Prometheus is away")


def test_promql_asks_its_expression() -> None:
    assert a_query("none").look() == Query(promql="up")


@pytest.mark.parametrize("expect", ["", "1", "= 1", "== x", "any", "== 1 or > 2"])
def test_promql_refuses_what_is_no_expectation(expect: str) -> None:
    with pytest.raises(ValidationError, match="is no expectation"):
        a_query(expect)


# --- service_restart -------------------------------------------------------------------------------

UNIT = a_step("service_restart", unit="nginx.service", grace="30s", stable_for="5s", every="1s")
SUPERVISED = a_step("service_restart", manager="supervisor", unit="app", config="/etc/s.conf")
OWN = a_step("service_restart", manager="commands", status=["app", "status"], restart=["app", "restart"])
OLD, NEW = {"active": True, "process": "a", "state": "active"}, {"active": True, "process": "b", "state": "active"}
DOWN = {"active": False, "process": "", "state": "failed (failed)"}
RESTART = Command(argv=("systemctl", "restart", "--", "nginx.service"), timeout=90 * SECOND, become=True)


def test_service_restart_asks_and_acts_through_each_manager() -> None:
    assert UNIT.look() == Command(
        argv=(
            "systemctl",
            "show",
            "--property=LoadState,ActiveState,SubState,MainPID,InvocationID",
            "--",
            "nginx.service",
        )
    )
    assert SUPERVISED.look() == Command(argv=("supervisorctl", "-c", "/etc/s.conf", "status", "app"), become=True)
    assert OWN.look() == Command(argv=("app", "status"), become=True)
    argvs = [
        act.argv for step in (UNIT, SUPERVISED, OWN) for act in plan(step, OLD, a_moment()) if hasattr(act, "argv")
    ]
    assert argvs == [
        ("systemctl", "restart", "--", "nginx.service"),
        ("supervisorctl", "-c", "/etc/s.conf", "restart", "app"),
        ("app", "restart"),
    ]


@pytest.mark.parametrize(
    ("stdout", "facts"),
    [
        (
            "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=42\nInvocationID=abc\n",
            {"missing": False, "active": True, "state": "active (running)", "process": "abc"},
        ),
        (
            "LoadState=loaded\nActiveState=failed\nSubState=failed\nMainPID=0\nInvocationID=\n",
            {"missing": False, "active": False, "state": "failed (failed)", "process": ""},
        ),
        (
            "LoadState=loaded\nActiveState=activating\nSubState=start\nMainPID=42\n",
            {"missing": False, "active": False, "state": "activating (start)", "process": "42"},
        ),
        (
            "LoadState=not-found\nActiveState=inactive\nSubState=dead\nMainPID=0\n",
            {"missing": True, "active": False, "state": "inactive (dead)", "process": ""},
        ),
        ("", {"error": "exit code 0: no output"}),
    ],
)
def test_service_restart_reads_systemd(stdout: str, facts: Facts) -> None:
    assert UNIT.read(CommandResult(exit_code=0, stdout=stdout)) == facts


@pytest.mark.parametrize(
    ("code", "stdout", "facts"),
    [
        (
            0,
            "app   RUNNING   pid 4711, uptime 0:01:00",
            {"missing": False, "active": True, "state": "RUNNING", "process": "4711"},
        ),
        (3, "app   FATAL   Exited too quickly", {"missing": False, "active": False, "state": "FATAL", "process": ""}),
        (4, "app: ERROR (no such process)", {"missing": True, "active": False, "state": "ERROR", "process": ""}),
        (4, "unix:///x refused connection", {"missing": False, "active": False, "state": "refused", "process": ""}),
        (1, "", {"error": "exit code 1: no output"}),
        (0, "app RUNNING pid", {"missing": False, "active": True, "state": "RUNNING", "process": ""}),
    ],
)
def test_service_restart_reads_supervisor(code: int, stdout: str, facts: Facts) -> None:
    assert SUPERVISED.read(CommandResult(exit_code=code, stdout=stdout)) == facts


def test_service_restart_reads_a_status_command_of_the_authors() -> None:
    assert OWN.read(CommandResult(exit_code=0, stdout="pid 5\n")) == {
        "active": True,
        "process": "pid 5",
        "state": "active",
    }
    assert OWN.read(CommandResult(exit_code=1)) == {"active": False, "process": "", "state": "down"}


@pytest.mark.parametrize("seen", [OLD, DOWN])
def test_service_restart_restarts_what_runs_and_what_is_down(seen: Facts) -> None:
    assert plan(UNIT, seen, a_moment()) == (RESTART,)


def test_service_restart_fails_without_the_unit_and_does_not_try() -> None:
    assert failure(plan(UNIT, {"missing": True}, a_moment())) == "there is no nginx.service on the host"


def test_service_restart_watches_whether_it_stays_up_and_not_longer_than_needed() -> None:
    assert waits_until(plan(UNIT, NEW, a_moment(1, acted=1), OLD)) == 2
    assert waits_until(plan(UNIT, NEW, a_moment(5.5, acted=1), OLD)) == 6
    assert plan(UNIT, NEW, a_moment(6, acted=1), OLD) == ()


def test_service_restart_waits_for_it_to_come_up_and_then_fails_with_its_state() -> None:
    assert waits_until(plan(UNIT, DOWN, a_moment(30, acted=1), OLD)) == 31
    assert failure(plan(UNIT, DOWN, a_moment(31, acted=1), OLD)) == (
        "30s after the restart nginx.service is failed (failed)"
    )


@pytest.mark.parametrize("first", [OLD, DOWN])
def test_service_restart_does_not_restart_again_what_another_process_shows_was_restarted(first: Facts) -> None:
    assert waits_until(plan(UNIT, NEW, a_moment(4.5), first)) == 5
    assert plan(UNIT, NEW, a_moment(5), first) == ()


def test_service_restart_does_not_take_a_service_that_died_for_a_restarted_one() -> None:
    assert plan(UNIT, DOWN, a_moment(9), OLD) == (RESTART,)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "manager systemd needs unit:"),
        ({"manager": "supervisor"}, "manager supervisor needs unit:"),
        ({"manager": "commands"}, "needs status: and restart:"),
        ({"manager": "commands", "status": ["x"]}, "needs status: and restart:"),
        ({"unit": "x", "restart": ["y"]}, "belong to manager commands"),
        ({"manager": "openrc", "unit": "x"}, "systemd"),
        ({"unit": "x", "grace": 5}, "is not a duration"),
    ],
)
def test_service_restart_refuses_settings_that_do_not_fit_its_manager(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        a_step("service_restart", **settings)


def test_steps_cannot_be_changed_once_they_are_made() -> None:
    step = a_step("wait", **{"for": "1m"})
    with pytest.raises(ValidationError):
        step.duration = timedelta()  # type: ignore[attr-defined]
    assert waits_until(plan(step, {}, a_moment())) == MINUTE / SECOND
