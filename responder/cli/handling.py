"""`responder tickets VERB`: what people do with a ticket. The server holds the rules; these commands only ask."""

from __future__ import annotations

import inspect
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints
from urllib.parse import quote

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, login, pairs
from responder.cli.tickets import Key, done, tickets

Fields = dict[str, Any]
Actor = Annotated[
    str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are in the people file, for the history.")
]
Version = Annotated[int | None, typer.Option("--if-version", help="Only if the ticket is still at this version.")]
Reason = Annotated[str, typer.Argument(help="Why, for the history.")]
Text = Annotated[str, typer.Argument(help="In your words.")]


def verb(name: str, command: str = "") -> Callable[[Callable[..., Fields]], Callable[..., Fields]]:
    """Makes a command of a function that gives the verb's fields; what all verbs share is added here."""

    def add(fields_of: Callable[..., Fields]) -> Callable[..., Fields]:
        own, hints = list(inspect.signature(fields_of).parameters.values()), get_type_hints(fields_of, None, None, True)

        def run(key: str, actor: str, version: int | None, server: str, json: bool, **given: Any) -> None:
            content = {"actor": actor, "version": version, **fields_of(**given)}
            sent = {field: value for field, value in content.items() if value is not None}
            done(ask("POST", server, f"/api/v1/tickets/{quote(key, safe='')}/{name}", sent), json)

        shared: list[tuple[str, Any, Any]] = [
            ("actor", Actor, login()),
            ("version", Version, None),
            ("server", ServerOption, DEFAULT_SERVER),
            ("json", JsonOption, False),
        ]
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter("key", kind, annotation=Key),
            *(one.replace(annotation=hints[one.name], kind=kind) for one in own),
            *(inspect.Parameter(field, kind, default=default, annotation=hint) for field, hint, default in shared),
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        run.__doc__ = fields_of.__doc__
        tickets.command(command or name)(run)
        return fields_of

    return add


# --- who has it ---------------------------------------------------------------------------------------------


@verb("acknowledge", "ack")
def _acknowledge() -> Fields:
    """Acknowledge: you take the ticket, nobody else is told about it, automation steps back."""
    return {}


@verb("assign")
def _assign(to: Annotated[str, typer.Argument(help="Who gets it.")]) -> Fields:
    """Give the ticket to a person."""
    return {"to": to}


@verb("give-back")
def _give_back(reason: Reason) -> Fields:
    """Give the ticket back to its team, who are told again."""
    return {"reason": reason}


@verb("escalate")
def _escalate(reason: Reason) -> Fields:
    """Hand the ticket to the next tier, with what was tried."""
    return {"reason": reason}


@verb("take-over")
def _take_over() -> Fields:
    """Have the ticket from now on, instead of whoever has it."""
    return {}


@verb("pull-in")
def _pull_in(whom: Annotated[str, typer.Argument(help="A person, 'tier 2' or 'role director'.")], text: Text) -> Fields:
    """Call somebody to help; the ticket stays where it is."""
    return {"whom": whom, "text": text}


@verb("still-on-it")
def _still_on_it() -> Fields:
    """You were asked whether you are still on it, and you are."""
    return {}


@verb("note")
def _note(text: Text) -> Fields:
    """Add a note to the history."""
    return {"text": text}


@verb("attach")
def _attach(
    file: Annotated[Path, typer.Argument(help="A file of at most 3 MB.", exists=True, dir_okay=False)],
) -> Fields:
    """Keep a file with the ticket: a log, a screenshot, a report."""
    return {"name": file.name, "content_base64": b64encode(file.read_bytes()).decode()}


@verb("wait")
def _wait(
    waiting_for: Annotated[str, typer.Argument(metavar="FOR", help="reporter, vendor or part.")], reason: Reason
) -> Fields:
    """Let the ticket wait; clocks that the policy pauses stand still."""
    return {"for": waiting_for, "reason": reason}


@verb("resume")
def _resume(reason: Reason) -> Fields:
    """The waiting is over."""
    return {"reason": reason}


# --- what it is ---------------------------------------------------------------------------------------------


@verb("register")
def _register(fields: Annotated[list[str], typer.Argument(help="What the report says, as name=value.")]) -> Fields:
    """Fill in the fields of the report; complete, it is registered."""
    return {"fields": pairs(fields)}


@verb("classify")
def _classify(kind: Annotated[str, typer.Argument(help="A kind of the policy.")]) -> Fields:
    """Say what kind of trouble it is; the policy may send it to another team."""
    return {"kind": kind}


