"""Passwords of people, as argon2id hashes; tokens are long and random, and need no more than a digest."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# RFC 9106, section 4, the second recommended option: 64 MiB, three passes.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)


def hashed(password: str) -> str:
    """What is kept of a password. Takes some 50 ms and 64 MiB on purpose: call it on a thread."""
    return _HASHER.hash(password)


def fits(password: str, kept: str) -> bool:
    """True if the hash was made of this password. For an account without one it takes as long, and says no."""
    try:
        return _HASHER.verify(kept or _of_nobody(), password) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """True if it was made with other parameters than today's: then it is made anew when the password is known."""
    try:
        return _HASHER.check_needs_rehash(kept)
    except InvalidHashError:
        return True


@cache
def _of_nobody() -> str:
    return hashed("nobody has this password")
