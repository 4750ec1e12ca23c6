#!/bin/sh
# Moves failed jobs back to the pending ones: each job once in its life, and at most so many of them.
# Usage: requeue-failed-jobs.sh QUEUE_FOLDER MOST
set -eu
cd -- "$1"
most=$2 moved=0
[ -d pending ] && [ -d failed ] || { echo "$1 has no folders pending and failed" >&2; exit 1; }
done_before=failed/.requeued
touch -- "$done_before"
for job in failed/*.job; do
  [ "$moved" -lt "$most" ] || break
  [ -f "$job" ] && [ ! -L "$job" ] || continue
  name=${job#failed/}
  grep -Fxq -- "$name" "$done_before" && { echo "left, it failed again: $name"; continue; }
  [ ! -e "pending/$name" ] || { echo "left, it is pending too: $name"; continue; }
  # Written down first: a crash between the two leaves a job for people, and never puts one back twice.
  printf '%s\n' "$name" >>"$done_before"
  mv -n -- "$job" "pending/$name"
  moved=$((moved + 1))
  echo "put back: $name"
done
echo "$moved put back"
