"""The audit of pages: from what is stored, told anew, who should have been told by now; and how that differs.

It decides nothing that the flows decide, and uses nothing that they use: it reads the history of a ticket like a
stranger who knows only what the events promise. Whoever changes those promises has to change them here, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from responder.clock import MICROSECOND, from_microseconds, microseconds
from responder.domain.durations import spoken
from responder.domain.page_story import Fact, Story, story_of

GRACE = timedelta(minutes=2)
"""So late a call may be: the worker may be busy, and there may be a storm."""
STUCK = timedelta(minutes=10)
OVERDUE = timedelta(minutes=5)
FAR = timedelta(hours=1)
"""No job that takes a new ticket on is promised for later than that: holds are looked at again and again."""
_SLACK = timedelta(seconds=5)
"""Rows and events of one transaction may read the clock one after the other."""
_LATE = timedelta(minutes=1)
"""A call that was made later than this moves those after it: each keeps its wait from the call really made."""
_PAGE = "hand_over"
_BUNDLE = "bundle-"
_UNFINISHED = ("waiting", "sending", "failed_for_now", "held")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A message as it is stored, without its text."""

    id: int
    ticket_id: int
    episode: int
    purpose: str
    person: str
    channel: str
    state: str
    created_at: datetime
    due_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainRow:
    """A chain of calls as it is stored: the instants of its calls, and how many of them it counts as made."""

    number: int
    episode: int
    calls: tuple[int, ...]
    position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """A job about a ticket, that has failed `tries` times. `due_at` None: at once."""

    kind: str
    due_at: datetime | None
    is_at_work: bool = False
    tries: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """All that is stored of one ticket, as far as it is about pages."""

    id: int
    number: str
    status: str
    episode: int
    acknowledged_by: str
    runbook: str
    signal: str
    facts: Sequence[Fact]
    sheets: Sequence[Sheet]
    chains: Sequence[ChainRow] = ()
    work: Sequence[Work] = ()
    runs: bool = False
    asks: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing that is not as it should be, in a sentence; `kind` and `args` are the job that may mend it."""

    key: str
    ticket_id: int
    number: str
    sentence: str
    kind: str = ""
    args: Mapping[str, object] = field(default_factory=dict)
    lock: str = ""


# --- how it differs --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One ticket under audit. `awake_since`: what was due while nobody was there to do it counts from then."""

    account: Account
    story: Story
    now: datetime
    awake_since: datetime

    def is_late(self, due_at: datetime, patience: timedelta = GRACE) -> bool:
        return self.now > max(due_at, self.awake_since) + patience

    def differs(self, key: str, sentence: str, kind: str = "", lock: str = "", **args: object) -> Difference:
        account = self.account
        return Difference(
            key=f"{account.id}/{key}",
            ticket_id=account.id,
            number=account.number,
            sentence=f"{account.number}: {sentence}.",
            kind=kind,
            args=args,
            lock=lock,
        )

    @property
    def pages(self) -> list[Sheet]:
        """The pages of this episode."""
        own = self.account.sheets
        return [one for one in own if one.episode == self.story.episode and one.purpose.startswith(_PAGE)]


def audit(accounts: Iterable[Account], now: datetime, awake_since: datetime) -> list[Difference]:
    """How what is stored differs from what the histories promise."""
    known = list(accounts)
    bundles = {
        (one.person, one.channel)
        for account in known
        for one in account.sheets
        if one.purpose.startswith(_BUNDLE) and one.state in _UNFINISHED
    }
    found: list[Difference] = []
    for stored in known:
        account, strange = _readable(stored)
        look = Look(account=account, story=Story(), now=now, awake_since=awake_since)
        found += [look.differs(f"event/{one.id}", f"event {one.id} of its history cannot be read") for one in strange]
        try:
            look = replace(look, story=story_of(account.facts))
            found += [*_of_one(look), *_lost_in_bundles(look, bundles)]
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            # What nobody can read may hide anything; and one such row must not end the audit of the others.
            found.append(look.differs("unreadable", f"what is stored of it cannot be read ({type(error).__name__})"))
    return found


def _readable(account: Account) -> tuple[Account, list[Fact]]:
    """The account without the events whose data is not what events have, and those."""
    strange = [fact for fact in account.facts if not isinstance(fact.data, Mapping)]
    facts = [fact for fact in account.facts if isinstance(fact.data, Mapping)] if strange else account.facts
    return replace(account, facts=facts), strange


def _of_one(look: Look) -> Iterator[Difference]:
    yield from _breaks(look)
    if look.account.status == look.story.status == "closed":
        yield from _stuck(look)
        return
    yield from _missing_sheets(look)
    yield from _stuck(look)
    yield from _chains(look)
    if look.story.calls_people:
        yield from _uncalled(look)
        yield from _unmade(look)
        yield from _unpromised(look)
        yield from _unaccounted(look)
    yield from _lost_work(look)
    yield from _lost_proof(look)


