"""Rules about argument lists: shells, what cannot be undone, what could be looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from posixpath import basename

from responder.firstaid.lint.fields import argument_lists
from responder.firstaid.lint.finding import Found
from responder.firstaid.lint.sheet import MAIN, Placed, Sheet

_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh", "busybox")
_INTERPRETERS = {"python": "-c", "python3": "-c", "perl": "-e", "ruby": "-e", "node": "-e", "awk": "", "su": "-c"}
_BEFORE = ("sudo", "env", "nice", "ionice", "timeout", "nohup", "setsid", "doas", "exec", "xargs")
_ENDS_THE_HOST = ("reboot", "shutdown", "halt", "poweroff", "kexec")
_DESTROYS = ("mkfs", "wipefs", "shred", "fdisk", "parted", "sgdisk", "blkdiscard", "dropdb")
_KILLS = ("-9", "-KILL", "-SIGKILL", "-1")
_TAKES_AWAY = ("drain", "disable", "cordon", "mask", "maint", "maintenance", "offline", "detach", "deregister", "evict")
_COULD_BE_LOOKED_AT = {
    "systemctl": "service_restart, or check: [systemctl, is-active, --quiet, UNIT]",
    "service": "service_restart",
    "supervisorctl": "service_restart with manager: supervisor",
    "docker": "service_restart with manager: docker",
    "podman": "service_restart with manager: podman",
    "mount": "check: [mountpoint, -q, PATH]",
    "rm": "disk_cleanup, or check: with test",
    "mkdir": "check: [test, -d, PATH]",
    "kill": "process",
    "pkill": "process",
    "killall": "process",
}


def shell_parameter(sheet: Sheet) -> Found:
    """What is filled into a shell's text is read by the shell."""
    for step in sheet.steps:
        for place, argv in argument_lists(step):
            at = _code_at(argv)
            if at is not None and _is_template(argv[at]):
                text = (
                    f"a template inside a text for {basename(argv[_first(argv)])}, which would read what is filled in; "
                    'hand it over as an argument of its own ("$1"), or use script'
                )
                yield (*place, at), text


def shell(sheet: Sheet) -> Found:
    """A shell's text cannot be tested, and hides its errors."""
    for step in sheet.steps:
        for place, argv in argument_lists(step):
            at = _code_at(argv)
            if at is not None and not _is_template(argv[at]) and not _has_become(step):
                yield (*place, at), "a text for a shell; several commands are several steps, or a reviewed script"


def become_shell(sheet: Sheet) -> Found:
    """A shell with other rights may do everything."""
    for step in sheet.steps:
        for place, argv in argument_lists(step):
            at = _code_at(argv)
            if at is not None and _has_become(step):
                yield (*place, at), "a text for a shell with become; let sudo allow one command, and run that"


def destructive_command(sheet: Sheet) -> Found:
    """What nothing can undo, and nothing bounds."""
    for step in sheet.steps:
        for place, argv in argument_lists(step):
            if why := _destroys(argv[_first(argv) :]):
                yield place, f"{' '.join(argv)[:80]!r} {why}"


def needless_once(sheet: Sheet) -> Found:
    """`once` for what a look could tell."""
    for step in sheet.steps:
        if not getattr(step.step, "once", None):
            continue
        for place, argv in argument_lists(step):
            command = basename(argv[_first(argv)])
            if command in _COULD_BE_LOOKED_AT:
                yield place, f"a look can tell whether this is needed: {_COULD_BE_LOOKED_AT[command]} instead of once:"


def once_without_reason(sheet: Sheet) -> Found:
    """After a crash somebody reads this reason."""
    for step in sheet.steps:
        reason = getattr(step.step, "once", None)
        if isinstance(reason, str) and len(reason.removeprefix("because").split()) < 2:
            yield (*step.at, "once"), f"once: {reason} is no reason; say why no look can tell whether it is needed"


def no_rollback(sheet: Sheet) -> Found:
    """What takes something out of service must be put back when a later step fails."""
    if sheet.of("on_failure", "always"):
        return
    main = sheet.of(MAIN)
    for step in main[:-1]:
        if step.acts and not step.has_rollback and (word := _takes_away(step)):
            yield step.place, f"the step {step.name!r} takes something away ({word}); give it a rollback:"


# --- words -----------------------------------------------------------------------------------------


def _first(argv: Sequence[str]) -> int:
    """The index of the command itself, behind sudo, env and their like."""
    index = 0
    while index < len(argv) - 1 and basename(argv[index]) in _BEFORE:
        index += 1
        while index < len(argv) - 1 and (argv[index].startswith("-") or "=" in argv[index] or argv[index].isdigit()):
            index += 1
    return index


def _code_at(argv: Sequence[str]) -> int | None:
    """The index of the text that a shell, or another interpreter, reads as its program."""
    if not argv:
        return None
    first = _first(argv)
    command = basename(argv[first])
    if command == "eval":
        return first + 1 if len(argv) > first + 1 else None
    if command in _SHELLS:
        return _after(argv, first, lambda word: word.startswith("-") and not word.startswith("--") and "c" in word)
    option = _INTERPRETERS.get(command)
    return _after(argv, first, lambda word: word == option) if option else None


def _after(argv: Sequence[str], first: int, is_it: Callable[[str], bool]) -> int | None:
    found = next((index for index in range(first + 1, len(argv) - 1) if is_it(argv[index])), None)
    return None if found is None else found + 1


def _destroys(argv: Sequence[str]) -> str:
    command, words = basename(argv[0]), argv[1:]
    return next((why for is_it, why in _DESTRUCTIVE if is_it(command, words)), "")


def _removes_all(command: str, words: Sequence[str]) -> bool:
    flags = "".join(word for word in words if word.startswith("-") and not word.startswith("--"))
    return command == "rm" and ("r" in flags.lower() or "--recursive" in words)


def _destroys_for_ever(command: str, words: Sequence[str]) -> bool:  # noqa: ARG001 these share a form
    return command.partition(".")[0] in _DESTROYS


def _ends_the_host(command: str, words: Sequence[str]) -> bool:
    return command in _ENDS_THE_HOST or (command == "systemctl" and bool(words) and words[0] in _ENDS_THE_HOST)


_DESTRUCTIVE: tuple[tuple[Callable[[str, Sequence[str]], bool], str], ...] = (
    (_removes_all, "deletes whatever is below, without a bound; disk_cleanup has bounds"),
    (
        lambda command, words: command == "find" and ("-delete" in words or "rm" in words),
        "deletes without a bound; disk_cleanup has bounds",
    ),
    (
        lambda command, words: command == "dd" and any(word.startswith("of=/dev/") for word in words),
        "writes over a device",
    ),
    (_destroys_for_ever, "destroys what nothing brings back"),
    (_ends_the_host, "ends the host, so that no later step can be told whether it helped"),
    (
        lambda command, words: command in ("kill", "pkill", "killall") and bool({*_KILLS} & {*words}),
        "kills by a selector without bounds; process has bounds",
    ),
)


def _takes_away(step: Placed) -> str:
    words = [word for _, argv in argument_lists(step) for word in argv[1:]]
    words += str(getattr(step.step, "url", "")).replace("?", "/").split("/")
    if any(argv[_first(argv) :][:2] == ["systemctl", "stop"] for _, argv in argument_lists(step)):
        return "stop"
    return next((word for word in words if word.lower().strip("-") in _TAKES_AWAY), "")


def _has_become(step: Placed) -> bool:
    return bool(getattr(step.step, "become", False))


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text
