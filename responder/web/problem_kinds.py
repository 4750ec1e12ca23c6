"""The kinds of errors that programs can tell apart: the `type` of a problem is `/problems/NAME` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemKind:
    """One kind; `text` says what it means and what helps."""

    status: int
    name: str
    text: str

    @property
    def type(self) -> str:
        return f"/problems/{self.name}"


_ALL = (
    ProblemKind(status=400, name="malformed", text="The request cannot be read: the body is not JSON, say."),
    ProblemKind(status=401, name="unauthenticated", text="No credential, or one that is unknown or has expired."),
    ProblemKind(status=403, name="forbidden", text="The credential is good, and may not do this."),
    ProblemKind(status=404, name="not-found", text="There is nothing of this name or number."),
    ProblemKind(status=405, name="method-not-allowed", text="Not with this method; `Allow` names the others."),
    ProblemKind(status=408, name="too-slow", text="The request did not arrive in time."),
    ProblemKind(status=409, name="refused", text="A rule says no, or somebody else was first; `detail` says which."),
    ProblemKind(status=412, name="stale", text="It was changed since the version in `If-Match`; `since` says how."),
    ProblemKind(status=413, name="too-large", text="More bytes than are taken."),
    ProblemKind(status=415, name="unsupported", text="A body of another type than is taken here."),
    ProblemKind(status=422, name="invalid", text="Something is missing, odd or unknown; `errors` says what and where."),
    ProblemKind(status=429, name="too-many", text="Too many requests; `Retry-After` says when to come back."),
    ProblemKind(status=500, name="broken", text="A mistake of ours; the log says what."),
    ProblemKind(status=503, name="unavailable", text="Not now: the database is away, or too much waits. Try again."),
)
KINDS: Mapping[int, ProblemKind] = {kind.status: kind for kind in _ALL}
"""By status: each of them has one meaning here."""


def type_of(status: int) -> str:
    """The `type` of a problem with this status."""
    return KINDS[status].type if status in KINDS else "about:blank"
