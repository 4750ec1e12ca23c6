"""`responder mail`: what would become of a mail, what became of those that came, and the rules for monitoring mails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from responder.cli import mail_records
from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, out

_TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h."""
mail = typer.Typer(help="Mails: what would become of one, what became of those that came.", no_args_is_help=True)
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", envvar="RESPONDER_CONFIG", help="The main file; responder.yml if it is here, else defaults."
    ),
]
Rules = Annotated[
    list[Path] | None, typer.Option("--rules", help="A folder of own rules, before the shipped ones; again and again.")
]


@mail.command()
def explain(
    files: Annotated[list[Path], typer.Argument(help="Mails as they came, such as FILE.eml; folders; mboxes.")],
    config: Config = None,
    rules: Rules = None,
    text: Annotated[bool, typer.Option("--text", help="Show what is said, quoted and the signature, too.")] = False,
    expect: Annotated[
        Path | None, typer.Option("--expect", help="An index of what is expected; exit code 1 if anything differs.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what mails would become, and why: alerts of a monitoring, an answer, a report by a person, …

    Decides as the service does, by the same configuration. Nothing is sent and nothing is stored. Of several mails, a
    folder or an mbox it prints a table with totals. FILE.html is the body of a mail.
    """
    # Here, because a mail server's pipe starts this program for every mail, and needs none of it.
    from responder.cli.mail_explain import explain_mails, reader_of

    by = reader_of(config, rules or [])
    explain_mails(files, by, expect=expect, with_text=text, as_json=json)


@mail.command("rules")
def rules_(rules: Rules = None, json: JsonOption = False) -> None:
    """List what each rule takes, in the order in which they are asked."""
    # Here for the same reason.
    from responder.cli.mail_rules import print_rules

    print_rules(rules or [], as_json=json)


@mail.command()
def take(
    sender: Annotated[
        str | None, typer.Option("--from", help="The sender of the envelope; empty for a delivery report.")
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", help="A recipient of the envelope, whatever To says; again and again.")
    ] = None,
    server: ServerOption = DEFAULT_SERVER,
) -> None:
    """Hand in one mail from standard input, as the pipe of a mail server does.

    Ends with 75 (try again later) if it was not taken, so that the mail server keeps it.
    """
    envelope = [("from", sender)] * (sender is not None) + [("to", one) for one in to or ()]
    try:
        found = ask("POST", server, f"/api/v1/mail?{urlencode(envelope)}", sys.stdin.buffer.read())
    except typer.Exit as error:
        raise typer.Exit(_TRY_AGAIN) from error
    number = f" {found['number']}" if found["number"] else ""
    out.print(f"{found['taken']}{number}: {found['why']}", markup=False)


mail.command("list")(mail_records.list_)
mail.command()(mail_records.show)
mail.command()(mail_records.again)
mail.command()(mail_records.drop)


def add_to(root: typer.Typer) -> None:
    root.add_typer(mail, name="mail")
