"""Still on it: an acknowledgement without a sign of its person is asked about, and then given back to the team.

A look reads all from the ticket's history and promises the next one for as long as the person has the ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.adapters.links import AckClaim
from responder.clock import from_microseconds, microseconds
from responder.domain import handling, silence
from responder.domain.delivery import quiet_until
from responder.domain.durations import spoken
from responder.domain.escalation import LATE, EscalationPlan
from responder.domain.handling import Acting
from responder.domain.local_time import local_moment
from responder.domain.message import Message
from responder.domain.oncall import addressed
from responder.domain.silence import Question
from responder.domain.ticket import Change, Event, EventKind, Ticket
from responder.flows.desk import Desk
from responder.flows.telling import Text, language_of, spoken_recipients, write_messages, write_notice, zone_of
from responder.flows.texts import still_on_it_body, subject
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_NOBODY_IS_ASKED = timedelta(hours=1)
"""A plan that asks nobody any more may do so again after a reload: so long until the next look."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Watch:
    """Who has a ticket since when, silent since when, and what was asked about that."""

    desk: Desk
    tx: Transaction
    change: Change
    person: str
    taken_at: datetime
    silent_since: datetime
    question: Question | None
    now: datetime

    @property
    def plan(self) -> EscalationPlan:
        """The plan by which the ticket was handed over, as the policy has it today."""
        ticket = self.change.after
        chain = self.tx.chains.one(ticket.id, self.tx.chains.newest(ticket.id))
        is_current = chain is not None and chain.episode == ticket.episode
        return self.desk.policy.escalation_of(ticket, chain.started_at if chain and is_current else self.taken_at)

    def look_again(self, at: datetime) -> None:
        """Promises the next look; its instant tells it from one that was made already."""
        episode, marked = self.change.after.episode, microseconds(at)
        self.change.promise("still_on_it", at, by=self.person, episode=episode, at=marked)


def watch_over(desk: Desk, tx: Transaction, change: Change) -> None:
    """Promises the question to whoever has just taken the ticket, or has it in another grade or team, if its plan asks
    at all."""
    if not change.after.acknowledged_by or (change.before and _kept(change.before) == _kept(change.after)):
        return
    watch = _watch_of(desk, tx, change, [*tx.tickets.events(change.after.id), *change.events])
    asks_after = watch.plan.still_on_it
    if asks_after is not None:
        watch.look_again(watch.now + asks_after)


def _kept(ticket: Ticket) -> tuple[object, ...]:
    return (ticket.acknowledged_by, ticket.acknowledged_at, ticket.episode, ticket.grade, ticket.team, ticket.tier)


def _watch_of(desk: Desk, tx: Transaction, change: Change, history: Sequence[Event]) -> _Watch:
    ticket, now = change.after, desk.clock.now()
    taken_at = silence.taken_at(history, ticket.acknowledged_by) or ticket.acknowledged_at or now
    silent_since = silence.silent_since(history, ticket.acknowledged_by) or taken_at
    return _Watch(
        desk=desk,
        tx=tx,
        change=change,
        person=ticket.acknowledged_by,
        taken_at=taken_at,
        silent_since=silent_since,
        question=silence.question_about(history, silent_since),
        now=now,
    )


async def still_on_it(desk: Desk, job: Job) -> None:
    """Asks whoever has the ticket and has been silent, or gives it back if the answer did not come."""
    await desk.store.write(lambda tx: _look(desk, tx, job))


def _look(desk: Desk, tx: Transaction, job: Job) -> None:
    known = tx.tickets.one(int(job.args["ticket"]), locked=True)
    ticket, change = known.ticket, Change.of(known.ticket, known.clocks)
    if ticket.acknowledged_by != job.args["by"] or ticket.episode != job.args["episode"] or not ticket.is_open:
        return
    if "raised" in job.args:
        _say_that_it_was_raised(desk, tx, change, job)
    watch = _watch_of(desk, tx, change, tx.tickets.events(ticket.id))
    if "at" in job.args and _was_made(watch, job):
        return
    _decide(watch, watch.plan)
    tx.apply([change], watch.now)


def _say_that_it_was_raised(desk: Desk, tx: Transaction, change: Change, job: Job) -> None:
    """Who took something slighter must not learn by chance what it has become."""
    told, _ = addressed((str(job.args["by"]),), (), desk.configuration.people)
    purpose, text = f"raised-{job.args['round']}", str(job.args["raised"])
    new = write_notice(desk, tx, change, told, purpose=purpose, text=text)
    if new:
        change.note(desk.clock.now(), EventKind.MESSAGE, f"To tell: {spoken_recipients(new)}, who has it: {text}")


