"""Which changes of accounts are refused, and why."""

from __future__ import annotations

from collections.abc import Collection

from responder.domain.access import Role
from responder.domain.accounts import Source, User

_ELSEWHERE = {Source.OIDC: "the sign-in provider", Source.PROXY: "the proxy"}


def objection_to_change(before: User, after: User, other_admins: int) -> str:
    """Why an account must stay as it is; empty if it may change. `other_admins` are those who can sign in."""
    is_ours = before.source is Source.LOCAL
    if not is_ours and (before.role, before.teams) != (after.role, after.teams):
        return (
            f"The role and the teams of {before.name} come from {_ELSEWHERE[before.source]} at each sign-in; "
            "change the groups there."
        )
    if is_active_admin(before) and not is_active_admin(after) and other_admins == 0:
        return f"{before.name} is the last admin who can sign in; make another one first."
    return ""


def objection_to_new_password(user: User) -> str:
    """Why this account gets no password of ours; empty if it may."""
    if user.source is Source.LOCAL:
        return ""
    return f"{user.name} signs in by {_ELSEWHERE[user.source]}, which has the password."


def objection_to_teams(teams: Collection[str], known: Collection[str]) -> str:
    """Why nobody can act for these teams; empty if somebody can."""
    strange = sorted(set(teams) - set(known))
    return f"{strange[0]!r} is no team; there are {', '.join(sorted(known)) or 'none'}." if strange else ""


def is_active_admin(user: User) -> bool:
    return user.role is Role.ADMIN and user.disabled_at is None
