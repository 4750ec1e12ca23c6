"""Drill: everybody on call gets a message with a link to confirm; who does not is named in a ticket.

The row decides: each round of the watch begins what is due and reports what is over, so any replica may do it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from responder.adapters.links import DrillClaim
from responder.domain.delivery import quiet_until
from responder.domain.drill import Answer, Drill, DrillRule, last_word, next_drill, outcome, summary
from responder.domain.local_time import local_moment
from responder.domain.oncall import Person, recipients
from responder.errors import Refused
from responder.flows.desk import Desk
from responder.flows.duty import called_on_duty
from responder.flows.reach import Verdict, send_on
from responder.flows.receive import file_reports, internal_report
from responder.flows.texts import drill_text, short_text
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_WITHIN = timedelta(hours=1)
_TOO_LATE = timedelta(hours=1)
_ANSWERS = "drill_answers_total"
_LOOKED_BACK = 20


async def watch_drills(desk: Desk) -> int:
    """Plans the next drill of the policy, begins one that is due, and reports one that is over; how many that was."""
    now = desk.clock.now()
    if not await desk.store.read(lambda tx: _what_to_do(desk, tx, now)):
        return 0

    def body(tx: Transaction) -> int:
        # Taking this number orders all who watch: the second one sees what the first has done.
        tx.sums.take("drills looked at", 1)
        return _do(desk, tx, now)

    return await desk.store.write(body)


def _what_to_do(desk: Desk, tx: Transaction, now: datetime) -> bool:
    found = tx.drills.open_ones()
    planned = [one for one in found if one.started_at is None]
    is_misplanned = (desk.policy.drill is None) != (not planned)
    return is_misplanned or any(_is_due(one, now) or _is_moved(desk, tx, one, now) for one in found)


def _is_due(drill: Drill, now: datetime) -> bool:
    return drill.due_at <= now if drill.started_at is None else drill.is_over(now)


def _is_moved(desk: Desk, tx: Transaction, drill: Drill, now: datetime) -> bool:
    """Whether a planned drill is for no time any more: a reload has moved it, or it was missed while nobody served."""
    rule = desk.policy.drill
    if rule is None or drill.started_at is not None:
        return False
    return drill.due_at != _next(desk, tx, rule) if drill.due_at > now else now - drill.due_at > _TOO_LATE


def _do(desk: Desk, tx: Transaction, now: datetime) -> int:
    done = 0
    for drill in tx.drills.open_ones():
        if drill.started_at is None and (desk.policy.drill is None or _is_moved(desk, tx, drill, now)):
            tx.drills.remove(drill.id)
        elif drill.started_at is None and drill.due_at <= now:
            _begin(desk, tx, drill)
        elif drill.is_over(now):
            _report(desk, tx, drill)
        else:
            continue
        done += 1
    if desk.policy.drill is not None and not any(one.started_at is None for one in tx.drills.open_ones()):
        due_at = _next(desk, tx, desk.policy.drill)
        tx.drills.add(Drill(due_at=due_at, until=due_at + desk.policy.drill.within))
        done += 1
    return done


def _next(desk: Desk, tx: Transaction, rule: DrillRule) -> datetime:
    latest = tx.drills.listed(1)
    return next_drill(rule, desk.policy.zone, latest[0].started_at if latest else None, desk.clock.now())


# --- asking ---------------------------------------------------------------------------------------------------


async def order_drill(desk: Desk, actor: str) -> Drill:
    """Begins a drill now, beside the schedule. Raises Refused while another one is at work."""
    now = desk.clock.now()
    within = desk.policy.drill.within if desk.policy.drill else _WITHIN

    def body(tx: Transaction) -> Drill:
        tx.sums.take("drills looked at", 1)
        at_work = next((one for one in tx.drills.open_ones() if one.started_at is not None), None)
        if at_work is not None:
            raise Refused(f"Drill {at_work.id} is at work until {at_work.until:%H:%M} UTC.")
        return _begin(desk, tx, tx.drills.add(Drill(due_at=now, until=now + within, ordered_by=actor)))

    return await desk.store.write(body)


def _begin(desk: Desk, tx: Transaction, drill: Drill) -> Drill:
    """Asks everybody on call, except those who are in quiet hours: a drill wakes nobody."""
    now = desk.clock.now()
    answers = tuple(_asked(desk.configuration.people[name], now) for name in _on_call(desk, tx, now))
    begun = replace(drill, started_at=now, until=now + (drill.until - drill.due_at), answers=answers)
    tx.drills.keep(begun)
    jobs = [
        Job(kind="drill", args={"drill": drill.id, "person": one.person}, due_at=now, at_once=True)
        for one in answers
        if not one.skipped
    ]
    tx.promise(jobs)
    return begun


def _asked(person: Person, now: datetime) -> Answer:
    until = quiet_until(person.quiet_hours, now)
    return Answer(person=person.name, skipped=f"in quiet hours until {until:%Y-%m-%d %H:%M} UTC" if until else "")


def _on_call(desk: Desk, tx: Transaction, now: datetime) -> list[str]:
    """Whoever would be called now, on any tier of any team."""
    found: dict[str, None] = {}
    for tiers in desk.configuration.tiers.values():
        on_duty = called_on_duty(desk, tx, tiers, now)
        told, _ = recipients(tiers, [tier.number for tier in tiers], desk.configuration.people, on_duty)
        found |= {one.person: None for one in told}
    return list(found)


async def ask_in_drill(desk: Desk, job: Job) -> None:
    """Sends one person the link that confirms, on all their channels, and writes down what became of it."""
    drill_id, name = int(job.args["drill"]), str(job.args["person"])
    drill = await desk.store.read(lambda tx: tx.drills.one(drill_id))
    answer, person = drill.answer_of(name), desk.configuration.people.get(name)
    if answer is None or answer.told_at is not None or person is None or drill.ended_at is not None:
        return
    verdicts = await _send(desk, drill, person)
    now = desk.clock.now()

    def body(tx: Transaction) -> None:
        latest = tx.drills.one(drill_id, locked=True)
        said = tuple((one.channel, "taken" if one.is_taken else one.sentence) for one in verdicts)
        told_at = now if any(one.is_taken for one in verdicts) else None
        if (before := latest.answer_of(name)) is not None:
            tx.drills.keep(latest.with_answer(replace(before, channels=said, told_at=told_at)))

    await desk.store.write(body)


async def _send(desk: Desk, drill: Drill, person: Person) -> tuple[Verdict, ...]:
    link = desk.links.drill(DrillClaim(drill_id=drill.id, person=person.name))
    until = local_moment(drill.until, ZoneInfo(person.zone))
    subject, body = drill_text(link, until, person.language)
    brief = short_text(subject, link, desk.links.console(), person.language)
    short = [one for one in person.channels if one.is_short]
    long = [one for one in person.channels if not one.is_short]
    return (*await send_on(desk, person, long, subject, body), *await send_on(desk, person, short, "", brief))


# --- the answer -----------------------------------------------------------------------------------------------


async def confirm(desk: Desk, claim: DrillClaim) -> Drill:
    """Somebody says that the message has reached them; late counts as a word, not as in time.

    Raises NotFound, or Refused for who was not asked.
    """
    now = desk.clock.now()

    def body(tx: Transaction) -> Drill:
        drill = tx.drills.one(claim.drill_id, locked=True)
        answer = drill.answer_of(claim.person)
        if answer is None:
            raise Refused(f"{claim.person} was not asked in drill {drill.id}.")
        if answer.confirmed_at is not None:
            return drill
        drill = drill.with_answer(replace(answer, confirmed_at=now))
        tx.drills.keep(drill)
        if drill.ended_at is not None:
            tx.sums.add({(_ANSWERS, (("outcome", "late"),)): 1})
        return drill

    return await desk.store.write(body)


def _report(desk: Desk, tx: Transaction, drill: Drill) -> None:
    now = desk.clock.now()
    tx.drills.keep(replace(drill, ended_at=now))
    tx.sums.add(Counter((_ANSWERS, (("outcome", outcome(one)),)) for one in drill.answers))
    if drill.silent:
        labels = {"alertname": "ResponderDrillUnconfirmed", "drill": str(drill.id), "severity": "info"}
        file_reports(tx, [internal_report(labels, summary(drill), now)], desk.policy, now)


def confirmed_last(desk: Desk, tx: Transaction) -> dict[str, float]:
    """For each person 1 if they confirmed the last drill in which they were asked, else 0; of the newest drills."""
    found = last_word(tx.drills.listed(_LOOKED_BACK))
    return {name: float(found[name]) for name in sorted(found) if name in desk.configuration.people}
