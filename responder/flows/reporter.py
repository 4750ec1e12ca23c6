"""What reporters are told and asked: news as the ticket goes on, reminders, what silence means, and forgetting them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from responder.clock import microseconds
from responder.domain import handling, lifecycle
from responder.domain.access import Identity
from responder.domain.dossier import Verification, Verifier
from responder.domain.facts import Fact
from responder.domain.handling import Acting
from responder.domain.letter import Letter
from responder.domain.message import MessageState
from responder.domain.report_form import cleaned
from responder.domain.reporter import REPORTER, Asked, Due, due_now, silence
from responder.domain.reporter_news import UPDATE, sentences
from responder.domain.requirements import missing
from responder.domain.ticket import Action, Change, EventKind, Status, Ticket, refusal
from responder.errors import Refused
from responder.flows.desk import Desk
from responder.flows.moves import after_the_move, case_of, may_not_yet, sentence
from responder.flows.reporter_letters import Draft, asking, drop_overtaken, letter_of, write_letter
from responder.flows.reporter_settling import confirmed
from responder.flows.reporter_talk import Talk, is_reachable, responsible, tell_responsible
from responder.flows.telling import write_notice
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_LONGEST_WORDS = 4000
_ANSWER_AGAIN = timedelta(hours=1)


# --- as the ticket goes on ------------------------------------------------------------------------------------


async def tell_reporter(desk: Desk, job: Job) -> None:
    """Writes the letter that the ticket's status calls for, once, and ends questions that it has overtaken."""
    ticket_id = int(job.args["ticket"])
    await desk.store.write(lambda tx: _tell_reporter(desk, tx, ticket_id))


def _tell_reporter(desk: Desk, tx: Transaction, ticket_id: int) -> None:
    if tx.reporters.of_ticket(ticket_id) is None:
        return
    talk = Talk.about(desk, tx, ticket_id)
    if talk.reporter.asked_for is not _ASKED_IN.get(talk.ticket.status, Asked.NOTHING):
        talk.stop_asking()
    drop_overtaken(talk)
    if talk.ticket.is_open and talk.reporter.erase_at is not None:
        talk.keep(erase_at=None)
    if talk.ticket.status is Status.RESTORED:
        write_letter(talk, Draft(letter=Letter.RESTORED))
    elif talk.ticket.status is Status.RESOLVED:
        _resolved(talk)
    elif talk.ticket.status is Status.CLOSED:
        _closed(talk)
    talk.write()


_ASKED_IN = {
    Status.WAITING: Asked.INFORMATION,
    Status.RESTORED: Asked.CONFIRMATION,
    Status.RESOLVED: Asked.SCORE,
}


def _resolved(talk: Talk) -> None:
    """Asks for the score where closing needs it; otherwise the letter about closing says enough."""
    if "satisfaction" in missing(talk.policy.needs, Action.CLOSE, case_of(talk.tx, talk.change)):
        write_letter(talk, Draft(letter=Letter.RESOLVED, asks_score=True))


def _closed(talk: Talk) -> None:
    closed_at = talk.ticket.closed_at or talk.now
    talk.keep(erase_at=closed_at + talk.policy.reporter.erase_after)
    is_scored = talk.tx.dossiers.of_ticket(talk.ticket.id).satisfaction is not None
    asks = talk.policy.reporter.ask_satisfaction and not is_scored and talk.ticket.merged_into is None
    write_letter(talk, Draft(letter=Letter.CLOSED, asks_score=asks))


# --- progress -------------------------------------------------------------------------------------------------


async def tell_progress(desk: Desk, key: str, actor: str, words: str = "", *, who: Identity | None = None) -> Ticket:
    """Tells the reporter what has happened since the last letter, and perhaps a person's words.

    Raises NotFound, NotTheirs, or Refused if there is nobody to tell any more.
    """

    def body(tx: Transaction) -> Ticket:
        talk = Talk.about(desk, tx, tx.tickets.find(key).ticket.id, who)
        _refuse_if_over(talk)
        _write_progress(talk, actor, _words(words))
        return talk.write()

    return await desk.store.write(body)


