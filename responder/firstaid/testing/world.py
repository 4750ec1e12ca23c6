"""The hands of a run in a test: hosts, Prometheus and URLs that answer what the test says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from responder.domain.acts import Command, CommandResult, Fetch, Page, Query, Request, Sample
from responder.domain.target import Target, find
from responder.errors import HostUnreachable, QueryFailed, Refused
from responder.firstaid import marker
from responder.firstaid.testing.answers import (
    CommandAnswer,
    CommandRule,
    PageAnswer,
    PageRule,
    QueryAnswer,
    QueryRule,
    Trouble,
)
from responder.firstaid.testing.patterns import fits, fits_text, shown
from responder.firstaid.testing.saying import error_of, like, unmatched
from responder.firstaid.testing.states import States
from responder.firstaid.testing.touches import Touches

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
_SCRIPT = marker.marked(Command(argv=("true",)), "").argv[:4]
_QUESTION = marker.question("").argv[:4]

Rule = TypeVar("Rule", CommandRule, QueryRule, PageRule)
Answer = TypeVar("Answer", CommandAnswer, QueryAnswer, PageAnswer)


class NoAnswer(Exception):
    """The test does not say what answers this, so it cannot go on."""


class StillClock:
    """Stands still until something takes time."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by

    def advance_to(self, at: datetime) -> None:
        self._now = max(self._now, at)


@dataclass(frozen=True, kw_only=True)
class Acted:
    """An act that reached a host, or, without a host, a request that reached its URL."""

    host: str
    argv: tuple[str, ...]
    is_repeatable: bool = False

    def __str__(self) -> str:
        return f"{self.host}: {shown(self.argv)}" if self.host else shown(self.argv)


