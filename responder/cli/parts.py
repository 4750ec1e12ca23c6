"""`responder parts`: the stock of spare parts, its history, and what plans have reserved."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask, every
from responder.cli.common import BAD_CONFIG, JsonOption, fail, login, out, print_json, table

Number = Annotated[str, typer.Argument(help="The part's number.")]
Count = Annotated[int, typer.Argument(help="How many.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for everybody to read.")]
Actor = Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are, for the history.")]
parts = typer.Typer(help="Spare parts: the stock, and what plans have reserved of it.", no_args_is_help=True)
_PATH = "/api/v1/parts"


@parts.command("list")
def list_(
    low: Annotated[bool, typer.Option("--low", help="Only those of which too few are free.")] = False,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """List the parts: in stock, reserved, free."""
    found = list(every(server, f"{_PATH}?limit=1000&low={int(low)}", "parts"))
    if json:
        print_json({"parts": found})
        return
    shown = table("number", "stock", "reserved", "free", "minimum", "place", "name")
    for one in found:
        free = f"{one['free']} (low)" if one["is_low"] else str(one["free"])
        shown.add_row(
            one["number"], str(one["stock"]), str(one["reserved"]), free, str(one["minimum"]), one["place"],
            one["name"],
        )  # fmt: skip
    out.print(shown if found else "no spare part")


@parts.command()
def add(
    number: Number,
    name: Annotated[str, typer.Argument(help="What it is.")],
    place: Annotated[str, typer.Option("--place", help="Where it lies.")] = "",
    stock: Annotated[int, typer.Option("--stock", help="How many are there now.")] = 0,
    minimum: Annotated[int, typer.Option("--minimum", help="With fewer free a ticket says so.")] = 0,
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Add a part."""
    wish = {"number": number, "name": name, "place": place, "stock": stock, "minimum": minimum, "actor": who}
    _done(ask("POST", server, _PATH, wish), json)


@parts.command()
def change(
    number: Number,
    name: Annotated[str | None, typer.Option("--name", help="What it is.")] = None,
    place: Annotated[str | None, typer.Option("--place", help="Where it lies.")] = None,
    minimum: Annotated[int | None, typer.Option("--minimum", help="With fewer free a ticket says so.")] = None,
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Change a part's name, place or minimum."""
    given = {"name": name, "place": place, "minimum": minimum}
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        fail("Say what changes: --name, --place or --minimum.", BAD_CONFIG)
    _done(ask("PATCH", server, _path(number), {**changes, "actor": who}), json)


@parts.command()
def receive(
    number: Number,
    count: Count,
    reason: Reason,
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Add a delivery to the stock."""
    _done(ask("POST", server, f"{_path(number)}/receive", _move(count, reason, who)), json)


@parts.command()
def take(
    number: Number,
    count: Count,
    reason: Reason,
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Take parts without a plan; what is reserved stays."""
    _done(ask("POST", server, f"{_path(number)}/take", _move(count, reason, who)), json)


@parts.command("count")
def count_(
    number: Number,
    count: Annotated[int, typer.Argument(help="How many you have counted.")],
    reason: Reason,
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Correct the stock by what you have counted."""
    _done(ask("POST", server, f"{_path(number)}/count", _move(count, reason, who)), json)


@parts.command()
def history(number: Number, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Show a part with every move of its stock, newest first."""
    found = ask("GET", server, _path(number))
    if json:
        print_json(found)
        return
    _show(found)
    shown = table("at", "count", "by", "why")
    for one in found["moves"]:
        shown.add_row(one["at"], f"{one['count']:+d}" if one["count"] else "", one["actor"], one["reason"])
    out.print(shown)


@parts.command()
def reservations(
    part: Annotated[str, typer.Option("--part", help="Only of this part.")] = "",
    ticket: Annotated[str, typer.Option("--ticket", help="Only of this ticket.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Used and released ones too.")] = False,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """List what plans have reserved, newest first."""
    asked = {"part": part, "ticket": ticket, "all": "1" if everything else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    found = ask("GET", server, f"/api/v1/reservations?{query}")
    if json:
        print_json(found)
        return
    shown = table("ticket", "part", "count", "state", "since", "by")
    for one in found["reservations"]:
        shown.add_row(
            one["ticket"], one["part"], str(one["count"]), one["state"], one["at"], one["actor"]
        )  # fmt: skip
    out.print(shown if found["reservations"] else "nothing is reserved")


def add_to(root: typer.Typer) -> None:
    root.add_typer(parts, name="parts")


def _path(number: str) -> str:
    return f"{_PATH}/{quote(number, safe='')}"


def _move(count: int, reason: str, who: str) -> dict[str, object]:
    return {"count": count, "reason": reason, "actor": who}


def _done(part: dict[str, Any], json: bool) -> None:
    if json:
        print_json(part)
    else:
        _show(part)


def _show(part: dict[str, Any]) -> None:
    place = f" at {part['place']}" if part["place"] else ""
    low = f"; at least {part['minimum']} should be free" if part["is_low"] else ""
    counted = f"{part['stock']} in stock, {part['reserved']} reserved, {part['free']} free"
    out.print(f"{part['number']} ({part['name']}){place}: {counted}{low}", markup=False)
