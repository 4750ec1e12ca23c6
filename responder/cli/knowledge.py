"""`responder knowledge`: the known-issue base, its articles, and how well it recognises."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.text import Text

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import BAD_CONFIG, JsonOption, fail, login, out, print_json, table, told_in_a_sentence

Id = Annotated[int, typer.Argument(help="The article's number.")]
Key = Annotated[str, typer.Argument(help="The ticket's number or id.")]
Actor = Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are, for the history.")]
Limit = Annotated[int, typer.Option("--limit", help="How many at most.")]
knowledge = typer.Typer(help="The known-issue base: past cases and articles.", no_args_is_help=True)
_PATH = "/api/v1/knowledge"


@knowledge.command()
def search(
    words: Annotated[list[str], typer.Argument(help="What to look for, in English or Chinese.")],
    limit: Limit = 20,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Search past cases and articles."""
    found = ask("GET", server, f"{_PATH}/search?{urlencode({'q': ' '.join(words), 'limit': limit})}")
    if json:
        print_json(found)
        return
    for hit in found["found"]:
        title, excerpt = _marked(hit["title"], hit["title_hits"]), _marked(hit["excerpt"], hit["excerpt_hits"])
        out.print(Text.assemble(f"{hit['name']}  ", title, f" ({hit['score']:.0%})\n  ", excerpt))
    if not found["found"]:
        out.print("nothing in the case library holds these words")


@knowledge.command("list")
def list_(
    state: Annotated[str, typer.Option("--state", help="Only draft, published or retired ones.")] = "",
    limit: Limit = 100,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """List the articles, newest first."""
    found = ask("GET", server, f"{_PATH}?{urlencode({'state': state, 'limit': limit})}")
    if json:
        print_json(found)
        return
    shown = table("id", "state", "changed", "by", "title")
    for one in found["articles"]:
        shown.add_row(str(one["id"]), one["state"], one["changed_at"], Text(one["actor"]), Text(one["title"]))
    out.print(shown if found["articles"] else "no article")


@knowledge.command()
def show(number: Id, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Show an article."""
    _show(ask("GET", server, f"{_PATH}/{number}"), json)


@knowledge.command()
def draft(ticket: Key, who: Actor = login(), server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Draft an article from what a ticket's people found out."""
    _show(ask("POST", server, _PATH, {"ticket": ticket, "actor": who}), json)


@knowledge.command()
def write(
    title: Annotated[str, typer.Argument(help="What the trouble is called.")],
    symptom: Annotated[str, typer.Option("--symptom", help="How it shows.")] = "",
    cause: Annotated[str, typer.Option("--cause", help="What it comes from.")] = "",
    solution: Annotated[str, typer.Option("--solution", help="What helps.")] = "",
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Write an article that comes from no ticket."""
    words = {"title": title, "symptom": symptom, "cause": cause, "solution": solution}
    _show(ask("POST", server, _PATH, {**words, "actor": who}), json)


@knowledge.command()
def edit(
    number: Id,
    title: Annotated[str | None, typer.Option("--title", help="What the trouble is called.")] = None,
    symptom: Annotated[str | None, typer.Option("--symptom", help="How it shows.")] = None,
    cause: Annotated[str | None, typer.Option("--cause", help="What it comes from.")] = None,
    solution: Annotated[str | None, typer.Option("--solution", help="What helps.")] = None,
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Change an article."""
    given = {"title": title, "symptom": symptom, "cause": cause, "solution": solution}
    words = {name: text for name, text in given.items() if text is not None}
    if not words:
        fail("Say what changes: --title, --symptom, --cause or --solution.", BAD_CONFIG)
    _show(ask("PATCH", server, f"{_PATH}/{number}", {**words, "actor": who}), json)


@knowledge.command()
def publish(number: Id, who: Actor = login(), server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Publish an article: from now on it is recommended."""
    _show(ask("POST", server, f"{_PATH}/{number}/publish", {"actor": who}), json)


@knowledge.command()
def retire(number: Id, who: Actor = login(), server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Retire an article: it is kept, but found no more."""
    _show(ask("POST", server, f"{_PATH}/{number}/retire", {"actor": who}), json)


@knowledge.command()
def similar(ticket: Key, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Say whether a ticket's trouble is recurring, and what is like it."""
    found = ask("GET", server, f"/api/v1/tickets/{quote(ticket, safe='')}/similar")
    if json:
        print_json(found)
        return
    out.print(found["sentence"], markup=False)
    for one in found["similar"]:
        out.print(f"{one['score']:.0%}  {one['name']}  {one['title']}", markup=False)


@knowledge.command("score")
def score_(
    file: Annotated[Path, typer.Argument(help="The labelled set, such as tests/knowledge/pairs.yml.")],
    floor: Annotated[float, typer.Option("--floor", help="The floor, as similar_from in the policy.")] = 0.5,
    json: JsonOption = False,
) -> None:
    """Measure how well recurring is told from new, without a server."""
    # Here, because only this command needs a database.
    from responder.flows.score import FLOORS, judged

    with told_in_a_sentence():
        found = judged(file)
    halves = list(dict.fromkeys(pair.half for pair in found.pairs))
    rows = [_measured(found, half, floor, language) for half in halves for language in _languages(found, half)]
    floors = [_measured(found, half, one) for half in halves for one in FLOORS]
    if json:
        print_json({"at_floor": rows, "by_floor": floors})
        return
    out.print(f"{len(found.pairs)} pairs, at the floor {floor}:")
    out.print(_table(rows))
    out.print("\nover the floors; false: other cases called the same, by no wish of anybody:")
    out.print(_table(floors))


def add_to(root: typer.Typer) -> None:
    root.add_typer(knowledge, name="knowledge")


def _languages(found: Any, half: str) -> list[str]:
    return ["", *dict.fromkeys(pair.language for pair in found.pairs if pair.half == half)]


def _measured(found: Any, half: str, floor: float, language: str = "") -> dict[str, Any]:
    from responder.flows.score import score

    def of(pairs: Iterable[Any]) -> list[Any]:
        return [one for one in pairs if one.half == half and language in ("", one.language)]

    own, others = score(of(found.pairs), floor), score(of(found.others), floor)
    return {
        "half": half,
        "language": language or "all",
        "floor": floor,
        "pairs": len(of(found.pairs)),
        "precision": round(own.precision, 3),
        "recall": round(own.recall, 3),
        "f1": round(own.f1, 3),
        "false": others.wrong,
        "of": len(of(found.others)),
    }


def _table(rows: list[dict[str, Any]]) -> Any:
    shown = table(*rows[0])
    for row in rows:
        shown.add_row(*(f"{value:.3f}" if name in _RATES else str(value) for name, value in row.items()))
    return shown


_RATES = ("precision", "recall", "f1")


def _marked(text: str, hits: list[list[int]]) -> Text:
    marked = Text(text)
    for start, end in hits:
        marked.stylize("bold", start, end)
    return marked


def _show(article: dict[str, Any], json: bool) -> None:
    if json:
        print_json(article)
        return
    out.print(f"article {article['id']} ({article['state']}): {article['title']}", markup=False, style="bold")
    out.print(f"changed by {article['actor']} at {article['changed_at']}", markup=False)
    for name in ("symptom", "cause", "solution"):
        out.print(f"{name}: {article[name] or '(nothing yet)'}", markup=False)
    where = ", ".join(f"{name}={value}" for name, value in article["labels"].items())
    if where:
        out.print(f"where: {where}", markup=False)
