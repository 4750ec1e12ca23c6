"""`script`: a reviewed file is copied over, run, and removed again."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from responder.domain.acts import Act, Answer, Command, CommandResult, Facts, Fail, Look, Moment, Suspend
from responder.firstaid.step import Argv, Duration, Step, Word

_LARGEST = 256 * 1024

# Arguments: SHA-256, size, number of the interpreter's words, these words, the script's arguments.
# The script runs beside the shell, so that a signal removes the file at once, even when the script ignores it; the
# shell still waits for the script, because whoever ends it for being too slow watches the shell.
_RUN = r"""
sum=$1 size=$2 words=$3; shift 3
umask 077
home=${RESPONDER_STATE:-$HOME/.local/state/responder}
d=$(mkdir -p "$home" 2>/dev/null && mktemp -d "$home/script.XXXXXXXXXX" 2>/dev/null) || d=$(mktemp -d) || exit 125
child=
trap 'rm -rf -- "$d"' EXIT
trap 'rm -rf -- "$d"; [ -z "$child" ] || kill "$child" 2>/dev/null' HUP INT TERM
f=$d/script
cat >"$f" || exit 125
if command -v sha256sum >/dev/null 2>&1; then
  found=$(sha256sum <"$f") wanted=$sum; found=${found%% *}
else
  found=$(($(wc -c <"$f"))) wanted=$size
fi
[ "$found" = "$wanted" ] || { echo "the script arrived damaged, so it was not run" >&2; exit 125; }
chmod 700 "$f" || exit 125
i=0 n=$#
while [ "$i" -lt "$n" ]; do
  [ "$i" -ne "$words" ] || set -- "$@" "$f"
  set -- "$@" "$1"; shift; i=$((i + 1))
done
[ "$n" -gt "$words" ] || set -- "$@" "$f"
"$@" </dev/null &
child=$!
wait "$child"; code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
exit "$code"
"""


class Script(Step):
    """Runs `file` on the host with `arguments`, unless `check` exits with 0; or `once`, when nothing can tell.

    The file lies beside the runbook or below. Its content goes into the run's snapshot as it is: templates are filled
    into the arguments only.
    """

    kind: ClassVar[str] = "script"

    file: Word
    arguments: Annotated[
        tuple[Annotated[str, Field(max_length=4096)], ...],
        BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    ] = ()
    interpreter: Argv = ()
    check: Argv | None = None
    once: Word | None = None
    timeout: Duration = timedelta(seconds=60)
    grace: Duration = timedelta()
    every: Duration = timedelta(seconds=2)
    become: bool = False
    content: SkipJsonSchema[str] = ""
    sha256: SkipJsonSchema[str] = ""

    @classmethod
    def prepared(cls, settings: Mapping[str, object], folder: Path) -> Mapping[str, object]:
        """The settings with the file's content in them. Raises ValueError with a sentence."""
        if not isinstance(settings, Mapping):
            return settings
        if "content" in settings or "sha256" in settings:
            raise ValueError("content: and sha256: are filled in from file:")
        data = _read(folder, settings.get("file"))
        text = _checked(data, has_interpreter=bool(settings.get("interpreter")))
        # In base64 there is nothing that a template could be taken for.
        content = base64.b64encode(text.encode()).decode()
        return {**settings, "content": content, "sha256": hashlib.sha256(data).hexdigest()}

    @model_validator(mode="after")
    def _looks_or_says_why_not(self) -> Script:
        if bool(self.check) == bool(self.once):
            raise ValueError("give either check: (a command that exits with 0 when all is well) or once: because …")
        return self

    def look(self) -> Look:
        return Command(argv=self.check, timeout=self.timeout, become=self.become) if self.check else None

    def read(self, answer: Answer) -> Facts:
        if not isinstance(answer, CommandResult):
            return {}
        return {"as_wanted": answer.exit_code == 0, "check_exit_code": answer.exit_code}

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        if seen.get("as_wanted"):
            return ()
        if moment.acted_at is None:
            return (self._act() if self.content else Fail(why=f"the content of {self.file} was not read"),)
        if self.once:
            return ()
        if moment.now < moment.acted_at + self.grace:
            return (Suspend(until=moment.now + self.every, why="waiting for the check to pass"),)
        return (Fail(why=f"the check still exits with {seen.get('check_exit_code')}"),)

    def _act(self) -> Command:
        data = base64.b64decode(self.content)
        words = (self.sha256, str(len(data)), str(len(self.interpreter)), *self.interpreter, *self.arguments)
        return Command(
            argv=("/bin/sh", "-c", _RUN, self.file, *words),
            stdin=data.decode(),
            timeout=self.timeout,
            become=self.become,
            once=bool(self.once),
            label=f"{self.file} {self.sha256[:12]}",
        )


def _read(folder: Path, name: object) -> bytes:
    if not isinstance(name, str) or not name:
        raise ValueError("script needs file:")
    if "{{" in name or "{%" in name:
        raise ValueError("file: must be written out: which file is run is no matter of parameters")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{name} is not beside or below the runbook")
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from error


def _checked(data: bytes, *, has_interpreter: bool) -> str:
    if not data or len(data) > _LARGEST:
        raise ValueError(f"a script has 1 to {_LARGEST} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"the script is not UTF-8 text: {error.reason}") from error
    first = text.split("\n", 1)[0]
    if not has_interpreter and not first.startswith("#!"):
        raise ValueError("the script must begin with #!, or give interpreter:")
    if first.endswith("\r"):
        raise ValueError("the script has the line ends of Windows, which its interpreter will not understand")
    return text
