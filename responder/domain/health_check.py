"""Health checks: when the targets are looked at, what was found, and what is new or gone since the time before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from responder.domain.durations import spoken
from responder.domain.target import Target, find
from responder.domain.windows import DAYS

REACHABLE = "reachable"
"""The finding about a target that cannot be reached; no step of a runbook is meant."""
MOST_NEW_TICKETS = 20
"""So many tickets one check may open: all at once would look like a storm, and that stops first aid."""
_FORM = re.compile(r"(?P<days>[A-Za-z, ]+|(?P<number>\d{1,2})(?:st|nd|rd|th)) at (?P<time>([01]\d|2[0-3]):[0-5]\d)")
_LAST_DAY = 28
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_NAMES = {**dict(zip(_FULL, DAYS, strict=True)), **{day: day for day in DAYS}}


# --- when ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Every:
    """At a time of day, on these days of the week, or on a day of every month if `month_day` names one."""

    at: time
    days: tuple[str, ...] = DAYS
    month_day: int = 0

    def falls_on(self, day: date) -> bool:
        return day.day == self.month_day if self.month_day else DAYS[day.weekday()] in self.days

    def __str__(self) -> str:
        days = "daily" if self.days == DAYS else ",".join(self.days)
        return f"{_ordinal(self.month_day) if self.month_day else days} at {self.at:%H:%M}"


def parse_every(text: str) -> Every:
    """What `mon at 06:00`, `mon,thu at 06:00`, `daily at 06:00` or `1st at 06:00` says. Raises ValueError."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no schedule; write it like 'mon at 06:00', 'daily at 06:00' or '1st at 06:00'")
    at = time.fromisoformat(found["time"])
    if not found["number"]:
        return Every(at=at, days=_days(found["days"]))
    if not 1 <= int(found["number"]) <= _LAST_DAY:
        raise ValueError(f"{text!r} names a day that some month has not; write 1st to {_LAST_DAY}th")
    return Every(at=at, month_day=int(found["number"]))


def _days(text: str) -> tuple[str, ...]:
    words = [word.strip().lower() for word in text.split(",")]
    if words == ["daily"]:
        return DAYS
    if unknown := [word for word in words if word not in _DAY_NAMES]:
        raise ValueError(f"{unknown[0]!r} is no day; there are daily, {', '.join(DAYS)}, and 1st to {_LAST_DAY}th")
    named = {_DAY_NAMES[word] for word in words}
    return tuple(day for day in DAYS if day in named)


def _ordinal(number: int) -> str:
    teens = 10 <= number % 100 <= 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthCheckRule:
    """One check of the policy: this runbook looks at these targets and all of these groups.

    `zone` None: the policy's. `grade_by` is the severity that its findings carry; `default` means `info`.
    """

    name: str
    runbook: str
    every: Every
    targets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    zone: ZoneInfo | None = None
    grade_by: str = "default"

    @property
    def severity(self) -> str:
        return "info" if self.grade_by == "default" else self.grade_by

    def members(self, inventory: Sequence[Target]) -> tuple[Target, ...]:
        """The targets to look at, each once. Raises ValueError for a name or group that is not there."""
        found = []
        for name in self.targets:
            target = find(inventory, name)
            if target is None:
                raise ValueError(f"{name!r} is no target in the inventory")
            found.append(target)
        for group in self.groups:
            members = [target for target in inventory if group in target.groups]
            if not members:
                raise ValueError(f"no target of the inventory is in the group {group!r}")
            found += members
        return tuple({target.name: target for target in found}.values())


def next_time(rule: HealthCheckRule, zone: ZoneInfo, after: datetime) -> datetime:
    """When the check is due next, strictly after an instant; in UTC.

    A time that clocks skip in spring is as much later, one that comes twice in autumn is meant the first time: so
    every day has it exactly once.
    """
    zone = rule.zone or zone
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        if rule.every.falls_on(day):
            at = datetime.combine(day, rule.every.at, tzinfo=zone).astimezone(UTC)
            if at > after:
                return at
        day += timedelta(days=1)


