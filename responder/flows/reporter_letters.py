"""Letters to reporters: rows before they are sent, in the transaction that has the reason. Where no channel leads to a
reporter, somebody tells it by hand and says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from responder.adapters.links import ReporterClaim
from responder.domain import lifecycle, reporter_news
from responder.domain.access import Identity
from responder.domain.facts import Fact
from responder.domain.handling import missing_fields
from responder.domain.letter import Letter
from responder.domain.message import Message, MessageState
from responder.domain.policy import Policy
from responder.domain.report_fields import spoken_name
from responder.domain.reporter import REPORTER, Asked
from responder.domain.ticket import Change, Disposition, Event, EventKind, Promise, Status, Ticket
from responder.errors import Refused
from responder.flows.desk import Desk
from responder.flows.report_reading import label_of
from responder.flows.reporter_talk import Talk, goes_by_mail, is_reachable, next_number, tell_responsible
from responder.flows.texts import LetterText, letter_body, letter_subject
from responder.flows.texts.languages import in_words_of
from responder.store.transaction import Transaction

_STEM = "reporter-"
ASKED_FOR = "asks"
"""Under this name the event of a letter holds the fields that it asks for, in the order of their numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What a letter says beside what follows from the ticket; `words` are a person's, meant for the reporter."""

    letter: Letter
    actor: str = "responder"
    said: Sequence[str] = ()
    words: str = ""
    asks_score: bool = False


_ASKS = {
    Letter.QUESTION: (Asked.INFORMATION, Status.WAITING),
    Letter.RESTORED: (Asked.CONFIRMATION, Status.RESTORED),
    Letter.RESOLVED: (Asked.SCORE, Status.RESOLVED),
}
"""Which letters wait for an answer, and in which status the answer is still wanted."""
_ONCE_PER_EPISODE = frozenset({Letter.RECEIVED, Letter.RESTORED, Letter.RESOLVED, Letter.CLOSED})
_NEWS = frozenset({Letter.PROGRESS, Letter.QUESTION})
"""Letters that a clock may wait for."""
_ONLY_IN = {letter: status for letter, (_, status) in _ASKS.items()} | {Letter.CLOSED: Status.CLOSED}
"""Letters that say nothing any more once the ticket has moved on."""
_MUST_BE_CALLED = frozenset({Letter.RESTORED, Letter.RESOLVED, Letter.REMINDER})
_SAY_IT = "Please tell the reporter of {number} and say so (responder reporters show {number}, then told)."


def letter_of(purpose: str) -> Letter | None:
    """Which letter a message of this purpose is; None for what is no letter to a reporter."""
    name = purpose.removeprefix(_STEM).partition("-")[0]
    return Letter(name) if purpose.startswith(_STEM) and name in set(Letter) else None


def asking(asked: Asked) -> Letter | None:
    """The letter that asks for this."""
    return next((letter for letter, (what, _) in _ASKS.items() if what is asked), None)


def no_longer_needed(message: Message, ticket: Ticket) -> str:
    """Why a letter that has not left yet, or was not told yet, has nothing to say any more; empty if it has."""
    letter = letter_of(message.purpose)
    if letter is Letter.REMINDER:
        fits = ticket.status in {status for _, status in _ASKS.values()}
    else:
        fits = letter not in _ONLY_IN or ticket.status is _ONLY_IN[letter]
    is_bound = letter in _ONLY_IN or letter is Letter.REMINDER
    return "The ticket has moved on." if is_bound and not (fits and message.episode == ticket.episode) else ""


# --- writing --------------------------------------------------------------------------------------------------


def write_letter(talk: Talk, draft: Draft) -> bool:
    """Puts a letter into the outbox, or keeps it to be told by hand. False if it was written before, or may not be."""
    if talk.reporter.erased_at is not None:
        return False
    can_be_sent, place = is_reachable(talk.desk, talk.reporter), len(talk.change.events)
    if can_be_sent:
        # First, since the letter says when the next ones come.
        _news_is_out(talk, draft.letter)
    message_id = talk.tx.messages.write(_message(talk, draft))
    if message_id is None:
        return False
    # Before what the clocks have to say of it: whoever reads the events meets the cause first.
    talk.change.events.insert(place, _written(talk, draft, message_id, is_reachable=can_be_sent))
    if can_be_sent:
        # A lock of its own: a channel that hangs must not hold up the ticket.
        lock = f"message:{message_id}"
        talk.change.promises.append(Promise(kind="deliver", args={"message": message_id}, lock=lock))
        _begin_to_ask(talk, draft.letter)
    else:
        talk.tx.messages.mark(message_id, MessageState.BY_HAND)
        if draft.letter in _MUST_BE_CALLED:
            _call_for_help(talk.desk, talk.tx, talk.change)
    return True


