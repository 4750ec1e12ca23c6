"""One tree of errors. `.permanent` says whether trying again can ever help."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar


class ResponderError(Exception):
    """The root. Its text is a sentence that may be shown on a ticket."""

    permanent: ClassVar[bool] = False


# --- what a file got wrong -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake in one file, at one place (line and column count from 1)."""

    path: Path
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.text}"


class ConfigError(ResponderError):
    """One or more files are wrong; nothing of them was taken over."""

    permanent = True

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


# --- the store -------------------------------------------------------------------------------------


class StoreUnavailable(ResponderError):
    """The database cannot be reached or cannot write now."""


class Conflict(ResponderError):
    """Somebody else changed the same rows first: gather the facts again and decide again."""


class RunLost(ResponderError):
    """Another worker has taken the run over; whoever holds it now goes on with it."""

    permanent = True


class NotFound(ResponderError):
    """What was asked for is not there."""

    permanent = True


class IntakeFull(ResponderError):
    """More requests wait than the intake may hold; the sender is asked to come back."""


class Refused(ResponderError):
    """A rule says no; the text says which, and what would help."""

    permanent = True


class ConsentAsked(Refused):
    """Not yet: a gate stands before the move, and those whose yes it needs have been asked by the attempt itself."""


class NotTheirs(Refused):
    """Somebody acts for other teams only."""


class LinkUsed(Refused):
    """A signed link that has acted already."""


class BadForm(ResponderError):
    """What was filled in is missing or odd; `field` is how a form calls it, where the text does not name it."""

    permanent = True

    def __init__(self, text: str, *, field: str = "") -> None:
        self.field = field
        super().__init__(text)


class KeyUsed(BadForm):
    """A key under which another report was sent before."""


class BadReport(ResponderError):
    """A body that can never be understood."""

    permanent = True


# --- reaching others -------------------------------------------------------------------------------


class HostError(ResponderError):
    """A target could not be reached or did not do what a step asked."""


class HostUnreachable(HostError):
    """No TCP connection, or no SSH banner, within the time allowed."""


class HostKeyRefused(HostError):
    """The host showed another key than the pinned one, or none is pinned."""

    permanent = True


class AuthRefused(HostError):
    """The host did not accept our key for this user."""

    permanent = True


class ConnectionCut(HostError):
    """The connection ended in the middle of a command: whether it ran to its end is not known."""


class CommandTimedOut(HostError):
    """A command ran longer than it may; `output` is what it had printed by then.

    `is_over` is False when the host did not answer any more, so that the command may still run there.
    """

    def __init__(self, text: str, *, after: timedelta, output: str = "", is_over: bool = True) -> None:
        self.after = after
        self.output = output
        self.is_over = is_over
        super().__init__(text)


class QueryFailed(ResponderError):
    """Prometheus or a URL gave no usable answer."""


class SendFailed(ResponderError):
    """A message was not taken by its channel now."""


class ChannelBusy(SendFailed):
    """Earlier messages still hang in this channel; one more thread would hang with them."""


class SendRefused(SendFailed):
    """A message can never be taken by its channel as configured."""

    permanent = True


class MailboxFailed(ResponderError):
    """A mailbox could not be reached, or its server gave no usable answer."""


class MailboxRefused(MailboxFailed):
    """The server of a mailbox does not let us in."""


class ListenFailed(ResponderError):
    """Nobody can hand mails in: the address is taken, or cannot be listened on."""


class SignInFailed(ResponderError):
    """A provider of sign-ins could not be reached, or gave no usable answer; later it may."""


class SignInRefused(SignInFailed):
    """What came back from a provider of sign-ins signs nobody in."""

    permanent = True


class TooManyTries(SignInRefused):
    """Somebody was wrong too often, and may try again `after` so long."""

    def __init__(self, text: str, *, after: timedelta) -> None:
        self.after = after
        super().__init__(text)