def _was_made(watch: _Watch, job: Job) -> bool:
    """Whether this look, or another one of that time, has asked already: the job is done again, or the person had the
    ticket before, and is watched twice until then."""
    return watch.question is not None and watch.question.said_at >= from_microseconds(int(job.args["at"]))


def _decide(watch: _Watch, plan: EscalationPlan) -> None:
    question, now = watch.question, watch.now
    if plan.still_on_it is None:
        watch.look_again(now + _NOBODY_IS_ASKED)
    elif watch.change.after.status not in silence.AT_WORK:
        # What it waits for is nobody's silence; that begins when it is back at work.
        watch.look_again(now + plan.still_on_it)
    elif (at := silence.look_at(watch.silent_since, plan.still_on_it, question, now)) > now:
        watch.look_again(at)
    elif question is None:
        _ask(watch, plan)
    else:
        _end_the_wait(watch, plan, question)


def _ask(watch: _Watch, plan: EscalationPlan) -> None:
    desk, ticket, by = watch.desk, watch.change.after, watch.person
    told, why = addressed((by,), (), desk.configuration.people)
    if not told:
        why = why if by not in desk.configuration.people else f"{by} has no channel"
        _give_back(watch, plan, f"{by} cannot be asked whether they are still on it: {why}.")
        return
    silent = watch.now - watch.silent_since
    until = _may_be_asked_at(watch) + plan.answer_within
    text = f"{by}, are you still on it? Nothing was heard from you for {spoken(silent)}."
    link = desk.links.acknowledge(AckClaim(ticket_id=ticket.id, episode=ticket.episode, person=by))
    read_until = local_moment(until, zone_of(desk, by))
    words = Text(
        subject=subject(ticket, text),
        body=lambda one: still_on_it_body(ticket, silent, read_until, link, language_of(desk, one)),
        link=lambda _: link,
    )
    purpose = silence.purpose_of(watch.silent_since)
    new = write_messages(desk, watch.tx, watch.change, told, purpose=purpose, text=words)
    said = f"Asked {spoken_recipients(new)}: still on it? Until {_clock_time(until, watch.now)}."
    _await_the_answer(watch, plan, EventKind.ESCALATION, said, until)


def _may_be_asked_at(watch: _Watch) -> datetime:
    """Now, or when the quiet hours end that the question will not disturb."""
    desk, person = watch.desk, watch.desk.configuration.people[watch.person]
    if watch.change.after.grade in desk.policy.delivery.through_quiet_hours:
        return watch.now
    return quiet_until(person.quiet_hours, watch.now) or watch.now


def _await_the_answer(watch: _Watch, plan: EscalationPlan, kind: EventKind, text: str, until: datetime) -> None:
    watch.change.note(watch.now, kind, text, **silence.question_mark(watch.silent_since, until))
    watch.look_again(min(until, watch.now + plan.still_on_it) if plan.still_on_it else until)


def _end_the_wait(watch: _Watch, plan: EscalationPlan, question: Question) -> None:
    """Gives it back; but if no question could be read, or nobody was here when the time ended, no answer could come:
    then it is waited for anew."""
    by, now, sent = watch.person, watch.now, _sent(watch)
    if held_until := silence.may_be_read_at(sent):
        until = max(held_until, now) + plan.answer_within
        text = f"{by} is in quiet hours and was not asked yet; an answer is waited for until {_clock_time(until, now)}."
        _await_the_answer(watch, plan, EventKind.NOTE, text, until)
    elif now - question.until > LATE:
        until = now + plan.answer_within
        text = f"No answer of {by} could be taken in time; it is waited for until {_clock_time(until, now)}."
        _await_the_answer(watch, plan, EventKind.NOTE, text, until)
    elif silence.has_left(sent):
        waited = spoken(now - question.asked_at)
        _give_back(watch, plan, f"{by} was asked {waited} ago whether they are still on it, and has not answered.")
    else:
        _give_back(watch, plan, f"{by} could not be asked whether they are still on it: no channel took the question.")


def _sent(watch: _Watch) -> list[Message]:
    ticket, purpose = watch.change.after, silence.purpose_of(watch.silent_since)
    messages = watch.tx.messages.of_ticket(ticket.id)
    return [one for one in messages if (one.episode, one.purpose) == (ticket.episode, purpose)]


def _give_back(watch: _Watch, plan: EscalationPlan, reason: str) -> None:
    acting = Acting(actor="responder", now=watch.now, policy=watch.desk.policy)
    if refused := handling.give_back(watch.change, acting, reason):
        watch.change.note(watch.now, EventKind.REFUSED, f"It stays with {watch.person}: {refused}.")
        watch.look_again(watch.now + (plan.still_on_it or _NOBODY_IS_ASKED))


def _clock_time(at: datetime, now: datetime) -> str:
    """With the day if it is another one."""
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"
