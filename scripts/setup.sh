#!/usr/bin/env bash
# Fetches uv when it is missing and brings the environment to what uv.lock says.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v uv >/dev/null 2>&1 && ! python3 -m uv --version >/dev/null 2>&1; then
  echo "setup: fetching uv with pip" >&2
  python3 -m pip install --quiet --user uv 2>/dev/null \
    || python3 -m pip install --quiet uv 2>/dev/null \
    || python3 -m pip install --quiet --user --break-system-packages uv
fi
UV=$(command -v uv || echo "python3 -m uv")
$UV sync --frozen --quiet
