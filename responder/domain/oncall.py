"""Who is told: people, their channels, and the tiers of a team."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from responder.domain.delivery import ContactStep, QuietHours


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """One way to reach a person; a short one takes 160 characters. The address is a secret and lives with the settings,
    not here."""

    name: str
    scheme: str
    is_short: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    name: str
    full_name: str = ""
    language: str = "en"
    zone: str = "UTC"
    channels: tuple[Channel, ...] = ()
    roles: tuple[str, ...] = ()
    contact: tuple[ContactStep, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = ()
    mails: tuple[str, ...] = ()
    """The addresses from which they write; what they write from there may be a command."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """The people of one tier of a team, the first one first. With a `rota` it is whoever is on call there, and `people`
    are all who may ever be."""

    number: int
    people: tuple[str, ...]
    rota: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """One person on one channel: what one message is addressed to."""

    person: str
    channel: str


def recipients(
    tiers: Iterable[Tier],
    numbers: Iterable[int],
    people: Mapping[str, Person],
    on_duty: Mapping[str, Sequence[str]] | None = None,
) -> tuple[tuple[Recipient, ...], str]:
    """Who is told when these tiers are called, and why in a sentence. `on_duty` has the people on call of each rota.

    For a tier with a rota that is everybody on call, else the first person who has a channel. A tier without anybody
    passes the call up, since a page that reaches nobody is the worst of answers.
    """
    by_number, duties = {tier.number: tier for tier in tiers}, on_duty or {}
    told: dict[Recipient, None] = {}
    reasons = []
    for number in numbers:
        level, called = _reachable(by_number, number, people, duties)
        if level is None:
            reasons.append(f"tier {number} and those above it have nobody with a channel")
            continue
        told |= {Recipient(person=one.name, channel=channel.name): None for one in called for channel in one.channels}
        rota = f", on call in {level.rota}" if level.rota in duties else ""
        passed = _why_not(by_number.get(number), number, duties) if level.number != number else ""
        reasons.append(f"tier {level.number}: {', '.join(one.name for one in called)}{rota}{passed}")
    return tuple(told), "; ".join(reasons)


def not_called_yet(
    tiers: Iterable[Tier], people: Mapping[str, Person], on_duty: Mapping[str, Sequence[str]], called: Container[str]
) -> tuple[str, ...]:
    """Who of these tiers comes next when nobody who was called can be reached: of the first tier that has somebody
    left all who are on call in its rota, or the next of its list; where all tiers are through, the others of a rota."""
    known = list(tiers)

    def left(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in called and name in people and people[name].channels)

    first = (left(on_duty[tier.rota]) if tier.rota in on_duty else left(tier.people)[:1] for tier in known)
    others = (left(tier.people)[:1] for tier in known)
    return next((names for names in (*first, *others) if names), ())


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


def _reachable(
    tiers: Mapping[int, Tier], number: int, people: Mapping[str, Person], on_duty: Mapping[str, Sequence[str]]
) -> tuple[Tier | None, Sequence[Person]]:
    for level in sorted(level for level in tiers if level >= number):
        tier = tiers[level]
        names = on_duty.get(tier.rota, tier.people) if tier.rota else tier.people
        found = [people[name] for name in names if name in people and people[name].channels]
        if found:
            return tier, found if tier.rota in on_duty else found[:1]
    return None, ()


def _why_not(tier: Tier | None, number: int, on_duty: Mapping[str, Sequence[str]]) -> str:
    """Why a tier has passed the call up."""
    if tier is None or tier.rota not in on_duty:
        return f" (tier {number} has nobody)"
    if names := on_duty[tier.rota]:
        return f" (tier {number}: {', '.join(names)}, on call in {tier.rota}, has no channel)"
    return f" (tier {number}: nobody is on call in {tier.rota})"