@dataclass(kw_only=True)
class World:
    """Implements the engine's `Hands`. It outlives the process: what ran on a host has run.

    `begun` are the acts that the journal has written down; what else comes is a look.
    """

    targets: Sequence[Target]
    hosts: dict[str, tuple[CommandRule, ...]]
    queries: tuple[QueryRule, ...] = ()
    pages: tuple[PageRule, ...] = ()
    unreachable: frozenset[str] = frozenset()
    clock: StillClock = field(default_factory=StillClock)
    states: States = field(default_factory=States)
    touches: Touches = field(default_factory=Touches)
    begun: list[Command | Request] = field(default_factory=list)
    acted: list[Acted] = field(default_factory=list)
    _markers: dict[tuple[str, str], int | None] = field(default_factory=dict)
    _asked: Counter[tuple[int, str]] = field(default_factory=Counter)

    # --- commands ----------------------------------------------------------------------------------

    async def run(self, host: str, command: Command) -> CommandResult:
        target = find(self.targets, command.on or host)
        if target is None:
            raise Refused(f"{command.on or host} is no target in the inventory.")
        if target.name in self.unreachable:
            raise HostUnreachable(f"{target.name} cannot be reached.")
        self.touches.place(f"before a command reaches {target.name}")
        result = self._execute(target.name, command)
        self.touches.place(f"after a command ended on {target.name}")
        return result

    def _execute(self, host: str, command: Command) -> CommandResult:
        if command.argv[:4] == _QUESTION:
            return self._told((host, command.argv[4]))
        if command.argv[:4] != _SCRIPT:
            return self._answer(host, command, command.argv)
        attempt = (host, command.argv[4])
        if attempt in self._markers:
            return CommandResult(exit_code=125, stderr="this attempt was started before")
        self._markers[attempt] = None
        self.touches.place(f"the marker on {host} says started")
        result = self._answer(host, command, command.argv[5:])
        self.touches.place(f"a command ended on {host}, and its marker says nothing yet")
        self._markers[attempt] = result.exit_code
        return result

    def _told(self, attempt: tuple[str, str]) -> CommandResult:
        if attempt not in self._markers:
            return CommandResult(exit_code=3)
        known = self._markers[attempt]
        return CommandResult(exit_code=4) if known is None else CommandResult(exit_code=0, stdout=f"{known}\n")

    def _answer(self, host: str, command: Command, argv: tuple[str, ...]) -> CommandResult:
        act = next((act for act in self.begun if isinstance(act, Command) and act.argv == argv), None)
        if act is not None:
            self.begun.remove(act)
        if act is not None and not act.harmless:
            self.acted.append(Acted(host=host, argv=argv, is_repeatable=act.repeatable))
        rules = self.hosts.get(host, ())
        rule = next((rule for rule in rules if self._is_meant(rule, host, command, argv)), None)
        if rule is None and command.keep_as:
            # What is only kept for people decides nothing.
            return CommandResult(exit_code=0)
        if rule is None:
            raise NoAnswer(unmatched(host, argv, rules))
        answer = self._next(rule, rule.answers or (rule,), host)
        return self._given(host, command, answer)

    def _is_meant(self, rule: CommandRule, host: str, command: Command, argv: tuple[str, ...]) -> bool:
        return (
            fits(rule.when, argv)
            and rule.become in (None, command.become)
            and rule.stdin in command.stdin
            and self.states.hold(rule.if_, host)
        )

    def _given(self, host: str, command: Command, answer: CommandAnswer) -> CommandResult:
        self.clock.advance(min(answer.takes, command.timeout))
        if answer.error:
            raise error_of(answer.error, host, command, answer.stdout)
        if answer.takes > command.timeout:
            raise error_of(Trouble.TIMED_OUT, host, command, answer.stdout)
        return CommandResult(
            exit_code=answer.exit_code, stdout=answer.stdout, stderr=answer.stderr, duration=answer.takes
        )

    # --- questions and requests --------------------------------------------------------------------

    async def query(self, query: Query) -> tuple[Sample, ...]:
        asked = " ".join(query.promql.split())
        rule = self._rule(self.queries, lambda rule: fits_text(rule.when, asked))
        if rule is None:
            raise NoAnswer(
                f"nothing under promql: answers {asked}{like([asked], [[one.when] for one in self.queries])}"
            )
        answer: QueryAnswer = self._next(rule, rule.answers or (rule,), "")
        if answer.error:
            raise QueryFailed(answer.error)
        unlabelled = (Sample(labels={}, value=value) for value in answer.values)
        return (*unlabelled, *(Sample(labels=one.labels, value=one.value) for one in answer.series))

    async def fetch(self, fetch: Fetch) -> Page:
        return self._page(fetch.method, fetch.url, "")

    async def send(self, request: Request) -> Page:
        self.touches.place(f"before {request.method} {request.url} is sent")
        if request in self.begun:
            self.begun.remove(request)
        self.acted.append(Acted(host="", argv=request.argv, is_repeatable=request.repeatable))
        page = self._page(request.method, request.url, request.body)
        self.touches.place(f"after {request.method} {request.url} is answered")
        return page

    def _page(self, method: str, url: str, body: str) -> Page:
        asked = (f"{method} {url}", url) if method == "GET" else (f"{method} {url}",)
        rule = self._rule(
            self.pages, lambda rule: any(fits_text(rule.when, one) for one in asked) and rule.body_contains in body
        )
        if rule is None:
            known = [one.when.split() for one in self.pages]
            raise NoAnswer(f"nothing under urls: answers {method} {url}{like([method, url], known)}")
        answer: PageAnswer = self._next(rule, rule.answers or (rule,), "")
        if answer.error:
            raise QueryFailed(answer.error)
        return Page(status=answer.status, text=answer.body)

    # --- rules -------------------------------------------------------------------------------------

    def _rule(self, rules: Iterable[Rule], is_meant: Callable[[Rule], bool]) -> Rule | None:
        return next((rule for rule in rules if is_meant(rule) and self.states.hold(rule.if_, "")), None)

    def _next(self, rule: CommandRule | QueryRule | PageRule, answers: Sequence[Answer], host: str) -> Answer:
        """The answer whose turn it is, and the states that it leaves behind."""
        key = (id(rule), host)
        answer = answers[min(self._asked[key], len(answers) - 1)]
        self._asked[key] += 1
        self.states.become(rule.then, host)
        return answer
