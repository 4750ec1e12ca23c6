"""What a step may ask the engine for: questions that change nothing, and acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command on a host, as an argument list; `on` names another target than the step's own.

    `stdin` is handed to it as it is. How it may be repeated, and what its failure means:
    `once`: a marker on the host tells after a crash whether it ran. `harmless`: it may run again, may fail, and
    does not count as an act. `repeatable`: an act that may run again after a crash. `judged`: the step looks again
    and decides itself what a failure means. `label` is the step's own word for it; a dry run and the plan see it.
    `keep_as` keeps the output as an attachment of the ticket under this name.
    """

    argv: tuple[str, ...]
    timeout: timedelta = timedelta(seconds=30)
    become: bool = False
    once: bool = False
    harmless: bool = False
    repeatable: bool = False
    judged: bool = False
    on: str = ""
    stdin: str = ""
    label: str = ""
    keep_as: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """An HTTP request that changes something, from where responder runs; as an act.

    `credential_file` holds the value of the Authorization header: it is read when the request is sent, and is in
    no snapshot. It failed unless the answer's status is in `expect`. `repeatable`, `judged`, `label` as in Command.
    """

    url: str
    method: str = "POST"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    credential_file: str = ""
    timeout: timedelta = timedelta(seconds=10)
    expect: tuple[int, ...] = (200, 201, 202, 204)
    repeatable: bool = False
    judged: bool = False
    label: str = ""

    @property
    def argv(self) -> tuple[str, ...]:
        """The request as the journal writes it."""
        return (self.method, self.url, self.body) if self.body else (self.method, self.url)


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A question to Prometheus."""

    promql: str
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetch:
    """An HTTP request that changes nothing, from where responder runs."""

    url: str
    method: str = "GET"
    timeout: timedelta = timedelta(seconds=10)
    credential_file: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspend:
    """Nothing to do before `until`; no thread and no connection waits for it."""

    until: datetime
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fail:
    """The step cannot succeed any more; the text says why."""

    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A question to people: `needed` of those with one of `roles` must say yes within `within`.

    Without an answer in time the step fails, or goes on if `go_on_without` says so. No roles: anybody may answer.
    """

    question: str
    roles: tuple[str, ...] = ()
    needed: int = 1
    within: timedelta = timedelta(minutes=15)
    go_on_without: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Tell:
    """A message to people: these, those with these roles, and the ticket's team in these tiers."""

    text: str
    people: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tiers: tuple[int, ...] = ()


Question = Command | Query | Fetch
Look = Question | Mapping[str, Question] | None
"""One question; several by name, asked at the same time; or none."""

Act = Command | Request | Suspend | Fail | Ask | Tell
Facts = Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """An act of this step that has ended. `exit_code` is None when it has none; a request's is its status."""

    label: str
    is_good: bool
    at: datetime
    exit_code: int | None = None
    output: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """When a step began, when its last act ended (None before that), how many ended, what they gave, and the time."""

    started_at: datetime
    now: datetime
    acted_at: datetime | None = None
    acts: int = 0
    done: tuple[Done, ...] = ()

    def has(self, label: str) -> bool:
        """Whether an act of this label has ended, well or not."""
        return any(one.label == label for one in self.done)

    def last(self, label: str) -> Done | None:
        """The newest act of this label that has ended."""
        return next((one for one in reversed(self.done) if one.label == label), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandResult:
    """What a command gave. `truncated` when it printed more than is kept."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    duration: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One series of a query's answer."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What a URL answered."""

    status: int
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unanswered:
    """A question of several that got no answer; a step that asks several decides what that means."""

    why: str


Reply = CommandResult | tuple[Sample, ...] | Page
Answer = Reply | Mapping[str, Reply | Unanswered] | None
"""To one question its reply; to several each reply under its question's name; to none None."""
