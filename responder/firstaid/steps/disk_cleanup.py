"""`disk_cleanup`: delete, or empty, old files below folders that may be cleaned, oldest first and within bounds."""

from __future__ import annotations

import posixpath
from datetime import timedelta
from math import ceil
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, field_validator, model_validator

from responder.domain.acts import Act, Answer, Command, CommandResult, Facts, Fail, Look, Moment
from responder.firstaid.amounts import Percent, Size, spoken_size
from responder.firstaid.step import Duration, Step, Word

ROOTS = ("/var/log", "/var/tmp", "/tmp", "/var/cache", "/var/crash", "/var/lib/systemd/coredump")  # noqa: S108
_WRITTEN_BY_ALL = ("/tmp", "/var/tmp")  # noqa: S108
_MINUTE = timedelta(minutes=1)
_FIELDS = 3

# Reads lines: O device inode (a file held open), F path device used free inodes-used inodes-free, and
# C mtime blocks blocksize device inode path (a file that fits), oldest first. The oldest that fit the bounds are
# chosen. A look prints what was found; the act gets find's words for the chosen, by device.
_CHOOSE = r"""
$1 == "O" { open[$2 " " $3] = 1; next }
$1 == "F" {
  device = $2; used = $3; free = $4
  if (!(device in need)) need[device] = until ? (until / 100 * (used + free) - free) * 1024 : 0
  if (mode == "look") { sub(/^F /, "fs "); print }
  next
}
$1 == "C" && $5 ~ /^[0-9]+$/ && $6 ~ /^[0-9]+$/ {
  key = $5 " " $6; if (key in known) next
  known[key] = 1; size = $3 * $4; found++
  if (key in open) { held++; next }
  if (until && !(need[$5] > 0)) next
  if (chosen >= most || chosenbytes + size > mostbytes) { over++; next }
  chosen++; chosenbytes += size; need[$5] -= size
  if (mode != "look") {
    if (inbatch[$5]++ >= 500) { print "B " $5 batch[$5]; batch[$5] = ""; inbatch[$5] = 1 }
    batch[$5] = batch[$5] (batch[$5] == "" ? " -inum " : " -o -inum ") $6
  } else if (chosen <= 20) {
    sub(/^C [-0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ /, ""); printf "file %.0f %s\n", size, $0
  }
}
END {
  if (mode == "look") {
    printf "found %d\nchosen %d %.0f\nheld %d\nover %d\n", found, chosen, chosenbytes, held, over
  } else for (device in batch) if (batch[device] != "") print "B " device batch[device]
}
"""

