"""`responder statistics`: what a period was like, in numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, out, print_json, table
from responder.domain.durations import spoken


def statistics(
    days: Annotated[int, typer.Option("--days", help="So many days up to --to.")] = 30,
    first: Annotated[str, typer.Option("--from", help="The first day, instead of --days.")] = "",
    last: Annotated[str, typer.Option("--to", help="The last day; today if it is not said.")] = "",
    zone: Annotated[str, typer.Option("--zone", help="Time zone of the days; the policy's if it is not said.")] = "",
    team: Annotated[str, typer.Option("--team")] = "",
    kind: Annotated[str, typer.Option("--kind")] = "",
    grade: Annotated[str, typer.Option("--grade")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Tickets, how long they took, service levels and first aid of a period."""
    wanted = {"days": str(days) if not first else "", "from": first, "to": last, "zone": zone}
    named = {"team": team, "kind": kind, "grade": grade}
    query = urlencode({name: text for name, text in {**wanted, **named}.items() if text})
    found = ask("GET", server, f"/api/v1/statistics?{query}")
    if json:
        print_json(found)
    else:
        show(found)


def show(found: dict[str, Any]) -> None:
    """Prints what the API answered."""
    answers = found["answers"]
    out.print(f"{found['from']} to {found['to']} ({found['zone']}): {found['total']} tickets opened", markup=False)
    out.print(
        f"{answers['answered']} answered by people, {answers['waiting']} wait, "
        f"{answers['never']} over before anybody answered",
        markup=False,
    )
    if found["durations_whole"]:
        took = table("took", "by", "count", "median", "90%", "mean")
        for one in found["durations_whole"]:
            took.add_row(one["measure"], one["by"], str(one["count"]), *(_took(one[name]) for name in _SHOWN))
        out.print(took)
    if found["clocks_whole"]:
        clocks = table("clock", "grade", "met", "breached", "attained")
        for one in found["clocks_whole"]:
            share = _share(one["attainment"])
            clocks.add_row(one["clock"], one["grade"], str(one["met"]), str(one["breached"]), share)
        out.print(clocks)
    if found["runbooks"]:
        runs = table("runbook", "proven", "did not help", "not known", "success")
        for one in found["runbooks"]:
            counts = (str(one[name]) for name in ("proven", "disproved", "unknown"))
            runs.add_row(one["runbook"], *counts, _share(one["success_rate"]))
        out.print(runs)


_SHOWN = ("median", "p90", "mean")


def _took(seconds: float) -> str:
    return spoken(timedelta(seconds=seconds))


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def add_to(root: typer.Typer) -> None:
    root.command()(statistics)
