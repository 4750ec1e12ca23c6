"""`responder send-test-alert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, fail, out, pairs, print_json
from responder.clock import SystemClock


def send_test_alert(
    labels: Annotated[list[str], typer.Argument(help="Labels as name=value.")] = [  # noqa: B006
        "alertname=ResponderTest",
        "severity=info",
    ],
    summary: Annotated[str, typer.Option(help="The summary annotation; the alert's name unless given.")] = "",
    resolve: Annotated[bool, typer.Option("--resolve", help="Send the all-clear of the same alert.")] = False,
    source: Annotated[str, typer.Option(help="The source to send as.")] = "",
    token_file: Annotated[Path | None, typer.Option(help="The source's bearer token.")] = None,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Send an alert as Alertmanager would, to see what becomes of it."""
    now = SystemClock().now().isoformat()
    named = {"alertname": "ResponderTest", **pairs(labels)}
    alert = {
        "status": "resolved" if resolve else "firing",
        "labels": named,
        "annotations": {"summary": summary or f"Test: {named['alertname']}"},
        "startsAt": now,
        "endsAt": now if resolve else "0001-01-01T00:00:00Z",
    }
    body = {"version": "4", "status": alert["status"], "receiver": "test", "alerts": [alert]}
    path = f"/webhooks/alertmanager/{source}" if source else "/webhooks/alertmanager"
    answer = ask("POST", server, path, body, token=_token(token_file))
    if json:
        print_json({**answer, "server": server})
    else:
        told = f"taken in by {server} as {answer['receipt']}; see: responder tickets list"
        out.print(told, markup=False, soft_wrap=True)


def add_to(root: typer.Typer) -> None:
    root.command("send-test-alert")(send_test_alert)


def _token(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read: {error}")
