"""How messages leave: a person's contact order and quiet hours (people.yml), `delivery:` and `drill:` (policy.yml)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import time, timedelta
from itertools import pairwise
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, model_validator

from responder.adapters.yaml_file import Place
from responder.config.model import Duration, Model, Name
from responder.domain.delivery import BundleRule, ContactStep, DeliveryRule, QuietHours
from responder.domain.drill import DrillRule

Complaints = Iterator[tuple[Place, str]]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _time(value: object) -> time:
    # YAML 1.1 reads 22:00 without quotes as the number 1320.
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(value // 60, value % 60)
    try:
        return time.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(f"{value!r} is no time of day; write it like “22:00”") from error


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone; write it like Europe/Berlin") from error


def as_several(value: object) -> object:
    """One mapping as a list of one."""
    return [value] if isinstance(value, dict) else value


TimeOfDay = Annotated[time, BeforeValidator(_time)]


class ContactFile(Model):
    """Channels that are tried together, so long after the message was written."""

    channels: Annotated[tuple[Name, ...], Field(min_length=1)]
    after: Duration = timedelta()

    def as_step(self) -> ContactStep:
        """The step as the domain knows it."""
        return ContactStep(channels=self.channels, after=self.after)


class QuietHoursFile(Model):
    """From when to when a person is not woken; `days` are those on which they begin."""

    from_: Annotated[TimeOfDay, Field(alias="from")]
    to: TimeOfDay
    days: tuple[Weekday, ...] = WEEKDAYS
    zone: Annotated[ZoneInfo | None, BeforeValidator(lambda value: value and _zone(value))] = None

    @model_validator(mode="after")
    def _lasts(self) -> QuietHoursFile:
        if self.from_ == self.to:
            raise ValueError("from: and to: are the same, so it is not clear how long they last")
        if not self.days:
            raise ValueError("days: names none; leave it out for every day")
        return self

    def as_quiet_hours(self, zone: ZoneInfo) -> QuietHours:
        """The hours as the domain knows them, in this zone if they name none."""
        days = frozenset(WEEKDAYS.index(day) for day in self.days)
        return QuietHours(start=self.from_, end=self.to, days=days, zone=self.zone or zone)


class BundleFile(Model):
    messages: Annotated[int, Field(ge=1)] = 5
    within: Annotated[Duration, Field(gt=timedelta())] = timedelta(minutes=5)


class DeliveryFile(Model):
    """How pages leave. Where no grades are named, the policy's first one is meant; `bundle: null` bundles nothing."""

    through_quiet_hours: tuple[str, ...] | None = None
    lane: tuple[str, ...] | None = None
    bundle: BundleFile | None = BundleFile()
    next_after: Annotated[Duration, Field(gt=timedelta())] = timedelta(minutes=2)

    def as_rule(self, grades: Sequence[str]) -> DeliveryRule:
        """The rule as the domain knows it, for a policy with these grades, the highest first."""
        first = tuple(grades[:1])
        return DeliveryRule(
            through_quiet_hours=first if self.through_quiet_hours is None else self.through_quiet_hours,
            lane=first if self.lane is None else self.lane,
            bundle=BundleRule(messages=self.bundle.messages, within=self.bundle.within) if self.bundle else None,
            next_after=self.next_after,
        )


class DrillFile(Model):
    """When everybody on call is asked to confirm that messages reach them; on working days if it says no others."""

    every: Annotated[Duration, Field(ge=timedelta(days=1))] = timedelta(days=30)
    at: TimeOfDay
    days: tuple[Weekday, ...] = WEEKDAYS[:5]
    within: Annotated[Duration, Field(gt=timedelta())] = timedelta(hours=1)

    @model_validator(mode="after")
    def _comes(self) -> DrillFile:
        if self.every % timedelta(days=1):
            raise ValueError("every: counts whole days, such as 30d")
        if not self.days:
            raise ValueError("days: names none; leave it out for the days from mon to fri")
        return self

    def as_rule(self) -> DrillRule:
        """The rule as the domain knows it."""
        days = frozenset(WEEKDAYS.index(day) for day in self.days)
        return DrillRule(every=self.every, at=self.at, days=days, within=self.within)


def about_delivery(written: DeliveryFile, grades: Collection[str]) -> Complaints:
    """Grades that the policy does not have."""
    for key in ("through_quiet_hours", "lane"):
        for index, name in enumerate(getattr(written, key) or ()):
            if name not in grades:
                yield ("delivery", key, index), f"there is no grade {name}; there are {', '.join(grades)}"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def about_contact(person: str, contact: Sequence[ContactFile], channels: Sequence[_Named]) -> Complaints:
    """A contact order that forgets a channel, names one that is not there, or does not go on in time."""
    names = [channel.name for channel in channels]
    named = [name for step in contact for name in step.channels]
    for index, step in enumerate(contact):
        for position, name in enumerate(step.channels):
            if name not in names:
                there = ", ".join(names) or "none"
                yield ("contact", index, "channels", position), f"{person} has no channel {name}; there are {there}"
            elif named.count(name) > 1:
                yield ("contact", index, "channels", position), f"channel {name} of {person} is in contact: twice"
    for index, (before, step) in enumerate(pairwise(contact)):
        if step.after <= before.after:
            yield ("contact", index + 1), "each step of contact: has to come after the one before it (after:)"
    if contact and contact[0].after:
        yield ("contact", 0, "after"), "the first step is tried at once: leave out after:"
    for name in names:
        if contact and name not in named:
            yield ("contact",), f"channel {name} of {person} is in no step of contact:, so it would never be used"
