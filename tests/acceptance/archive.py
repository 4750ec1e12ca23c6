"""From restored to archived: the cause, the review with what is improved, the article, and the clocks explained."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.progress import require, say, until
from tests.acceptance.stage import Stage
from tests.servers.responder import command

_WHO = "first"
_REVIEW = {
    "root_cause": "the web service was stopped and nothing started it again",
    "cause_class": "product_defect",
    "whys": ["it did not answer", "it had been killed", "nobody watches the process itself"],
    "factors": ["method: no supervision of the node's own start"],
    "improvements": "the start of the service is supervised",
}


def archived(stage: Stage, number: str) -> dict[str, Any]:
    """Walks a resolved P1 to its end, and shows what its deadlines were made of."""
    refusal = _refused(stage, number, "close", reason="done")
    require("needs" in refusal and "root-cause review" in refusal, f"a P1 is not closed without its review: {refusal}")
    say(f"closing {number} is refused: {refusal}")
    _handle(stage, number)
    due = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="seconds")
    action = {"text": "supervise the start", "owner": _WHO, "due": due}
    stage.responder.post(f"tickets/{number}/review", {"actor": _WHO, **_REVIEW, "actions": [action]})
    say(f"the review of {number} is written")
    draft = stage.responder.post("knowledge", {"actor": _WHO, "ticket": number})
    stage.responder.post(f"knowledge/{draft['id']}/publish", {"actor": _WHO})
    stage.responder.post(
        f"tickets/{number}/close", {"actor": _WHO, "reason": "the cause is known, the rest is tracked"}
    )
    ticket = until(f"{number} is closed", lambda: _closed(stage, number))
    report = stage.responder.api(f"tickets/{number}/review")
    require(report["root_cause"] == _REVIEW["root_cause"], "the review is archived with the ticket")
    _show_clocks(stage, number)
    return {"actions": len(report["actions"]), "article": draft["id"], "events": len(ticket["events"])}


def recounted(stage: Stage) -> dict[str, Any]:
    """What the counters say is what the events tell."""
    found = json.loads(command("db", "recount", "--json", "--config", str(stage.responder.config)))
    require(found["differences"] == [], f"the events tell the same sums: {found['differences']}")
    say(f"{found['sums']} sums of {found['tickets']} tickets, told anew from the events, are the same")
    return {"sums": found["sums"]}


def _handle(stage: Stage, number: str) -> None:
    ticket = stage.responder.ticket(number)
    if ticket["restored_by"] == "human":
        said = {"text": "the service was broken for good", "cause_class": "product_defect", "cause": "a bad build"}
        stage.responder.post(f"tickets/{number}/diagnose", {"actor": _WHO, **said})
        stage.responder.post(f"tickets/{number}/solve", {"actor": _WHO, "text": "the build was put back"})


def _closed(stage: Stage, number: str) -> dict[str, Any] | None:
    ticket = stage.responder.ticket(number)
    return ticket if ticket["closed_at"] else None


def _refused(stage: Stage, number: str, verb: str, **content: object) -> str:
    status, answer = stage.responder.tried(f"tickets/{number}/{verb}", {"actor": _WHO, **content})
    require(status == 409, f"{verb} is refused, not answered with {status}: {answer}")
    return str(answer["detail"])


def _show_clocks(stage: Stage, number: str) -> None:
    say(f"the clocks of {number}:")
    for clock in stage.responder.api(f"tickets/{number}/clocks")["clocks"]:
        used = timedelta(seconds=round(clock["used_seconds"]))
        say(f"    {clock['clock']:<8} target {clock['target']:<4} used {used}  due {clock['due_at']}  {clock['state']}")
        require(clock["state"] == "stopped in time", f"the {clock['clock']} clock has {clock['state']}")
