"""The review after an incident: a timeline and durations drafted from the events, and what people add to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from responder.domain.actions import ActionItem, moment
from responder.domain.dossier import Dossier, Review
from responder.domain.message import Message
from responder.domain.policy import Policy
from responder.domain.ticket import Action, Event, EventKind, Status, Ticket
from responder.domain.timeline import Repeats, RunRecord, Sources, timeline

REVIEWABLE = (Status.RESTORED, Status.RESOLVED, Status.CLOSED)
MOST_WHYS = 7
PROMPTS = (
    "Why did it show?",
    "Why did that happen?",
    "Why was that possible?",
    "Why did nothing stop it earlier?",
    "Why do we work that way?",
)
"""Five whys to fill in; what is left as it stands here counts as empty."""
CATEGORIES = ("people", "method", "machine", "material", "measurement", "environment")
"""The bones of the fishbone diagram (the six M); a factor begins with one of them and a colon."""
OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewForm:
    """What somebody hands in. `timeline` None keeps the drafted one; `replaces` says when the review that this one
    was made from was written, if `is_from_draft`."""

    root_cause: str = ""
    cause_class: str = ""
    whys: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    improvements: str = ""
    timeline: tuple[tuple[datetime, str], ...] | None = None
    actions: tuple[ActionItem, ...] = ()
    participants: tuple[str, ...] = ()
    meeting_at: datetime | None = None
    is_from_draft: bool = False
    replaces: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Durations:
    """How long it took, counted from when the ticket was opened or, later, reopened (`since`).

    `first_aid`: until the machine set to work; `acknowledge`: until the first answer of a person. As in the metrics,
    a relapse takes a restoration back, and an answer to what is restored already is none.
    """

    since: datetime
    first_aid: timedelta | None = None
    acknowledge: timedelta | None = None
    restore: timedelta | None = None
    resolve: timedelta | None = None


# --- durations ------------------------------------------------------------------------------------------------


def durations(events: Iterable[Event]) -> tuple[Durations, ...]:
    """One for the opening of the ticket and one for each time it was reopened, the oldest first."""
    found: list[Durations] = []
    for event in events:
        action = event.data.get("action") if event.kind is EventKind.MOVED else None
        if event.kind is EventKind.OPENED or action == Action.REOPEN:
            found.append(Durations(since=event.at))
        elif action and found:
            found[-1] = _measured(found[-1], Action(str(action)), event)
    return tuple(found)


def _measured(so_far: Durations, action: Action, event: Event) -> Durations:
    took = max(event.at - so_far.since, timedelta())
    if action is Action.START_FIRST_AID:
        return replace(so_far, first_aid=took)
    if action is Action.ACKNOWLEDGE and so_far.acknowledge is None and event.data.get("was") != Status.RESTORED:
        return replace(so_far, acknowledge=took)
    if action is Action.RESTORE:
        return replace(so_far, restore=took)
    if action is Action.RELAPSE:
        return replace(so_far, restore=None)
    return replace(so_far, resolve=took) if action is Action.RESOLVE else so_far


# --- the draft ------------------------------------------------------------------------------------------------


def draft(
    ticket: Ticket,
    dossier: Dossier,
    events: Sequence[Event],
    runs: Sequence[RunRecord],
    *,
    messages: Sequence[Message] = (),
    repeats: Repeats | None = None,
    people: Collection[str] = (),
) -> Review:
    """The review as written so far or, if there is none, one to fill in: its timeline is there, its whys are prompts.

    `people` are the names of the people file; who of them has acted is taken for a participant.
    """
    if dossier.review is not None:
        return dossier.review
    sources = Sources(events=events, runs=runs, messages=messages, repeats=repeats, people=people)
    return Review(
        root_cause=dossier.cause,
        cause_class=dossier.cause_class,
        whys=PROMPTS,
        factors=tuple(f"{category}: " for category in CATEGORIES),
        timeline=timeline(ticket.title, sources),
        participants=_participants(events, people),
    )


def _participants(events: Iterable[Event], people: Collection[str]) -> tuple[str, ...]:
    # Several people who decided together are one actor.
    acted = (name for event in events for name in event.actor.split(", "))
    return tuple(dict.fromkeys(name for name in acted if name in people))


# --- writing --------------------------------------------------------------------------------------------------


def cleaned(form: ReviewForm) -> ReviewForm:
    """The form without what was left empty: prompts, categories without a factor, blank lines."""
    unfilled = {*PROMPTS, *(f"{category}:" for category in CATEGORIES)}

    def filled(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(text for text in (one.strip() for one in texts) if text and text not in unfilled)

    return replace(
        form,
        root_cause=form.root_cause.strip(),
        improvements=form.improvements.strip(),
        whys=filled(form.whys),
        factors=filled(form.factors),
        participants=tuple(dict.fromkeys(filled(form.participants))),
        timeline=form.timeline and tuple((at, text) for at, text in form.timeline if text.strip()),
    )


def not_yet(ticket: Ticket) -> str:
    """Why a ticket cannot be reviewed now; empty if it can."""
    if ticket.status in REVIEWABLE:
        return ""
    return (
        f"{ticket.number} is {ticket.status.replace('_', ' ')}, so it cannot be reviewed yet: a review is written from "
        "restored on (verb: restore)"
    )


def lacking(form: ReviewForm, policy: Policy, now: datetime) -> list[str]:
    """What is missing or wrong in a cleaned form, beside its actions; nothing if it is complete."""
    found = []
    if not form.root_cause:
        found.append("the root cause is empty (root_cause)")
    classes = ", ".join(policy.cause_classes)
    if not form.cause_class:
        found.append(f"the cause class is empty (cause_class): one of {classes}")
    elif form.cause_class not in policy.cause_classes:
        found.append(f"there is no cause class {form.cause_class[:60]!r}; there are {classes}")
    if not 1 <= len(form.whys) <= MOST_WHYS:
        found.append(f"there are {len(form.whys) or 'no'} whys; give one to {MOST_WHYS} (whys)")
    if form.meeting_at is not None and form.meeting_at > now:
        found.append(f"the meeting is still to come ({moment(form.meeting_at)}); say when it was held (meeting_at)")
    return found


def review_of(form: ReviewForm, drafted: Review, actor: str, now: datetime) -> Review:
    """The review that a complete form makes. Without a timeline of its own it keeps the drafted one."""
    edited = drafted.timeline if form.timeline is None else form.timeline
    return Review(
        root_cause=form.root_cause,
        cause_class=form.cause_class,
        whys=form.whys,
        factors=form.factors,
        improvements=form.improvements,
        timeline=tuple(sorted(edited, key=lambda line: line[0])),
        written_by=actor,
        written_at=now,
        meeting_at=form.meeting_at,
        participants=form.participants,
    )


def fishbone(factors: Iterable[str]) -> dict[str, list[str]]:
    """Factors by category, in the order of the diagram; `other` for those that name none."""
    found: dict[str, list[str]] = {}
    for factor in factors:
        category, text = _category(factor)
        found.setdefault(category, []).append(text)
    return {name: found[name] for name in (*CATEGORIES, OTHER) if name in found}


def _category(factor: str) -> tuple[str, str]:
    # Written in Chinese, the colon is often the wide one.
    name, colon, text = factor.replace("：", ":", 1).partition(":")
    category = name.strip().lower()
    return (category, text.strip()) if colon and category in CATEGORIES else (OTHER, factor)
