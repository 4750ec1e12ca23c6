"""What every driver of a switchover gives: questions, what the answers mean, and the acts of each phase.

A driver decides no order. It says what is so, with a proof or without one; `responder.firstaid.switching` decides.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from responder.domain.acts import Act, Command, CommandResult, Moment, Question, Reply, Request, Unanswered
from responder.firstaid.step import Word

FENCE = "fence"
PROMOTE = "promote"
DEMOTE = "take the service back"
LET_BACK = "let the old node back"
"""What the labels of acts begin with; a run that goes on after a crash knows by them how far it had come."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_NOT_STARTED = (126, 127)


def is_template(text: str) -> bool:
    """Whether a text is still to be filled in, so that its value cannot be judged yet."""
    return "{{" in text


def _a_name(text: str) -> str:
    if not is_template(text) and not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name; it may hold letters, digits and _ . : - only")
    return text


def _a_url(text: str) -> str:
    if not text.startswith(("http://", "https://", "{{")):
        raise ValueError("the url must begin with http:// or https://")
    return text


Name = Annotated[Word, AfterValidator(_a_name)]
Url = Annotated[Word, AfterValidator(_a_url)]

Replies = Mapping[str, Reply | Unanswered]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """The two nodes. `old_on` is how a command names the old one: empty when it is the step's own host.

    `look_timeout` bounds every question, once it has been connected.
    """

    old: str
    new: str
    old_on: str = ""
    look_timeout: timedelta = timedelta(seconds=5)

    def host(self, word: str) -> str:
        """The host that a driver's `on:` means: old, new, or another target's name."""
        return {"old": self.old_on, "new": self.new}.get(word, word)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What the looks say now. None where nobody can see it.

    `is_fenced`: there is a proof that the old node does not serve and cannot begin to; `proof` names it, or says what
    is missing. `is_demoted`: the same of the new node. `objection`: why the new node must not be promoted.
    `cannot_fence`: why the driver has no way to fence the old node now. `detail` is the driver's own.
    """

    old_holds: bool | None
    new_holds: bool | None
    is_fenced: bool
    proof: str
    is_demoted: bool = False
    objection: str = ""
    cannot_fence: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class Driver(BaseModel, ABC):
    """One way of moving a service; its settings are the `service:` of the step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    arbitrates: ClassVar[bool] = False
    """Something of its own (a lock in a quorum store) lets never more than one node serve."""

    acts_at_once: ClassVar[bool] = False
    """An act of it that ended well has taken effect, and nothing comes later."""

    def hosts(self) -> tuple[str, ...]:
        """Targets beside the two nodes that it touches."""
        return ()

    def patience(self) -> timedelta:
        """What fencing may take on purpose, on top of the step's own limit."""
        return timedelta()

    def blind_to_health(self) -> bool:
        """Whether it cannot see the health of the standby, so that the step needs a check of its own."""
        return False

    def may_serve_together(self) -> bool:
        """Whether both nodes may serve at the same time by design."""
        return False

    def refuses_before(self, view: View) -> str:  # noqa: ARG002 most drivers have nothing to add
        """Why a switchover must not begin, though one that has begun may go on."""
        return ""

    @abstractmethod
    def questions(self, pair: Pair) -> Mapping[str, Question]:
        """All that it wants to know."""

    @abstractmethod
    def view(self, replies: Replies, pair: Pair) -> View:
        """What the answers mean."""

    @abstractmethod
    def to_fence(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:
        """What is still to be sent to fence the old node; nothing while it takes effect."""

    @abstractmethod
    def to_promote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:
        """What is still to be sent to let the new node serve; nothing if it takes over by itself."""

    @abstractmethod
    def to_demote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:
        """What is still to be sent to take the service from the new node."""

    @abstractmethod
    def to_let_back(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:
        """What is still to be sent to undo the fence."""


def fresh(moment: Moment, acts: Iterable[Command | Request]) -> tuple[Act, ...]:
    """Those acts whose label has not ended yet: each is sent once in the life of a step."""
    ended = {one.label.partition(" (")[0] for one in moment.done}
    return tuple(act for act in acts if act.label not in ended)


def result_of(replies: Replies, name: str) -> CommandResult | None:
    """What a command gave; None when nobody answered, or when it could not even be started."""
    reply = replies.get(name)
    if not isinstance(reply, CommandResult) or reply.exit_code in _NOT_STARTED or reply.exit_code < 0:
        return None
    return reply


def why_not(replies: Replies, *names: str) -> str:
    """Why the first of these that gave no usable answer gave none."""
    for name in names:
        reply = replies.get(name)
        if isinstance(reply, Unanswered):
            return reply.why.rstrip(".")
        if isinstance(reply, CommandResult):
            said = (reply.stderr.strip() or reply.stdout.strip() or "no output").splitlines()[-1][:200]
            return f"the look ended with exit code {reply.exit_code}: {said}"
    return "it gave no usable answer"


def holding(holds: bool | None) -> str:
    """Whether a node holds the service, in words."""
    return {True: "holds the service", False: "does not hold the service", None: "cannot be seen"}[holds]
