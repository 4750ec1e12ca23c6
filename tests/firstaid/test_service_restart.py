"""`service_restart`: containers, a look at the configuration first, and reloads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from responder.domain.acts import Answer, Command, CommandResult, Facts, Unanswered
from responder.domain.runbook import RunOutcome
from responder.firstaid.step import Step
from tests.fakes import SECOND
from tests.firstaid.real_host import RealHost
from tests.firstaid.test_steps import a_moment, a_step, failure, plan, waits_until
from tests.servers.sshd import SSHD

CONTAINER = a_step("service_restart", manager="docker", unit="web", stop_timeout="5s")
CHECKED = a_step("service_restart", unit="nginx.service", config_check=["nginx", "-t"], stable_for="0s")
RELOAD = a_step("service_restart", unit="nginx.service", reload=True, stable_for="0s", grace="5s")
ACTIVE = "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=42\nInvocationID=abc\n"
GOOD, BAD = CommandResult(exit_code=0), CommandResult(exit_code=1, stderr="nginx: [emerg] unknown directive\n")

# What `docker inspect` of 20.10 and of 27 and `podman inspect` of 4.3 print.
RUNNING = (
    '{"Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":4242,'
    '"ExitCode":0,"Error":"","StartedAt":"2024-05-02T10:11:12.123456789Z","FinishedAt":"0001-01-01T00:00:00Z"}\n'
)
STARTING = RUNNING.replace('"}', '","Health":{"Status":"starting","FailingStreak":0,"Log":[]}}')
HEALTHY, UNHEALTHY = STARTING.replace("starting", "healthy"), STARTING.replace("starting", "unhealthy")
EXITED = RUNNING.replace('"running"', '"exited"').replace("true", "false").replace("4242", "0")
LOOPING = RUNNING.replace('"running"', '"restarting"')
PODMAN = (
    '{"OciVersion":"1.0.2-dev","Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,'
    '"Dead":false,"Pid":77,"ConmonPid":75,"ExitCode":0,"Error":"","StartedAt":"2024-05-02T10:11:12.1+02:00",'
    '"FinishedAt":"0001-01-01T00:00:00Z","Healthcheck":{"Status":"","FailingStreak":0,"Log":null}}\n'
)
OF_42 = "4242 2024-05-02T10:11:12.123456789Z"


# --- containers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("manager", ["docker", "podman"])
def test_a_container_is_asked_and_restarted_by_its_name(manager: str) -> None:
    step = a_step("service_restart", manager=manager, unit="web", stop_timeout="5s")
    assert step.look() == Command(
        argv=(manager, "inspect", "--type", "container", "--format", "{{json .State}}", "--", "web"), become=True
    )
    assert plan(step, {"active": True, "process": "1 x"}, a_moment()) == (
        Command(argv=(manager, "restart", "-t", "5", "--", "web"), timeout=90 * SECOND, become=True),
    )


@pytest.mark.parametrize(
    ("printed", "active", "state", "process"),
    [
        (RUNNING, True, "running", OF_42),
        (STARTING, False, "running (starting)", OF_42),
        (HEALTHY, True, "running (healthy)", OF_42),
        (UNHEALTHY, False, "running (unhealthy)", OF_42),
        (EXITED, False, "exited", ""),
        (LOOPING, False, "restarting", ""),
        (PODMAN, True, "running", "77 2024-05-02T10:11:12.1+02:00"),
    ],
)
def test_the_state_of_a_container_is_read(printed: str, active: bool, state: str, process: str) -> None:
    assert json.loads(printed)
    facts = CONTAINER.read(CommandResult(exit_code=0, stdout=printed))
    assert facts == {"missing": False, "active": active, "state": state, "process": process}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (CommandResult(exit_code=1, stdout="\n", stderr="Error: No such container: web\n"), "there is no web"),
        (CommandResult(exit_code=1, stdout="[]\n", stderr="Error: No such object: web\n"), "there is no web"),
        (CommandResult(exit_code=125, stderr='Error: no such container "web"\n'), "there is no web"),
        (
            CommandResult(exit_code=1, stderr="Cannot connect to the Docker daemon at unix:///var/run/docker.sock."),
            "its state cannot be seen: exit code 1: Cannot connect to the Docker daemon",
        ),
        (CommandResult(exit_code=127, stderr="sh: docker: not found"), "its state cannot be seen: exit code 127"),
        (CommandResult(exit_code=0, stdout="null"), "its state cannot be seen: exit code 0: null"),
        (CommandResult(exit_code=0, stdout="surprise"), "its state cannot be seen: exit code 0: surprise"),
    ],
)
def test_a_container_that_is_not_there_or_cannot_be_asked_about_is_not_restarted(
    answer: CommandResult, said: str
) -> None:
    assert failure(plan(CONTAINER, CONTAINER.read(answer), a_moment())).startswith(said)


def container(printed: str) -> Facts:
    return CONTAINER.read(CommandResult(exit_code=0, stdout=printed))


def test_a_container_must_become_healthy_in_its_time() -> None:
    first, step = container(UNHEALTHY), a_step("service_restart", manager="docker", unit="web", grace="30s")
    assert waits_until(plan(step, container(STARTING), a_moment(20, acted=1), first)) == 21
    assert plan(step, container(HEALTHY), a_moment(20, acted=1), first) == ()
    assert failure(plan(step, container(STARTING), a_moment(31, acted=1), first)) == (
        "30s after the restart web is running (starting)"
    )


def test_a_container_that_was_restarted_meanwhile_is_not_restarted_again() -> None:
    other = container(RUNNING.replace("10:11:12", "10:12:00"))
    assert waits_until(plan(CONTAINER, other, a_moment(1), container(RUNNING))) == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"manager": "docker"}, "needs unit"),
        ({"manager": "docker", "unit": "web", "reload": True}, "reload: belongs to manager systemd"),
        ({"unit": "web", "stop_timeout": "5s"}, "stop_timeout: belongs"),
        ({"unit": "-H"}, "not the name of one service"),
        ({"unit": "nginx*"}, "not the name of one service"),
        ({"manager": "supervisor", "unit": "all"}, "not the name of one service"),
        ({"manager": "supervisor", "unit": "group:*"}, "not the name of one service"),
    ],
)
def test_what_is_not_one_service_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        a_step("service_restart", **settings)


def test_who_needs_no_other_rights_takes_none() -> None:
    step = a_step("service_restart", manager="podman", unit="web", become=False)
    question, (act,) = step.look(), plan(step, {"active": True, "process": "1 x"}, a_moment())
    assert isinstance(question, Command)
    assert isinstance(act, Command)
    assert (question.become, act.become) == (False, False)


# --- the configuration first -----------------------------------------------------------------------


RUNS = CommandResult(exit_code=0, stdout=ACTIVE)


def looked(step: Step, config: Any, state: Any = RUNS) -> Facts:
    answer: Answer = {"state": state, "config": config}
    return step.read(answer)


def test_the_configuration_is_looked_at_with_the_state() -> None:
    questions = CHECKED.look()
    assert isinstance(questions, dict)
    assert questions["config"] == Command(argv=("nginx", "-t"), become=True)
    assert questions["state"] == a_step("service_restart", unit="nginx.service").look()


def test_with_a_good_configuration_it_is_restarted() -> None:
    (act,) = plan(CHECKED, looked(CHECKED, GOOD), a_moment())
    assert isinstance(act, Command)
    assert act.argv == ("systemctl", "restart", "--", "nginx.service")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (BAD, "exit code 1: nginx: [emerg] unknown directive"),
        (Unanswered(why="web-1 ran longer than its 30 s"), "web-1 ran longer than its 30 s"),
        (None, "there is no answer"),
    ],
)
def test_with_any_other_configuration_nothing_is_restarted(config: Any, said: str) -> None:
    why = failure(plan(CHECKED, looked(CHECKED, config), a_moment()))
    assert why == f"its configuration is not good, so nothing was restarted: {said}"


def test_after_the_restart_only_the_service_counts() -> None:
    assert plan(CHECKED, looked(CHECKED, BAD), a_moment(1, acted=1), looked(CHECKED, GOOD)) == ()


def test_a_state_that_cannot_be_asked_about_is_a_failure() -> None:
    seen = looked(CHECKED, GOOD, state=Unanswered(why="web-1 is away"))
    assert failure(plan(CHECKED, seen, a_moment())) == "its state cannot be seen: web-1 is away"


@pytest.mark.needs(SSHD)
async def test_on_a_real_host_a_bad_configuration_leaves_the_service_alone(real: RealHost) -> None:
    counter = real.directory / "restarts"
    counter.write_text("")
    settings = {
        "manager": "commands",
        "status": ["wc", "-c", str(counter)],
        "restart": ["/bin/sh", "-c", 'echo x >>"$1"', "sh", str(counter)],
        "stable_for": "0s",
    }
    ended = await real.run("service_restart", **settings, config_check=["/bin/sh", "-c", "echo bad line >&2; exit 1"])
    assert ended.outcome is RunOutcome.FAILED
    assert "nothing was restarted: exit code 1: bad line" in ended.sentence
    assert (counter.read_text(), real.disk.attempts) == ("", [])
    assert (await real.run("service_restart", **settings, config_check=["true"])).outcome is RunOutcome.HELPED
    assert counter.read_text() == "x\n"


# --- reload ----------------------------------------------------------------------------------------

NEVER = (
    "ExecReload={ path=/usr/sbin/nginx ; argv[]=/usr/sbin/nginx -s reload ; ignore_errors=no ; start_time=[n/a] ;"
    " stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n"
)
ONCE = (
    "ExecReload={ path=/usr/sbin/nginx ; argv[]=/usr/sbin/nginx -s reload ; ignore_errors=no ;"
    " start_time=[Thu 2024-05-02 10:11:12 UTC] ; stop_time=[Thu 2024-05-02 10:11:12 UTC] ; pid=901 ; code=exited ;"
    " status=0 }\n"
)


def reloading(printed: str) -> Facts:
    return RELOAD.read(CommandResult(exit_code=0, stdout=ACTIVE + printed))


def test_a_reload_is_asked_for_by_name() -> None:
    (act,) = plan(RELOAD, reloading(NEVER), a_moment())
    assert isinstance(act, Command)
    assert act.argv == ("systemctl", "reload-or-restart", "--", "nginx.service")


def test_the_time_of_the_last_reload_is_read_where_there_is_one() -> None:
    assert reloading(NEVER)["reloaded"] == ""
    assert reloading(ONCE)["reloaded"] == "Thu 2024-05-02 10:11:12 UTC 901"
    assert "reloaded" not in reloading("")


def test_a_reload_is_proved_by_its_time_or_by_another_process() -> None:
    moment = a_moment(2, acted=1)
    assert plan(RELOAD, reloading(ONCE), moment, reloading(NEVER)) == ()
    assert plan(RELOAD, reloading(ONCE.replace("901", "955")), moment, reloading(ONCE)) == ()
    assert plan(RELOAD, {**reloading(NEVER), "process": "other"}, moment, reloading(NEVER)) == ()
    assert "neither reloaded nor restarted" in failure(plan(RELOAD, reloading(ONCE), moment, reloading(ONCE)))


def test_where_systemd_keeps_no_time_of_a_reload_an_active_unit_has_to_do() -> None:
    assert plan(RELOAD, reloading(""), a_moment(2, acted=1), reloading("")) == ()