# Arguments: mode, most files, most bytes, percent that shall be free (0: any), whether files held open are left,
# this awk program, number of folders, these folders, find's expression.
# Nothing is written to the disk, which may be full. find itself deletes, in the folders that it walks: one that is
# swapped for a symbolic link meanwhile leads it nowhere.
_CLEAN = r"""
export LC_ALL=C
mode=$1 most=$2 bytes=$3 until=$4 spare=$5 choose=$6 n=$7; shift 7
paths=
while [ "$n" -gt 0 ]; do
  p=$1; shift; n=$((n - 1))
  [ -d "$p" ] || { [ "$mode" != look ] || echo "missing $p"; continue; }
  real=$(cd -P -- "$p" && pwd -P) || exit 3
  [ "$real" = "$p" ] || { echo "$p is really $real: a symbolic link leads there" >&2; exit 4; }
  paths="$paths$p
"
done
each() { printf %s "$paths"; }
opened() {
  [ "$spare" = no ] || find -L /proc/[0-9]*/fd -maxdepth 1 -type f -exec stat -L -c 'O %d %i' {} + 2>/dev/null
}
df_of() {
  df -P $1 -- "$2" 2>/dev/null | awk 'match($0, /[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+%/) {
    split(substr($0, RSTART), part, " "); print part[2], part[3]; exit }'
}
systems() {
  each | while IFS= read -r p; do
    space=$(df_of -k "$p") inodes=$(df_of -i "$p")
    echo "F $(stat -c %d -- "$p") ${space:-0 0} ${inodes:-0 0} $p"
  done
}
fitting() {
  each | while IFS= read -r p; do
    find "$p" "$@" -exec stat -c 'C %Y %b %B %d %i %n' {} +
  done | sort -n -k 2,2
}
chosen() {
  { opened; systems; fitting "$@"; } |
    awk -v mode="$mode" -v most="$most" -v mostbytes="$bytes" -v until="$until" "$choose"
}
[ "$mode" != look ] || { chosen "$@"; exit; }
batches=$(chosen "$@")
# From inside the folder, which cannot be swapped any more.
clear() {
  cd -P -- "$p" && [ "$(pwd -P)" = "$p" ] || exit 4
  if [ "$mode" = truncate ]; then
    find . "$@" '(' $inodes ')' -execdir dd if=/dev/null of={} oflag=nofollow status=none ';' -print
  else
    find . "$@" '(' $inodes ')' -delete -print
  fi
}
printf '%s\n' "$batches" | while read -r b device inodes; do
  [ "$b" = B ] || continue
  each | while IFS= read -r p; do
    [ "$(stat -c %d -- "$p")" = "$device" ] || continue
    set -f
    (clear "$@") | folder=$p awk '{ sub(/^\.\//, ""); print ENVIRON["folder"] "/" $0 }'
  done
done | awk -v wanted="$(printf '%s\n' "$batches" | grep -o -e -inum | wc -l)" -v mode="$mode" '
  { n++; if (n <= 500) print }
  END {
    if (n > 500) print "and " n - 500 " more"
    print (mode == "truncate" ? "emptied " : "deleted ") n + 0 " of " wanted + 0 " files"
    exit n == 0 && wanted > 0
  }'
"""


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class DiskCleanup(Step):
    """Deletes the files below `paths` whose names fit one of `patterns` and that nobody has written to for
    `older_than`; with `truncate` it empties them instead, for logs that a process holds open.

    Oldest first, until `most_files` or `most_bytes` is reached, or until so much is free as `until_free` says.
    Symbolic links are not followed, other file systems not entered, names with control characters left alone.
    """

    kind: ClassVar[str] = "disk_cleanup"

    paths: Annotated[tuple[Word, ...], BeforeValidator(_listed), Field(min_length=1, max_length=20)]
    patterns: Annotated[tuple[Word, ...], BeforeValidator(_listed), Field(min_length=1, max_length=50)]
    older_than: Duration
    larger_than: Size | None = None
    most_files: Annotated[int, Field(ge=1, le=10_000)] = 1000
    most_bytes: Size = 10 * 1024**3
    depth: Annotated[int, Field(ge=1, le=32)] = 8
    until_free: Percent | None = None
    skip_open: bool = True
    truncate: bool = False
    allow_root: Word | None = None
    become: bool = False
    timeout: Duration = timedelta(minutes=2)

    @field_validator("allow_root")
    @classmethod
    def _is_written_out(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if "{{" in value or "{%" in value:
            raise ValueError("allow_root: must be written out: which folder may be cleaned is no matter of parameters")
        if not _is_plain(value) or value.count("/") < 2:
            raise ValueError(f"{value!r} is no folder that may be allowed; write it like /opt/app/logs")
        return value

    @field_validator("patterns")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if "/" in pattern or not pattern.isprintable():
                raise ValueError(f"{pattern!r} is no pattern for a file's name; write it like *.log.gz")
        return value

    @model_validator(mode="after")
    def _stays_where_it_may(self) -> DiskCleanup:
        roots = (*ROOTS, self.allow_root) if self.allow_root else ROOTS
        for path in self.paths:
            # What begins with a parameter can only be judged, and is, when that is filled in.
            if not path.startswith("{{") and not (_is_plain(path) and _is_below(path, roots)):
                raise ValueError(f"{path!r} is not in a folder that may be cleaned: {', '.join(roots)}")
        return self

    @model_validator(mode="after")
    def _is_bounded(self) -> DiskCleanup:
        if any(not pattern.strip("*?") for pattern in self.patterns) and self.older_than < _MINUTE:
            raise ValueError("a pattern that fits every name needs older_than: of 1m or more")
        if self.older_than < _MINUTE and not self.truncate:
            raise ValueError("older_than: is at least 1m, except with truncate:")
        if self.truncate and any(_is_below(path, _WRITTEN_BY_ALL) for path in self.paths):
            raise ValueError("truncate: is not for folders that everybody may write to")
        if self.until_free is not None and not 0 < self.until_free < 100:
            raise ValueError("until_free: is a share between 0% and 100%")
        return self

    def look(self) -> Look:
        return Command(argv=self._argv("look"), timeout=self.timeout, become=self.become)

    def read(self, answer: Answer) -> Facts:
        if not isinstance(answer, CommandResult):
            return {}
        lines = [line.partition(" ")[::2] for line in answer.stdout.splitlines()]
        counts = {word: [int(number) for number in rest.split()] for word, rest in lines if word in _COUNTS}
        if answer.truncated or "chosen" not in counts or answer.exit_code:
            return {"error": answer.stderr.strip()[-300:] or f"exit code {answer.exit_code}"}
        files, size = counts["chosen"]
        return {
            "files": files,
            "would_free": spoken_size(size),
            "fitting_files": counts["found"][0],
            "held_open": counts["held"][0],
            "over_the_bounds": counts["over"][0],
            "oldest": [_file(rest) for word, rest in lines if word == "file"],
            "missing": [rest for word, rest in lines if word == "missing"],
            "file_systems": [_file_system(rest) for word, rest in lines if word == "fs"],
        }

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        if seen.get("error"):
            return (Fail(why=f"the files cannot be seen: {seen['error']}"),)
        if not moment.has("clean") and seen.get("files"):
            act = Command(
                argv=self._argv("truncate" if self.truncate else "delete"),
                timeout=self.timeout,
                become=self.become,
                label="clean",
            )
            return (act,)
        short = [one for one in _systems(seen) if self.until_free and one["free_percent"] < self.until_free]
        if not short:
            return ()
        told = ", ".join(f"{one['path']} has {one['free_percent']:g}% free" for one in short)
        return (Fail(why=f"{self.until_free:g}% shall be free, but {told}, and no more may be deleted"),)

    def _argv(self, mode: str) -> tuple[str, ...]:
        spare = "yes" if self.skip_open and not self.truncate else "no"
        limits = (str(self.most_files), str(self.most_bytes), f"{self.until_free or 0:g}", spare)
        folders = (str(len(self.paths)), *self.paths)
        return ("/bin/sh", "-c", _CLEAN, "responder", mode, *limits, _CHOOSE, *folders, *self._expression())

    def _expression(self) -> tuple[str, ...]:
        """find's words for the files that fit."""
        names = [word for pattern in self.patterns for word in ("-o", "-name", pattern)][1:]
        words = ["-maxdepth", str(self.depth), "-xdev", "-type", "f", "(", *names, ")"]
        if minutes := ceil(self.older_than / _MINUTE):
            words += ["-mmin", f"+{minutes}"]
        if self.larger_than or self.truncate:
            words += ["-size", f"+{self.larger_than or 0}c"]
        # A line is a file here, so a name with a line end in it could pass for another file.
        return (*words, "!", "-path", "*[[:cntrl:]]*")


_COUNTS = ("found", "chosen", "held", "over")


def _is_plain(path: str) -> bool:
    return path.startswith("/") and posixpath.normpath(path) == path and path.isprintable() and path != "/"


def _is_below(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(root + "/") for root in roots)


def _file(line: str) -> str:
    size, _, path = line.partition(" ")
    return f"{path} ({spoken_size(int(size))})"


def _file_system(line: str) -> dict[str, Any]:
    _, used, free, inodes_used, inodes_free, path = line.split(" ", 5)
    return {
        "path": path,
        "free_percent": _percent(int(used), int(free)),
        "free": spoken_size(int(free) * 1024),
        "free_inodes_percent": _percent(int(inodes_used), int(inodes_free)),
    }


def _percent(used: int, free: int) -> float:
    """What df calls free; 100 for a file system that does not count."""
    return round(100 * free / (used + free), 1) if used + free else 100.0


def _systems(seen: Facts) -> list[dict[str, Any]]:
    found = seen.get("file_systems")
    return found if isinstance(found, list) else []
