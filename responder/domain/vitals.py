"""How responder itself is: what counts as well, in a sentence each, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from responder.domain.durations import spoken

SLOW_JOB = timedelta(minutes=1)
SLOW_MESSAGE = timedelta(minutes=2)
SLOW_ANSWER = timedelta(milliseconds=500)
SILENT_MAILBOX = timedelta(minutes=15)
MISSED_ROUNDS = timedelta(minutes=3)
"""From here on it is odd, and from `_BAD_FACTOR` times as much it is bad."""
_BAD_FACTOR = 5
_FEW_LEFT = 0.9


class State(StrEnum):
    GOOD = "good"
    ODD = "odd"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True, slots=True)
class Vital:
    """One thing that is looked at: how it is, in a sentence, and what to do next where it is not well."""

    name: str
    state: State = State.GOOD
    said: str
    next: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """What only this process knows of itself. `loops`: by name, whether they go on. `why_not`: why it is not ready."""

    started_at: datetime
    why_not: str = ""
    loops: Mapping[str, bool] = field(default_factory=dict)
    reloaded_at: datetime | None = None
    refused_at: datetime | None = None
    reload_problems: str = ""
    listening: int = 0
    may_listen: int = 0
    watch_failures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the database knows. `oldest_jobs`: for each kind since when the oldest waits; `beat_at` is when the dead
    man's switch took the last beat, and `beat_objection` why it did not take a later one."""

    answered_in: timedelta
    revision: str
    newest_revision: str
    oldest_jobs: Mapping[str, datetime] = field(default_factory=dict)
    messages_waiting: int = 0
    oldest_message_at: datetime | None = None
    failing_channels: Sequence[str] = ()
    mailbox_seen_at: datetime | None = None
    has_mailbox: bool = False
    beat_every: timedelta | None = None
    beat_at: datetime | None = None
    beat_objection: str = ""
    silent_sources: Collection[str] = ()
    unheard_sources: Collection[str] = ()
    cron_jobs_in_trouble: Collection[str] = ()
    pages_at: datetime | None = None
    differences: int = 0
    unreached: Sequence[str] = ()


def vitals(process: Process, seen: Seen, now: datetime) -> list[Vital]:
    """Everything that is looked at, what is not well first."""
    order = list(State)
    return sorted(_all(process, seen, now), key=lambda one: -order.index(one.state))


def worst(found: Collection[Vital]) -> State:
    return max((one.state for one in found), key=list(State).index, default=State.GOOD)


def _all(process: Process, seen: Seen, now: datetime) -> Iterator[Vital]:
    yield _readiness(process)
    yield from _loops(process)
    yield _reload(process)
    yield _listeners(process)
    yield _database(seen)
    yield _jobs(seen, now)
    yield _messages(seen, now)
    yield _mailbox(seen, now)
    yield _pages(seen, now)
    yield _dead_man(seen, now)
    yield _sources(seen)
    yield _cron_jobs(seen)


def _readiness(process: Process) -> Vital:
    if process.why_not:
        then = "Read the log of this process; a load balancer sends it nothing until then."
        return Vital(name="readiness", state=State.BAD, said=process.why_not, next=then)
    return Vital(name="readiness", said="It takes reports and works on them.")


def _loops(process: Process) -> Iterator[Vital]:
    ended = [name for name, goes_on in process.loops.items() if not goes_on]
    failed = {name: count for name, count in process.watch_failures.items() if count}
    if ended:
        then = "Restart this process, and read in its log why they ended."
        yield Vital(name="loops", state=State.BAD, said=f"These have ended: {', '.join(ended)}.", next=then)
    elif failed:
        told = ", ".join(f"{name} {count:g}" for name, count in sorted(failed.items()))
        then = "Each is tried again in its next round; read the log if the number grows."
        yield Vital(name="loops", state=State.ODD, said=f"Rounds that failed since the start: {told}.", next=then)
    else:
        yield Vital(name="loops", said="All of them go on.")


def _reload(process: Process) -> Vital:
    if process.reload_problems:
        then = "Mend the file, try it with responder check, and reload. The last good configuration is in use."
        return Vital(name="reload", state=State.BAD, said="The last reload was refused.", next=then)
    return Vital(name="reload", said="The files as they were last read are in use.")


def _listeners(process: Process) -> Vital:
    said = f"{process.listening} of {process.may_listen} live streams are in use."
    if process.may_listen and process.listening >= process.may_listen * _FEW_LEFT:
        then = "Pages beyond that ask now and then, and are not live; close tabs, or run another replica."
        return Vital(name="listeners", state=State.ODD, said=said, next=then)
    return Vital(name="listeners", said=said)


def _database(seen: Seen) -> Vital:
    took = f"It answers within {seen.answered_in / timedelta(milliseconds=1):.1f} ms."
    if seen.revision != seen.newest_revision:
        said = f"It has revision {seen.revision or 'none'}, and this version wants {seen.newest_revision}."
        then = "Run responder db upgrade, or the newer version."
        return Vital(name="database", state=State.BAD, said=said, next=then)
    if seen.answered_in > SLOW_ANSWER:
        then = "Look at its disk and at what else works there."
        return Vital(name="database", state=State.ODD, said=took, next=then)
    return Vital(name="database", said=took)