async def ask_reporter(desk: Desk, key: str, actor: str, words: str, *, who: Identity | None = None) -> Ticket:
    """Asks the reporter something; the ticket waits for the answer. Raises NotFound, NotTheirs, Refused.

    What the policy wants before a ticket waits is wanted here, too; a refusal stands on the ticket.
    """

    def body(tx: Transaction) -> Ticket | str:
        talk = Talk.about(desk, tx, tx.tickets.find(key).ticket.id, who)
        _refuse_if_over(talk)
        question = _words(words)
        if not question:
            raise Refused("The question is missing.")
        if why := _may_not_ask(talk, actor, question):
            talk.change.note(talk.now, EventKind.REFUSED, f"{actor} could not ask the reporter: {why}", actor)
            talk.write()
            return why
        write_letter(talk, Draft(letter=Letter.QUESTION, actor=actor, words=question))
        return talk.write()

    outcome = await desk.store.write(body)
    if isinstance(outcome, str):
        raise Refused(outcome)
    return outcome


def _may_not_ask(talk: Talk, actor: str, question: str) -> str:
    """Lets the ticket wait for the answer, or says why it may not; empty if it waits."""
    if talk.ticket.status is Status.WAITING and talk.ticket.waiting_for == REPORTER:
        return ""
    is_possible = refusal(talk.ticket, Action.WAIT) is None
    if is_possible and (why := may_not_yet(talk.desk, talk.tx, talk.change, Action.WAIT, asks_again=True)):
        # A gate may just have asked its roles: that stays.
        return why
    acting = Acting(actor=actor, now=talk.now, policy=talk.policy)
    if refused := handling.wait(talk.change, acting, REPORTER, question):
        return sentence(refused)
    after_the_move(talk.desk, talk.tx, talk.change)
    return ""


def progress_due(desk: Desk, tx: Transaction, change: Change) -> None:
    """The `update` clock warns or is due: by the policy the news are written now, or who has the ticket is reminded."""
    reporter, clock = tx.reporters.of_ticket(change.after.id), change.clocks.get(UPDATE)
    if reporter is None or reporter.erased_at is not None or clock is None or clock.due_at is None:
        return
    if desk.policy.reporter.automatic_progress and is_reachable(desk, reporter):
        _write_progress(Talk(desk=desk, tx=tx, change=change, reporter=reporter), "responder", "")
        return
    ticket = change.after
    text = f"The reporter of {ticket.number} expects news by {clock.due_at:%Y-%m-%d %H:%M} UTC: "
    text += f"responder reporters progress {ticket.number} “…”"
    # Of the warning and the end of one round only the first reminds.
    purpose = f"news-due-{microseconds(clock.due_at)}"
    if told := write_notice(desk, tx, change, responsible(desk, tx, ticket), purpose=purpose, text=text):
        names = ", ".join(sorted({one.person for one in told}))
        change.note(desk.clock.now(), EventKind.REPORTER, f"{names} reminded that the reporter expects news.")


def _write_progress(talk: Talk, actor: str, words: str) -> None:
    events, newest = talk.tx.reporters.news(talk.ticket.id, talk.reporter.told_up_to)
    said = sentences(events, talk.reporter.language, talk.policy.zone, talk.now)
    write_letter(talk, Draft(letter=Letter.PROGRESS, actor=actor, said=said, words=words))
    talk.keep(told_up_to=newest)


def _refuse_if_over(talk: Talk) -> None:
    number = talk.ticket.number
    if talk.reporter.erased_at is not None:
        raise Refused(f"The contact of the reporter of {number} is erased, so nobody can be told any more.")
    if not talk.ticket.is_open:
        raise Refused(f"{number} is closed; its reporter was told. Reopen it first.")


def _words(words: str) -> str:
    if len(words) > _LONGEST_WORDS:
        raise Refused(f"The words for the reporter are longer than {_LONGEST_WORDS} characters.")
    return cleaned(words)


# --- silence --------------------------------------------------------------------------------------------------


async def remind_or_close(desk: Desk, job: Job) -> None:
    """Reminds a reporter who has not answered; when the policy's time is over, goes on without the answer."""
    ticket_id, asked_at = int(job.args["ticket"]), int(job.args["asked_at"])
    await desk.store.write(lambda tx: _remind_or_close(desk, tx, ticket_id, asked_at))


def _remind_or_close(desk: Desk, tx: Transaction, ticket_id: int, asked_at: int) -> None:
    talk = Talk.about(desk, tx, ticket_id)
    reporter = talk.reporter
    if reporter.asked_at is None or microseconds(reporter.asked_at) != asked_at:
        return
    if reporter.asked_for is not _ASKED_IN.get(talk.ticket.status, Asked.NOTHING) or _is_answered(talk):
        talk.stop_asking()
    elif not _has_left(talk):
        # Nobody is silent who has not been asked: the time counts from when the letter leaves.
        talk.keep(asked_at=talk.now)
        talk.change.promise("reporter_silent", talk.now + _ANSWER_AGAIN, asked_at=microseconds(talk.now))
    else:
        _look_at_silence(talk)
    talk.write()


