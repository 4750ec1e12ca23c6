"""`responder reporters`: reports by people, and what is said to and by them."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, login, out, pairs, print_json

Key = Annotated[str, typer.Argument(help="The ticket's number or id.")]
Actor = Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are, for the history.")]
reporters = typer.Typer(help="Reports by people, and what is said to and by them.", no_args_is_help=True)


@reporters.command("open")
def open_(
    title: Annotated[str, typer.Argument(help="What is wrong, in one line.")],
    name: Annotated[str, typer.Option("--name", help="Who reports it.")],
    contact: Annotated[str, typer.Option("--contact", help="Their mail address or phone number.")],
    channel: Annotated[str, typer.Option("--channel", help="How it came in: hotline, desk, mail, website, …")] = "desk",
    who_they_are: Annotated[str, typer.Option("--kind-of-reporter", help="user, service, engineer, other.")] = "user",
    language: Annotated[str, typer.Option("--language", help="en or zh.")] = "en",
    kind: Annotated[str, typer.Option("--kind", help="The kind of trouble, if you know it.")] = "",
    grade: Annotated[str, typer.Option("--grade", help="The grade, if you may give one.")] = "",
    urgency: Annotated[str, typer.Option("--urgency", help="How urgent it is to them.")] = "",
    field: Annotated[list[str] | None, typer.Option("--field", "-f", help="name=value, such as product=P900.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="name=value, for rules of alerts.")] = None,
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Open a ticket for what somebody reports."""
    about = {"name": name, "contact": contact, "kind": who_they_are, "language": language}
    content = {"title": title, "channel": channel, "reporter": about, "kind": kind, "grade": grade, "urgency": urgency}
    more = {"fields": pairs(field or []), "labels": pairs(label or []), "taken_by": who}
    made = ask("POST", server, "/api/v1/reports", {**content, **more})
    _done(made, json, f"{made['number']} is open, graded {made['grade']}")


@reporters.command()
def show(key: Key, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Show who reported a ticket and what they were told; what waits to be told by hand is marked."""
    found = ask("GET", server, _path(key))
    if json:
        print_json(found)
        return
    asked = f"; asked for {found['asked_for']}" if found["asked_for"] else ""
    out.print(f"{found['ticket']}: {found['name']}, {found['contact']} ({found['kind']}){asked}", markup=False)
    for letter in found["letters"]:
        mark = "  <- tell it, then: responder reporters told" if letter["state"] == "by_hand" else ""
        out.print(f"{letter['id']}  {letter['subject']}: {letter['state'].replace('_', ' ')}{mark}", markup=False)
        for line in letter["text"].splitlines():
            out.print(f"    {line}", markup=False)


@reporters.command()
def give(
    key: Key,
    name: Annotated[str, typer.Option("--name", help="Who reports it.")],
    contact: Annotated[str, typer.Option("--contact", help="Their mail address or phone number.")],
    language: Annotated[str, typer.Option("--language", help="en or zh.")] = "en",
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Give a ticket that an alert opened a reporter, who is then told of it."""
    about = {"name": name, "contact": contact, "language": language}
    made = ask("PUT", server, _path(key), {"reporter": about, "actor": who})
    _done(made, json, f"{made['number']} has a reporter")


@reporters.command()
def progress(
    key: Key,
    words: Annotated[str, typer.Argument(help="What you want to add, in words for the reporter.")] = "",
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Tell the reporter what has happened since the last letter."""
    made = ask("POST", server, _path(key, "progress"), {"words": words, "actor": who})
    _done(made, json, f"the reporter of {made['number']} is told")


@reporters.command("ask")
def ask_(
    key: Key,
    words: Annotated[str, typer.Argument(help="The question, in words for the reporter.")],
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Ask the reporter something; the ticket waits for the answer."""
    made = ask("POST", server, _path(key, "question"), {"words": words, "actor": who})
    _done(made, json, f"the reporter of {made['number']} is asked; it waits for the answer")


@reporters.command()
def says(
    key: Key,
    answer: Annotated[str, typer.Argument(help="solved, not-solved, score or information.")],
    text: Annotated[str, typer.Argument(help="In their words.")] = "",
    score: Annotated[int | None, typer.Option("--score", help="With score: from 1 to the best.")] = None,
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Write down what the reporter said to you."""
    content = {"answer": answer.replace("-", "_"), "text": text, "score": score, "actor": who}
    made = ask("POST", server, _path(key, "answer"), content)
    _done(made, json, f"{made['number']} is {made['status'].replace('_', ' ')}. Tell them: {made['sentence']}")


@reporters.command()
def told(
    key: Key,
    message: Annotated[int | None, typer.Option("--message", help="Only this letter.")] = None,
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Say that you have told the reporter what waited to be told by hand."""
    made = ask("POST", server, _path(key, "told"), {"message": message, "actor": who})
    _done(made, json, f"noted for {made['number']}")


def add_to(root: typer.Typer) -> None:
    root.add_typer(reporters, name="reporters")


def _path(key: str, verb: str = "") -> str:
    return f"/api/v1/tickets/{quote(key, safe='')}/reporter{f'/{verb}' if verb else ''}"


def _done(made: dict[str, Any], json: bool, text: str) -> None:
    if json:
        print_json(made)
    else:
        out.print(text, markup=False)
