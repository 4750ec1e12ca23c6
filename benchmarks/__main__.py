"""`python -m benchmarks`: the rows of RESULTS.md as JSON lines, the limit and ours in turn."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator

from benchmarks import first_aid, intake, lists, live, mails, startup, storm
from benchmarks.intake import SHAPES
from benchmarks.profile import show
from benchmarks.rows import Row, Settings

Measure = Callable[[Settings], Iterator[Row]]


def _rows() -> dict[str, Measure]:
    rows: dict[str, Measure] = {name: _intake(name) for name in SHAPES}
    rows["alert → command"] = first_aid.row
    rows["1000 alerts in 10 s"] = storm.rows
    rows["start to ready, idle memory"] = startup.rows
    rows["live update"] = live.rows
    rows["100000 tickets"] = lists.rows
    rows["reading mails"] = mails.rows
    return rows


def _intake(name: str) -> Measure:
    return lambda settings: intake.row(name, settings)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", nargs="+", metavar="NAME", default=[""], help="only rows whose name contains this")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; medians are shown")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each load lasts")
    parser.add_argument("--database", default="", metavar="URL", help="a PostgreSQL server for ours, not SQLite")
    parser.add_argument("--profile", action="store_true", help="print where the time of ours goes in intake rows")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    # The services are ended on the way out, also when somebody ends the benchmark.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    settings = Settings(rounds=arguments.rounds, seconds=arguments.seconds, server=arguments.database)
    wanted = {name: measure for name, measure in _rows().items() if any(part in name for part in arguments.rows)}
    if not wanted:
        print(f"there are these rows: {', '.join(_rows())}", file=sys.stderr)
        return 2
    for name, measure in wanted.items():
        if arguments.profile:
            _profile(name, settings)
        else:
            _print(name, measure, settings)
    return 0


def _profile(name: str, settings: Settings) -> None:
    if name in SHAPES:
        show(name, settings, with_worker=True)
        show(name, settings, with_worker=False)


def _print(name: str, measure: Measure, settings: Settings) -> None:
    if name == "alert → command" and not first_aid.installed():
        print(f"{name}: skipped, there is no /usr/sbin/sshd", file=sys.stderr)
        return
    for row in measure(settings):
        print(row.line(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