def _written(talk: Talk, draft: Draft, message_id: int, *, is_reachable: bool) -> Event:
    how = "Written to the reporter" if is_reachable else "To be told to the reporter by hand"
    text = f"{how} ({draft.letter}){f': {draft.words}' if draft.words else '.'}"
    asked = asked_in(talk, draft.letter)
    data = {"letter": draft.letter, "message": message_id, **(_fact_of(draft.letter) if is_reachable else {})}
    if asked:
        text, data = f"{text} It asks for: {', '.join(map(spoken_name, asked))}.", {**data, ASKED_FOR: list(asked)}
    return Event(at=talk.now, kind=EventKind.REPORTER, actor=draft.actor, text=text, data=data)


def _message(talk: Talk, draft: Draft) -> Message:
    ticket, purpose = talk.ticket, f"{_STEM}{draft.letter}"
    if draft.letter not in _ONCE_PER_EPISODE:
        purpose += f"-{next_number(talk.tx, ticket.id, purpose)}"
    parts = _parts(talk, draft)
    own = talk.policy.reporter.letters.get(draft.letter, {}).get(parts.language)
    return Message(
        ticket_id=ticket.id,
        episode=ticket.episode,
        purpose=purpose,
        person=REPORTER,
        channel=REPORTER,
        subject=letter_subject(draft.letter, parts, own),
        body=letter_body(draft.letter, parts, own),
        created_at=talk.now,
    )


def _parts(talk: Talk, draft: Draft) -> LetterText:
    ticket, policy, language = talk.ticket, talk.policy, talk.reporter.language
    merged = talk.tx.tickets.one(ticket.merged_into).ticket.number if ticket.merged_into is not None else ""
    return LetterText(
        number=ticket.number,
        language=language,
        link=talk.desk.links.report(ReporterClaim(ticket_id=ticket.id)),
        grade=_grade(policy, ticket, language),
        state=reporter_news.state_in_words(ticket, language),
        next_news=_coming(talk, reporter_news.next_news_at(talk.change.clocks)),
        said=draft.said,
        words=draft.words,
        until=_coming(talk, _until(talk, draft.letter)),
        best_score=policy.reporter.best_score if draft.asks_score else None,
        merged_into=merged,
        guide=_guide(talk) if draft.letter is Letter.CLOSED else "",
        asks=[label_of(name, language) for name in asked_in(talk, draft.letter)],
        answers_by_mail=goes_by_mail(talk.desk, talk.reporter),
    )


def _grade(policy: Policy, ticket: Ticket, language: str) -> str:
    if not reporter_news.has_judged_grade(policy, ticket):
        return ""
    text = in_words_of(policy.promises_of(ticket.grade).text, language)
    return reporter_news.grade_in_words(policy, ticket.grade, language, text)


def asked_in(talk: Talk, letter: Letter) -> tuple[str, ...]:
    """Which fields a letter asks for: the first answer, what the policy wants of every report and this lacks."""
    if letter is not Letter.RECEIVED:
        return ()
    return missing_fields(talk.policy, talk.change.dossier or talk.tx.dossiers.of_ticket(talk.ticket.id))


def _coming(talk: Talk, at: datetime | None) -> str:
    return reporter_news.coming(at, talk.now, talk.policy.zone, talk.reporter.language) if at else ""


def _until(talk: Talk, letter: Letter) -> datetime | None:
    """Until when an answer has the effect that the letter names."""
    rule, ticket = talk.policy.reporter, talk.ticket
    if letter is Letter.CLOSED:
        return ticket.closed_at + rule.reopen_within if ticket.closed_at and ticket.merged_into is None else None
    if rule.close_after is None:
        return None
    asked_at = talk.reporter.asked_at if letter is Letter.REMINDER else talk.now
    return asked_at + rule.close_after if asked_at else None


def _guide(talk: Talk) -> str:
    """What a person wrote for the reporter of something that was no fault."""
    if talk.ticket.disposition != Disposition.PSEUDO_FAULT:
        return ""
    return (talk.change.dossier or talk.tx.dossiers.of_ticket(talk.ticket.id)).guide


