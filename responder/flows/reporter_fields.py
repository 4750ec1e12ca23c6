"""What a reporter answers fills in the fields that the report lacks; what it says already stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from responder.domain import handling
from responder.domain.field_answers import answers_by_number, answers_to, as_text
from responder.domain.grade_again import grade_again
from responder.domain.handling import Acting
from responder.domain.mail_fields import Recognised
from responder.domain.report_fields import READ, answer_in_words
from responder.domain.report_text import Written
from responder.domain.reporter_answers import Answer
from responder.domain.said import told_by
from responder.domain.ticket import EventKind
from responder.flows.report_reading import label_of, read_in_answer
from responder.flows.reporter_letters import ASKED_FOR, letter_of
from responder.flows.reporter_talk import Talk, tell_responsible

_BEHIND_A_LABEL = "It stands behind"


def fill_in(talk: Talk, actor: str, said: Answer) -> None:
    """Reads an answer for the fields that the report lacks; the ticket says which, and the grade is looked at."""
    dossier, seen = handling.dossier_of(talk.change), _read(talk, said)
    had = dossier.fields
    new = {name: value for name, value in seen.found.items() if not had.get(name)}
    otherwise = {name: value for name, value in seen.found.items() if _differs(had.get(name), value, seen.how[name])}
    if not new and not otherwise:
        return
    filled = replace(dossier, fields={**had, **new})
    handling.keep(talk.change, filled)
    how = {name: seen.how[name] for name in new}
    text = answer_in_words(how, filled.fields, otherwise, handling.missing_fields(talk.policy, filled))
    talk.change.note(talk.now, EventKind.REPORTER, text, actor, **{READ: how})
    handling.registered_if_complete(talk.change, Acting(actor=actor, now=talk.now, policy=talk.policy))
    _look_at_the_grade(talk, had, filled.fields)


def _differs(had: str | None, value: str, how: str) -> bool:
    """Only where it was named: words in passing may be about something else."""
    return bool(had) and had != value and how.startswith(_BEHIND_A_LABEL)


def _look_at_the_grade(talk: Talk, had: Mapping[str, str], fields: Mapping[str, str]) -> None:
    before, after = ({**talk.ticket.annotations, **each, **_told(talk, each)} for each in (had, fields))
    if text := grade_again(talk.change, talk.policy, talk.now, before=before, after=after):
        tell_responsible(talk.desk, talk.tx, talk.change, text, stem="grade-again")


def _told(talk: Talk, fields: Mapping[str, str]) -> dict[str, str]:
    return told_by((talk.ticket.title, *fields.values()), talk.reporter.contact)


# --- reading ----------------------------------------------------------------------------------------------------


def _read(talk: Talk, said: Answer) -> Recognised:
    asked = [label_of(name, talk.reporter.language) for name in _asked(talk)]
    whole, text = (_without_our_letters(talk, one, asked) for one in (said.whole or said.text, said.text))
    answers = {**answers_by_number(asked, text), **answers_to(asked, whole)}
    written = Written(text=f"{as_text(answers)}\n\n{text}", at=said.at or talk.now)
    return read_in_answer(talk.policy, written, talk.now)


def filled_in_quote(talk: Talk, text: str) -> str:
    """What stands behind the questions of our letter where it is quoted; empty if nothing does."""
    asked = [label_of(name, talk.reporter.language) for name in _asked(talk)]
    return as_text(answers_to(asked, _without_our_letters(talk, text, asked)))


def _asked(talk: Talk) -> list[str]:
    """What the newest letter that asked for fields has asked for."""
    history = talk.tx.tickets.events(talk.ticket.id)
    lists = [asked for event in history if isinstance(asked := event.data.get(ASKED_FOR), list)]
    return [str(name) for name in lists[-1]] if lists else []


def _without_our_letters(talk: Talk, text: str, asked: list[str]) -> str:
    """The text without lines that are our own: nothing that we wrote is an answer."""
    letters = [one.body for one in talk.tx.reporters.letters(talk.ticket.id) if letter_of(one.purpose)]
    ours = {line.strip() for body in letters for line in body.split("\n") if not any(label in line for label in asked)}
    return "\n".join(line for line in text.split("\n") if not line.strip(" \t>|") or line.strip(" \t>|") not in ours)
