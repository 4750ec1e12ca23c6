"""Who comes from a provider of sign-ins: what its claims say, in our words of names, roles and teams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from responder.domain.access import Role
from responder.domain.accounts import objection_to_name
from responder.errors import SignInRefused

_NAMES = ("preferred_username", "email")
"""Asked in this order behind the configured one (OpenID Connect Core 1.0, section 5.1). Not `name` nor `nickname`: at
many providers people write these themselves, and could take those of others."""


class Groups(Protocol):
    """What groups of elsewhere mean here; `config.sign_in.GroupRules` in earnest."""

    def role_of(self, groups: frozenset[str]) -> Role | None: ...

    def teams_of(self, groups: frozenset[str]) -> tuple[str, ...]: ...

    def leave_teamless(self, groups: frozenset[str]) -> bool: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimRules:
    """How claims become a user. `demanded` is what claims must say of somebody who comes in."""

    groups: Groups
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    demanded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A person whom a provider vouches for. Issuer and subject say who it is; a name may change."""

    issuer: str
    subject: str
    name: str
    role: Role
    teams: tuple[str, ...]
    teamless: bool = False


def arrival(claims: Mapping[str, object], rules: ClaimRules) -> Arrival:
    """The user whom checked claims describe.

    Raises SignInRefused if a demanded claim says something else, or none of the groups gives a role.
    """
    _check_demands(claims, rules)
    groups = frozenset(groups_in(claims, rules.groups_claim))
    role = rules.groups.role_of(groups)
    if role is None:
        raise SignInRefused(_without_role(claims, rules.groups_claim, groups))
    return Arrival(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        name=_name(claims, rules.name_claim),
        role=role,
        teams=rules.groups.teams_of(groups),
        teamless=rules.groups.leave_teamless(groups),
    )


def groups_in(claims: Mapping[str, object], claim: str) -> tuple[str, ...]:
    """The groups of a claim: a list, or one text. Values that are no text are none."""
    given = found(claims, claim)
    values = given if isinstance(given, list) else [given]
    return tuple(value for value in values if isinstance(value, str) and value)


def found(claims: Mapping[str, object], claim: str) -> object:
    """What a claim says; `realm_access.roles` is looked for as a name of its own, then within `realm_access`."""
    if claim in claims:
        return claims[claim]
    outer, dot, rest = claim.partition(".")
    inner = claims.get(outer)
    return found(inner, rest) if dot and isinstance(inner, dict) else None


def _check_demands(claims: Mapping[str, object], rules: ClaimRules) -> None:
    for claim, allowed in rules.demanded.items():
        given = found(claims, claim)
        said = {_as_text(value) for value in (given if isinstance(given, list) else [given])}
        if said.isdisjoint(allowed):
            raise SignInRefused(
                f"The sign-in provider does not say of you what is demanded here: {claim} is {' or '.join(allowed)}."
            )


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without_role(claims: Mapping[str, object], claim: str, groups: frozenset[str]) -> str:
    """Why there is no role, and who can change that."""
    if groups:
        return "None of your groups gives you a role here. Ask an administrator to name one under sign_in: oidc: roles."
    elsewhere = claims.get("_claim_names")
    # Source: OpenID Connect Core 1.0, section 5.6.2; Entra does so from the 201st group on.
    if isinstance(elsewhere, dict) and claim in elsewhere:
        return (
            f"The sign-in provider keeps the claim {claim} elsewhere, since your groups are too many for a token. "
            "Ask its administrator to send only the groups of this application, or its roles."
        )
    return (
        f"The sign-in provider names no groups of you in the claim {claim}, so you have no role here. "
        "Ask its administrator to send it, or one of ours to look at sign_in: oidc: groups_claim and scopes."
    )


def _name(claims: Mapping[str, object], claim: str) -> str:
    """What the person is called here: the first claim that an account can be called by. Raises SignInRefused."""
    names = (found(claims, one) for one in (claim, *_NAMES) if _may_name(claims, one))
    usable = (name for name in names if isinstance(name, str) and not objection_to_name(name))
    name = next(usable, "")
    if not name:
        raise SignInRefused(
            f"The sign-in provider gives you no name that can be used here, neither in the claim {claim} nor in "
            f"{' nor '.join(_NAMES)}. One of our administrators can look at sign_in: oidc: name_claim and scopes."
        )
    return name


def _may_name(claims: Mapping[str, object], claim: str) -> bool:
    """False for an address that the provider knows is not proven: everybody can claim it."""
    return claim != "email" or claims.get("email_verified") not in (False, "false")