def _begin_to_ask(talk: Talk, letter: Letter) -> None:
    asked, status = _ASKS.get(letter, (Asked.NOTHING, None))
    if asked is not Asked.NOTHING and talk.ticket.status is status:
        talk.ask(asked)


def _news_is_out(talk: Talk, letter: Letter) -> None:
    """Tells the clocks that the reporter has heard from us; the first answer ends no round that it begins."""
    if letter not in _NEWS:
        return
    lifecycle.happened(talk.change, talk.policy, Fact.UPDATED, now=talk.now)
    earlier = talk.tx.reporters.letters(talk.ticket.id)
    if not any(letter_of(one.purpose) in _NEWS and one.state is not MessageState.BY_HAND for one in earlier):
        text = "With this the reporter has the first answer."
        talk.change.note(talk.now, EventKind.REPORTER, text, fact=Fact.ANSWERED)
        lifecycle.happened(talk.change, talk.policy, Fact.ANSWERED, now=talk.now)


def _fact_of(letter: Letter | None) -> dict[str, object]:
    return {"fact": Fact.UPDATED} if letter in _NEWS else {}


def _call_for_help(desk: Desk, tx: Transaction, change: Change) -> None:
    tell_responsible(desk, tx, change, _SAY_IT.format(number=change.after.number), stem="say-by-hand")


# --- by hand --------------------------------------------------------------------------------------------------


async def told(
    desk: Desk, key: str, actor: str, message_id: int | None = None, *, who: Identity | None = None
) -> Ticket:
    """Somebody has told the reporter what no channel could: this letter, or all that wait for it.

    Raises NotFound, NotTheirs, or Refused if there is nothing to tell.
    """

    def body(tx: Transaction) -> Ticket:
        talk = Talk.about(desk, tx, tx.tickets.find(key).ticket.id, who)
        waiting = [one for one in to_be_told(tx, talk.ticket.id) if message_id in (None, one.id)]
        if not waiting:
            raise Refused(f"Nothing waits to be told by hand to the reporter of {talk.ticket.number}.")
        for message in waiting:
            _told(talk, message, actor)
        return talk.write()

    return await desk.store.write(body)


def to_be_told(tx: Transaction, ticket_id: int) -> list[Message]:
    """The letters that a person has to tell."""
    return [one for one in tx.reporters.letters(ticket_id) if one.state is MessageState.BY_HAND]


def drop_overtaken(talk: Talk) -> None:
    """Nobody need tell what the ticket has overtaken."""
    for message in to_be_told(talk.tx, talk.ticket.id):
        if why := no_longer_needed(message, talk.ticket):
            talk.tx.messages.mark(message.id, MessageState.OVERTAKEN, error=why)
            text = f"Not to be told to the reporter any more ({letter_of(message.purpose)}): {why}"
            talk.change.note(talk.now, EventKind.REPORTER, text, message=message.id)


def _told(talk: Talk, message: Message, actor: str) -> None:
    letter = letter_of(message.purpose)
    text = f"{actor} has told the reporter ({letter or message.purpose})."
    data = {"letter": letter or "", "message": message.id, **_fact_of(letter)}
    talk.change.note(talk.now, EventKind.REPORTER, text, actor, **data)
    if letter is not None:
        _news_is_out(talk, letter)
    talk.tx.messages.mark(message.id, MessageState.SENT, sent_at=talk.now)
    if letter is not None and message.episode == talk.ticket.episode:
        _begin_to_ask(talk, letter)
    talk.change.count("messages_total", channel="by_hand", outcome="sent")


def keep_for_telling(desk: Desk, tx: Transaction, change: Change, message: Message, *, why: str) -> None:
    """A letter that its channel will never take is told by hand; until then no answer to it is awaited."""
    tx.messages.mark(message.id, MessageState.BY_HAND, error=why)
    reporter, letter = tx.reporters.of_ticket(message.ticket_id), letter_of(message.purpose)
    if reporter is not None and letter in _ASKS:
        Talk(desk=desk, tx=tx, change=change, reporter=reporter).stop_asking()
    text = f"The letter to the reporter ({letter or message.purpose}) could not be sent, so it is told by hand: {why}"
    change.note(desk.clock.now(), EventKind.REPORTER, text, message=message.id)
    _call_for_help(desk, tx, change)
