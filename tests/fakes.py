"""Doubles of our own: a clock to move, a host that remembers what ran on it, a journal that survives a crash."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from responder.domain.acts import Ask, Command, CommandResult, Facts, Fetch, Page, Query, Request, Sample, Tell
from responder.domain.policy import GradePolicy, Policy
from responder.domain.report import Report, Signal
from responder.domain.runbook import Attempt, Runbook, StepSpec, Verdict
from responder.domain.sla import Clock
from responder.domain.ticket import Change, Status, Ticket
from responder.domain.ticking import opened
from responder.firstaid import marker
from responder.firstaid.plan import PlannedStep
from responder.firstaid.ports import Answered, Consent, Entry, Past, StepEnd, Stop
from responder.firstaid.step_run import is_lost, kind_of

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
REPOSITORY = Path(__file__).parent.parent


def material_folder() -> Path:
    """Where the collected bodies of other projects are; it may be absent."""
    return Path(os.environ.get("RESPONDER_MATERIAL") or REPOSITORY.parent / "shared" / "material")


class FakeClock:
    """Stands still until a test moves it."""

    def __init__(self, at: datetime = NOW) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by

    def advance_to(self, at: datetime) -> None:
        self._now = max(self._now, at)


class Crash(BaseException):
    """The process ends here: nothing may catch it but the test."""


class CrashPlan:
    """Lets the process end at the n-th place where it touches the world, before or after the touch counts."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.places: list[str] = []

    def place(self, name: str) -> None:
        self.places.append(name)
        if self.at is not None and len(self.places) == self.at:
            raise Crash(name)


Reply = CommandResult | Exception | Callable[["FakeHost"], CommandResult]


@dataclass
class FakeHost:
    """Answers commands from a table, and remembers each command that reached it.

    An answer may be a result, an error to raise, or a function of the host that changes `state`. Marker files are
    kept as on a real host, so that a `once` command can be asked about.
    """

    answers: dict[tuple[str, ...], Reply] = field(default_factory=dict)
    queries: dict[str, tuple[Sample, ...] | Exception] = field(default_factory=dict)
    pages: dict[str, Page | Exception] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    ran: list[tuple[str, ...]] = field(default_factory=list)
    sent: list[Command] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    markers: dict[str, int | None] = field(default_factory=dict)
    voided: set[str] = field(default_factory=set)

    def times(self, *argv: str) -> int:
        """How often this command reached the host."""
        return self.ran.count(argv)

    def execute(self, command: Command, crash: CrashPlan) -> CommandResult:
        self.sent.append(command)
        attempt, argv = _marked(command.argv)
        if attempt is None:
            return self._answer(command.argv)
        if not argv:
            return self._told(attempt)
        if attempt in self.markers or attempt in self.voided:
            return CommandResult(exit_code=125, stderr="this attempt was started before")
        self.markers[attempt] = None
        crash.place("the marker says started")
        result = self._answer(argv)
        crash.place("the command has ended, its marker says nothing yet")
        self.markers[attempt] = result.exit_code
        return result

    def _told(self, attempt: str) -> CommandResult:
        if attempt not in self.markers:
            self.voided.add(attempt)
        if attempt in self.voided:
            return CommandResult(exit_code=3)
        known = self.markers[attempt]
        return CommandResult(exit_code=4) if known is None else CommandResult(exit_code=0, stdout=f"{known}\n")

    def _answer(self, argv: tuple[str, ...]) -> CommandResult:
        self.ran.append(argv)
        answer = self.answers.get(argv, CommandResult(exit_code=127, stderr=f"{argv[0]}: not found"))
        if isinstance(answer, Exception):
            raise answer
        return answer(self) if callable(answer) else answer


_SCRIPT = marker.marked(Command(argv=("true",)), "").argv[:4]
_QUESTION = marker.question("").argv[:4]


