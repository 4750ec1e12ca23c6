"""sign_in: in responder.yml: who vouches for people, and how long they stay signed in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, IPvAnyNetwork, StringConstraints, model_validator

from responder.adapters.oidc_client import is_safe
from responder.config.model import Duration, Model, Name
from responder.domain.access import Role, highest

Word = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Scope = Annotated[str, StringConstraints(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]{1,100}$")]
"""Source: RFC 6749, section 3.3."""
_OF_EVERYBODY = ("https://accounts.google.com", "https://login.microsoftonline.com/consumers/v2.0")
_Groups = Annotated[tuple[str, ...], Field(min_length=1)]


class GroupRules(Model):
    """What groups of elsewhere mean here. Without `otherwise`, who is in none of the groups of `roles` stays out.

    Where `teams` or `all_teams` say something, who is in none of their groups acts for no team.
    """

    roles: dict[Role, _Groups] = Field(default_factory=dict)
    teams: dict[Name, _Groups] = Field(default_factory=dict)
    all_teams: tuple[str, ...] = ()
    otherwise: Role | None = None

    def role_of(self, groups: frozenset[str]) -> Role | None:
        """The highest role that the groups give."""
        given = [role for role, named in self.roles.items() if groups.intersection(named)]
        return highest(given) or self.otherwise

    def teams_of(self, groups: frozenset[str]) -> tuple[str, ...]:
        """The teams that the groups give; none means all, unless they `leave_teamless`."""
        if groups.intersection(self.all_teams):
            return ()
        return tuple(sorted(team for team, named in self.teams.items() if groups.intersection(named)))

    def leave_teamless(self, groups: frozenset[str]) -> bool:
        """True if teams are given by groups, and these give none: the least that one can mean by that."""
        tells_apart = bool(self.teams or self.all_teams)
        return tells_apart and not groups.intersection(self.all_teams) and not self.teams_of(groups)


def _believable(network: IPvAnyNetwork) -> IPvAnyNetwork:
    """Raises ValueError for what is wider than any network of one's own (10.0.0.0/8, fc00::/7)."""
    if network.prefixlen < (8 if network.version == 4 else 7):
        raise ValueError(f"{network} is nearly everybody, and whoever is in it is believed; name the proxies alone")
    return network


ProxyNetwork = Annotated[IPvAnyNetwork, AfterValidator(_believable)]
"""Where a proxy of ours is: what it says of who asks is believed."""


class Proxy(GroupRules):
    """A proxy in front of us that has asked for the password: it names the person in a header of every request.

    Only requests from `networks` count. The proxy must remove the header from what it is sent itself.
    """

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    networks: Annotated[tuple[ProxyNetwork, ...], Field(min_length=1)]
    groups_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,64}$")] = ""


def _issuer(text: str) -> str:
    if not is_safe(text):
        raise ValueError(f"{text!r} is no address that begins with https:// (http:// is for this machine only)")
    if "/.well-known/" in text or "?" in text:
        raise ValueError(f"{text!r} is more than the issuer; leave out what begins with /.well-known/ or ?")
    return text


class Oidc(GroupRules):
    """A provider of OpenID Connect that asks for the password: `demand` is what its claims must say of everybody."""

    issuer: Annotated[str, AfterValidator(_issuer)]
    client_id: Word
    client_secret_file: Path | None = None
    client_auth: Literal["client_secret_basic", "client_secret_post"] | None = None
    ca_file: Path | None = None
    scopes: tuple[_Scope, ...] = ("openid", "profile", "email")
    name_claim: Word = "preferred_username"
    groups_claim: Word = "groups"
    demand: dict[Word, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(default_factory=dict)
    label: Annotated[Word, Field(max_length=60)] = "OpenID Connect"
    timeout: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(minutes=1))] = timedelta(seconds=10)

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Oidc:
        if not self.roles and self.otherwise is None:
            raise ValueError("give roles: (or otherwise:), or nobody can come in")
        if self.otherwise is not None and not self.demand and self.issuer in _OF_EVERYBODY:
            raise ValueError(f"everybody can have an account at {self.issuer}; say with demand: whom you mean")
        return self


class SignIn(Model):
    """Accounts of our own are always there; `idle` and `longest` end a session that is not used, and any."""

    local: bool = True
    idle: Annotated[Duration, Field(ge=timedelta(minutes=1))] = timedelta(hours=12)
    longest: Annotated[Duration, Field(ge=timedelta(minutes=1))] = timedelta(days=7)
    proxy: Proxy | None = None
    oidc: Oidc | None = None
