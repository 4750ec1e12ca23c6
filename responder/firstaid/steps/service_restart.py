"""`service_restart`: restart a service and prove that another process runs now, and keeps running."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import model_validator

from responder.domain.durations import spoken
from responder.domain.runbook import Act, Answer, Command, CommandResult, Facts, Fail, Look, Moment, Suspend
from responder.firstaid.step import Argv, Duration, Step, Word

_SHOWN = "LoadState,ActiveState,SubState,MainPID,InvocationID"
_NO_SUCH_PROCESS = 4
# supervisorctl status: all run, some do not, no such process. Anything else says that supervisor did not answer.
_SUPERVISOR_ANSWERS = (0, 3, _NO_SUCH_PROCESS)


class ServiceManager(StrEnum):
    SYSTEMD = "systemd"
    SUPERVISOR = "supervisor"
    COMMANDS = "commands"


class ServiceRestart(Step):
    """Restarts `unit`. What tells the old process from the new one is read before and after: systemd's
    invocation, supervisor's process id, or what the `status` command prints."""

    kind: ClassVar[str] = "service_restart"

    manager: ServiceManager = ServiceManager.SYSTEMD
    unit: Word = "service"
    config: Word | None = None
    status: Argv | None = None
    restart: Argv | None = None
    timeout: Duration = timedelta(seconds=90)
    grace: Duration = timedelta(seconds=30)
    stable_for: Duration = timedelta(seconds=3)
    every: Duration = timedelta(seconds=1)

    @model_validator(mode="after")
    def _has_what_its_manager_needs(self) -> ServiceRestart:
        own = bool(self.status) and bool(self.restart)
        if self.manager is ServiceManager.COMMANDS and not own:
            raise ValueError("manager commands needs status: and restart: as argument lists")
        if self.manager is not ServiceManager.COMMANDS and (self.status or self.restart):
            raise ValueError(f"status: and restart: belong to manager commands, not to {self.manager}")
        if self.manager is not ServiceManager.COMMANDS and "unit" not in self.model_fields_set:
            raise ValueError(f"manager {self.manager} needs unit:")
        return self

    def look(self) -> Look:
        argv: tuple[str, ...]
        if self.manager is ServiceManager.SYSTEMD:
            argv = ("systemctl", "show", f"--property={_SHOWN}", "--", self.unit)
        elif self.manager is ServiceManager.SUPERVISOR:
            argv = (*self._supervisorctl(), "status", self.unit)
        else:
            argv = self.status or ()
        return Command(argv=argv, become=self.manager is not ServiceManager.SYSTEMD)

    def read(self, answer: Answer) -> Facts:
        if not isinstance(answer, CommandResult):
            return {}
        if self.manager is ServiceManager.SYSTEMD:
            return _read_systemd(answer)
        if self.manager is ServiceManager.SUPERVISOR:
            return _read_supervisor(answer)
        active = answer.exit_code == 0
        return {"active": active, "process": answer.stdout.strip()[:200], "state": "active" if active else "down"}

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:
        if seen.get("error"):
            return (Fail(why=f"its state cannot be seen: {seen['error']}"),)
        if seen.get("missing"):
            return (Fail(why=f"there is no {self.unit} on the host"),)
        restarted_at = moment.acted_at
        if restarted_at is None and _is_another(first, seen):
            # Somebody restarted it since the first look: we did before a crash, or a person did.
            restarted_at = moment.started_at
        if restarted_at is None:
            return (Command(argv=self._restart(), timeout=self.timeout, become=True),)
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

    def _restart(self) -> tuple[str, ...]:
        if self.manager is ServiceManager.SYSTEMD:
            return ("systemctl", "restart", "--", self.unit)
        if self.manager is ServiceManager.SUPERVISOR:
            return (*self._supervisorctl(), "restart", self.unit)
        return self.restart or ()

    def _supervisorctl(self) -> tuple[str, ...]:
        return ("supervisorctl", "-c", self.config) if self.config else ("supervisorctl",)


def _is_another(first: Facts, seen: Facts) -> bool:
    return bool(seen.get("process")) and seen.get("process") != first.get("process")


def _said(answer: CommandResult) -> str:
    lines = (answer.stderr.strip() or answer.stdout.strip() or "no output").splitlines()
    return f"exit code {answer.exit_code}: {' | '.join(lines[-2:])[:300]}"


def _read_systemd(answer: CommandResult) -> Facts:
    if answer.exit_code or "LoadState=" not in answer.stdout:
        return {"error": _said(answer)}
    shown = dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
    pid = shown.get("MainPID", "")
    return {
        "missing": shown.get("LoadState") == "not-found",
        "active": shown.get("ActiveState") == "active",
        "state": f"{shown.get('ActiveState', 'unknown')} ({shown.get('SubState', 'unknown')})",
        "process": shown.get("InvocationID") or ("" if pid == "0" else pid),
    }


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