def _marked(argv: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The attempt and the command inside a marker script; no attempt for any other command."""
    if argv[:4] in (_SCRIPT, _QUESTION):
        return argv[4], argv[5:]
    return None, argv


class FakeHands:
    """Implements the engine's `Hands` on a fake host; the crash plan may end the process around each touch."""

    def __init__(
        self, host: FakeHost, crash: CrashPlan | None = None, others: Mapping[str, FakeHost] | None = None
    ) -> None:
        self.host = host
        self.others = others or {}
        self._crash = crash or CrashPlan()

    async def run(self, host: str, command: Command) -> CommandResult:
        self._crash.place("before a command reaches the host")
        result = self.others.get(command.on or host, self.host).execute(command, self._crash)
        self._crash.place("after a command ended on the host")
        return result

    async def query(self, query: Query) -> tuple[Sample, ...]:
        answer = self.host.queries[query.promql]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def fetch(self, fetch: Fetch) -> Page:
        answer = self.host.pages[fetch.url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def send(self, request: Request) -> Page:
        self._crash.place("before a request is sent")
        self.host.requests.append(request)
        answer = self.host.pages[request.url]
        if isinstance(answer, Exception):
            raise answer
        self._crash.place("after a request is answered")
        return answer


@dataclass
class Disk:
    """What a journal has written: it outlives the process."""

    step: int = 0
    started: dict[int, datetime] = field(default_factory=dict)
    first: dict[int, Facts] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    ended: list[tuple[int, str, str]] = field(default_factory=list)
    asked: list[tuple[int, Ask]] = field(default_factory=list)
    told: list[tuple[int, Tell]] = field(default_factory=list)

    @property
    def outcomes(self) -> list[str]:
        return [outcome for _, outcome, _ in self.ended]


class MemoryJournal:
    """Implements the engine's `Journal` on a `Disk`. `stop` is what it answers instead of letting a run go on."""

    def __init__(self, clock: FakeClock, disk: Disk | None = None, crash: CrashPlan | None = None) -> None:
        self.disk = disk or Disk()
        self.stop: Stop | None = None
        self.answers: dict[int, Answered] = {}
        self.stop_before_act: Stop | None = None
        self._clock = clock
        self._crash = crash or CrashPlan()

    async def past(self) -> dict[int, Past]:
        ended = {index: (StepEnd(outcome), sentence) for index, outcome, sentence in self.disk.ended}
        return {
            index: Past(
                end=ended[index][0] if index in ended else None,
                sentence=ended[index][1] if index in ended else "",
                acted=any(
                    one.step == index and one.kind != "harmless" and one.verdict is not Verdict.VOID
                    for one in self.disk.attempts
                ),
            )
            for index in {*self.disk.started, *ended}
        }

    async def begin_step(self, step: PlannedStep, *, is_bound: bool) -> Entry | Stop:
        index = step.index
        self._crash.place("before begin_step")
        stop = self._stop(is_bound)
        if stop and not any(is_lost(attempt) for attempt in self.disk.attempts if attempt.step == index):
            self.disk.ended.append((index, stop.end.value, stop.why))
            return stop
        self.disk.step = index
        started_at = self.disk.started.setdefault(index, self._clock.now())
        mine = tuple(attempt for attempt in self.disk.attempts if attempt.step == index)
        self._crash.place("after begin_step")
        return Entry(started_at=started_at, first=self.disk.first.get(index), attempts=mine, stop=stop)

    def _stop(self, is_bound: bool, stop: Stop | None = None) -> Stop | None:
        stop = self.stop or stop
        return stop if stop and (stop.end is StepEnd.STOPPED or not is_bound) else None

    async def begin_act(self, step: PlannedStep, act: Command | Request, first: Facts, *, is_bound: bool) -> int | Stop:
        self._crash.place("before begin_act")
        if stop := self._stop(is_bound, self.stop_before_act):
            return stop
        self.disk.first[step.index] = dict(first)
        attempt = Attempt(
            id=len(self.disk.attempts) + 1,
            run_id=1,
            step=step.index,
            kind=kind_of(act),
            command=act.argv,
            started_at=self._clock.now(),
            become=isinstance(act, Command) and act.become,
            host=(act.on or step.host) if isinstance(act, Command) else "",
            label=act.label,
        )
        self.disk.attempts.append(attempt)
        self._crash.place("after begin_act")
        return attempt.id

    async def end_act(self, attempt: int, exit_code: int | None, output: str, verdict: Verdict) -> None:
        self._crash.place("before end_act")
        known = self.disk.attempts[attempt - 1]
        ended = replace(known, ended_at=self._clock.now(), exit_code=exit_code, output=output, verdict=verdict)
        self.disk.attempts[attempt - 1] = ended
        self._crash.place("after end_act")

    async def end_step(self, step: PlannedStep, end: StepEnd, sentence: str) -> None:
        self._crash.place("before end_step")
        self.disk.ended.append((step.index, end.value, sentence))
        self._crash.place("after end_step")

    async def ask(self, step: PlannedStep, ask: Ask) -> Answered:
        self.disk.asked.append((step.index, ask))
        return self.answers.get(step.index) or Answered(
            consent=Consent.WAITING, sentence=ask.question, until=self._clock.now() + ask.within
        )

    async def tell(self, step: PlannedStep, tell: Tell) -> None:
        if (step.index, tell) not in self.disk.told:
            self.disk.told.append((step.index, tell))


# --- builders --------------------------------------------------------------------------------------


def a_report(
    labels: Mapping[str, str] | None = None,
    *,
    signal: Signal = Signal.FIRING,
    started_at: datetime = NOW,
    ended_at: datetime | None = None,
    annotations: Mapping[str, str] | None = None,
    fingerprint: str = "",
    incomplete: bool = False,
    source: str = "am",
) -> Report:
    """One alert that fires on web-1, unless said otherwise."""
    return Report(
        source=source,
        signal=signal,
        labels=labels if labels is not None else {"alertname": "Down", "instance": "web-1"},
        started_at=started_at,
        ended_at=ended_at,
        annotations=annotations or {},
        fingerprint=fingerprint,
        incomplete=incomplete,
    )


def cleared(report: Report, at: datetime) -> Report:
    """The all-clear of the same alert."""
    return replace(report, signal=Signal.CLEARED, ended_at=at)


P1 = GradePolicy(
    name="P1",
    targets={"respond": 15 * MINUTE, "restore": HOUR, "resolve": 4 * HOUR},
    tiers=(1, 2),
    quiet=10 * MINUTE,
    close_after=72 * HOUR,
)
P3 = GradePolicy(
    name="P3",
    targets={"respond": 4 * HOUR, "restore": 24 * HOUR, "resolve": 72 * HOUR},
    quiet=5 * MINUTE,
    close_after=24 * HOUR,
)


def a_policy(**changes: object) -> Policy:
    """Two grades, P3 by default, and no rules but those given."""
    policy = Policy(name="test", grades={"P1": P1, "P3": P3}, default_grade="P3")
    return replace(policy, **changes)  # type: ignore[arg-type]


def a_ticket(status: Status = Status.NEW, **changes: object) -> Ticket:
    """An open ticket of grade P1 about web-1."""
    ticket = Ticket(
        id=7,
        number="INC-7",
        trouble="trouble",
        source="am",
        status=status,
        title="Down on web-1",
        grade="P1",
        grade_rule="rule",
        grade_reason="because",
        team="ops",
        labels={"alertname": "Down", "instance": "web-1"},
        opened_at=NOW,
        episode_at=NOW,
    )
    return replace(ticket, **changes)  # type: ignore[arg-type]


def a_change(ticket: Ticket, clocks: Mapping[str, Clock] | None = None) -> Change:
    """A change of a ticket whose clocks began with it."""
    policy = a_policy()
    fresh = opened(policy.clocks, policy.scene(ticket, ticket.opened_at))
    return Change.of(ticket, fresh if clocks is None else clocks)


def a_runbook(steps: Sequence[StepSpec] = (), **changes: object) -> Runbook:
    """A runbook of one step that waits a second."""
    own = tuple(steps) or (StepSpec(name="wait", kind="wait", settings={"for": "1s"}),)
    return replace(Runbook(name="restart", summary="Restart it", steps=own), **changes)  # type: ignore[arg-type]