@verb("regrade")
def _regrade(grade: Annotated[str, typer.Argument(help="A grade of the policy.")], reason: Reason) -> Fields:
    """Set the grade, or confirm it; the clocks are counted against its targets."""
    return {"grade": grade, "reason": reason}


@verb("diagnose")
def _diagnose(
    text: Text,
    cause_class: Annotated[str, typer.Option(help="Such as product_defect.")] = "",
    cause: Annotated[str, typer.Option(help="The cause in words.")] = "",
) -> Fields:
    """Say what is wrong, and why."""
    return {"text": text, "cause_class": cause_class, "cause": cause}


# --- the plan -----------------------------------------------------------------------------------------------


@verb("propose")
def _propose(
    kind: Annotated[str, typer.Argument(help="The kind of solution, such as patch.")],
    step: Annotated[list[str], typer.Option(help="A step; give it once per step.")],
    owner: Annotated[str, typer.Option(help="Who carries it out.")] = "",
    due: Annotated[str, typer.Option(help="By when, like 2026-05-01T17:00+08:00.")] = "",
    part: Annotated[list[str], typer.Option(help="A spare part as number=count.")] = [],  # noqa: B006
) -> Fields:
    """Put a plan on the table; the policy says who must approve it."""
    counts = {number: int(count) if count.isdigit() else 0 for number, count in pairs(part).items()}
    return {"kind": kind, "steps": step, "owner": owner, "due": due, "resources": counts}


@verb("approve")
def _approve(reason: Annotated[str, typer.Argument(help="A word on it.")] = "") -> Fields:
    """Say yes to what waits for consent."""
    return {"reason": reason}


@verb("reject")
def _reject(reason: Reason) -> Fields:
    """Say no to what waits for consent."""
    return {"reason": reason}


@verb("solve")
def _solve(text: Text) -> Fields:
    """Write down what solved it."""
    return {"text": text}


# --- whether it is over -------------------------------------------------------------------------------------


@verb("restore")
def _restore(reason: Annotated[str, typer.Argument(help="What shows that the trouble is gone.")]) -> Fields:
    """Say that the trouble is gone; while an alert still fires, the proof must follow."""
    return {"reason": reason}


@verb("verify")
def _verify(
    by: Annotated[str, typer.Argument(help="monitor, test or reporter.")],
    text: Annotated[str, typer.Argument(help="What was seen.")] = "",
    good: Annotated[bool, typer.Option("--good/--not-good", help="Whether it is gone.")] = True,
) -> Fields:
    """Write down whether it is really gone; if not, it goes back to diagnosis."""
    return {"by": by, "text": text, "good": good}


@verb("relapse")
def _relapse(reason: Reason) -> Fields:
    """It is back."""
    return {"reason": reason}


@verb("resolve")
def _resolve(reason: Reason) -> Fields:
    """It has stayed away."""
    return {"reason": reason}


@verb("satisfaction")
def _satisfaction(
    score: Annotated[int, typer.Argument(help="From 1 to the best of the policy.")],
    text: Annotated[str, typer.Argument(help="The reporter's words.")] = "",
) -> Fields:
    """Write down how the reporter liked it."""
    return {"score": score, "text": text}


@verb("follow-up")
def _follow_up(text: Text) -> Fields:
    """Write down the call after the solution."""
    return {"text": text}


@verb("dismiss")
def _dismiss(
    disposition: Annotated[str, typer.Argument(metavar="AS", help="pseudo_fault, false_alarm or maintenance.")],
    reason: Reason,
    guide: Annotated[str, typer.Option(help="The guide that was sent for a pseudo-fault.")] = "",
) -> Fields:
    """End the ticket without a solution: no fault, or no trouble at all."""
    return {"as": disposition, "reason": reason, "guide": guide}


@verb("merge")
def _merge(
    into: Annotated[str, typer.Argument(help="The ticket that takes it in.")],
    reason: Annotated[str, typer.Argument(help="Why.")] = "",
) -> Fields:
    """The same trouble as another ticket, which gets its reports from now on."""
    return {"into": into, "reason": reason}


@verb("split")
def _split(
    off: Annotated[str, typer.Argument(help="The ticket that was merged into this one.")], reason: Reason
) -> Fields:
    """Make a merged ticket a trouble of its own again."""
    return {"off": off, "reason": reason}


@verb("close")
def _close(reason: Reason) -> Fields:
    """Close a resolved ticket, if nothing that the policy wants is missing."""
    return {"reason": reason}


@verb("reopen")
def _reopen(reason: Reason) -> Fields:
    """Take up again what was resolved or closed."""
    return {"reason": reason}
