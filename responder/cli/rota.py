"""`responder who` and `responder rota`: who is on call, and what people change of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from responder.cli import rota_calendars, rota_lost
from responder.cli.client import DEFAULT_SERVER, ServerOption, ask, pages
from responder.cli.common import FAILED, JsonOption, out, print_json, red, table
from responder.cli.rota_common import TIMES, NameArgument, by_me, joined, local, people, show_overrides
from responder.domain.counting import counted

rota = typer.Typer(help="Who is on call: shifts, gaps, overrides and swaps.", no_args_is_help=True)
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for everybody to read.")]
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def who(
    at: Annotated[
        str, typer.Option("--at", help="An instant such as tomorrow 20:00, in the policy's zone; now if not given.")
    ] = "",
    team: Annotated[str, typer.Option("--team", help="Only this team.")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Say who is on call in every tier, until when, and why them."""
    found = ask("GET", server, _with("/api/v1/on-call", at=at, team=team))
    if json:
        print_json(found)
        return
    shown = table("team", "tier", "on call", "until", "why")
    for one in found["teams"]:
        for tier in one["tiers"]:
            why = f"{tier['rota']}: {tier['why']}" if tier["rota"] else tier["why"]
            until = local(tier["until"], found["zone"]) if tier["until"] else ""
            shown.add_row(one["team"], str(tier["tier"]), people(tier["people"]), until, why)
    out.print(shown)


@rota.command("list")
def list_(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """List the rotas with who is on call now."""
    found = ask("GET", server, "/api/v1/rotas")
    if json:
        print_json(found)
        return
    shown = table("rota", "on call", "until", "why")
    for one in found["rotas"]:
        until = local(one["until"], one["zone"]) if one["until"] else ""
        shown.add_row(one["rota"], people(one["people"]), until, one["why"])
    out.print(shown if found["rotas"] else "there is no rota in the people file")


@rota.command()
def show(
    name: NameArgument,
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=52, help="How many weeks, this one first.")] = 4,
    start: Annotated[str, typer.Option("--from", help=f"The first day, {TIMES}.")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Show a rota as a calendar, a line per week: who takes over when, and who is there at the day's begin."""
    now = ask("GET", server, _with(_path(name), **{"from": start}))
    first = _local_date(now["shifts"][0]["start"], now["zone"])
    monday = first - timedelta(days=first.weekday())
    span = {"from": f"{monday}", "until": f"{monday + timedelta(weeks=weeks)}"}
    found = ask("GET", server, _with(_path(name), **span))
    if json:
        print_json(found)
        return
    out.print(f"rota {found['rota']}, times of {found['zone']}", markup=False)
    out.print(_calendar(found, monday, weeks))
    out.print("… whoever is there since the day before")
    if any(one["overrides"] for one in found["shifts"]):
        out.print(f"* changed by hand: `responder rota overrides {name}`")
    if holes := joined(found["gaps"]):
        out.print(red("nobody") + f": {counted(len(holes), 'time')}; `responder rota gaps {name}` lists them")


@rota.command()
def gaps(
    name: NameArgument,
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=52, help="How far to look.")] = 8,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """List the times without anybody on call. Exit code 1 if there are any."""
    now = ask("GET", server, _path(name))
    until = datetime.fromisoformat(now["shifts"][0]["start"]) + timedelta(weeks=weeks)
    found = ask("GET", server, _with(_path(name), until=until.isoformat()))
    if json:
        print_json({"rota": found["rota"], "zone": found["zone"], "gaps": found["gaps"]})
    else:
        shown = table("nobody from", "until")
        for first, last in joined(found["gaps"]):
            shown.add_row(local(first, found["zone"]), local(last, found["zone"]))
        out.print(shown if found["gaps"] else f"somebody is on call in rota {name} at every time")
    if found["gaps"]:
        raise typer.Exit(FAILED)


@rota.command()
def overrides(name: NameArgument, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """List the overrides that hold or will hold."""
    found = list(pages(server, f"{_path(name)}/overrides"))
    show_overrides({**found[-1], "overrides": [one for page in found for one in page["overrides"]]}, json)


@rota.command()
def override(
    name: NameArgument,
    person: Annotated[str, typer.Argument(help="Who is on call instead.")],
    until: Annotated[str, typer.Option("--until", help=f"When it ends, {TIMES}.")],
    reason: ReasonOption,
    start: Annotated[str, typer.Option("--from", help=f"When it begins, {TIMES}; now if not given.")] = "",
    instead_of: Annotated[str, typer.Option("--instead-of", help="Whom they stand for; everybody if not given.")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Put somebody on call for a while, instead of somebody or of everybody."""
    wish = {"person": person, "from": start, "until": until, "instead_of": instead_of, "reason": reason}
    show_overrides(ask("POST", server, f"{_path(name)}/overrides", by_me(wish)), json)


@rota.command()
def end(
    name: NameArgument,
    number: Annotated[int, typer.Argument(help="The override's number.")],
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """End an override now, with the other half of a swap; what has not begun never will."""
    show_overrides(ask("DELETE", server, f"{_path(name)}/overrides/{number}", by_me({})), json)


@rota.command()
def swap(
    name: NameArgument,
    first: Annotated[str, typer.Argument(help="Who gives a shift away.")],
    second: Annotated[str, typer.Argument(help="Who takes it, and gives one back.")],
    reason: ReasonOption,
    first_at: Annotated[str, typer.Option("--first-at", help=f"A time in the first one's shift, {TIMES}.")] = "",
    second_at: Annotated[str, typer.Option("--second-at", help="A time in the second one's shift.")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Let two people exchange a shift: their next ones, unless a time says which.

    A shift is the time for which somebody is on call without a break, by an override too.
    """
    wish = {"first": first, "second": second, "first_at": first_at, "second_at": second_at, "reason": reason}
    show_overrides(ask("POST", server, f"{_path(name)}/swaps", by_me(wish)), json)


def add_to(root: typer.Typer) -> None:
    root.command()(who)
    rota_calendars.add_to(rota)
    rota_lost.add_to(rota)
    root.add_typer(rota, name="rota")


def _calendar(found: dict[str, Any], monday: date, weeks: int) -> Table:
    made = Table(show_lines=True)
    made.add_column("week of", no_wrap=True, min_width=len("2026-01-05"))
    for day in _WEEKDAYS:
        made.add_column(day, overflow="fold")
    zone = ZoneInfo(found["zone"])
    starts = [(datetime.fromisoformat(one["start"]).astimezone(zone), one) for one in found["shifts"]]
    for week in range(weeks):
        first = monday + timedelta(weeks=week)
        made.add_row(f"{first}", *(_day(starts, first + timedelta(days=number)) for number in range(7)))
    return made


def _day(starts: list[tuple[datetime, dict[str, Any]]], day: date) -> Text:
    """Who is there when the day begins, and who takes over at which time."""
    lines = [Text(f"{at:%H:%M} ") + _shift(one) for at, one in starts if at.date() == day]
    before = [one for at, one in starts if at.date() < day]
    if before and not (lines and lines[0].plain.startswith("00:00")):
        lines.insert(0, Text("… ", style="dim") + _shift(before[-1]))
    return Text("\n").join(lines)


def _shift(one: dict[str, Any]) -> Text:
    return people(one["people"]) + (" *" if one["overrides"] else "")


def _local_date(text: str, zone: str) -> date:
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).date()


def _path(name: str) -> str:
    return f"/api/v1/rotas/{quote(name, safe='')}"


def _with(path: str, **query: str) -> str:
    asked = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(asked)}" if asked else path
