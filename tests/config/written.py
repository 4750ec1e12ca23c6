"""A policy's text, read and checked against a small world, without the other files."""

from __future__ import annotations

from pathlib import Path

from responder.adapters.yaml_file import parse
from responder.config.policy import PolicyFile, read_policy
from responder.config.policy_checks import Others, complaints
from responder.domain.oncall import Channel, Person, Tier
from responder.domain.policy import Policy
from responder.errors import ConfigError, Problem
from tests.fakes import NOW

TODAY = NOW.date()
PHONE = (Channel(name="phone", scheme="json"),)
PEOPLE = {
    one.name: one
    for one in (
        Person(name="ann", channels=PHONE, roles=("support-manager", "head")),
        Person(name="bob", channels=PHONE, roles=("rd-director",)),
        Person(name="cyd", channels=PHONE, roles=("both-a", "both-b")),
        Person(name="dan", roles=("silent",)),
    )
}
TEAMS = {name: (Tier(number=1, people=("ann",)),) for name in ("ops", "support-1", "support-2")}


def read(text: str) -> PolicyFile:
    """The policy in this text. Raises ConfigError."""
    return read_policy(parse(text, Path("policy.yml")))[1]


def policy_of(text: str) -> Policy:
    """As the domain knows it, once nothing is wrong with it."""
    assert mistakes(text) == []
    return read(text).as_policy(TODAY)


def mistakes(text: str, *, others: Others | None = None) -> list[str]:
    """Every mistake as `line:column: text`."""
    known = others or Others(runbooks={}, targets=(), people=PEOPLE, teams=TEAMS)
    try:
        source, written = read_policy(parse(text, Path("policy.yml")))
    except ConfigError as error:
        return [_shown(one) for one in error.problems]
    return [_shown(source.problem(*one)) for one in complaints(source, written, known, TODAY)]


def _shown(problem: Problem) -> str:
    return f"{problem.line}:{problem.column}: {problem.text}"
