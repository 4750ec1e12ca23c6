"""`process`: signal or end a runaway that a narrow selector finds, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from math import ceil
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator, model_validator

from responder.domain.acts import Act, Answer, Command, CommandResult, Facts, Fail, Look, Moment
from responder.domain.durations import spoken
from responder.firstaid.amounts import Percent, Size, spoken_size
from responder.firstaid.step import Duration, Step

_COMM_LENGTH = 15
_SPARED = ("sshd", "dropbear")
_SHOWN = 20
# Every look and signal begins with this, so that one of ours is never taken for a runaway.
_OURS = "responder-process-step"
_FIELDS = 8

# The kernel's own words, read without a fork per process: fields of /proc/PID/stat behind the last ")".
_STAT = 'stat_of() { IFS= read -r s 2>/dev/null <"/proc/$1/stat" && s=${s##*) }; }\n'
_LOOK = (
    f": {_OURS}\nset -f; export LC_ALL=C\n"
    + _STAT
    + r"""
name=$1 text=$2 user=$3 min_age=$4 min_kb=$5 min_cpu=$6
hz=$(getconf CLK_TCK 2>/dev/null) || hz=100
uid=; [ -z "$user" ] || { uid=$(id -u -- "$user") && [ -n "$uid" ]; } || exit 3
clock() { IFS=' ' read -r up rest </proc/uptime; cs=${up%.*}${up#*.}; up=${up%.*}; }
ticks() { set -- $s; t=$((${12} + ${13})); }
# Ourselves and all above us: the shell, sudo, sshd.
mine=" $$ " p=$$
while [ "$p" -gt 1 ] && stat_of "$p"; do set -- $s; p=$2; mine="$mine$p "; done
set +f; set -- /proc/[0-9]*; set -f
found=
for d in "$@"; do
  p=${d#/proc/}
  case $mine in *" $p "*) continue ;; esac
  [ "$p" -gt 1 ] || continue
  IFS= read -r c 2>/dev/null <"$d/comm" || continue
  [ -z "$name" ] || [ "$c" = "$name" ] || continue
  case $c in sshd*|dropbear*) continue ;; esac
  u= r=0
  while read -r key v w; do
    case $key in Uid:) u=${w%%[!0-9]*} ;; VmRSS:) r=$v ;; esac
  done 2>/dev/null <"$d/status" || continue
  [ -z "$uid" ] || [ "$u" = "$uid" ] || continue
  a=$(tr '\000-\037\177' ' ' 2>/dev/null <"$d/cmdline")
  case $a in *"$text"*) ;; *) continue ;; esac
  case $a in *responder-process-step*) continue ;; esac
  stat_of "$p" || continue
  set -- $s
  # Zombies and the dead have ended; PF_KTHREAD marks the kernel's own.
  case $1 in Z|X) continue ;; esac
  [ $(($7 & 0x200000)) -eq 0 ] || continue
  clock
  echo "alive $p:${20}"
  [ $((up - ${20} / hz)) -ge "$min_age" ] && [ "$r" -ge "$min_kb" ] || continue
  found="$found $p:${20}:$((${12} + ${13})):$cs:$r:$u"
done
[ -z "$found" ] || [ "$min_cpu" -eq 0 ] || sleep 1
for one in $found; do
  IFS=:; set -- $one; unset IFS
  p=$1 start=$2 t0=$3 cs0=$4 r=$5 u=$6
  stat_of "$p" || continue
  set -- $s
  [ "${20}" = "$start" ] || continue
  clock; ticks; age=$((up - start / hz)) span=$((cs - cs0)) used=$((t - t0))
  # Without a second look a second later: the average of its whole life.
  [ "$min_cpu" -gt 0 ] && [ "$span" -gt 0 ] || { used=$t span=$((cs - start * 100 / hz)); }
  cpu=$((used * 10000 / (hz * (span > 0 ? span : 1))))
  [ "$cpu" -ge "$min_cpu" ] || continue
  IFS= read -r c 2>/dev/null <"/proc/$p/comm" || continue
  a=$(tr '\000-\037\177' ' ' 2>/dev/null <"/proc/$p/cmdline")
  who=$(id -un -- "$u" 2>/dev/null) || who=$u
  printf 'match\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.300s\n' "$p" "$start" "$age" "$r" "$cpu" "$who" "$c" "$a"
