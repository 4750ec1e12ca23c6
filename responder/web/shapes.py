"""Tickets, runs and messages as plain structures: what the API answers and the pages show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from responder.domain.ahead import alarms_ahead
from responder.domain.approval import Approval
from responder.domain.correlation import Known
from responder.domain.dossier import Dossier
from responder.domain.escalation import Chain, over
from responder.domain.handling import missing_fields
from responder.domain.holds import members, waiting
from responder.domain.masking import masked, masked_words
from responder.domain.message import Message
from responder.domain.oncall import Tier
from responder.domain.policy import Policy
from responder.domain.report_fields import known_fields
from responder.domain.runbook import Attempt, Run
from responder.domain.sla import Clock
from responder.domain.ticket import Event, Ticket
from responder.firstaid.showing import ShownStep, shown_steps
from responder.flows.report_reading import label_of
from responder.store.attachments import Attachment
from responder.store.transaction import Transaction
from responder.web.reporter_line import reporter_line


def plain(value: Any) -> Any:
    """Instants as RFC 3339 in UTC, the rest as it is."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return value


def ticket_line(ticket: Ticket) -> dict[str, Any]:
    """A ticket in a list."""
    names = (
        "id", "number", "title", "grade", "grade_rule", "grade_reason", "status", "signal", "team", "runbook",
        "source", "labels", "flapping", "incomplete", "episode", "opened_at", "acknowledged_at", "acknowledged_by",
        "cleared_at", "restored_at", "restored_by", "resolved_at", "closed_at", "previous_id", "kind", "tier",
        "assignee", "waiting_for", "disposition", "merged_into", "version",
    )  # fmt: skip
    return {name: plain(getattr(ticket, name)) for name in names}


def _ahead(policy: Policy, tiers: Mapping[str, Sequence[Tier]] | None, known: Known) -> list[Any]:
    theirs = None if tiers is None else tiers.get(known.ticket.team) or tiers.get(policy.default_team, ())
    highest = None if theirs is None else max((tier.number for tier in theirs), default=1)
    return [plain(asdict(one)) for one in alarms_ahead(policy, known.ticket, known.clocks, highest=highest)]


def whole_ticket(
    tx: Transaction,
    key: str,
    *,
    may_see: bool = False,
    policy: Policy | None = None,
    tiers: Mapping[str, Sequence[Tier]] | None = None,
    secrets: Collection[str] = (),
) -> dict[str, Any]:
    """A ticket with its clocks, history, runs, messages and reports. Raises NotFound.

    `may_see`: also the name and contact of its reporter. With the `policy` also what its clocks will do next, as far
    up as the `tiers` of its team go.
    `secrets` are masked in what runs have called, besides what looks like one.
    """
    known = tx.tickets.find(key)
    ticket = known.ticket
    runs = tx.runs.of_ticket(ticket.id)
    chains = tx.chains.of_ticket(ticket.id)
    history = tx.tickets.events(ticket.id)
    held, reporter = waiting(ticket, history), tx.reporters.of_ticket(ticket.id)
    dossier = tx.dossiers.of_ticket(ticket.id)
    return {
        **ticket_line(ticket),
        "held": asdict(held) if held else None,
        "members": list(members(history)),
        "annotations": dict(ticket.annotations),
        "links": dict(ticket.links),
        "clocks": [clock_line(clock) for clock in known.clocks.values()],
        "reporter": reporter_line(reporter, may_see=may_see) if reporter else None,
        "dossier": plain(asdict(dossier)),
        "report_fields": _report_fields(dossier, history, policy if reporter or dossier.fields else None),
        "events": [event_line(event) for event in history],
        "runs": [{**run_line(run), "steps": steps(tx, run.id, secrets)} for run in runs],
        "approvals": [approval_line(one) for one in tx.approvals.of_ticket(ticket.id)],
        "escalation": [chain_line(chain, ticket, len(chains)) for chain in chains],
        "ahead": _ahead(policy, tiers, known) if policy else [],
        "attachments": [attachment_line(one) for one in tx.attachments.of_ticket(ticket.id)],
        "messages": [message_line(message) for message in tx.messages.of_ticket(ticket.id)],
        "reports": [
            {"outcome": outcome, "count": count, "first": plain(first), "last": plain(last)}
            for outcome, count, first, last in tx.reports.of_ticket(ticket.id)
        ],
    }


def _report_fields(dossier: Dossier, history: Iterable[Event], policy: Policy | None) -> dict[str, Any]:
    """What a report says, how that is known, and what the policy wants and it does not say."""
    known = [{**asdict(one), "label": label_of(one.name, "en")} for one in known_fields(dossier.fields, history)]
    lacking = missing_fields(policy, dossier) if policy else ()
    return {"known": known, "missing": [{"name": name, "label": label_of(name, "en")} for name in lacking]}


