"""Review: what was learnt from an incident is drafted from its events, written by people, and shown as a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from responder.domain import lifecycle, review
from responder.domain.access import Identity
from responder.domain.actions import ActionItem, moment, objections
from responder.domain.correlation import Outcome
from responder.domain.dossier import EMPTY, Dossier, Review
from responder.domain.durations import spoken
from responder.domain.facts import Fact
from responder.domain.review import Durations, ReviewForm
from responder.domain.sla import Clock, MarkKind
from responder.domain.ticket import Change, EventKind, Ticket
from responder.domain.timeline import Repeats, RunRecord, StepRecord
from responder.errors import NotFound, Refused
from responder.flows.desk import Desk
from responder.flows.moves import after_the_move, opened_change, refuse_other_teams
from responder.store.transaction import Transaction

_TEXTS = Path(__file__).parent / "texts"
_MARKDOWN = re.compile(r"([\\`*_\[\]|~]|^[#=>])", re.MULTILINE)
_ENTITY = re.compile(r"&(?=#?\w+;)")


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """A review to fill in or, if there is one already, to write anew, with the actions that it promised."""

    ticket: Ticket
    review: Review
    actions: tuple[ActionItem, ...]
    cause_classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReviewReport:
    """All that the report about an incident shows. `outcomes` says of each clock how it ended."""

    ticket: Ticket
    dossier: Dossier
    review: Review
    durations: tuple[Durations, ...]
    outcomes: Mapping[str, str]
    actions: tuple[ActionItem, ...]
    now: datetime


# --- drafting -------------------------------------------------------------------------------------------------


async def draft_review(desk: Desk, key: str, *, is_fresh: bool = False) -> Drafted:
    """The draft of a ticket's review: the written one, unless `is_fresh` asks for a new one. Raises NotFound."""

    def gather(tx: Transaction) -> Drafted:
        known = tx.tickets.find(key)
        dossier = tx.dossiers.of_ticket(known.ticket.id)
        return Drafted(
            ticket=known.ticket,
            review=_draft(desk, tx, known.ticket, replace(dossier, review=None) if is_fresh else dossier),
            actions=tuple(tx.actions.of_ticket(known.ticket.id)),
            cause_classes=desk.policy.cause_classes,
        )

    return await desk.store.read(gather)


def _draft(desk: Desk, tx: Transaction, ticket: Ticket, dossier: Dossier) -> Review:
    repeated = [
        Repeats(count=count, first=first, last=last)
        for outcome, count, first, last in tx.reports.of_ticket(ticket.id)
        if outcome == Outcome.REPEATED
    ]
    return review.draft(
        ticket,
        dossier,
        tx.tickets.events(ticket.id),
        _runs(tx, ticket.id),
        messages=tx.messages.of_ticket(ticket.id),
        repeats=repeated[0] if repeated else None,
        people=desk.configuration.people,
    )


def _runs(tx: Transaction, ticket_id: int) -> list[RunRecord]:
    names = ("name", "host", "started_at", "ended_at", "outcome", "sentence")
    found = []
    for run in tx.runs.of_ticket(ticket_id):
        rows = sorted(tx.runs.steps(run.id), key=lambda row: (row._mapping["started_at"], row._mapping["step"]))
        steps = tuple(StepRecord(**{name: row._mapping[name] for name in names}) for row in rows)
        found.append(RunRecord(run=run, steps=steps))
    return found


# --- writing --------------------------------------------------------------------------------------------------


async def write_review(
    desk: Desk, key: str, actor: str, form: ReviewForm, *, version: int | None = None, who: Identity | None = None
) -> Ticket:
    """Keeps a review and its new actions. Raises NotFound, NotTheirs, or Refused with everything that is missing.

    With `version` the ticket must not have changed since it was read.
    """
    cleaned = review.cleaned(form)

    def body(tx: Transaction) -> Ticket | str:
        change = opened_change(tx, key)
        refuse_other_teams(who, change.after)
        return _write(desk, tx, change, actor, form=cleaned, version=version)

    outcome = await desk.store.write(body)
    if isinstance(outcome, str):
        raise Refused(outcome)
    return outcome


def _write(
    desk: Desk, tx: Transaction, change: Change, actor: str, *, form: ReviewForm, version: int | None
) -> Ticket | str:
    now, ticket, dossier = desk.clock.now(), change.after, change.dossier or EMPTY
    if why := review.not_yet(ticket):
        return _refused(tx, change, f"{why}.", actor=actor, now=now)
    promised = tx.actions.of_ticket(ticket.id)
    if why := _overtaken(ticket, dossier, form, version):
        return f"{why}."
    if missing := _lacking(desk, form, promised, now):
        return f"The review of {ticket.number} cannot be written yet: {missing}."
    written = review.review_of(form, _draft(desk, tx, ticket, dossier), actor, now)
    new = [one for one in form.actions if not any(one.is_same(old) for old in promised)]
    added = [tx.actions.add(replace(one, ticket_id=ticket.id)) for one in new]
    change.dossier = replace(dossier, review=written)
    _note(change, written, added, now)
    lifecycle.happened(change, desk.policy, Fact.REVIEWED, now=now)
    after_the_move(desk, tx, change)
    return tx.apply([change], now)[0]