def _breaks(look: Look) -> Iterator[Difference]:
    """The history against itself and against the ticket's row."""
    account, story = look.account, look.story
    for text in story.breaks:
        yield look.differs(f"history/{text}", text)
    told = {"status": story.status, "episode": story.episode, "acknowledged": bool(story.acknowledged_by)}
    kept = {"status": account.status, "episode": account.episode, "acknowledged": bool(account.acknowledged_by)}
    for name, value in told.items():
        if kept[name] != value:
            yield look.differs(f"row/{name}", f"its row says {name} {kept[name]}, its history {value}")


def _missing_sheets(look: Look) -> Iterator[Difference]:
    """Messages that the history speaks of, and that are not there."""
    known = {one.id for one in look.account.sheets}
    spoken_of = {int(fact.data["message"]) for fact in look.account.facts if "message" in fact.data}
    for number in sorted(spoken_of - known):
        yield look.differs(f"message/{number}", f"message {number} is gone, though its history speaks of it")


def _stuck(look: Look) -> Iterator[Difference]:
    """Messages that should have been tried long ago."""
    for one in look.account.sheets:
        if one.state not in _UNFINISHED:
            continue
        tried = [fact.at for fact in look.account.facts if fact.data.get("message") == one.id]
        due_at = one.due_at or max([one.created_at, *tried])
        if look.is_late(due_at, STUCK):
            at = {"at": microseconds(one.due_at)} if one.due_at else {}
            text = f"message {one.id} to {one.person} by {one.channel} is {one.state.replace('_', ' ')} "
            text += f"and was not tried for {spoken(look.now - due_at)}"
            yield look.differs(f"stuck/{one.id}", text, "deliver", f"message:{one.id}", message=one.id, **at)


def _lost_in_bundles(look: Look, bundles: set[tuple[str, str]]) -> Iterator[Difference]:
    for one in look.account.sheets:
        waits = one.state == "bundled" and one.sent_at is None and (one.person, one.channel) not in bundles
        if waits and look.is_late(one.created_at, STUCK):
            text = f"message {one.id} to {one.person} by {one.channel} waits for a list that nobody will send"
            yield look.differs(f"bundle/{one.id}", text, "deliver", f"message:{one.id}", message=one.id, unlisted=True)


def _uncalled(look: Look) -> Iterator[Difference]:
    """With people since a while, and there is neither a message to anybody nor a word why not."""
    story, called_at = look.story, look.story.called_at
    if (
        called_at is None
        or not look.is_late(called_at)
        or (story.held and any(one.kind != _PROVE for one in look.account.work))
    ):
        return
    since = called_at - _SLACK
    is_said = any(
        fact.at >= since and (fact.kind == "escalation" or (fact.kind == "message" and "message" not in fact.data))
        for fact in look.account.facts
    )
    if not is_said and not any(one.created_at >= since for one in look.pages):
        text = f"it is with people since {called_at:%H:%M:%S} UTC, and nobody was told"
        why = "The self-audit found that nobody had been told."
        yield look.differs(
            f"uncalled/{microseconds(called_at)}", text, "hand_over", why=why, round=f"audit-{microseconds(called_at)}"
        )


# --- chains ----------------------------------------------------------------------------------------


def _newest(look: Look) -> tuple[int, Fact] | None:
    """The chain that goes on in this episode, by the history."""
    own = {
        number: fact
        for number, fact in look.story.snapshots.items()
        if int(fact.data.get("episode", 0)) == look.story.episode
    }
    return max(own.items(), default=None)


def _chains(look: Look) -> Iterator[Difference]:
    """Chains against their steps, and against their rows."""
    rows = {row.number: row for row in look.account.chains}
    story = look.story
    for number in sorted({*story.snapshots, *story.steps, *rows}):
        made = [int(fact.data["step"]) for fact in story.steps.get(number, ())]
        yield from _steps(look, number, made)
        yield from _row(look, number, rows.get(number), len(set(made)))


def _steps(look: Look, number: int, made: list[int]) -> Iterator[Difference]:
    if number not in look.story.snapshots:
        yield look.differs(f"chain/{number}/snapshot", f"its history does not say what chain {number} was to be")
    for step, times in sorted(Counter(made).items()):
        if times > 1:
            yield look.differs(
                f"chain/{number}/doubled/{step}", f"call {step + 1} of chain {number} was made {times} times"
            )
    for step in sorted(set(range(max(made, default=-1))) - set(made)):
        yield look.differs(f"chain/{number}/skipped/{step}", f"call {step + 1} of chain {number} was skipped")


def _times(snapshot: Fact, made: Sequence[Fact]) -> list[int]:
    """When each call of a chain is due, from what was foreseen and from when calls were really made; in µs."""
    made_at = {int(fact.data["step"]): microseconds(fact.at) for fact in reversed(made)}
    late, times = 0, []
    for step, foreseen in enumerate(snapshot.data["steps"]):
        due_at = int(foreseen["at"]) + late
        if step in made_at and made_at[step] - due_at > _LATE // MICROSECOND:
            late += made_at[step] - due_at
        times.append(int(foreseen["at"]) + late)
    return times