done
"""
)
_SIGNAL = (
    f": {_OURS}\nset -f\n"
    + _STAT
    + r"""
signal=$1 patience=$2 then_kill=$3 grace=$4; shift 4
# The same process: also when its number was given to another one meanwhile, the start time tells.
same() { stat_of "${1%:*}" && is_it "${1#*:}" $s; }
is_it() { [ "${21}" = "$1" ] && case $2 in Z|X) false ;; esac; }
now() { IFS=' .' read -r now rest </proc/uptime; }
left() { left=; for one in $all; do ! same "$one" || left="$left $one"; done; [ -n "$left" ]; }
send() {
  for one in $all; do
    same "$one" || { echo "${one%:*} has ended"; continue; }
    kill -s "$1" "${one%:*}" && echo "$1 sent to ${one%:*}" || failed=1
  done
}
wait_for_end() {
  now; until=$((now + $1))
  while left; do
    now; [ "$now" -lt "$until" ] || return 1
    sleep 0.2 2>/dev/null || sleep 1
  done
}
all=$* failed=0
send "$signal"
[ "$failed" -eq 0 ] || exit 1
[ "$patience" -ge 0 ] || exit 0
wait_for_end "$patience" && { echo "all have ended"; exit 0; }
[ "$then_kill" = yes ] || { echo "still there:$left" >&2; exit 1; }
all=$left; send KILL
wait_for_end "$grace" && { echo "all have ended"; exit 0; }
echo "still there after KILL:$left" >&2; exit 1
"""
)


class Signal(StrEnum):
    TERM = "TERM"
    INT = "INT"
    HUP = "HUP"
    KILL = "KILL"
    QUIT = "QUIT"
    USR1 = "USR1"
    USR2 = "USR2"


_ONLY_TOLD = (Signal.HUP, Signal.USR1, Signal.USR2)
_KERNEL_GRACE = timedelta(seconds=5)


class Process(Step):
    """Signals the processes that fit every bound, if they are not more than `most`.

    TERM, INT, QUIT and KILL must end them within `grace`, or `then_kill_after` ends them by force; HUP, USR1 and
    USR2 are only sent. A process is known by its number and its start time together. Never touched: the first
    process, the kernel's own, sshd, and what the step itself runs in.
    """

    kind: ClassVar[str] = "process"

    name: str = ""
    args_contain: Annotated[str, Field(max_length=1000)] = ""
    user: str = ""
    older_than: Duration | None = None
    min_memory: Size | None = None
    min_cpu: Percent | None = None
    most: Annotated[int, Field(ge=1, le=20)] = 1
    signal: Signal = Signal.TERM
    then_kill_after: Duration | None = None
    grace: Duration = timedelta(seconds=10)
    become: bool = False

    @field_validator("signal", mode="before")
    @classmethod
    def _without_its_prefix(cls, value: Any) -> Any:
        return value.removeprefix("SIG") if isinstance(value, str) else value

    @field_validator("name", "args_contain", "user")
    @classmethod
    def _is_one_line(cls, value: str) -> str:
        if any(not character.isprintable() for character in value):
            raise ValueError("it must be one line of printable text")
        return value

    @field_validator("name")
    @classmethod
    def _is_a_name_that_can_be(cls, value: str) -> str:
        if value.startswith(_SPARED):
            raise ValueError(f"{value} is never signalled: it is the way into the host")
        if len(value) > _COMM_LENGTH and "{{" not in value:
            raise ValueError(f"the kernel keeps {_COMM_LENGTH} characters of a name: write {value[:_COMM_LENGTH]!r}")
        return value

    @field_validator("user")
    @classmethod
    def _is_no_option(cls, value: str) -> str:
        if value.startswith("-"):
            raise ValueError(f"{value!r} is no user")
        return value

    @model_validator(mode="after")
    def _is_narrow(self) -> Process:
        if not self.name and not self.args_contain.strip():
            raise ValueError("give name: (the exact command name) or args_contain:")
        measures = (self.older_than, self.min_memory, self.min_cpu)
        if not any(measures) and not self.user and not (self.name and self.args_contain):
            raise ValueError("give one more bound: user:, older_than:, min_memory:, min_cpu:, or both names")
        if self.then_kill_after is not None and self.signal in (*_ONLY_TOLD, Signal.KILL):
            raise ValueError(f"then_kill_after: does not go with {self.signal}")
        if max(self.grace, self.then_kill_after or timedelta()) > timedelta(minutes=5):
            raise ValueError("grace: and then_kill_after: are at most 5m")
        return self

    def look(self) -> Look:
        bounds = (
            _whole(self.older_than.total_seconds() if self.older_than else 0),
            _whole((self.min_memory or 0) / 1024),
            _whole(self.min_cpu or 0),
        )
        argv = ("/bin/sh", "-c", _LOOK, "responder", self.name, self.args_contain, self.user, *bounds)
        return Command(argv=argv, become=self.become)

    def read(self, answer: Answer) -> Facts:
        if not isinstance(answer, CommandResult):
            return {}
        if answer.exit_code or answer.truncated:
            said = "too many processes match" if answer.truncated else answer.stderr.strip()[-300:]
            return {"error": said or f"exit code {answer.exit_code}"}
        lines = answer.stdout.splitlines()
        matching = [_match(line) for line in lines if line.startswith("match\t") and line.count("\t") >= _FIELDS]
        alive = [line.removeprefix("alive ") for line in lines if line.startswith("alive ")]
        return {"matches": len(matching), "matching": matching[:_SHOWN], "alive": alive}

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:
        if seen.get("error"):
            return (Fail(why=f"the processes cannot be seen: {seen['error']}"),)
        found = _list(first.get("matching"))
        if len(found) > self.most or first.get("matches", 0) != len(found):
            return (Fail(why=f"{first.get('matches')} processes match, at most {self.most} may be: {_told(found)}"),)
        alive = set(_list(seen.get("alive")))
        left = [one for one in found if _identity(one) in alive]
        if moment.has("signal"):
            return self._proof(left)
        return (self._act(left),) if left else ()

    def _proof(self, left: list[Any]) -> tuple[Act, ...]:
        if not left or not self._must_end:
            return ()
        return (Fail(why=f"still there after {self.signal}: {_told(left)}"),)

    @property
    def _must_end(self) -> bool:
        return self.signal not in _ONLY_TOLD

    def _act(self, chosen: list[Any]) -> Command:
        patience = self.grace if self.then_kill_after is None else self.then_kill_after
        words = (
            self.signal.value,
            _whole(patience.total_seconds()) if self._must_end else "-1",
            "no" if self.then_kill_after is None else "yes",
            _whole(self.grace.total_seconds()),
        )
        return Command(
            argv=("/bin/sh", "-c", _SIGNAL, "responder", *words, *(_identity(one) for one in chosen)),
            timeout=patience + self.grace + _KERNEL_GRACE,
            become=self.become,
            # Ending the same process twice is ending it once; a HUP sent twice is not.
            repeatable=self._must_end,
            once=not self._must_end,
            label="signal",
        )


def _whole(number: float) -> str:
    return str(ceil(number))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _identity(one: dict[str, Any]) -> str:
    return f"{one['pid']}:{one['start']}"


def _match(line: str) -> dict[str, object]:
    _, pid, start, age, memory, cpu, user, name, args = line.split("\t", _FIELDS)
    return {
        "pid": int(pid),
        "start": start,
        "age": spoken(timedelta(seconds=int(age))),
        "memory": spoken_size(int(memory) * 1024),
        "cpu": f"{cpu}%",
        "user": user,
        "name": name,
        "args": args.strip(),
    }


def _told(found: list[Any]) -> str:
    shown = [f"{one['pid']} {one['name']} ({one['age']}, {one['memory']}, {one['cpu']} cpu)" for one in found[:5]]
    return ", ".join(shown) + (", …" if len(found) > len(shown) else "")