def _refused(tx: Transaction, change: Change, why: str, *, actor: str, now: datetime) -> str:
    """Writes a refusal by a rule down; what is only filled in wrongly is said to whoever did."""
    change.dossier = None
    change.note(now, EventKind.REFUSED, f"{actor} could not review: {why}", actor, verb="review")
    tx.apply([change], now)
    return why


def _overtaken(ticket: Ticket, dossier: Dossier, form: ReviewForm, version: int | None) -> str:
    if version is not None and version != ticket.version:
        return f"{ticket.number} has changed since you read it (version {version}, now {ticket.version}); read it again"
    written = dossier.review
    if not form.is_from_draft or form.replaces == (written.written_at if written else None):
        return ""
    if written is None or written.written_at is None:
        return f"{ticket.number} has no review that this one could replace; draft it again"
    at = moment(written.written_at)
    return f"{written.written_by} has written the review of {ticket.number} at {at}, after your draft; draft it again"


def _lacking(desk: Desk, form: ReviewForm, promised: list[ActionItem], now: datetime) -> str:
    """Everything that is missing or odd in a form; empty if it is complete."""
    found = review.lacking(form, desk.policy, now)
    for item in form.actions:
        old = next((one for one in promised if one.is_same(item)), None)
        if old is None:
            found += objections(item, desk.configuration.people, now)
        elif old.due_at != item.due_at:
            by = f"action {old.id} is promised already, due {moment(old.due_at)}"
            found.append(f"{by}; move it with responder actions move {old.id}")
    return "; ".join(found)


def _note(change: Change, written: Review, added: list[ActionItem], now: datetime) -> None:
    """The event keeps what was written, for when it is written anew."""
    count = f"{len(written.whys)} {'why' if len(written.whys) == 1 else 'whys'}"
    text = f"{written.written_by} reviews it: {written.root_cause} ({written.cause_class}, {count})."
    promised = "".join(f" Action {one.id} for {one.owner} until {moment(one.due_at)}: {one.text}" for one in added)
    kept = {name: value for name, value in asdict(written).items() if name != "timeline"}
    ids = [one.id for one in added]
    change.note(
        now, EventKind.HANDLED, text + promised, written.written_by, fact=Fact.REVIEWED, review=kept, actions=ids
    )


# --- the report -----------------------------------------------------------------------------------------------


async def read_review(desk: Desk, key: str) -> ReviewReport:
    """The report about a reviewed ticket. Raises NotFound, also while there is no review."""
    now = desk.clock.now()

    def gather(tx: Transaction) -> ReviewReport:
        known = tx.tickets.find(key)
        ticket, dossier = known.ticket, tx.dossiers.of_ticket(known.ticket.id)
        if dossier.review is None:
            raise NotFound(f"{ticket.number} has no review yet; responder reviews draft {ticket.number} begins one.")
        return ReviewReport(
            ticket=ticket,
            dossier=dossier,
            review=dossier.review,
            durations=review.durations(tx.tickets.events(ticket.id)),
            outcomes={name: _outcome(ticket, clock) for name, clock in sorted(known.clocks.items())},
            actions=tuple(tx.actions.of_ticket(ticket.id)),
            now=now,
        )

    return await desk.store.read(gather)


def _outcome(ticket: Ticket, clock: Clock) -> str:
    """How a clock of a ticket ended, in words."""
    if ticket.disposition:
        return f"not counted: {ticket.disposition.replace('_', ' ')}"
    if clock.is_void or clock.target is None:
        return "not counted"
    missed = sum(mark.kind is MarkKind.MISSED for mark in clock.marks)
    kept = sum(mark.kind is MarkKind.DONE for mark in clock.marks)
    if missed or kept:
        return f"{missed} of {missed + kept} rounds missed"
    if clock.breached_at:
        by = f" by {spoken(clock.stopped_at - clock.breached_at)}" if clock.stopped_at else ", still running"
        return f"missed{by}"
    if clock.is_running:
        return "paused" if clock.is_paused else "running"
    left = clock.due_at - clock.stopped_at if clock.due_at and clock.stopped_at else None
    return f"met, {spoken(left)} to spare" if left is not None else "met"


def as_markdown(report: ReviewReport) -> str:
    """The report as a Markdown document."""
    template = _environment().get_template("review.md.j2")
    fishbone = review.fishbone(report.review.factors)
    return template.render(report=report, ticket=report.ticket, review=report.review, fishbone=fishbone)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(_TEXTS), undefined=StrictUndefined, autoescape=False, trim_blocks=True
    )
    environment.filters |= {"plain": _plain, "line": _line, "spoken": _spoken, "moment": _moment}
    return environment


def _plain(text: str) -> str:
    """Text that shows in Markdown as it was written, in paragraphs; nothing in it becomes a link, HTML or a heading."""
    return _MARKDOWN.sub(r"\\\1", _ENTITY.sub("&amp;", text.strip())).replace("<", "&lt;")


def _line(text: object) -> str:
    """As `_plain`, in one line."""
    return _plain(" ".join(str(text).split()))


def _spoken(duration: object) -> str:
    return "–" if duration is None else spoken(duration)  # type: ignore[arg-type]


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "–"
