"""What the API is asked and answers about accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from responder.domain.access import Role
from responder.domain.accounts import LONGEST, SHORTEST

Teams = Annotated[list[str], Field(description="the only teams that it acts for; none means all", max_length=200)]
_LONG: dict[str, Any] = {"minLength": SHORTEST, "maxLength": LONGEST}
Password = Annotated[str, Field(description=f"{SHORTEST} to {LONGEST} characters", json_schema_extra=_LONG)]
_CALLED: dict[str, Any] = {"pattern": r"^[^\W_][\w.@+\-]{0,63}$"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewUser(_Body):
    """A local account."""

    name: Annotated[str, Field(description="up to 64 letters, digits, and . _ @ + -", json_schema_extra=_CALLED)]
    role: Annotated[Role, Field(strict=False)]
    teams: Teams = []
    password: Password


class UserChange(_Body):
    """What is left out stays as it is."""

    role: Annotated[Role | None, Field(strict=False)] = None
    teams: Teams | None = None
    disabled: bool | None = None


class NewPassword(_Body):
    password: Password


class OwnPassword(_Body):
    present: str
    password: Password


class Choices(_Body):
    """How one reads; an empty text is as the browser and the people file say."""

    language: Annotated[str | None, Field(description="en or zh", json_schema_extra={"pattern": "^(en|zh|)$"})] = None
    zone: Annotated[str | None, Field(description="such as Europe/Berlin")] = None


class UserLine(TypedDict):
    """An account. `source`: who vouches for it (local, oidc, proxy). `teamless`: no teams means none, and not all."""

    name: str
    role: str
    source: str
    teams: list[str]
    teamless: bool
    language: str
    zone: str
    created_at: datetime
    disabled_at: datetime | None
    seen_at: datetime | None


class Users(TypedDict):
    users: list[UserLine]
    next: str | None


class SessionLine(TypedDict):
    """A browser in which somebody is signed in: `agent` as it calls itself, `browser` in few words."""

    key: str
    address: str
    agent: str
    browser: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_this: bool


class UserWithSessions(UserLine):
    sessions: list[SessionLine]


class Ended(TypedDict):
    """How many sessions were ended."""

    ended: int


class Me(TypedDict):
    """Who asks. A token has no account, so no role, language and zone. `teamless`: no teams means none, and not all."""

    name: str
    via: str
    role: str | None
    teams: list[str]
    teamless: bool
    scopes: list[str]
    language: str
    zone: str


class MySessions(TypedDict):
    sessions: list[SessionLine]