def chain_line(chain: Chain, ticket: Ticket, newest: int) -> dict[str, Any]:
    """Who is called, when, and how far it has come; `over` says why nobody is called any more."""
    why = chain.ended_because or over(chain, ticket, newest)
    calls = [
        {
            "at": plain(call.made_at or call.at),
            "means": str(call.callees),
            "who": list(call.told or call.who),
            "told": list(call.told),
        }
        for call in chain.calls
    ]
    upcoming = calls[chain.position] if chain.next_call and not why else None
    names = ("number", "episode", "plan", "started_at", "position", "ended_at")
    line = {name: plain(getattr(chain, name)) for name in names}
    return {**line, "calls": calls, "next": upcoming, "over": why}


def clock_line(clock: Clock) -> dict[str, Any]:
    """A clock without its marks, which `explain clock` tells."""
    names = ("name", "started_at", "due_at", "stopped_at", "breached_at", "warned", "is_running", "is_paused")
    return {name: plain(getattr(clock, name)) for name in names}


def event_line(event: Event) -> dict[str, Any]:
    """One line of a history."""
    line: dict[str, Any] = plain(asdict(event))
    return line


def message_line(message: Message) -> dict[str, Any]:
    """A message without its text: that holds a link which acknowledges in its reader's name."""
    return {name: value for name, value in plain(asdict(message)).items() if name != "body"}


def attachment_line(attachment: Attachment) -> dict[str, Any]:
    """A file without its content, which /api/v1/attachments/ID gives."""
    names = ("id", "name", "media_type", "digest", "actor", "at", "run_id")
    return {name: plain(getattr(attachment, name)) for name in names}


def approval_line(approval: Approval) -> dict[str, Any]:
    """A question without what would run."""
    names = (
        "id", "ticket_id", "episode", "run_id", "step", "runbook", "target", "kind", "question", "roles", "needed",
        "go_on_without", "asked_at", "due_at", "state", "ended_at", "sentence",
    )  # fmt: skip
    answers = [plain(asdict(one)) for one in approval.answers]
    shown = {name: plain(getattr(approval, name)) for name in names}
    return {**shown, "wanted": approval.whose_yes, "answers": answers}


def shown_approval(tx: Transaction, approval_id: int, secrets: Collection[str]) -> dict[str, Any]:
    """A question with its ticket, and every step that would run. Raises NotFound."""
    approval = tx.approvals.one(approval_id)
    ticket = tx.tickets.one(approval.ticket_id).ticket
    return {
        **approval_line(approval),
        "ticket": ticket.number,
        "title": ticket.title,
        "grade": ticket.grade,
        "team": ticket.team,
        "steps": [
            {
                **asdict(step),
                "lines": [masked(line, secrets) for line in step.lines],
                "is_asked": approval.step == step.number - 1,
            }
            for step in _steps_of(tx, approval)
        ],
    }


def _steps_of(tx: Transaction, approval: Approval) -> list[ShownStep]:
    made = tx.runs.one(approval.run_id).snapshot if approval.run_id else approval.snapshot
    try:
        return shown_steps(made)
    except (ValueError, LookupError):
        # A later version may not know a step any more; what was decided then must still be readable.
        return []


def run_line(run: Run) -> dict[str, Any]:
    names = (
        "id",
        "ticket_id",
        "runbook",
        "target",
        "started_at",
        "ended_at",
        "outcome",
        "sentence",
        "step",
        "epoch",
        "ordered_by",
        "verified",
    )
    return {name: plain(getattr(run, name)) for name in names}


def steps(tx: Transaction, run_id: int, secrets: Collection[str]) -> list[dict[str, Any]]:
    """A run's steps in the order in which they began, each with its acts: what undoes a step is numbered beside it."""
    acts = tx.runs.attempts(run_id)
    return [
        {
            **{
                name: plain(row._mapping[name])
                for name in ("step", "name", "kind", "host", "started_at", "ended_at", "outcome", "sentence")
            },
            "acts": [act_line(act, secrets) for act in acts if act.step == row._mapping["step"]],
        }
        for row in sorted(tx.runs.steps(run_id), key=lambda row: (row._mapping["started_at"], row._mapping["step"]))
    ]


def act_line(act: Attempt, secrets: Collection[str]) -> dict[str, Any]:
    return {
        "id": act.id,
        "host": act.host,
        "command": masked_words(act.command, secrets),
        "started_at": plain(act.started_at),
        "ended_at": plain(act.ended_at),
        "exit_code": act.exit_code,
        "output": masked(act.output, secrets),
    }
