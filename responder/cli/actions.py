"""`responder actions`: what reviews promised to improve."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, login, out, print_json, table

Id = Annotated[int, typer.Argument(help="The action's number.")]
Actor = Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are, for the history.")]
actions = typer.Typer(help="What reviews promised to improve: done, moved, overdue.", no_args_is_help=True)
_PATH = "/api/v1/actions"


@actions.command("list")
def list_(
    server: ServerOption = DEFAULT_SERVER,
    everything: Annotated[bool, typer.Option("--all", help="Done ones too.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
    owner: Annotated[str, typer.Option(help="Only what this person is to do.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    json: JsonOption = False,
) -> None:
    """List actions, what is due first at the top."""
    flags = {"all": everything, "overdue": overdue}
    query = {
        "limit": limit,
        **{name: 1 for name, is_on in flags.items() if is_on},
        **({"owner": owner} if owner else {}),
    }
    found = ask("GET", server, f"{_PATH}?{urlencode(query)}")
    if json:
        print_json(found)
        return
    shown = table("id", "ticket", "state", "owner", "due", "what")
    for one in found["actions"]:
        result = f" ({one['done_by']}: {one['result']})" if one["done_at"] else ""
        shown.add_row(
            str(one["id"]), one["ticket"], one["state"], one["owner"], one["due_at"], one["text"] + result
        )  # fmt: skip
    out.print(shown if found["actions"] else "no action")


@actions.command()
def done(
    number: Id,
    result: Annotated[str, typer.Argument(help="What came of it; “not needed: …” is a result, too.")],
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Say what came of an action."""
    _changed(ask("POST", server, f"{_PATH}/{number}/done", {"actor": who, "result": result}), json)


@actions.command()
def move(
    number: Id,
    due: Annotated[str, typer.Argument(help="The new day (its end, in the policy's zone), an instant, or e.g. 14d.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for everybody to read.")],
    who: Actor = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Give an action another due date."""
    _changed(ask("POST", server, f"{_PATH}/{number}/move", {"actor": who, "due": due, "reason": reason}), json)


def add_to(root: typer.Typer) -> None:
    root.add_typer(actions, name="actions")


def _changed(action: dict[str, Any], json: bool) -> None:
    if json:
        print_json(action)
    else:
        became = f"done: {action['result']}" if action["done_at"] else f"{action['state']}, due {action['due_at']}"
        out.print(f"action {action['id']} of {action['owner']} is {became}", markup=False)
