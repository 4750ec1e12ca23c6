"""`responder reviews`: draft a review of an incident, write it, and show the report."""

from __future__ import annotations

import json as jsons
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.markdown import Markdown

from responder.adapters.yaml_file import load, load_texts
from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import BAD_CONFIG, JsonOption, fail, login, out, print_json, told_in_a_sentence

Key = Annotated[str, typer.Argument(help="The ticket's number or id.")]
Actor = Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are, for the history.")]
reviews = typer.Typer(help="What was learnt from an incident: root cause, improvements.", no_args_is_help=True)
# What YAML does not let stand in quotes as it is.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LISTS = ("whys", "factors", "actions", "participants")


@reviews.command()
def draft(
    key: Key,
    server: ServerOption = DEFAULT_SERVER,
    fresh: Annotated[bool, typer.Option("--fresh", help="A new one, although one is written.")] = False,
    json: JsonOption = False,
) -> None:
    """Print a review to fill in, as YAML; write it with `responder reviews write`."""
    found = ask("GET", server, f"/api/v1/tickets/{quote(key, safe='')}/review/draft{'?fresh=1' if fresh else ''}")
    if json:
        print_json(found)
    else:
        typer.echo("\n".join(_as_yaml(found["draft"], found["cause_classes"])))


@reviews.command()
def write(
    key: Key,
    file: Annotated[Path | None, typer.Argument(help="A filled-in draft.")] = None,
    root_cause: Annotated[str, typer.Option(help="Why it happened.")] = "",
    cause_class: Annotated[str, typer.Option(help="One of the policy's cause classes.")] = "",
    why: Annotated[list[str], typer.Option(help="One of the whys; repeat it.")] = [],  # noqa: B006
    factor: Annotated[list[str], typer.Option(help="What contributed, as “people: …”; repeat it.")] = [],  # noqa: B006
    improvements: Annotated[str, typer.Option(help="What will be improved.")] = "",
    action: Annotated[list[str], typer.Option(help="“OWNER DAY TEXT”, as “mei 2026-12-31 Add disks”; repeat it.")] = [],  # noqa: B006
    participant: Annotated[list[str], typer.Option(help="Who took part; repeat it.")] = [],  # noqa: B006
    meeting_at: Annotated[str, typer.Option(help="When the review meeting was held.")] = "",
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Write a review from a filled-in draft, from options, or from both (options count more, lists grow)."""
    given = {
        "root_cause": root_cause,
        "cause_class": cause_class,
        "improvements": improvements,
        "meeting_at": meeting_at,
    }
    content = _read(file) if file else {}
    content |= {name: text for name, text in given.items() if text}
    more: dict[str, list[Any]] = {
        "whys": why,
        "factors": factor,
        "actions": [_action(one) for one in action],
        "participants": participant,
    }
    for name in _LISTS:
        content[name] = [*(content.get(name) or []), *more[name]]
    ticket = ask("POST", server, f"/api/v1/tickets/{quote(key, safe='')}/review", {**content, "actor": who})
    if json:
        print_json(ticket)
    else:
        out.print(f"{ticket['number']} is reviewed", markup=False)


@reviews.command()
def show(
    key: Key,
    server: ServerOption = DEFAULT_SERVER,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the Markdown as it is, for a file.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the report about a reviewed incident."""
    found = ask("GET", server, f"/api/v1/tickets/{quote(key, safe='')}/review?markdown=1")
    text = found.pop("markdown")
    if json:
        print_json(found)
    elif markdown or not sys.stdout.isatty():
        typer.echo(text)
    else:
        out.print(Markdown(text, hyperlinks=False))


def add_to(root: typer.Typer) -> None:
    root.add_typer(reviews, name="reviews")


def _read(file: Path) -> dict[str, Any]:
    """The file as texts: a day stays the text that it is. What is written twice is refused."""
    with told_in_a_sentence():
        load(file)
        documents = load_texts(file)
    content = documents[0].data if documents else {}
    if not isinstance(content, dict):
        fail(f"{file} is no review; begin with responder reviews draft", BAD_CONFIG)
    return {str(name): value for name, value in content.items()}


def _action(text: str) -> dict[str, str]:
    words = text.split(maxsplit=2)
    if len(words) < 3:
        fail(f"{text!r} is not of the form “OWNER DAY TEXT”", BAD_CONFIG)
    return {"owner": words[0], "due": words[1], "text": words[2]}


def _as_yaml(draft: dict[str, Any], cause_classes: list[str]) -> Iterator[str]:
    """The draft as YAML that is easy to fill in: comments say what may stand where."""
    number = draft["ticket"]
    yield f"# The review of {number}. Fill it in, then: responder reviews write {number} FILE --as YOU"
    yield f"ticket: {_quoted(number)}"
    yield f"replaces: {_quoted(draft['replaces'] or '')}"
    yield f"root_cause: {_quoted(draft['root_cause'])}"
    yield f"cause_class: {_quoted(draft['cause_class'])}  # {', '.join(cause_classes)}"
    yield from _listed("whys", "one to seven: write the answers over the questions", map(_quoted, draft["whys"]))
    yield from _listed("factors", "what contributed; what stays empty is left out", map(_quoted, draft["factors"]))
    yield f"improvements: {_quoted(draft['improvements'])}"
    entries = (_entry(one, "text", "owner", "due") for one in draft["actions"])
    yield from _listed("actions", '- {text: "Add disks", owner: mei, due: 2026-12-31}', entries)
    yield from _listed("participants", "who took part", map(_quoted, draft["participants"]))
    yield f"meeting_at: {_quoted(draft['meeting_at'] or '')}  # when the review meeting was held"
    lines = (_entry(one, "at", "text") for one in draft["timeline"])
    yield from _listed("timeline", "drafted from the history; edit it, or leave it as it is", lines)


def _listed(name: str, hint: str, entries: Iterator[str]) -> Iterator[str]:
    lines = [f"  - {entry}" for entry in entries]
    yield f"{name}:{'' if lines else ' []'}  # {hint}"
    yield from lines


def _entry(content: dict[str, str], *names: str) -> str:
    return "{" + ", ".join(f"{name}: {_quoted(content[name])}" for name in names) + "}"


def _quoted(text: str) -> str:
    """A text in double quotes: what JSON says there, YAML reads the same, but for a few characters."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", jsons.dumps(text, ensure_ascii=False))
