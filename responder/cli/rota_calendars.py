"""`responder rota`: absences, and calendars that come in as files and go out as feeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import BAD_CONFIG, JsonOption, fail, out, print_json
from responder.cli.rota_common import AWAY_TIMES, NameArgument, by_me, show_absences, show_overrides

_ABSENCES = "/api/v1/absences"
_LARGEST = 1024 * 1024
_AS_BEFORE = "all of it was known already"
FileArgument = Annotated[Path, typer.Argument(help="A calendar (.ics).", exists=True, dir_okay=False)]
SourceOption = Annotated[
    str, typer.Option("--source", help="Under which name it comes again; what it does not say any more is ended.")
]


def away(
    person: Annotated[str, typer.Argument(help="Who is away, in all rotas.")],
    until: Annotated[str, typer.Option("--until", help=f"When they are back, {AWAY_TIMES}.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, for everybody to read.")] = "",
    start: Annotated[str, typer.Option("--from", help="When it begins; now if not given.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="A calendar (.ics) of absences instead.", exists=True, dir_okay=False)
    ] = None,
    source: SourceOption = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Take somebody off all rotas for a while; what lies below in each rota takes over."""
    if file is not None:
        if until or reason or start:
            fail("give either --file or --until with --reason", BAD_CONFIG)
        path = f"{_ABSENCES}/{quote(person, safe='')}"
        show_absences(ask("PUT", server, _with_source(path, source or file.name), _read(file)), json, _AS_BEFORE)
        return
    if not until or not reason:
        fail("say --until when and --reason why, or give a calendar with --file", BAD_CONFIG)
    wish = {"person": person, "from": start, "until": until, "reason": reason}
    show_absences(ask("POST", server, _ABSENCES, by_me(wish)), json)


def absences(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """List who is away, now or later."""
    show_absences(ask("GET", server, _ABSENCES), json)


def back(
    number: Annotated[int, typer.Argument(help="The absence's number.")],
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """End an absence now; one that has not begun never will."""
    show_absences(ask("DELETE", server, f"{_ABSENCES}/{number}", by_me({})), json)


def import_(
    name: NameArgument,
    file: FileArgument,
    source: SourceOption = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Take over the shifts of a calendar: each event names who is on call instead of everybody."""
    path = f"/api/v1/rotas/{quote(name, safe='')}/calendar"
    show_overrides(ask("PUT", server, _with_source(path, source or file.name), _read(file)), json, _AS_BEFORE)


def feed(
    name: Annotated[str, typer.Argument(help="The rota; or give --person.")] = "",
    person: Annotated[str, typer.Option("--person", help="The shifts of this person in all rotas.")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Print the address of a calendar to subscribe to. Whoever has it can read the shifts."""
    asked = {key: value for key, value in (("rota", name), ("person", person)) if value}
    found = ask("GET", server, f"/api/v1/calendar-feeds?{urlencode(asked)}")
    if json:
        print_json(found)
    else:
        out.print(found["url"], markup=False)


def add_to(group: typer.Typer) -> None:
    """Adds these commands to those of rotas."""
    for command in (away, absences, back, feed):
        group.command()(command)
    group.command("import")(import_)


def _with_source(path: str, source: str) -> str:
    return f"{path}?{urlencode(by_me({'source': source}))}"


def _read(file: Path) -> bytes:
    if file.stat().st_size > _LARGEST:
        fail(f"{file} is larger than {_LARGEST} bytes", BAD_CONFIG)
    return file.read_bytes()
