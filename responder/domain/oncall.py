"""Who is told: people, their channels, and the tiers of a team."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """One way to reach a person. The address is a secret and lives with the settings, not here."""

    name: str
    scheme: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    name: str
    full_name: str = ""
    language: str = "en"
    channels: tuple[Channel, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """The people of one tier of a team, the one on call first."""

    number: int
    people: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """One person on one channel: what one message is addressed to."""

    person: str
    channel: str


def recipients(
    tiers: Iterable[Tier], numbers: Iterable[int], people: Mapping[str, Person]
) -> tuple[tuple[Recipient, ...], str]:
    """Who is told when these tiers are called, and why in a sentence.

    The first person of each tier who has a channel stands for it; a tier without one passes the call up,
    since a page that reaches nobody is the worst of answers.
    """
    by_number = {tier.number: tier for tier in tiers}
    told: dict[Recipient, None] = {}
    reasons = []
    for number in numbers:
        person, level = _reachable(by_number, number, people)
        if person is None:
            reasons.append(f"tier {number} and those above it have nobody with a channel")
            continue
        told |= {Recipient(person=person.name, channel=channel.name): None for channel in person.channels}
        reasons.append(f"tier {level}: {person.name}" + (f" (tier {number} has nobody)" if level != number else ""))
    return tuple(told), "; ".join(reasons)


def addressed(
    names: Iterable[str], roles: Iterable[str], people: Mapping[str, Person]
) -> tuple[tuple[Recipient, ...], str]:
    """These people and everybody with one of these roles, on all their channels, and why in a sentence."""
    reasons: dict[str, str] = {}
    for name in names:
        reasons.setdefault(name, f"{name} by name" if name in people else f"nobody is called {name}")
    for role in roles:
        having = [person.name for person in people.values() if role in person.roles]
        for name in having:
            reasons.setdefault(name, f"{name} has the role {role}")
        if not having:
            reasons[f"role {role}"] = f"nobody has the role {role}"
    told = [
        Recipient(person=name, channel=channel.name)
        for name in reasons
        if name in people
        for channel in people[name].channels
    ]
    return tuple(told), "; ".join(reasons.values())


def _reachable(tiers: Mapping[int, Tier], number: int, people: Mapping[str, Person]) -> tuple[Person | None, int]:
    for level in sorted(level for level in tiers if level >= number):
        for name in tiers[level].people:
            if name in people and people[name].channels:
                return people[name], level
    return None, number
