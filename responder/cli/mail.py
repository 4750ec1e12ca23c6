"""`responder mail`: what would become of a mail, and which mails of monitoring systems are understood."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import BAD_CONFIG, JsonOption, fail, out, print_json, table, told_in_a_sentence
from responder.config.mail_rules import read_mail_rules
from responder.domain.mail import Mail
from responder.domain.mail_rule import Condition, MailRule
from responder.domain.report import Report
from responder.intake.mail.monitoring import Claim, claimed
from responder.intake.mail.reading import read_mail

_PEOPLE = ("no", "")
_LARGEST = 64 * 1024 * 1024
_TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h."""
mail = typer.Typer(help="Mails: what would become of one, and the rules for monitoring mails.", no_args_is_help=True)
Rules = Annotated[
    list[Path] | None, typer.Option("--rules", help="A folder of own rules, before the shipped ones; again and again.")
]


@mail.command()
def explain(
    file: Annotated[Path, typer.Argument(help="The mail as it came, such as FILE.eml.")],
    rules: Rules = None,
    json: JsonOption = False,
) -> None:
    """Say what a mail would become, and why: alerts of a monitoring, an answer, a report by a person, …

    Nothing is sent and nothing is stored.
    """
    with told_in_a_sentence():
        known = read_mail_rules(rules or [])
    read = read_mail(_bytes(file))
    found = _explained(read, claimed(read, known, received_at=datetime.now(UTC)))
    if json:
        print_json(found)
    else:
        _show(found)


@mail.command("rules")
def rules_(rules: Rules = None, json: JsonOption = False) -> None:
    """List what each rule takes, in the order in which they are asked."""
    with told_in_a_sentence():
        known = read_mail_rules(rules or [])
    rows = [_row(rule) for rule in known]
    if json:
        print_json(rows)
        return
    shown = table("rule", "of", "labels", "firing", "cleared", "neither", "takes")
    for row in rows:
        shown.add_row(*(value if isinstance(value, str) else ", ".join(value) for value in row.values()))
    out.print(shown, markup=False)


@mail.command()
def take(
    sender: Annotated[
        str | None, typer.Option("--from", help="The sender of the envelope; empty for a delivery report.")
    ] = None,
    server: ServerOption = DEFAULT_SERVER,
) -> None:
    """Hand in one mail from standard input, as the pipe of a mail server does.

    Ends with 75 (try again later) if it was not taken, so that the mail server keeps it.
    """
    query = "" if sender is None else f"?from={quote(sender, safe='')}"
    try:
        found = ask("POST", server, f"/api/v1/mail{query}", sys.stdin.buffer.read())
    except typer.Exit as error:
        raise typer.Exit(_TRY_AGAIN) from error
    number = f" {found['number']}" if found["number"] else ""
    out.print(f"{found['taken']}{number}: {found['why']}", markup=False)


def add_to(root: typer.Typer) -> None:
    root.add_typer(mail, name="mail")


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", BAD_CONFIG)


def _explained(read: Mail, claim: Claim | None) -> dict[str, Any]:
    becomes, why = _kind(read, claim)
    return {
        "becomes": becomes,
        "why": why,
        "rule": claim.rule if claim else "",
        "from": read.sender.address,
        "subject": read.subject,
        "sent_at": read.sent_at.isoformat() if read.sent_at else None,
        "alerts": [_plain(report) for report in claim.reports] if claim else [],
        "files": [{"name": one.name, "media_type": one.media_type, "size": one.size} for one in read.files],
        "oddities": list(read.oddities),
    }


def _kind(read: Mail, claim: Claim | None) -> tuple[str, str]:
    if read.bounces:
        return "bounce", "It says that a mail could not be delivered."
    if claim is not None:
        return ("nothing" if not claim.reports else "plain report" if claim.is_plain else "alerts"), claim.why
    if read.header("auto-submitted") not in _PEOPLE or read.header("precedence") in ("bulk", "junk", "auto_reply"):
        return "machine", "Its headers say that no person wrote it."
    if read.in_reply_to or read.references:
        return "answer", "It answers another mail; which ticket that is, the server knows."
    return "report", "No rule takes it, so a person reports something."


def _plain(report: Report) -> dict[str, Any]:
    told = {"signal": report.signal.value, "labels": dict(report.labels), "annotations": dict(report.annotations)}
    return {**told, "started_at": report.started_at.isoformat()}


def _show(found: dict[str, Any]) -> None:
    of = f" by the rule {found['rule']}" if found["rule"] else ""
    out.print(f"{found['becomes']}{of}{': ' if found['why'] else ''}{found['why']}", markup=False)
    for alert in found["alerts"]:
        out.print(f"\n{alert['signal']}", markup=False)
        for kind in ("labels", "annotations"):
            for name, value in alert[kind].items():
                out.print(f"  {kind[:-1]}  {name} = {value}", markup=False)
    for oddity in found["oddities"]:
        out.print(f"odd: {oddity}", markup=False)


def _row(rule: MailRule) -> dict[str, str | Sequence[str]]:
    words = rule.signal
    return {
        "rule": rule.name,
        "of": rule.title,
        "labels": list(dict.fromkeys(["alertname", *rule.labels, *rule.constant])),
        "firing": sorted(words.firing),
        "cleared": sorted(words.cleared),
        "neither": sorted(words.neither),
        "takes": " or ".join(map(_condition, rule.applies)),
    }


def _condition(condition: Condition) -> str:
    asked = {"subject": condition.subject, "sender": condition.sender, **condition.headers, "line": condition.line}
    return " and ".join(f"{name} {pattern.pattern}" for name, pattern in asked.items() if pattern)
