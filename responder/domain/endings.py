"""How a ticket comes to its end: verified, dismissed, merged, split, reopened; and what the reporter thought of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from responder.domain import lifecycle
from responder.domain.correlation import all_clear
from responder.domain.dossier import Verification, Verifier
from responder.domain.facts import Fact
from responder.domain.handling import Acting, dossier_of, handled, keep, spoken_status, tell_clocks
from responder.domain.report import Signal
from responder.domain.ticket import Action, Change, Disposition, EventKind, Status, Ticket, refusal

# --- whether it helped --------------------------------------------------------------------------------------


def verify(change: Change, acting: Acting, by: Verifier, text: str, *, is_good: bool) -> str | None:
    """Writes down whether the trouble is gone. If it is not, the ticket goes back to diagnosis."""
    ticket = change.after
    if ticket.status not in (Status.RESTORED, Status.RESOLVED):
        return f"{ticket.number} is {spoken_status(ticket.status)}; what can be verified is restored or resolved"
    if not is_good and ticket.status is Status.RESOLVED:
        return f"{ticket.number} is resolved; reopen it if the trouble is back"
    look = Verification(by=by, is_good=is_good, actor=acting.actor, at=acting.now, text=text, episode=ticket.episode)
    dossier = dossier_of(change)
    keep(change, replace(dossier, verifications=(*dossier.verifications, look)))
    word = "good" if is_good else "not good"
    fact = {"fact": Fact.VERIFIED} if is_good else {}
    handled(change, acting, f"Verified by the {by}: {word}. {text}".strip(), by=by, is_good=is_good, **fact)
    if is_good:
        tell_clocks(change, acting, Fact.VERIFIED)
    else:
        reason = f"It is not gone, says the {by}: {text}".strip()
        lifecycle.relapse(change, acting.policy, now=acting.now, reason=reason, actor=acting.actor)
    return None


def relapse(change: Change, acting: Acting, reason: str) -> str | None:
    """A person sees that it is back."""
    if why := refusal(change.after, Action.RELAPSE):
        return why
    lifecycle.relapse(change, acting.policy, now=acting.now, reason=reason, actor=acting.actor)
    return None


def satisfied(change: Change, acting: Acting, score: int, text: str) -> str | None:
    """Writes down how the reporter liked it."""
    ticket, best = change.after, acting.policy.reporter.best_score
    if ticket.status not in (Status.RESTORED, Status.RESOLVED, Status.CLOSED):
        return f"{ticket.number} is {spoken_status(ticket.status)}; nobody can be satisfied yet"
    if not 1 <= score <= best:
        return f"the score is from 1 to {best}, not {score}"
    keep(change, replace(dossier_of(change), satisfaction=score, satisfaction_text=text))
    said = f": {text}" if text else ""
    change.note(acting.now, EventKind.REPORTER, f"Satisfaction: {score} of {best}{said}", acting.actor, score=score)
    return None


def followed_up(change: Change, acting: Acting, text: str) -> str | None:
    """Writes down the call after the solution."""
    keep(change, replace(dossier_of(change), followed_up_by=acting.actor))
    handled(change, acting, f"Follow-up: {text}")
    return None


# --- ways to the end ----------------------------------------------------------------------------------------


def dismiss(change: Change, acting: Acting, disposition: str, reason: str, guide: str = "") -> str | None:
    """Ends the ticket without a solution: there was no fault, or no trouble at all."""
    known = (Disposition.PSEUDO_FAULT, Disposition.FALSE_ALARM, Disposition.MAINTENANCE)
    if disposition not in known:
        return f"a ticket is dismissed as one of {', '.join(known)}, not as {disposition[:40]!r}"
    if disposition == Disposition.PSEUDO_FAULT and not (guide or dossier_of(change).guide):
        return "a pseudo-fault is closed with a guide for the reporter: say which one was sent (guide)"
    if why := refusal(change.after, Action.DISMISS):
        return why
    if guide:
        keep(change, replace(dossier_of(change), guide=guide))
    sent = f" Guide sent: {guide}" if guide else ""
    text = f"{acting.actor} dismisses it as {disposition.replace('_', ' ')}: {reason}{sent}"
    lifecycle.end_without_solution(
        change,
        acting.policy,
        Action.DISMISS,
        now=acting.now,
        actor=acting.actor,
        reason=text,
        disposition=disposition,
    )
    return None


def merge(change: Change, into: Change, acting: Acting, reason: str) -> str | None:
    """Makes the ticket a member of another one, which from now on gets its reports."""
    ticket, target = change.after, into.after
    if ticket.id == target.id:
        return f"{ticket.number} cannot be merged into itself"
    if target.status is Status.CLOSED:
        return f"{target.number} is closed; merge into an open ticket"
    if why := refusal(ticket, Action.MERGE):
        return why
    said = f": {reason}" if reason else "."
    lifecycle.end_without_solution(
        change,
        acting.policy,
        Action.MERGE,
        now=acting.now,
        actor=acting.actor,
        reason=f"{acting.actor} merges it into {target.number}{said}",
        disposition=Disposition.DUPLICATE.value,
        merged_into=target.id,
        firing={},
    )
    into.update(firing={**target.firing, **ticket.firing})
    text = f"{acting.actor} merges {ticket.number} into it{said}"
    into.note(acting.now, EventKind.HANDLED, text, acting.actor, merged=ticket.id, alerts=sorted(ticket.firing))
    if ticket.firing:
        _shows_again(into, acting, f"{ticket.number} was merged into it, and still fires.")
    _take_the_graver_grade(into, ticket, acting)
    return None


def _take_the_graver_grade(into: Change, member: Ticket, acting: Acting) -> None:
    """People merge to tidy, not to silence: the pages of the member have ended."""
    ticket = into.after
    if not acting.policy.is_graver(member.grade, ticket.grade):
        return
    reason = f"{member.number} is {member.grade} and was merged into it"
    into.update(grade=member.grade, grade_rule=member.grade_rule, grade_reason=reason)
    lifecycle.regrade(into, acting.policy, now=acting.now)
    text = f"Raised from {ticket.grade} to {member.grade}: {reason}."
    into.note(acting.now, EventKind.REGRADED, text, was=ticket.grade, grade=member.grade, raised=True)
    lifecycle.call_for_the_raise(into, text, acting.actor)


def _shows_again(change: Change, acting: Acting, reason: str) -> None:
    """What seemed over is not: an alert that came with another ticket fires."""
    if change.after.status is Status.RESTORED:
        lifecycle.relapse(change, acting.policy, now=acting.now, reason=reason)
    elif change.after.status is Status.RESOLVED:
        firing = change.after.firing
        lifecycle.reopen(change, acting.policy, now=acting.now, reason=reason)
        change.update(firing=firing)
        change.promise("hand_over", why=reason)
    else:
        change.update(signal=Signal.FIRING)


def split(
    change: Change, member: Change, acting: Acting, reason: str, *, alerts: Collection[str], holder: Change
) -> str | None:
    """Makes a member that was merged a ticket of its own again; `alerts` are its own, which `holder` has by now."""
    ticket, own = change.after, member.after
    if own.merged_into != ticket.id:
        return f"{own.number} is no member of {ticket.number}"
    if why := refusal(own, Action.REOPEN):
        return why
    taken = {name: start for name, start in holder.after.firing.items() if name in alerts}
    text = f"{acting.actor} splits it off {ticket.number}: {reason}"
    lifecycle.reopen(member, acting.policy, now=acting.now, reason=text, actor=acting.actor)
    member.update(merged_into=None, firing=taken)
    member.promise("hand_over", why=text)
    left = {name: start for name, start in holder.after.firing.items() if name not in taken}
    holder.update(firing=left)
    if taken and not left:
        # Its own alerts cleared while it had those of the member.
        all_clear(holder, acting.policy, now=acting.now, reason=f"All-clear: only alerts of {own.number} still fired.")
    said = f"{acting.actor} splits {own.number} off it: {reason}"
    change.note(acting.now, EventKind.HANDLED, said, acting.actor, split=own.id)
    return None


def no_reopening(ticket: Ticket) -> str | None:
    """Why the ticket cannot be taken up again by itself, whoever wants that; None if it can."""
    if why := refusal(ticket, Action.REOPEN):
        return why
    return f"{ticket.number} was merged; split it off instead" if ticket.merged_into else None


def reopen(change: Change, acting: Acting, reason: str) -> str | None:
    """Takes up again what was resolved or closed."""
    if why := no_reopening(change.after):
        return why
    lifecycle.reopen(change, acting.policy, now=acting.now, reason=reason, actor=acting.actor)
    change.promise("hand_over", why=reason)
    return None
