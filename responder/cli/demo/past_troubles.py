"""The made-up troubles of the demo's past: which ones, when, and how each ended. The same draw gives the same past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

DAYS = 28
_BY_DAY, _BY_NIGHT = 2, 1
_SEED = 20
# The weekday's share of a Monday; people change things on working days.
_WEEKDAYS = (1.0, 0.8, 0.7, 0.7, 0.8, 0.3, 0.25)
_WORKING = range(7, 19)


class Ending(StrEnum):
    """Who ended it."""

    MACHINE = "machine"
    PEOPLE = "people"
    ITSELF = "itself"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sort:
    """A sort of trouble; `cured` is the share that first aid cures, `fades` that which is over before anybody answers,
    `false` that which was none. `minutes` is how long people usually take."""

    alertname: str
    severity: str
    hosts: Sequence[str]
    summary: str
    weight: float
    cured: float = 0.0
    fades: float = 0.0
    false: float = 0.0
    minutes: float = 30.0
    solutions: Sequence[str] = ()

    @property
    def looks_every(self) -> timedelta:
        """How often its clocks are looked at: those of the grave ones run out within minutes."""
        return timedelta(minutes=15 if self.severity in ("critical", "error") else 120)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """One trouble: when it began, after how long the machine looked at it and somebody took it, and after how much
    more it was over."""

    sort: Sort
    host: str
    at: datetime
    ending: Ending
    looked_after: timedelta
    answered_after: timedelta
    over_after: timedelta
    solution: str = ""

    @property
    def labels(self) -> Mapping[str, str]:
        node = {"node": self.host, "port": "8080"} if self.host.startswith("node") else {}
        return {
            "alertname": self.sort.alertname,
            "severity": self.sort.severity,
            "instance": f"{self.host}:9100",
            "history": "made up",
            **node,
        }

    @property
    def summary(self) -> str:
        return self.sort.summary.format(host=self.host)


SORTS = (
    Sort(
        alertname="WebappDown",
        severity="critical",
        hosts=("node1", "node2"),
        summary="The web service on {host} does not answer",
        weight=5,
        cured=0.9,
        minutes=25,
        solutions=("A misspelt option in the config, from the change before.", "The port was taken by an old process."),
    ),
    Sort(
        alertname="WebappSlow",
        severity="error",
        hosts=("node1", "node2"),
        summary="The web service on {host} answers slowly",
        weight=3,
        fades=0.3,
        minutes=55,
        solutions=("A report over a whole year was running; it runs at night now.", "One worker hung; ended by hand."),
    ),
    Sort(
        alertname="ReplicaLag",
        severity="error",
        hosts=("db-1", "db-2"),
        summary="The replica on {host} is behind by more than a minute",
        weight=2,
        fades=0.4,
        minutes=45,
        solutions=("The nightly batch wrote in one transaction; it writes in parts now.",),
    ),
    Sort(
        alertname="DiskAlmostFull",
        severity="warning",
        hosts=("files-1", "files-2", "db-1"),
        summary="The disk of {host} has less than a tenth left",
        weight=3,
        minutes=100,
        solutions=("Old logs went to the archive.", "The volume has 200 GB more.", "Exports of last year removed."),
    ),
    Sort(
        alertname="LinkUnstable",
        severity="warning",
        hosts=("switch-3", "switch-7"),
        summary="Link unstable on {host}",
        weight=2,
        fades=0.5,
        false=0.2,
        minutes=140,
        solutions=("The cable behind the rack was bent; a new one.",),
    ),
    Sort(
        alertname="CertificateExpires",
        severity="warning",
        hosts=("shop", "wiki"),
        summary="The certificate of {host} ends in less than two weeks",
        weight=1,
        minutes=200,
        solutions=("Renewed; the job that renews it had lost its key.",),
    ),
)


@dataclass(kw_only=True)
class _Draw:
    """What is drawn so far; a host has one trouble of a sort at a time."""

    random: Random = field(default_factory=lambda: Random(_SEED))  # noqa: S311 nothing here is a secret
    busy_until: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def trouble(self, at: datetime) -> Trouble | None:
        sort = self.random.choices(SORTS, [one.weight for one in SORTS])[0]
        host = self.random.choice(sort.hosts)
        answered, over = self._spread(9 if at.hour in _WORKING else 14), self._spread(sort.minutes)
        ending, solution = self._ending(sort), self.random.choice(sort.solutions)
        if ending is Ending.MACHINE:
            answered, over = timedelta(), self._spread(0.5)
        if self.busy_until.get((sort.alertname, host), at) > at:
            return None
        self.busy_until[sort.alertname, host] = at + answered + over + timedelta(hours=1)
        return Trouble(
            sort=sort,
            host=host,
            at=at,
            ending=ending,
            looked_after=timedelta(milliseconds=self.random.randrange(4, 60)),
            answered_after=answered,
            over_after=over,
            solution="" if ending is Ending.ITSELF else solution,
        )

    def _spread(self, minutes: float) -> timedelta:
        """Most are near the middle, and a few take far longer."""
        drawn = min(max(self.random.lognormvariate(0, 0.7), 0.15), 6.0)
        return timedelta(seconds=round(60 * minutes * drawn))

    def _ending(self, sort: Sort) -> Ending:
        drawn = self.random.random()
        for ending, share in (
            (Ending.MACHINE, sort.cured),
            (Ending.ITSELF, sort.fades),
            (Ending.NOTHING, sort.false),
        ):
            if drawn < share:
                return ending
            drawn -= share
        return Ending.PEOPLE


def troubles(until: datetime, days: int = DAYS) -> list[Trouble]:
    """The troubles of the days before an instant, oldest first; all of them are over by then."""
    draw, found = _Draw(), []
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    for day in range(days + 1):
        for at in _instants(draw.random, midnight + timedelta(days=day)):
            one = draw.trouble(at)
            if one is not None and at + one.answered_after + one.over_after + timedelta(hours=1) < until:
                found.append(one)
    return found


def _instants(random: Random, day: datetime) -> list[datetime]:
    share = _WEEKDAYS[day.weekday()]
    hours = [random.choice(_WORKING) for _ in range(_BY_DAY) if random.random() < share]
    hours += [random.randrange(24) for _ in range(_BY_NIGHT) if random.random() < share]
    return sorted(day + timedelta(hours=hour, seconds=random.randrange(3600)) for hour in hours)
