"""Whether a colleague's command by mail may be carried out, and what it is about; each refusal is a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from responder.domain.approval import Approval, able, no_longer_needed
from responder.domain.mail_commands import Command, Verb, command_in
from responder.domain.mail_loop import Kind
from responder.domain.mail_thread import Role, Thread
from responder.domain.oncall import Person
from responder.domain.ticket import Ticket

OLDEST = timedelta(hours=24)
"""How long before it came in a command may have been written."""
NEWEST = timedelta(hours=1)
"""By how much the clock of its writer may be ahead; else a date far ahead would never be too old."""
SPOKEN: Mapping[Verb, str] = {
    Verb.ACK: "acknowledge",
    Verb.CLOSE: "close",
    Verb.APPROVE: "approve",
    Verb.REJECT: "reject",
    Verb.SOLVED: "say that it is solved",
    Verb.NOT_SOLVED: "say that it is not solved",
    Verb.SCORE: "score",
}


def order_in(thread: Thread, kind: Kind, said: str) -> Command | None:
    """The command of a person of the service; None for plain words, and for what a reporter says as the reporter.

    Only a person in the people file is obeyed, whose address our own mail server has proven (see mail_trust), and
    nothing that a machine or a list has sent. Whoever reported the ticket themselves may say the words of both.
    """
    if kind is not Kind.PERSON or not thread.may_command:
        return None
    command = command_in(said)
    if command is None or (thread.role is Role.REPORTER and not command.by_colleagues):
        return None
    return command


def objection_to(command: Command, thread: Thread, ticket: Ticket, sent_at: datetime | None, now: datetime) -> str:
    """Why the command is not carried out, whatever it asks for; empty if it may be."""
    if not command.by_colleagues:
        return f"Only the reporter of {ticket.number} may {SPOKEN[command.verb]}."
    if thread.rivals:
        return f"The mail leads to {' and '.join((ticket.number, *thread.rivals))}; write about one of them."
    if sent_at is None:
        return "The mail does not say when it was written."
    if why := _objection_to_date(sent_at, now):
        return why
    if ticket.episode > 1 and sent_at < ticket.episode_at.replace(microsecond=0):
        return f"{ticket.number} has come back since the mail was written; look at it again."
    return ""


def _objection_to_date(sent_at: datetime, now: datetime) -> str:
    if sent_at > now + NEWEST:
        return "The mail bears a date that is still to come; write it again once your clock is right."
    if sent_at < now - OLDEST:
        return "The mail was written more than a day before it came in; write it again."
    return ""


def question_meant(
    asked: Sequence[Approval], person: str, people: Mapping[str, Person], ticket: Ticket, *, sent_at: datetime
) -> Approval | str:
    """The one question that a yes or no by mail answers, or the sentence why that is not clear.

    It is the only one that waits for this person. Nobody has answered what was asked only after they wrote.
    """
    waiting = [one for one in asked if one.is_waiting and not no_longer_needed(one, ticket)]
    theirs = [one for one in waiting if person in able(one.roles, people)] or waiting
    if not theirs:
        return f"{ticket.number} has nothing that waits for consent."
    if len(theirs) > 1:
        names = "; ".join(f"“{one.subject[:200]}”" for one in theirs[:10])
        return f"{len(theirs)} questions wait for an answer, so use the link of the one that you mean: {names}."
    (meant,) = theirs
    # A mail's date has whole seconds.
    if sent_at < meant.asked_at.replace(microsecond=0):
        return f"The mail was written before this was asked: {meant.subject[:200]}"
    return meant
