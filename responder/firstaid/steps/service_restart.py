"""`service_restart`: restart a service and prove that another process runs now, and keeps running."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import field_validator, model_validator

from responder.domain.acts import Act, Answer, Command, CommandResult, Facts, Fail, Look, Moment, Suspend, Unanswered
from responder.domain.durations import spoken
from responder.firstaid.step import Argv, Duration, Step, Word

_SHOWN = "LoadState,ActiveState,SubState,MainPID,InvocationID"
_SHOWN_FOR_RELOAD = f"{_SHOWN},ExecReload"
_RELOADED = re.compile(r"start_time=\[(?P<at>[^]]*)\].*?pid=(?P<pid>\d+)")
_NO_SUCH_PROCESS = 4
# supervisorctl status: all run, some do not, no such process. Anything else says that supervisor did not answer.
_SUPERVISOR_ANSWERS = (0, 3, _NO_SUCH_PROCESS)


class ServiceManager(StrEnum):
    SYSTEMD = "systemd"
    SUPERVISOR = "supervisor"
    DOCKER = "docker"
    PODMAN = "podman"
    COMMANDS = "commands"


_CONTAINERS = (ServiceManager.DOCKER, ServiceManager.PODMAN)


class ServiceRestart(Step):
    """Restarts `unit`. What tells the old process from the new one is read before and after: systemd's
    invocation, supervisor's process id, a container's process and start, or what the `status` command prints.

    Where a container has a health check, it must become healthy within `grace`. `config_check` is looked at with the
    state: where it does not exit with 0, nothing is restarted. `reload` lets systemd reload the unit if it can.
    """

    kind: ClassVar[str] = "service_restart"

    manager: ServiceManager = ServiceManager.SYSTEMD
    unit: Word = "service"
    config: Word | None = None
    status: Argv | None = None
    restart: Argv | None = None
    config_check: Argv | None = None
    reload: bool = False
    stop_timeout: Duration = timedelta(seconds=10)
    become: bool = True
    timeout: Duration = timedelta(seconds=90)
    grace: Duration = timedelta(seconds=30)
    stable_for: Duration = timedelta(seconds=3)
    every: Duration = timedelta(seconds=1)

    @field_validator("unit")
    @classmethod
    def _is_one_service(cls, value: str) -> str:
        # systemctl takes patterns, supervisorctl takes group:* and all.
        if value.startswith("-") or any(sign in value for sign in "*?[") or value == "all":
            raise ValueError(f"{value!r} is not the name of one service")
        return value

    @model_validator(mode="after")
    def _has_what_its_manager_needs(self) -> ServiceRestart:
        own = bool(self.status) and bool(self.restart)
        if self.manager is ServiceManager.COMMANDS and not own:
            raise ValueError("manager commands needs status: and restart: as argument lists")
        if self.manager is not ServiceManager.COMMANDS and (self.status or self.restart):
            raise ValueError(f"status: and restart: belong to manager commands, not to {self.manager}")
        if self.manager is not ServiceManager.COMMANDS and "unit" not in self.model_fields_set:
            raise ValueError(f"manager {self.manager} needs unit:")
        if self.reload and self.manager is not ServiceManager.SYSTEMD:
            raise ValueError("reload: belongs to manager systemd")
        if "stop_timeout" in self.model_fields_set and self.manager not in _CONTAINERS:
            raise ValueError("stop_timeout: belongs to the managers docker and podman")
        return self

    def look(self) -> Look:
        # Everybody may ask systemd.
        become = self.become and self.manager is not ServiceManager.SYSTEMD
        state = Command(argv=self._status(), become=become)
        if not self.config_check:
            return state
        return {"state": state, "config": Command(argv=self.config_check, become=self.become)}

    def read(self, answer: Answer) -> Facts:
        if not isinstance(answer, Mapping):
            return self._read_state(answer)
        return {**self._read_state(answer.get("state")), **_read_config(answer.get("config"))}

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:
        if seen.get("error"):
            return (Fail(why=f"its state cannot be seen: {seen['error']}"),)
        if seen.get("missing"):
            return (Fail(why=f"there is no {self.unit} on the host"),)
        restarted_at = moment.acted_at
        if restarted_at is None and _is_another(first, seen):
            # Somebody restarted it since the first look: we did before a crash, or a person did.
            restarted_at = moment.started_at
        if restarted_at is None and self.config_check and not seen.get("config_is_good"):
            return (Fail(why=f"its configuration is not good, so nothing was restarted: {seen.get('config_said')}"),)
        if restarted_at is None:
            return (Command(argv=self._restart(), timeout=self.timeout, become=self.become),)
        if self.reload and seen.get("active") and seen.get("reloaded") is not None and not _is_another(first, seen):
            return (Fail(why=f"systemd took the command, but {self.unit} was neither reloaded nor restarted"),)
        return self._watch(seen, restarted_at, moment.now)

    def _watch(self, seen: Facts, since: datetime, now: datetime) -> tuple[Act, ...]:
        """After the restart: wait until it runs, then whether it stays up; fail when it does not come up."""
        if seen.get("active"):
            if now >= since + self.stable_for:
                return ()
            return (Suspend(until=min(now + self.every, since + self.stable_for), why="watching whether it stays up"),)
        if now < since + self.grace:
            return (Suspend(until=now + self.every, why="waiting for it to come up"),)
        state = seen.get("state") or "not running"
        return (Fail(why=f"{spoken(self.grace)} after the restart {self.unit} is {state}"),)

    def _status(self) -> tuple[str, ...]:
        if self.manager is ServiceManager.SYSTEMD:
            shown = _SHOWN_FOR_RELOAD if self.reload else _SHOWN
            return ("systemctl", "show", f"--property={shown}", "--", self.unit)
        if self.manager is ServiceManager.SUPERVISOR:
            return (*self._supervisorctl(), "status", self.unit)
        if self.manager in _CONTAINERS:
            return (
                self.manager.value,
                "inspect",
                "--type",
                "container",
                "--format",
                "{{json .State}}",
                "--",
                self.unit,
            )
        return self.status or ()

    def _restart(self) -> tuple[str, ...]:
        if self.manager is ServiceManager.SYSTEMD:
            return ("systemctl", "reload-or-restart" if self.reload else "restart", "--", self.unit)
        if self.manager is ServiceManager.SUPERVISOR:
            return (*self._supervisorctl(), "restart", self.unit)
        if self.manager in _CONTAINERS:
            seconds = str(round(self.stop_timeout.total_seconds()))
            return (self.manager.value, "restart", "-t", seconds, "--", self.unit)
        return self.restart or ()

    def _supervisorctl(self) -> tuple[str, ...]:
        return ("supervisorctl", "-c", self.config) if self.config else ("supervisorctl",)

    def _read_state(self, answer: object) -> Facts:
        if isinstance(answer, Unanswered):
            return {"error": answer.why}
        if not isinstance(answer, CommandResult):
            return {}
        if self.manager is ServiceManager.SYSTEMD:
            return _read_systemd(answer)
        if self.manager is ServiceManager.SUPERVISOR:
            return _read_supervisor(answer)
        if self.manager in _CONTAINERS:
            return _read_container(answer)
        active = answer.exit_code == 0
        return {"active": active, "process": answer.stdout.strip()[:200], "state": "active" if active else "down"}


def _is_another(first: Facts, seen: Facts) -> bool:
    """Whether there is another process than at first, or the same after a reload."""
    return any(bool(seen.get(name)) and seen.get(name) != first.get(name) for name in ("process", "reloaded"))


def _read_config(answer: object) -> Facts:
    if not isinstance(answer, CommandResult):
        said = answer.why if isinstance(answer, Unanswered) else "there is no answer"
        return {"config_is_good": False, "config_said": said}
    return {"config_is_good": answer.exit_code == 0, "config_said": _said(answer)}


def _said(answer: CommandResult) -> str:
    lines = (answer.stderr.strip() or answer.stdout.strip() or "no output").splitlines()
    return f"exit code {answer.exit_code}: {' | '.join(lines[-2:])[:300]}"


def _read_systemd(answer: CommandResult) -> Facts:
    if answer.exit_code or "LoadState=" not in answer.stdout:
        return {"error": _said(answer)}
    shown = dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
    pid = shown.get("MainPID", "")
    facts: dict[str, object] = {
        "missing": shown.get("LoadState") == "not-found",
        "active": shown.get("ActiveState") == "active",
        "state": f"{shown.get('ActiveState', 'unknown')} ({shown.get('SubState', 'unknown')})",
        "process": shown.get("InvocationID") or ("" if pid == "0" else pid),
    }
    if "ExecReload" in shown:
        found = _RELOADED.search(shown["ExecReload"])
        facts["reloaded"] = f"{found['at']} {found['pid']}" if found and found["at"] != "n/a" else ""
    return facts


def _read_supervisor(answer: CommandResult) -> Facts:
    if answer.exit_code not in _SUPERVISOR_ANSWERS:
        return {"error": _said(answer)}
    words = answer.stdout.split()
    state = words[1] if len(words) > 1 else "unknown"
    pid = words[words.index("pid") + 1].rstrip(",") if "pid" in words[:-1] else ""
    return {
        "missing": answer.exit_code == _NO_SUCH_PROCESS and "no such" in answer.stdout,
        "active": state == "RUNNING",
        "state": state,
        "process": pid,
    }


def _read_container(answer: CommandResult) -> Facts:
    if answer.exit_code and "no such" in answer.stderr.lower():
        return {"missing": True, "active": False, "state": "missing", "process": ""}
    try:
        shown: Any = json.loads(answer.stdout)
    except ValueError:
        shown = None
    if answer.exit_code or not isinstance(shown, dict):
        return {"error": _said(answer)}
    # Where podman is older, it calls this Healthcheck.
    health = (shown.get("Health") or shown.get("Healthcheck") or {}).get("Status", "")
    state = str(shown.get("Status", "unknown"))
    return {
        "missing": False,
        "active": state == "running" and health in ("", "none", "healthy"),
        "state": f"{state} ({health})" if health else state,
        "process": f"{shown.get('Pid')} {shown.get('StartedAt')}" if state == "running" else "",
    }