def _row(look: Look, number: int, row: ChainRow | None, made: int) -> Iterator[Difference]:
    if row is None:
        yield look.differs(f"chain/{number}/row", f"chain {number} is gone, though its history speaks of it")
        return
    if row.position != made:
        text = f"chain {number} counts {_calls(row.position)} as made, its history {made}"
        yield look.differs(f"chain/{number}/position", text)
    snapshot = look.story.snapshots.get(number)
    times = _times(snapshot, look.story.steps.get(number, ())) if snapshot else []
    if list(row.calls[: len(times)]) != times:
        text = f"the times of chain {number} are not those that its history foresaw"
        yield look.differs(f"chain/{number}/times", text)


def _unmade(look: Look) -> Iterator[Difference]:
    """The call that is due and was not made; those after it wait for it."""
    newest = _newest(look)
    if newest is None or (look.story.called_at and newest[1].at < look.story.called_at - _SLACK):
        return
    number, snapshot = newest
    steps = look.story.steps.get(number, ())
    made = {int(fact.data["step"]) for fact in steps}
    for step, at in enumerate(_times(snapshot, steps)):
        due_at = from_microseconds(at)
        if step not in made and look.is_late(due_at):
            called = snapshot.data["steps"][step].get("who", ())
            who = ", ".join(map(str, called)) or "nobody by name"
            text = f"call {step + 1} of chain {number} ({who}) was due at {due_at:%H:%M:%S} UTC and was not made"
            yield look.differs(f"chain/{number}/unmade/{step}", text, "escalate", chain=number, step=step)
            return


def _unpromised(look: Look) -> Iterator[Difference]:
    """People whom the history counts as told, and for whom there is no message."""
    for number, made in sorted(look.story.steps.items()):
        for fact in made:
            if int(fact.data.get("episode", look.story.episode)) == look.story.episode:
                yield from _untold(look, number, fact)


def _untold(look: Look, number: int, step: Fact) -> Iterator[Difference]:
    for name in step.data.get("told", ()):
        if not any(one.person == name and one.created_at >= step.at - _SLACK for one in look.pages):
            text = f"its history says that {name} was told at {step.at:%H:%M:%S} UTC, and there is no message"
            args = {"why": f"The self-audit found that the message to {name} is gone.", "round": f"audit-{step.id}"}
            key = f"chain/{number}/told/{step.data['step']}/{name}"
            yield look.differs(key, text, "hand_over", **args)


def _unaccounted(look: Look) -> Iterator[Difference]:
    """Pages that nothing in the history has written."""
    written = [fact.at for fact in look.account.facts if fact.kind in ("escalation", "message")]
    for one in look.pages:
        if not any(abs(one.created_at - at) <= _SLACK for at in written):
            text = f"nothing in its history accounts for message {one.id} to {one.person}"
            yield look.differs(f"extra/{one.id}", text)


# --- jobs ------------------------------------------------------------------------------------------

_PROVE = "prove"
_CARRY = {"new": ("first_aid", "hand_over"), "first_aid": ("first_aid", "run", "hand_over")}
"""Jobs that take a ticket on from where it is."""


def _lost_work(look: Look) -> Iterator[Difference]:
    """A ticket that is still the machine's, and that no job takes on."""
    account, story = look.account, look.story
    if story.status not in _CARRY or account.asks or story.last_at is None:
        return
    carrying = [one for one in account.work if one.kind in _CARRY[story.status]]
    if not carrying and look.is_late(story.last_at):
        kind = "first_aid" if account.runs or (story.status == "new" and account.runbook) else "hand_over"
        why = {} if kind == "first_aid" else {"why": "The self-audit found that its job was lost."}
        text = f"it is {story.status.replace('_', ' ')} since {story.last_at:%H:%M:%S} UTC, and its job is lost"
        yield look.differs(f"lost/{microseconds(story.last_at)}", text, kind, **why)
    elif carrying and not account.runs and all(_is_overdue(look, one, story.last_at) for one in carrying):
        yield look.differs("overdue", f"it is {story.status.replace('_', ' ')}, and its job is long overdue")
    elif carrying and not account.runs and all(one.due_at and one.due_at > look.now + FAR for one in carrying):
        yield look.differs("put off", "its job was put off for more than an hour")


def _lost_proof(look: Look) -> Iterator[Difference]:
    """A ticket that is said to be restored while its alert fires, and that no job asks for the proof of it."""
    account, since = look.account, look.story.restored_at
    if look.story.status != "restored" or account.signal != "firing" or since is None:
        return
    proving = [one for one in account.work if one.kind == _PROVE]
    if not proving and look.is_late(since):
        text = f"it is restored since {since:%H:%M:%S} UTC though its alert fires, and the job of its proof is lost"
        yield look.differs(f"unproved/{microseconds(since)}", text, _PROVE, episode=account.episode)
    elif proving and all(_is_overdue(look, one, since) for one in proving):
        yield look.differs("unproved", "it is restored though its alert fires, and its proof is long overdue")


def _is_overdue(look: Look, work: Work, since: datetime) -> bool:
    # One that fails is put off each time; that makes it no earlier.
    due_at = since if work.tries else max(work.due_at or since, since)
    return not work.is_at_work and look.is_late(due_at, OVERDUE)


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"
