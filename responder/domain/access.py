"""Who may do what: roles of people, scopes of tokens, teams, and the sentence for everybody who may not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Scope(StrEnum):
    """What something asks of whoever does it."""

    INGEST = "ingest"
    REPORT = "report"
    READ = "read"
    ACT = "act"
    APPROVE = "approve"
    ADMIN = "admin"


class Role(StrEnum):
    """What a person is here, from the least to the most."""

    REPORTER = "reporter"
    VIEWER = "viewer"
    RESPONDER = "responder"
    APPROVER = "approver"
    ADMIN = "admin"


MEANING: Mapping[Role, str] = {
    Role.REPORTER: "May report troubles, and sees nothing else.",
    Role.VIEWER: "And sees everything but who reported what, their files and what mails say.",
    Role.RESPONDER: "And acts: takes and moves tickets, starts runbooks, changes duties, switches automation off.",
    Role.APPROVER: "And answers what waits for consent, where the policy names them.",
    Role.ADMIN: "And keeps accounts, reads the audit log, reloads the configuration.",
}
"""What each role may do beside what those before it may, in a line for whoever chooses one."""


class Via(StrEnum):
    """By what somebody is known."""

    OPEN = "open"
    TOKEN = "token"  # noqa: S105 no secret, but how somebody is known
    SESSION = "session"
    PROXY = "proxy"
    LINK = "link"
    MAIL = "mail"
    SHELL = "shell"


_REPORT = frozenset({Scope.REPORT})
_READ = _REPORT | {Scope.READ}
_ACT = _READ | {Scope.ACT}
OF_ROLE: Mapping[Role, frozenset[Scope]] = {
    Role.REPORTER: _REPORT,
    Role.VIEWER: _READ,
    Role.RESPONDER: _ACT,
    Role.APPROVER: _ACT | {Scope.APPROVE},
    Role.ADMIN: frozenset(Scope),
}
# Who answers a question of an approval by a token is checked by the rules of that question.
OF_TOKEN: Mapping[str, frozenset[Scope]] = {
    "ingest": frozenset({Scope.INGEST, Scope.REPORT}),
    "read": _READ | {Scope.INGEST},
    "act": _ACT | {Scope.INGEST, Scope.APPROVE},
    "admin": frozenset(Scope),
}


MEANING_OF_TOKEN: Mapping[str, str] = {
    "ingest": "Sends alerts, mails and reports, and sees nothing.",
    "read": "And sees what a viewer sees.",
    "act": "And acts, and answers what waits for consent, where the policy names whom it speaks for.",
    "admin": "And does what an administrator does.",
}
"""What a token of each scope may do beside what those before it may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Somebody who asks for something: a person who signed in, or a token.

    `teams` are the only ones whose tickets they may touch; none at all means every team, unless they are `teamless`:
    where groups of elsewhere give the teams, and none of theirs gives one.
    """

    name: str
    via: Via
    scopes: Collection[Scope]
    role: Role | None = None
    teams: Collection[str] = field(default_factory=frozenset)
    teamless: bool = False
    user_id: int | None = None
    language: str = ""
    zone: str = ""
    session: str = ""

    @property
    def is_person(self) -> bool:
        """True if it acts under its own name only."""
        return self.via in (Via.SESSION, Via.PROXY)

    @property
    def key(self) -> str:
        """What tells it apart from all others: a token may be called like an account."""
        return f"{self.via} {self.user_id or self.name}"

    @property
    def acts_for_all(self) -> bool:
        """True if tickets of every team are theirs to touch."""
        return self.role is Role.ADMIN or (not self.teams and not self.teamless)

    def may(self, scope: Scope | str) -> bool:
        return scope in self.scopes

    def objection(self, scope: Scope | str) -> str:
        """Why this needs somebody else; empty if it may."""
        if self.may(scope):
            return ""
        if self.role is None:
            return f"This needs a token with the scope {_least_token(scope)}; {self.name} has a lesser one."
        least = next(role for role in Role if scope in OF_ROLE[role])
        return f"This needs the role {least}; {self.name} is {self.role}. Whoever is admin can change that."

    def objection_to_team(self, team: str) -> str:
        """Why tickets of this team are not theirs to touch; empty if they are."""
        if not team or self.acts_for_all or team in self.teams:
            return ""
        if self.teamless:
            return f"This belongs to the team {team}; {self.name} acts for no team: none of their groups gives one."
        own = " and ".join(sorted(self.teams))
        return f"This belongs to the team {team}; {self.name} acts for {own} only."


def _least_token(scope: Scope | str) -> str:
    return next(name for name, scopes in OF_TOKEN.items() if scope in scopes)


def highest(roles: Collection[Role]) -> Role | None:
    """The one of several roles that may do most; None if there are none."""
    order = list(Role)
    return max(roles, key=order.index) if roles else None