def _is_answered(talk: Talk) -> bool:
    """Whether somebody else has written the answer down, such as a follow-up call."""
    dossier = talk.tx.dossiers.of_ticket(talk.ticket.id)
    if talk.reporter.asked_for is Asked.CONFIRMATION:
        return dossier.is_verified_by(Verifier.REPORTER, talk.ticket.episode)
    return talk.reporter.asked_for is Asked.SCORE and dossier.satisfaction is not None


def _look_at_silence(talk: Talk) -> None:
    due = due_now(talk.reporter, talk.policy.reporter, talk.now)
    if due is Due.GO_ON:
        _go_on(talk)
        return
    if due is Due.REMIND:
        write_letter(talk, Draft(letter=Letter.REMINDER))
        talk.keep(reminders=talk.reporter.reminders + 1)
    talk.promise_silence()


def _has_left(talk: Talk) -> bool:
    letter = asking(talk.reporter.asked_for)
    written = [one for one in talk.tx.reporters.letters(talk.ticket.id) if letter_of(one.purpose) is letter]
    return bool(written) and written[-1].state is MessageState.SENT


def _go_on(talk: Talk) -> None:
    """As if they had said yes; a score that nobody gave stays open for whoever calls."""
    asked, why = talk.reporter.asked_for, silence(talk.policy.reporter)
    talk.stop_asking()
    fact = {"fact": Fact.VERIFIED} if asked is Asked.CONFIRMATION else {}
    talk.change.note(talk.now, EventKind.REPORTER, f"The reporter was asked for {_WISHED[asked]}: {why}.", **fact)
    if asked is Asked.CONFIRMATION:
        _taken_as_confirmed(talk, why)
    elif asked is Asked.SCORE:
        dossier = talk.tx.dossiers.of_ticket(talk.ticket.id)
        talk.change.dossier = replace(dossier, satisfaction_text=why)
    else:
        acting = Acting(actor="responder", now=talk.now, policy=talk.policy)
        handling.resume(talk.change, acting, f"It goes on without the reporter's answer: {why}.")
        text = f"The reporter of {talk.ticket.number} was asked and gave {why}; it goes on without."
        tell_responsible(talk.desk, talk.tx, talk.change, text, stem="reporter-silent")


_WISHED = {
    Asked.CONFIRMATION: "a confirmation",
    Asked.INFORMATION: "information",
    Asked.SCORE: "a score",
    Asked.NOTHING: "nothing",
}


def _taken_as_confirmed(talk: Talk, why: str) -> None:
    ticket, dossier = talk.ticket, talk.tx.dossiers.of_ticket(talk.ticket.id)
    look = Verification(
        by=Verifier.REPORTER, is_good=True, actor="responder", at=talk.now, text=why, episode=ticket.episode
    )
    talk.change.dossier = replace(dossier, verifications=(*dossier.verifications, look))
    lifecycle.happened(talk.change, talk.policy, Fact.VERIFIED, now=talk.now)
    confirmed(talk, f"The reporter was asked, and there was {why}.")


# --- forgetting -----------------------------------------------------------------------------------------------


async def erase_contacts(desk: Desk) -> int:
    """Erases names, contacts and letters whose time is over; of how many tickets."""
    now = desk.clock.now()
    due = await desk.store.read(lambda tx: tx.reporters.to_erase(now))
    for ticket_id in due:
        await desk.store.write(lambda tx, ticket_id=ticket_id: _erase(desk, tx, ticket_id))  # type: ignore[misc]
    return len(due)


def _erase(desk: Desk, tx: Transaction, ticket_id: int) -> None:
    talk = Talk.about(desk, tx, ticket_id)
    if talk.ticket.is_open:
        talk.keep(erase_at=None)
        return
    if talk.reporter.erased_at is None:
        tx.reporters.erase(ticket_id, talk.now)
        tx.mails.erase(ticket_id, talk.reporter.contact)
        text = "Name and contact of the reporter, and the letters to them, are erased."
        talk.change.note(talk.now, EventKind.REPORTER, text)
        talk.write()
