"""Accounts of people: what is kept of them, how long they stay signed in, and how often a password may be wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from responder.domain.access import OF_ROLE, Identity, Role, Via
from responder.domain.counting import counted
from responder.domain.throttle import MORE, around


class Source(StrEnum):
    """Who vouches for an account: our own password, an OpenID provider, or a proxy in front of us."""

    LOCAL = "local"
    OIDC = "oidc"
    PROXY = "proxy"


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """An account. `subject` is how its source knows it; `teams` empty means all teams, or none if it is `teamless`."""

    id: int = 0
    name: str
    role: Role
    source: Source = Source.LOCAL
    subject: str = ""
    teams: tuple[str, ...] = ()
    teamless: bool = False
    language: str = ""
    zone: str = ""
    password_hash: str = field(default="", repr=False)
    created_at: datetime
    disabled_at: datetime | None = None
    seen_at: datetime | None = None

    @property
    def acts_for(self) -> str:
        """Whose tickets it may touch, in words."""
        return ", ".join(self.teams) or ("no team" if self.teamless and self.role is not Role.ADMIN else "all teams")

    def identity(self, via: Via, session: str = "") -> Identity:
        """The account as somebody who asks for something."""
        return Identity(
            name=self.name,
            via=via,
            scopes=OF_ROLE[self.role],
            role=self.role,
            teams=frozenset(self.teams),
            teamless=self.teamless,
            user_id=self.id,
            language=self.language,
            zone=self.zone,
            session=session,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Somebody signed in from one browser; `digest` is what is kept of the secret in its cookie."""

    digest: str
    user_id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str

    def is_over(self, now: datetime, idle: timedelta) -> bool:
        return now >= self.expires_at or now - self.seen_at >= idle


TOUCHED_EVERY = timedelta(minutes=5)
"""How exactly it is kept when a session was used last: not every request is a write."""


# --- names and passwords ---------------------------------------------------------------------------

_NAME = re.compile(r"[^\W_][\w.@+-]{0,63}")
_OURS = frozenset({"console", "machine", "mail", "policy", "proxy", "reporter", "responder"})
"""Under these we write ourselves what nobody did."""
_BESIDE_LATIN = frozenset({"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO", "HANGUL"})
SHORTEST, LONGEST = 12, 256


def objection_to_name(name: str) -> str:
    """Why nobody can have this name; empty if somebody can."""
    if not _NAME.fullmatch(name):
        # Not quoted: somebody may have typed their password here, and the sentence goes into the audit log.
        return "This is no name: up to 64 letters, digits, and . _ @ + - after the first."
    if objection := objection_to_actor(name):
        return objection
    if _looks_like_another(name):
        return f"{name!r} mixes letters that look alike; write it in the letters of one script."
    return ""


def objection_to_actor(name: str) -> str:
    """Why nobody acts under this name, with or without an account; empty if somebody can."""
    if unicodedata.normalize("NFKC", name).casefold() in _OURS:
        return f"{name!r} is what responder itself is called in histories; take another name."
    return ""


def _looks_like_another(name: str) -> bool:
    """True for letters of several scripts, but for Latin beside those of East Asia, and for other forms of letters
    (UTS 39, 5.2 "Highly Restrictive"; UAX 15, NFKC)."""
    letters = (unicodedata.name(one, "").split(" ")[0] for one in name if not one.isascii() or one.isalpha())
    return len(set(letters) - _BESIDE_LATIN) > 1 or unicodedata.normalize("NFKC", name) != name


def objection_to_password(password: str, name: str) -> str:
    """Why this password is not taken; empty if it is.

    Length counts, and no mixture of kinds of characters is asked for (NIST SP 800-63B, 3.1.1).
    """
    if len(password) < SHORTEST:
        return f"The password is shorter than {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"The password is longer than {LONGEST} characters."
    if name and name.casefold() in password.casefold():
        return "The password holds the name."
    return "The password is one character again and again." if len(set(password)) < 4 else ""


# --- links in messages, and mails --------------------------------------------------------------------


def objection_to_link(person: str, user: User | None, *, is_listed: bool) -> str:
    """Why a signed link does nothing more for the person it was made for; empty if it does.

    `user` is their account, if they have one; `is_listed` is whether they are in the people file.
    """
    if user is not None and user.disabled_at is not None:
        return f"The account of {person} is disabled, so this link does not act."
    return "" if is_listed else f"{person} is in the people file no more, so this link does not act."


def objection_to_mail(person: str, user: User | None) -> str:
    """Why a command by mail does nothing for its person; empty if it does."""
    if user is not None and user.disabled_at is not None:
        return f"The account of {person} is disabled, so no mail acts for it."
    return ""


# --- throttling ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One wrong password. `user_id` is whose, if somebody is called so; `is_told`: it has an entry in the audit log."""

    name: str
    address: str
    at: datetime
    user_id: int | None = None
    is_told: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Untold:
    """Wrong passwords of one hour without an entry of their own: of one account, or of all names that nobody has."""

    user_id: int | None
    hour: datetime
    tries: int
    addresses: int

    @property
    def sentence(self) -> str:
        nameless = ("more try with a name that nobody has", "more tries with names that nobody has")
        of_account = ("more wrong password", "more wrong passwords")
        what = counted(self.tries, *(nameless if self.user_id is None else of_account))
        until = self.hour + TOLD_EACH
        return (
            f"{what}, from {counted(self.addresses, 'address', 'addresses')}, between {self.hour:%Y-%m-%d %H:%M} and "
            f"{until:%H:%M} UTC; only the first of an hour have entries of their own"
        )


TOLD_EACH = timedelta(hours=1)
_TOLD_OF_ACCOUNT, _TOLD_OF_STRANGERS = 20, 200


def is_told(told: int, *, is_account: bool) -> bool:
    """Whether one more wrong password has an entry of its own in a log that never shrinks.

    `told` have had one within an hour: of this account, or of all names that nobody has.
    """
    return told < (_TOLD_OF_ACCOUNT if is_account else _TOLD_OF_STRANGERS)


WITHIN = timedelta(minutes=15)
_OF_BOTH, _OF_ADDRESS, _OF_NAME = 5, 20, 50


def wait_for(
    failures: Collection[Failure], name: str, address: str, now: datetime, *, is_usual: bool = False
) -> timedelta:
    """How long nobody at this address may try this name again; zero if they may now.

    Few tries for a name from one address; many more for a name from everywhere, so that a stranger who knows it
    cannot lock its owner out at night (OWASP Authentication Cheat Sheet, "Account Lockout"); and where its owner is
    signed in already (`is_usual`), those from elsewhere do not count. The many networks of a /48 of IPv6 count
    together, too.
    """
    late = [one for one in failures if now - one.at < WITHIN]
    wide = around(address)
    near = [one for one in late if wide and around(one.address) == wide]
    limits = (
        ([one.at for one in late if (one.name, one.address) == (name, address)], _OF_BOTH),
        ([one.at for one in late if one.address == address], _OF_ADDRESS),
        ([one.at for one in near if one.name == name], _OF_BOTH * MORE),
        ([one.at for one in near], _OF_ADDRESS * MORE),
        ([one.at for one in late if one.name == name and not is_usual], _OF_NAME),
    )
    waits = [sorted(instants)[-most] + WITHIN - now for instants, most in limits if len(instants) >= most]
    return max(waits, default=timedelta())
