"""What reporters answer, by the page of their link or to somebody on the phone, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from responder.adapters.links import ReporterClaim
from responder.domain import endings, handling, lifecycle
from responder.domain.access import Identity
from responder.domain.dossier import Verification, Verifier
from responder.domain.grading import Grading
from responder.domain.handling import Acting
from responder.domain.letter import Letter
from responder.domain.masking import masked
from responder.domain.report_form import Form, Opening, cleaned
from responder.domain.reporter import REPORTER, Asked
from responder.domain.reporter_answers import (
    LONGEST_ANSWER,
    MOST_ANSWERS_PER_HOUR,
    Answer,
    AnswerKind,
    Effect,
    Heard,
    Unheard,
    WhyNot,
)
from responder.domain.ticket import EventKind, Status, Ticket
from responder.errors import NotFound, Refused
from responder.flows.desk import Desk
from responder.flows.report_by_person import new_trouble, opened_with_reporter
from responder.flows.reporter_fields import fill_in
from responder.flows.reporter_letters import Draft, write_letter
from responder.flows.reporter_merged import passed_on
from responder.flows.reporter_settling import confirmed
from responder.flows.reporter_talk import Talk, tell_responsible
from responder.store.transaction import Transaction

_TWICE_WITHIN = timedelta(minutes=10)
_OVER = (Status.RESTORED, Status.RESOLVED, Status.CLOSED)


async def reporter_says(desk: Desk, key: str, actor: str, answer: Answer, *, who: Identity | None = None) -> Heard:
    """What the reporter says, written down with what follows from it; `actor` is `reporter`, or who heard it.

    Raises NotFound, NotTheirs, or Unheard with the sentence why it does not count.
    """

    def body(tx: Transaction) -> Heard:
        return _hear(Talk.about(desk, tx, tx.tickets.find(key).ticket.id, who), actor, answer)

    return await desk.store.write(body)


async def reporter_says_by_link(desk: Desk, claim: ReporterClaim, answer: Answer) -> Heard:
    """As `reporter_says`, by the reporter whose link it is."""
    return await desk.store.write(lambda tx: _hear(Talk.about(desk, tx, claim.ticket_id), REPORTER, answer))


def heard_in(desk: Desk, tx: Transaction, ticket_id: int, answer: Answer) -> Heard:
    """As `reporter_says`, by the reporter, within a transaction that has proven who they are. Raises Unheard."""
    return _hear(Talk.about(desk, tx, ticket_id), REPORTER, answer)


def _hear(talk: Talk, actor: str, answer: Answer) -> Heard:
    known = {*talk.desk.configuration.secrets, talk.reporter.contact}
    said = replace(answer, text=masked(cleaned(answer.text), known))
    words = _in_words(talk, actor, said)
    text = f"The reporter says {words}"
    if actor == REPORTER and _was_just_heard(talk, text, said.episode):
        return Heard(effect=Effect.NOTED, ticket=talk.ticket)
    _refuse_what_does_not_count(talk, answer)
    if actor == REPORTER:
        _refuse_too_many(talk)
    talk.change.dossier = talk.tx.dossiers.of_ticket(talk.ticket.id)
    talk.change.note(talk.now, EventKind.REPORTER, text, actor, answer=said.kind, on=said.episode)
    if talk.ticket.merged_into is not None:
        return passed_on(talk, actor, words)
    if said.kind is AnswerKind.INFORMATION:
        fill_in(talk, actor, replace(said, whole=masked(cleaned(answer.whole), known)))
    return _EFFECTS[said.kind](talk, actor, said)


def _in_words(talk: Talk, actor: str, said: Answer) -> str:
    by = "" if actor == REPORTER else f" ({actor} heard it)"
    score = f" ({said.score} of {talk.policy.reporter.best_score})" if said.kind is AnswerKind.SCORE else ""
    return f"{_SPOKEN[said.kind]}{score}{by}{f': {said.text}' if said.text else '.'}"


_SPOKEN = {
    AnswerKind.SOLVED: "that it is solved",
    AnswerKind.NOT_SOLVED: "that it is not solved",
    AnswerKind.SCORE: "how it was",
    AnswerKind.INFORMATION: "more",
}


def _refuse_what_does_not_count(talk: Talk, answer: Answer) -> None:
    ticket = talk.ticket
    if talk.reporter.erased_at is not None:
        raise Unheard(WhyNot.FORGOTTEN, number=ticket.number)
    if answer.episode is not None and answer.episode != ticket.episode and ticket.merged_into is None:
        raise Unheard(WhyNot.MOVED_ON, number=ticket.number)
    if len(answer.text) > LONGEST_ANSWER:
        raise Unheard(WhyNot.TOO_LONG, most=LONGEST_ANSWER)
    if answer.kind is AnswerKind.INFORMATION and not cleaned(answer.text):
        raise Unheard(WhyNot.NO_TEXT)
    if answer.kind is AnswerKind.SCORE:
        _refuse_odd_score(talk, answer.score)


def _was_just_heard(talk: Talk, text: str, episode: int | None) -> bool:
    """True for what the page sent already: browsers send a form again by a double click or a reload."""
    if episode is None:
        return False
    mine = [one for one in talk.tx.tickets.events(talk.ticket.id) if one.actor == REPORTER and "answer" in one.data]
    same = [one for one in mine[-1:] if (one.text, one.data.get("on")) == (text, episode)]
    return any(one.at > talk.now - _TWICE_WITHIN for one in same)


def _refuse_odd_score(talk: Talk, score: int | None) -> None:
    if talk.ticket.status not in _OVER:
        raise Unheard(WhyNot.TOO_EARLY, number=talk.ticket.number)
    best = talk.policy.reporter.best_score
    if score is None or not 1 <= score <= best:
        raise Unheard(WhyNot.NO_SCORE, best=best)


def _refuse_too_many(talk: Talk) -> None:
    """Each answer may call somebody, and the page asks for no password."""
    since = talk.now - timedelta(hours=1)
    events = talk.tx.tickets.events(talk.ticket.id)
    lately = [one for one in events if one.at > since and one.actor == REPORTER and "answer" in one.data]
    if len(lately) >= MOST_ANSWERS_PER_HOUR:
        raise Unheard(WhyNot.TOO_MANY)


def _acting(talk: Talk, actor: str) -> Acting:
    return Acting(actor=actor, now=talk.now, policy=talk.policy)


# --- solved ---------------------------------------------------------------------------------------------------


def _solved(talk: Talk, actor: str, said: Answer) -> Heard:
    if talk.ticket.status not in _OVER:
        return _to_whom_has_it(talk, actor, said)
    talk.stop_asking()
    if talk.ticket.status is not Status.CLOSED:
        endings.verify(talk.change, _acting(talk, actor), Verifier.REPORTER, said.text, is_good=True)
        confirmed(talk, "The reporter confirms that it is solved.")
    return Heard(effect=Effect.CONFIRMED, ticket=talk.write())


# --- not solved -----------------------------------------------------------------------------------------------


def _not_solved(talk: Talk, actor: str, said: Answer) -> Heard:
    status = talk.ticket.status
    if status not in _OVER:
        return _to_whom_has_it(talk, actor, said)
    talk.stop_asking()
    if status is Status.CLOSED and not _may_be_reopened(talk):
        return _carried_on(talk, actor, said)
    reason = f"The reporter says that it is not solved{f': {said.text}' if said.text else '.'}"
    assignee = talk.ticket.assignee
    if status is Status.RESTORED:
        endings.verify(talk.change, _acting(talk, actor), Verifier.REPORTER, said.text, is_good=False)
    else:
        _verified_as_bad(talk, actor, said)
        lifecycle.reopen(talk.change, talk.policy, now=talk.now, reason=reason, actor=actor)
        talk.change.promise("hand_over", why=reason)
    if assignee:
        tell_responsible(talk.desk, talk.tx, talk.change, reason, stem="reporter-says")
    talk.keep(erase_at=None)
    write_letter(talk, Draft(letter=Letter.AGAIN, actor=actor))
    return Heard(effect=Effect.TAKEN_UP_AGAIN, ticket=talk.write())


def _may_be_reopened(talk: Talk) -> bool:
    ticket = talk.ticket
    if ticket.closed_at is None or talk.now > ticket.closed_at + talk.policy.reporter.reopen_within:
        return False
    # An alert may have opened a newer ticket for the same trouble: there is only one open ticket of each.
    return talk.tx.tickets.latest([ticket.trouble])[ticket.trouble].id == ticket.id


def _verified_as_bad(talk: Talk, actor: str, said: Answer) -> None:
    dossier, ticket = handling.dossier_of(talk.change), talk.ticket
    look = Verification(
        by=Verifier.REPORTER, is_good=False, actor=actor, at=talk.now, text=said.text, episode=ticket.episode
    )
    talk.change.dossier = replace(dossier, verifications=(*dossier.verifications, look))


def _carried_on(talk: Talk, actor: str, said: Answer) -> Heard:
    """What was closed too long ago goes on as a new report by the same person, once."""
    follower = _follower(talk)
    if follower is not None and follower.is_open:
        later = Talk.about(talk.desk, talk.tx, follower.id)
        talk.write()
        return _to_whom_has_it(later, actor, said)
    new = opened_with_reporter(talk.desk, talk.tx, _opening_after(talk, said))
    text = f"It was closed too long ago to be reopened; it goes on as {new.number}."
    talk.change.note(talk.now, EventKind.REPORTER, text, followed_by=new.id)
    talk.write()
    return Heard(effect=Effect.OPENED_ANEW, ticket=new)


def _follower(talk: Talk) -> Ticket | None:
    events = talk.tx.tickets.events(talk.ticket.id)
    followed = [event.data["followed_by"] for event in events if "followed_by" in event.data]
    try:
        return talk.tx.tickets.one(int(str(followed[-1]))).ticket if followed else None
    except NotFound:
        return None


def _opening_after(talk: Talk, said: Answer) -> Opening:
    ticket, reporter, fields = talk.ticket, talk.reporter, dict(handling.dossier_of(talk.change).fields)
    form = Form(
        title=ticket.title,
        channel=ticket.source,
        name=reporter.name,
        contact=reporter.contact,
        reporter_kind=reporter.kind,
        language=reporter.language,
        fields={**fields, "still": said.text} if said.text else fields,
        labels=ticket.labels,
    )
    reason = f"as {ticket.number}, which was about the same"
    return Opening(
        trouble=new_trouble(talk.desk),
        form=form,
        grading=Grading(grade=ticket.grade, rule="as before", reason=reason),
        kind=ticket.kind,
        team=ticket.team,
        previous=ticket,
    )


# --- the rest -------------------------------------------------------------------------------------------------


def _score(talk: Talk, actor: str, said: Answer) -> Heard:
    if why := endings.satisfied(talk.change, _acting(talk, actor), said.score or 0, said.text):
        raise Refused(f"{why}.")
    if talk.reporter.asked_for is Asked.SCORE:
        talk.stop_asking()
    return Heard(effect=Effect.SCORED, ticket=talk.write())


def _information(talk: Talk, actor: str, said: Answer) -> Heard:
    return _to_whom_has_it(talk, actor, said)


def _to_whom_has_it(talk: Talk, actor: str, said: Answer) -> Heard:
    """What changes no status by itself is told to whoever has the ticket; one that waited for it goes on."""
    ticket, effect = talk.ticket, Effect.NOTED
    if ticket.status is Status.WAITING and ticket.waiting_for == REPORTER:
        handling.resume(talk.change, _acting(talk, actor), "The reporter has answered.")
        talk.stop_asking()
        effect = Effect.GOES_ON
    words = f": {said.text}" if said.text else "."
    text = f"The reporter of {ticket.number} says {_SPOKEN[said.kind]}{words}"
    tell_responsible(talk.desk, talk.tx, talk.change, text, stem="reporter-says")
    return Heard(effect=effect, ticket=talk.write())


_EFFECTS = {
    AnswerKind.SOLVED: _solved,
    AnswerKind.NOT_SOLVED: _not_solved,
    AnswerKind.SCORE: _score,
    AnswerKind.INFORMATION: _information,
}
