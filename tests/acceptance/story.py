"""Two faults: one that first aid cures, and one that it cannot cure."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.acceptance.archive import archived
from tests.acceptance.node import Node
from tests.acceptance.progress import require, say, until
from tests.acceptance.sink import Page
from tests.acceptance.stage import Stage
from tests.servers.program import asked

Ticket = dict[str, Any]
Times = dict[str, Any]


def self_healed(stage: Stage) -> Times:
    """The service on the first node dies, is restarted, and nobody is told."""
    node = stage.nodes[0]
    killed_at = node.kill_service()
    say(f"fault 1: the service on {node.name} is killed with SIGKILL")
    number = _number_for(stage, node)
    _follow(stage, number, "restored", lambda ticket: ticket["restored_at"])
    _follow(stage, number, "resolved", lambda ticket: ticket["resolved_at"] and _has_ended_run(ticket))
    archived(stage, number)
    ticket = stage.responder.ticket(number)
    _show(ticket)
    run = ticket["runs"][0]
    require(run["outcome"] == "helped", f"the run helped: {run['sentence']}")
    require(ticket["restored_by"] == "machine", f"restored by the machine, not by {ticket['restored_by']}")
    require(not stage.sink.pages, "nobody is told")
    first_command = _commands(ticket)[0]["started_at"]
    return {
        "kill_to_ticket": _seconds(killed_at, ticket["opened_at"]),
        "ticket_to_first_command": _seconds(ticket["opened_at"], first_command),
        "first_command_to_all_clear": _seconds(first_command, ticket["cleared_at"]),
        "kill_to_closed": _seconds(killed_at, ticket["closed_at"]),
    }


def handed_over(stage: Stage) -> Times:
    """The service on the second node dies for good: tier 1 is told and silent, tier 2 answers and repairs it."""
    node = stage.nodes[1]
    killed_at = node.break_for_good()
    say(f"fault 2: the service on {node.name} is broken for good and killed")
    number = _number_for(stage, node)
    page = _page_for(stage, "first")
    say(f"tier 1 has the message, and is silent: {page.title}")
    say("\n".join(f"  │ {line}" for line in page.text.splitlines()))
    _check_what_was_tried(stage, number, page.text)
    later = _page_for(stage, "second")
    say(f"tier 2 is told {later.at - page.at:.1f} s later")
    require("Nobody has taken it yet. Called until now: first at " in later.text, "tier 2 reads who was called before")
    _acknowledge(stage, number, later.acknowledge_link)
    _agreed(stage, number)
    _follow(stage, number, "in_progress", lambda ticket: ticket["acknowledged_at"])
    node.repair_by_hand()
    say(f"{node.name} is repaired by hand")
    _follow(stage, number, "resolved", lambda ticket: ticket["resolved_at"])
    archive = archived(stage, number)
    ticket = stage.responder.ticket(number)
    _show(ticket)
    require(ticket["restored_by"] == "human", f"restored by a person, not by {ticket['restored_by']}")
    require(ticket["acknowledged_by"] == "second", f"tier 2 has it, not {ticket['acknowledged_by']}")
    require(len(stage.sink.pages) == 2, f"one message for each tier, not {len(stage.sink.pages)}")
    return {
        "kill_to_message": round(page.at - killed_at, 3),
        "tier_1_to_tier_2": round(later.at - page.at, 3),
        "message_to_acknowledged": _seconds(later.at, ticket["acknowledged_at"]),
        "kill_to_resolved": _seconds(killed_at, ticket["resolved_at"]),
        "archived": archive,
    }


def _number_for(stage: Stage, node: Node) -> str:
    def look() -> str | None:
        found = stage.responder.api("tickets")["tickets"]
        return next((line["number"] for line in found if line["labels"].get("node") == node.name), None)

    number = until(f"a ticket for {node.name}", look)
    say(f"{number} is opened")
    return number


def _page_for(stage: Stage, whom: str) -> Page:
    return until(
        f"the message to {whom} arrives", lambda: next((one for one in stage.sink.pages if one.to == whom), None)
    )


def _agreed(stage: Stage, number: str) -> None:
    """Nobody more is called, and a second reading of the events finds that all who should know were told."""
    [chain] = stage.responder.ticket(number)["escalation"]
    require(chain["next"] is None and chain["over"] == "second has it.", f"nobody more is called: {chain['over']}")
    found = stage.responder.api("audit/pages")
    require(found["differences"] == [], f"the audit agrees: {found['differences']}")
    say("nobody more is called, and the audit of the messages agrees")


def _follow(stage: Stage, number: str, what: str, holds: Callable[[Ticket], object]) -> Ticket:
    def look() -> Ticket | None:
        ticket = stage.responder.ticket(number)
        return ticket if holds(ticket) else None

    ticket = until(f"{number} is {what}", look)
    say(f"{number} is {what}")
    return ticket


def _has_ended_run(ticket: Ticket) -> bool:
    return bool(ticket["runs"]) and all(run["ended_at"] for run in ticket["runs"])


def _commands(ticket: Ticket) -> list[dict[str, Any]]:
    return [act for run in ticket["runs"] for step in run["steps"] for act in step["acts"]]


def _check_what_was_tried(stage: Stage, number: str, text: str) -> None:
    """The message tells the command, its exit code and the end of its output, as the ticket does."""
    ticket = stage.responder.ticket(number)
    run, last = ticket["runs"][0], _commands(ticket)[-1]
    require(run["outcome"] == "failed", f"first aid failed: {run['sentence']}")
    require(run["sentence"] in text, "the message has the run's sentence")
    require(" ".join(last["command"]) in text, "the message has the command")
    require(last["exit_code"] and f"exit code {last['exit_code']}" in text, "the message has the exit code")
    require(last["output"].splitlines()[-1] in text, "the message has the end of the output")


def _acknowledge(stage: Stage, number: str, link: str) -> None:
    require(link.startswith(stage.responder.url), f"the message has a signed link of ours: {link!r}")
    asked(link)
    require(not stage.responder.ticket(number)["acknowledged_by"], "opening the link changes nothing")
    answer = asked(link, data=urllib.parse.urlencode({}).encode())
    require(number in answer, "the page after confirming names the ticket")
    say("the signed link is opened and confirmed")


def _show(ticket: Ticket) -> None:
    say(f"  {ticket['grade']} {ticket['number']} {ticket['title']}")
    for event in ticket["events"]:
        say(f"    {event['at'][11:23]}  {event['text']}")


def _seconds(begin: float | str, end: float | str) -> float:
    return round(_instant(end) - _instant(begin), 3)


def _instant(value: float | str) -> float:
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else value