def _jobs(seen: Seen, now: datetime) -> Vital:
    late = {kind: now - at for kind, at in seen.oldest_jobs.items() if now - at > SLOW_JOB}
    if not late:
        return Vital(name="jobs", said="No job waits longer than it should.")
    kind, waits = max(late.items(), key=lambda pair: pair[1])
    said = f"A job of the kind {kind} has waited for {spoken(waits)}."
    then = "See whether a worker runs (responder worker) and what holds its lane: hosts or channels that do not answer."
    return Vital(name="jobs", state=_graver(waits, SLOW_JOB), said=said, next=then)


def _messages(seen: Seen, now: datetime) -> Vital:
    waits = now - seen.oldest_message_at if seen.oldest_message_at else timedelta()
    if seen.failing_channels:
        said = f"Messages by {', '.join(seen.failing_channels)} fail, and are tried again."
        then = "Try the channel with responder people test, and look at its address in people.yml."
        return Vital(name="messages", state=_graver(waits, SLOW_MESSAGE, least=State.ODD), said=said, next=then)
    if waits > SLOW_MESSAGE:
        said = f"The oldest of {seen.messages_waiting} messages has waited for {spoken(waits)}."
        then = "See whether a worker runs, and what its log says of messages."
        return Vital(name="messages", state=_graver(waits, SLOW_MESSAGE), said=said, next=then)
    return Vital(name="messages", said="No message waits longer than it should.")


def _mailbox(seen: Seen, now: datetime) -> Vital:
    if not seen.has_mailbox:
        return Vital(name="mailbox", said="None is followed.")
    if seen.mailbox_seen_at is None:
        return Vital(name="mailbox", said="Another process follows it.")
    since = now - seen.mailbox_seen_at
    said = f"Its server answered {spoken(since)} ago."
    if since > SILENT_MAILBOX:
        then = "Try it with responder doctor: the address, the password, and the way to the server."
        return Vital(name="mailbox", state=_graver(since, SILENT_MAILBOX), said=said, next=then)
    return Vital(name="mailbox", said=said)


def _pages(seen: Seen, now: datetime) -> Vital:
    name, since = "audit of pages", now - (seen.pages_at or now)
    found, then = _what_the_audit_found(seen)
    if seen.pages_at is None and not found:
        return Vital(name=name, state=State.ODD, said="No round was made yet.", next=_WORKER)
    if since > MISSED_ROUNDS:
        return _old_pages(found, then, since)
    if found:
        return Vital(name=name, state=State.BAD, said=found, next=then)
    return Vital(name=name, said=f"Everybody was told who should have been, as of {spoken(since)} ago.")


def _what_the_audit_found(seen: Seen) -> tuple[str, str]:
    """What is not as it should be, and what to do; both empty if all is well."""
    if seen.differences:
        said = f"{seen.differences} things differ between who should have been told and what is stored."
        return said, "Look at them on the page Audit, and call those who were not told."
    if not seen.unreached:
        return "", ""
    more = f" And {len(seen.unreached) - 1} more." if len(seen.unreached) > 1 else ""
    said = f"Every call was made, and yet nobody was reached. {seen.unreached[0]}{more}"
    return said, "Call them by other means, and try their channels with responder people test."


def _old_pages(found: str, then: str, since: timedelta) -> Vital:
    """What the last round said is no news: whoever reads it learns first that no other one was made."""
    name, ago = "audit of pages", spoken(since)
    if found:
        return Vital(name=name, state=State.BAD, said=f"As of {ago} ago: {found}", next=f"{_WORKER} {then}")
    said = f"Everybody was told who should have been, as of {ago} ago."
    return Vital(name=name, state=_graver(since, MISSED_ROUNDS), said=said, next=_WORKER)


_WORKER = "One is made every minute: see whether responder serve or a worker runs."


def _dead_man(seen: Seen, now: datetime) -> Vital:
    name = "dead man's switch"
    if seen.beat_every is None:
        then = "Without one nobody notices when this machine is gone: see docs/self-audit.md."
        return Vital(name=name, state=State.ODD, said="There is none.", next=then)
    if seen.beat_objection:
        then = "Whoever watches the beats is called soon; the sentence says what to mend."
        return Vital(name=name, state=State.BAD, said=seen.beat_objection, next=then)
    if seen.beat_at is None:
        return Vital(name=name, state=State.ODD, said="It was never sent.", next=_WORKER)
    since = now - seen.beat_at
    said = f"It took a beat {spoken(since)} ago."
    if since > 3 * seen.beat_every:
        return Vital(name=name, state=State.BAD, said=said, next=_WORKER)
    return Vital(name=name, said=said)


def _sources(seen: Seen) -> Vital:
    if seen.silent_sources:
        said = f"Silent: {', '.join(seen.silent_sources)}."
        then = "Alerts of these may not come: look at the Prometheus or Alertmanager that sends them."
        return Vital(name="sources", state=State.BAD, said=said, next=then)
    if seen.unheard_sources:
        said = f"Not heard since the start: {', '.join(seen.unheard_sources)}."
        then = "Each is told as silent once its time has passed; whether alerts of these come is not known until then."
        return Vital(name="sources", state=State.ODD, said=said, next=then)
    return Vital(name="sources", said="None is silent.")


def _cron_jobs(seen: Seen) -> Vital:
    if seen.cron_jobs_in_trouble:
        said = f"In trouble: {', '.join(seen.cron_jobs_in_trouble)}."
        then = "Each has a ticket, and what it said last stands below."
        return Vital(name="cron jobs", state=State.BAD, said=said, next=then)
    return Vital(name="cron jobs", said="None is in trouble.")


def _graver(waits: timedelta, odd: timedelta, *, least: State = State.ODD) -> State:
    return State.BAD if waits > _BAD_FACTOR * odd else least
