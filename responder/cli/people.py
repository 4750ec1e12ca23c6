"""`responder people`: who is told, on which channels, and whether these lead to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import FAILED, JsonOption, login, moment, out, print_json, table
from responder.domain.durations import spoken

people = typer.Typer(help="Who is told, on which channels, and whether these lead to them.")
_PATH = "/api/v1/people"
_DRILLS = "/api/v1/drills"


@people.callback(invoke_without_command=True)
def _people(context: typer.Context, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    if context.invoked_subcommand is None:
        _list(server, json)


@people.command("list")
def list_(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """List people with their channels (addresses stay secret), and who is in quiet hours."""
    _list(server, json)


@people.command("test")
def try_(
    name: Annotated[str, typer.Argument(help="Whose channels are tried.")],
    channel: Annotated[str, typer.Option("--channel", help="Only this channel.")] = "",
    who: Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are, for the message.")] = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Send a test on each channel of a person. The exit code is 1 if none took it."""
    found = ask("POST", server, f"{_PATH}/{quote(name, safe='')}/test", {"channel": channel, "actor": who})
    if json:
        print_json(found)
    else:
        for one in found["channels"]:
            said = "taken" if one["is_taken"] else one["sentence"]
            out.print(f"{one['channel']} ({one['scheme']}): {said}", markup=False)
    if not any(one["is_taken"] for one in found["channels"]):
        raise typer.Exit(FAILED)


@people.command()
def drill(
    report: Annotated[bool, typer.Option("--report", help="Only show the last drills.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many drills.")] = 1,
    who: Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are.")] = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Ask everybody on call to confirm that messages reach them, or show who did."""
    if report:
        found = ask("GET", server, f"{_DRILLS}?limit={limit}")
        drills = found["drills"]
    else:
        found = ask("POST", server, _DRILLS, {"actor": who})
        drills = [found]
    if json:
        print_json(found)
        return
    for one in drills:
        _show_drill(one)
    if not drills:
        out.print("there was no drill yet")


def add_to(root: typer.Typer) -> None:
    root.add_typer(people, name="people")


def _list(server: str, json: bool) -> None:
    found = ask("GET", server, _PATH)
    if json:
        print_json(found)
        return
    shown = table("name", "called in", "roles", "quiet until", "channels")
    for one in found["people"]:
        called = ", ".join(map(_called, one["teams"]))
        channels = ", ".join(map(_channel, one["channels"]))
        shown.add_row(one["name"], called, ", ".join(one["roles"]), moment(one["quiet_until"]), channels)
    out.print(shown if found["people"] else "nobody is in the people file")


def _called(team: dict[str, Any]) -> str:
    """The team and the tier, and of a rota whether it is this one's turn now."""
    place = f"{team['team']} {team['tier']}"
    if not team["rota"]:
        return place
    if not team["is_on_duty"]:
        return f"{place} (not now)"
    return f"{place} (on duty until {moment(team['until'])})" if team["until"] else f"{place} (on duty)"


def _channel(channel: dict[str, Any]) -> str:
    after = timedelta(seconds=channel["after_seconds"])
    return f"{channel['name']} {channel['address']}{f' after {spoken(after)}' if after else ''}"


def _show_drill(drill: dict[str, Any]) -> None:
    how = f"ended {moment(drill['ended_at'])}" if drill["ended_at"] else f"at work until {moment(drill['until'])}"
    out.print(f"drill {drill['id']}: began {moment(drill['started_at'])}, {how}", markup=False)
    shown = table("name", "confirmed", "channels")
    for one in drill["answers"]:
        confirmed = one["skipped"] or moment(one["confirmed_at"]) or "not yet"
        said = "; ".join(f"{channel}: {what}" for channel, what in one["channels"])
        shown.add_row(one["person"], confirmed, said)
    out.print(shown if drill["answers"] else "nobody is on call")
