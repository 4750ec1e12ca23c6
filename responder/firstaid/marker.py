"""A marker on the host tells, after a crash, whether a command that must run once has run.

The command is started through a fixed script that gets everything else as arguments. It makes the file
ATTEMPT.started, which must not be there yet, and afterwards ATTEMPT.exit with the exit code.

Whoever asks about an attempt that has not started takes its name: a worker that was cut off in the last instant, and
comes back, finds the name taken and cannot start it any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from responder.domain.acts import Command, CommandResult

_FOLDER = 'd="${RESPONDER_STATE:-$HOME/.local/state/responder}"; '
_RUN = (
    _FOLDER + 'umask 077; mkdir -p "$d" || exit 125; a="$d/$1"; shift; '
    '(set -C; : > "$a.started") 2>/dev/null || { echo "this attempt was started before" >&2; exit 125; }; '
    # The shell outlives a TERM that the command ignores: whoever ends both by force later watches the shell.
    'trap : HUP INT TERM; "$@"; c=$?; echo "$c" > "$a.exit"; exit "$c"'
)
_ASK = (
    _FOLDER + 'umask 077; mkdir -p "$d" || exit 4; a="$d/$1"; '
    '(set -C; : > "$a.started") 2>/dev/null && { echo void > "$a.exit"; exit 3; }; '
    'c=$(cat "$a.exit" 2>/dev/null) || exit 4; [ "$c" = void ] && exit 3; echo "$c"'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """What the marker says: was it started, and with which exit code did it end (None: no end is known)."""

    started: bool
    exit_code: int | None = None


def marked(command: Command, attempt: str) -> Command:
    """The command, leaving a marker under the attempt's name."""
    return replace(command, argv=("/bin/sh", "-c", _RUN, "responder", attempt, *command.argv))


def question(attempt: str, *, become: bool = False) -> Command:
    """Asks the host about an attempt, and keeps it from starting if it has not. With the same rights as the attempt:
    another user's marker lies in another folder."""
    return Command(argv=("/bin/sh", "-c", _ASK, "responder", attempt), timeout=timedelta(seconds=10), become=become)


def read(answer: CommandResult) -> Trace:
    """What the host answered to `question`."""
    if answer.exit_code == 3:
        return Trace(started=False)
    text = answer.stdout.strip()
    return Trace(started=True, exit_code=int(text) if answer.exit_code == 0 and text.isdigit() else None)
