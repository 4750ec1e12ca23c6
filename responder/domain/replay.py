"""Replay: recorded reports through the present rules, in memory, at the times at which they came in.

What no report tells is not made up, but stands in for itself in the way that pages most: nobody acknowledges, and
first aid counts as having helped exactly when the recorded all-clear came within the policy's `proof_within`.
Guards that depend on runs (locks, cooldowns, budgets) let everything through; autonomy that is earned by runs counts as
not earned, and nobody answers a question. Maintenance windows of the policy and hold-off hold tickets as they do in
earnest; windows that people began, targets in maintenance, flapping, storms and dependencies hold none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from responder.clock import EPOCH, MICROSECOND
from responder.domain import lifecycle
from responder.domain.correlation import Known, decide
from responder.domain.firing import firing_labels
from responder.domain.hold_rules import held_by_maintenance, held_off
from responder.domain.holds import Held, may_wait, shows_since
from responder.domain.policy import Policy
from responder.domain.report import Report, Signal, identity
from responder.domain.ticket import Action, Change, Event, EventKind, Promise, Status, Ticket, refusal

COUNTED = ("grades", "rules", "teams", "held", "runbooks", "targets", "refused", "pages", "commands")


@dataclass(frozen=True, kw_only=True, slots=True)
class Aid:
    """What first aid would do for a ticket: `steps` as text, or why it would be refused.

    With `is_for_people` it is only suggested, or only looks. With `asks_for` people are asked that long first, and
    unless it then goes on without them, they get the ticket.
    """

    runbook: str
    target: str = ""
    steps: str = ""
    objection: str = ""
    level: str = "auto"
    is_for_people: bool = False
    asks_for: timedelta | None = None
    goes_on_without: bool = False


@dataclass(kw_only=True, slots=True)
class Tally:
    """What became of one trouble, counted; `title` and `since` are those of its first ticket."""

    title: str
    since: datetime
    tickets: int = 0
    grades: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    teams: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    runbooks: Counter[str] = field(default_factory=Counter)
    targets: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    commands: Counter[Aid] = field(default_factory=Counter)

    @classmethod
    def of(cls, tallies: Sequence[Tally]) -> Tally:
        """Several in one; nothing happened if there are none."""
        first = min(tallies, key=lambda tally: (tally.since, tally.title), default=None)
        total = cls(title=first.title if first else "", since=first.since if first else EPOCH)
        for tally in tallies:
            total.tickets += tally.tickets
            for name in COUNTED:
                getattr(total, name).update(getattr(tally, name))
        return total


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What the replay asks: first aid for a ticket, whom a page reaches, and the report about a silent heartbeat."""

    aid_for: Callable[[Ticket], Aid | None]
    told: Callable[[Ticket], Sequence[str]]
    about_heartbeat: Callable[[str, str, Signal, datetime], Report]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Due:
    """Something that becomes due for one episode of one ticket."""

    kind: str
    trouble: str
    ticket_id: int
    episode: int
    waited_until: datetime | None = None