# --- what was found --------------------------------------------------------------------------------


class Seen(StrEnum):
    """What a look gave: all is as wanted, it is not, or nothing could be seen."""

    GOOD = "good"
    FINDING = "finding"
    UNSEEN = "unseen"


_WORST_FIRST = (Seen.FINDING, Seen.UNSEEN, Seen.GOOD)
Key = tuple[str, str]
"""Target and step: what makes two findings the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One step's look at one target. `kept` is what diagnostics printed, by command."""

    target: str
    step: str
    seen: Seen
    text: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.target, self.step


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that is not as wanted and has not been seen to be good since.

    `is_seen`: this check has seen it; else an earlier one did, and now it could not be looked at. `has_ticket`: it
    was reported, so that a ticket is about it.
    """

    target: str
    step: str
    text: str
    is_seen: bool = True
    has_ticket: bool = False

    @property
    def key(self) -> Key:
        return self.target, self.step

    def __str__(self) -> str:
        return f"{self.target}: {self.step}"


class CheckState(StrEnum):
    """`planned`: it starts when it is due. `ordered`: by a person, for now."""

    PLANNED = "planned"
    ORDERED = "ordered"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthCheck:
    """One check with all that it saw. `problem` says why it could not run at all.

    `due_at` is the time that its job was promised for, by which a job knows whether it is still the one that is meant.
    `new` and `gone` compare it with the check `compared_with`; None: there was none before.
    """

    id: int = 0
    name: str
    due_at: datetime
    started_at: datetime
    ended_at: datetime | None = None
    state: CheckState = CheckState.PLANNED
    ordered_by: str = ""
    runbook: str = ""
    targets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    looks: tuple[Look, ...] = ()
    findings: tuple[Finding, ...] = ()
    new: tuple[Key, ...] = ()
    gone: tuple[Finding, ...] = ()
    compared_with: int | None = None

    @property
    def without_ticket(self) -> tuple[Finding, ...]:
        """Findings beyond the number of tickets that one check may open."""
        return tuple(one for one in self.findings if one.is_seen and not one.has_ticket)

    def counted(self, seen: Seen) -> int:
        return sum(look.seen is seen for look in self.looks)


def concluded(check: HealthCheck, looks: Iterable[Look], before: HealthCheck | None, now: datetime) -> HealthCheck:
    """The check with its looks and findings, compared with the one before.

    A finding that could not be looked at this time stays open. Where two looks have one key, the worse one counts.
    """
    kept = _worst_of(looks)
    known = {one.key: one for one in before.findings} if before else {}
    found = [_finding(look, known) for look in kept.values() if look.seen is Seen.FINDING]
    unsure = [one for key, one in known.items() if check.problem or (key in kept and kept[key].seen is Seen.UNSEEN)]
    findings = (*_with_tickets(found), *(replace(one, is_seen=False) for one in unsure))
    keys = {one.key for one in findings}
    return replace(
        check,
        state=CheckState.DONE,
        ended_at=now,
        looks=tuple(kept.values()),
        findings=findings,
        new=tuple(one.key for one in findings if one.key not in known),
        gone=tuple(one for key, one in known.items() if key not in keys),
        compared_with=before.id if before else None,
    )


def _worst_of(looks: Iterable[Look]) -> dict[Key, Look]:
    kept: dict[Key, Look] = {}
    for look in looks:
        other = kept.get(look.key)
        if other is None or _WORST_FIRST.index(look.seen) < _WORST_FIRST.index(other.seen):
            kept[look.key] = look
    return kept


def _finding(look: Look, known: Mapping[Key, Finding]) -> Finding:
    has_ticket = look.key in known and known[look.key].has_ticket
    return Finding(target=look.target, step=look.step, text=look.text, has_ticket=has_ticket)


def _with_tickets(findings: Iterable[Finding]) -> list[Finding]:
    room, made = MOST_NEW_TICKETS, []
    for one in findings:
        is_new = not one.has_ticket
        made.append(replace(one, has_ticket=not is_new or room > 0))
        room -= is_new
    return made


# --- in words --------------------------------------------------------------------------------------


def report_text(check: HealthCheck, *, everything: bool = False) -> str:
    """The check as a plain text; with `everything` also what was good, and what diagnostics printed."""
    return "\n".join([*_head(check), *_body(check, everything=everything), *_comparison(check)])


def _head(check: HealthCheck) -> list[str]:
    took = f", took {spoken(check.ended_at - check.started_at)}" if check.ended_at else f", {check.state}"
    by = f", ordered by {check.ordered_by}" if check.ordered_by else ""
    lines = [f"Health check {check.name} (number {check.id}): {check.started_at:%Y-%m-%d %H:%M} UTC{took}{by}"]
    if check.problem:
        return [*lines, f"It could not run: {check.problem}"]
    if check.state is CheckState.DONE:
        lines.append(f"{check.runbook} on {_number(len(check.targets), 'target')}: {_counts(check.looks)}")
    return [*lines, *check.notes]


def _body(check: HealthCheck, *, everything: bool) -> list[str]:
    lines: list[str] = []
    by_target: dict[str, list[Look]] = {name: [] for name in check.targets}
    for look in check.looks:
        by_target.setdefault(look.target, []).append(look)
    for target, looks in by_target.items():
        if looks:
            lines += ["", f"{target}: {_counts(looks)}"]
        for look in looks:
            is_shown = look.seen is Seen.FINDING or (look.seen is Seen.GOOD and everything)
            lines += _lines(look) if is_shown else []
        unseen = [_with_text(look) for look in looks if look.seen is Seen.UNSEEN]
        lines += [f"  not seen: {'; '.join(unseen)}"] if unseen else []
    return lines


def _lines(look: Look) -> list[str]:
    printed = [f"    {line}" for name, text in look.kept.items() for line in (f"$ {name}", *text.splitlines())]
    return [f"  {look.seen}: {_with_text(look)}", *printed]


def _with_text(look: Look) -> str:
    return f"{look.step}: {look.text}" if look.text else look.step


def _comparison(check: HealthCheck) -> list[str]:
    if check.state is not CheckState.DONE:
        return []
    since = f" since number {check.compared_with}" if check.compared_with else ", as there is no check before it"
    new = [f"{target}: {step}" for target, step in check.new]
    unsure = [str(one) for one in check.findings if not one.is_seen]
    lines = [f"New{since}: {'; '.join(new) or 'nothing'}"]
    lines += [f"Gone{since}: {'; '.join(map(str, check.gone)) or 'nothing'}"] if check.compared_with else []
    lines += [f"Open from before, and not seen this time: {'; '.join(unsure)}"] if unsure else []
    return ["", *lines, *filter(None, [without_tickets(check)])]


def without_tickets(check: HealthCheck) -> str:
    """What is said of findings that have no ticket of their own; nothing if there are none."""
    count = len(check.without_ticket)
    if not count:
        return ""
    return (
        f"{_number(count, 'further finding')} without a ticket of {'its' if count == 1 else 'their'} own, since one "
        f"check opens at most {MOST_NEW_TICKETS}; `responder health show {check.id}` lists all."
    )


def _counts(looks: Iterable[Look]) -> str:
    looks = list(looks)
    counts = {seen: sum(look.seen is seen for look in looks) for seen in Seen}
    words = [f"{counts[Seen.GOOD]} good"]
    words += [_number(counts[Seen.FINDING], "finding")] if counts[Seen.FINDING] else []
    words += [f"{counts[Seen.UNSEEN]} not seen"] if counts[Seen.UNSEEN] else []
    return ", ".join(words)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