class Replay:
    """Takes reports in the order of their arrival. It keeps one ticket and one tally per trouble, and no report."""

    def __init__(self, policy: Policy, surroundings: Surroundings) -> None:
        self._policy = policy
        self._around = surroundings
        self.tallies: dict[str, Tally] = {}
        self._known: dict[str, Known] = {}
        self._attached: dict[str, dict[str, Event]] = {}
        self._waiting: dict[str, _Due] = {}
        self._told_anew: set[str] = set()
        self._paged: dict[str, tuple[tuple[int, int], set[str]]] = {}
        self._due: list[tuple[datetime, int, _Due | tuple[str, str]]] = []
        self._serial, self._ids = count(), count(1)
        self._beats: dict[tuple[str, str], datetime] = {}
        self._silent: set[tuple[str, str]] = set()

    def feed(self, reports: Sequence[Report], now: datetime) -> None:
        """Decides about the reports of one body; first comes what became due before."""
        self.advance(now)
        self._decide(reports, now)

    def advance(self, now: datetime) -> None:
        """Does what is due by now."""
        while self._due and self._due[0][0] <= now:
            at, _, what = heappop(self._due)
            if isinstance(what, _Due):
                self._when_due(what, at)
            else:
                self._listen(what, at)

    def finish(self, now: datetime) -> None:
        """Does what is due by the end of the recording; that nothing was recorded any more is no source's silence."""
        self._silent.update(self._beats)
        self.advance(now)

    def _decide(self, reports: Sequence[Report], now: datetime) -> None:
        keys = {self._policy.trouble(report) for report in reports}
        known = {key: self._known[key] for key in keys if key in self._known}
        decision = decide(reports, known, self._policy, now)
        for trouble, change in decision.changes.items():
            self._write(trouble, change, now)
        for beat in decision.heartbeats:
            self._beat(beat, now)

    # --- tickets -------------------------------------------------------------------------------------

    def _write(self, trouble: str, change: Change, now: datetime) -> None:
        tally = self.tallies.setdefault(trouble, Tally(title=change.after.title, since=now))
        before = change.before
        if before is None:
            change.after = replace(change.after, id=next(self._ids))
            tally.tickets += 1
        _count(tally, before, change.after)
        self._known[trouble] = Known(ticket=change.after, clocks=change.clocks)
        self._keep_attached(trouble, change.events)
        for promise in change.promises:
            self._promise(trouble, change.after, promise, now)

        if before and (before.grade != change.after.grade or len(before.firing) < len(change.after.firing)):
            self._look_again(trouble, now)

    def _keep_attached(self, trouble: str, events: Sequence[Event]) -> None:
        for event in events:
            labels = event.data.get("labels")
            if event.kind is EventKind.ATTACHED and isinstance(labels, Mapping):
                self._attached.setdefault(trouble, {})[identity(labels)] = event

    def _look_again(self, trouble: str, now: datetime) -> None:
        """What holds a ticket may not hold it in its new grade, or with an alert more."""
        waiting = self._waiting.pop(trouble, None)
        if waiting is not None:
            self._when_due(replace(waiting, waited_until=None), now)

    def _promise(self, trouble: str, ticket: Ticket, promise: Promise, now: datetime) -> None:
        if "round" in promise.args:
            self._told_anew.add(trouble)
        due = _Due(kind=promise.kind, trouble=trouble, ticket_id=ticket.id, episode=ticket.episode)
        if promise.due_at is None:
            self._when_due(due, now)
        else:
            heappush(self._due, (promise.due_at, next(self._serial), due))

    def _when_due(self, due: _Due, now: datetime) -> None:
        known = self._known[due.trouble]
        if (known.ticket.id, known.ticket.episode) != (due.ticket_id, due.episode):
            return
        if due.waited_until is not None and self._waiting.pop(due.trouble, None) != due:
            return
        if due.kind in _MAY_WAIT and self._waits(due, known.ticket, now):
            return
        change = Change.of(known.ticket, known.clocks)
        if (does := _DOES.get(due.kind)) is None:
            return
        does(self, due.trouble, change, now)
        if change.after is not known.ticket or change.promises:
            self._write(due.trouble, change, now)

    def _waits(self, due: _Due, ticket: Ticket, now: datetime) -> bool:
        """Whether something holds the ticket: then it is looked at again when that ends."""
        held = self._held(due, ticket, now)
        if held is None or held.until is None:
            return False
        if due.waited_until is None:
            self.tallies[due.trouble].held[held.name] += 1
        waiting = replace(due, waited_until=held.until)
        self._waiting[due.trouble] = waiting
        heappush(self._due, (held.until, next(self._serial), waiting))
        return True

    def _held(self, due: _Due, ticket: Ticket, now: datetime) -> Held | None:
        known, paged = self._paged.get(due.trouble, (None, set()))
        is_told = known == (ticket.id, ticket.episode) and bool(paged)
        if not may_wait(ticket) or (ticket.status is Status.HANDED_OVER and is_told):
            return None
        policy, alerts = self._policy, firing_labels(ticket, self._attached.get(due.trouble, {}).values()) or ()
        return held_by_maintenance(policy.maintenance, alerts, now) or held_off(
            policy.hold_off,
            alerts,
            now,
            grade=ticket.grade,
            grades=policy.grades,
            since=shows_since(ticket),
        )

    def _first_aid(self, trouble: str, change: Change, now: datetime) -> None:
        ticket, tally = change.after, self.tallies[trouble]
        aid = self._around.aid_for(ticket)
        if ticket.status is not Status.NEW or ticket.signal is Signal.CLEARED:
            return
        if aid is None:
            change.promise("hand_over")
            return
        tally.runbooks[aid.runbook] += 1
        if aid.objection:
            tally.refused[aid.objection] += 1
            change.promise("hand_over")
            return
        tally.targets[aid.target] += 1
        tally.commands[aid] += 1
        if aid.is_for_people:
            change.promise("hand_over")
        elif aid.asks_for is not None:
            change.promise("unanswered", now + aid.asks_for)
        else:
            self._run(change, now)

    def _run(self, change: Change, now: datetime) -> None:
        lifecycle.start_first_aid(change, self._policy, now=now, reason="")
        change.promise("patience", now + self._policy.proof_within)

    def _unanswered(self, trouble: str, change: Change, now: datetime) -> None:  # noqa: ARG002 they share a form
        aid = self._around.aid_for(change.after)
        if change.after.status is not Status.NEW or change.after.signal is Signal.CLEARED:
            return
        if aid is not None and aid.goes_on_without:
            self._run(change, now)
        else:
            change.promise("hand_over")

    def _patience(self, trouble: str, change: Change, now: datetime) -> None:  # noqa: ARG002 they share a form
        if change.after.status is Status.FIRST_AID and change.after.signal is Signal.FIRING:
            change.promise("hand_over")

    def _hand_over(self, trouble: str, change: Change, now: datetime) -> None:
        ticket = change.after
        if ticket.signal is Signal.CLEARED:
            return
        if ticket.status is not Status.HANDED_OVER:
            if refusal(ticket, Action.HAND_OVER):
                return
            lifecycle.hand_over(change, self._policy, now=now, reason="")
        episode = (ticket.id, ticket.episode)
        known, paged = self._paged.get(trouble, (episode, set()))
        if known != episode or trouble in self._told_anew:
            paged = set()
        self._told_anew.discard(trouble)
        new = [one for one in self._around.told(change.after) if one not in paged]
        self.tallies[trouble].pages.update(new)
        self._paged[trouble] = episode, paged | set(new)

    def _settle(self, trouble: str, change: Change, now: datetime) -> None:  # noqa: ARG002 they share a form
        ticket = change.after
        if ticket.status is not Status.RESTORED or ticket.signal is not Signal.CLEARED or ticket.cleared_at is None:
            return
        quiet_at = ticket.cleared_at + lifecycle.quiet_needed(self._policy, ticket)
        if quiet_at > now:
            change.promise("settle", quiet_at)
        else:
            lifecycle.resolve(change, self._policy, now=now, reason="")

    def _close(self, trouble: str, change: Change, now: datetime) -> None:  # noqa: ARG002 they share a form
        if change.after.status is Status.RESOLVED:
            lifecycle.close(change, self._policy, now=now, actor="responder", reason="")

    # --- heartbeats ----------------------------------------------------------------------------------

    def _beat(self, beat: tuple[str, str], now: datetime) -> None:
        rule = next(rule for rule in self._policy.heartbeats if rule.name == beat[1])
        self._beats[beat] = now
        heappush(self._due, (now + rule.within + MICROSECOND, next(self._serial), beat))
        if beat in self._silent:
            self._silent.discard(beat)
            self._decide([self._around.about_heartbeat(*beat, Signal.CLEARED, now)], now)

    def _listen(self, beat: tuple[str, str], now: datetime) -> None:
        rule = next(rule for rule in self._policy.heartbeats if rule.name == beat[1])
        if now - self._beats[beat] > rule.within and beat not in self._silent:
            self._silent.add(beat)
            self._decide([self._around.about_heartbeat(*beat, Signal.FIRING, now)], now)


_MAY_WAIT = ("first_aid", "hand_over")
_DOES: Mapping[str, Callable[[Replay, str, Change, datetime], None]] = {
    "first_aid": Replay._first_aid,
    "patience": Replay._patience,
    "unanswered": Replay._unanswered,
    "hand_over": Replay._hand_over,
    "settle": Replay._settle,
    "close": Replay._close,
}


def _count(tally: Tally, before: Ticket | None, after: Ticket) -> None:
    """Counts a grade when it is given, and a team when the ticket is opened."""
    if before is None:
        tally.teams[after.team] += 1
    if before is None or (before.grade, before.grade_rule, before.episode) != (
        after.grade,
        after.grade_rule,
        after.episode,
    ):
        tally.grades[after.grade] += 1
        tally.rules[after.grade_rule] += 1
