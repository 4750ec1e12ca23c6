"""One text to one person on one channel: a row before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MessageState(StrEnum):
    """Where a message is.

    `failed`: its channel will never take it. `held`: its reader is in quiet hours. `bundled`: it comes, or came, in a
    list with others. `overtaken`: it was no longer needed when its turn came. `by_hand`: no channel leads to its
    reader, so that a person has to say it.
    """

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED_FOR_NOW = "failed_for_now"
    FAILED = "failed"
    HELD = "held"
    BUNDLED = "bundled"
    OVERTAKEN = "overtaken"
    BY_HAND = "by_hand"


class Purpose(StrEnum):
    HAND_OVER = "hand_over"
    TEST = "test"
    BUNDLE = "bundle"
    STILL_ON_IT = "still-on-it"


def is_page(purpose: str) -> bool:
    """Whether it calls somebody who then acknowledges; other messages only tell, or ask."""
    return purpose.startswith(Purpose.HAND_OVER)


def is_bundle(purpose: str) -> bool:
    """Whether it is the list of what was bundled."""
    return purpose.startswith(f"{Purpose.BUNDLE}-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """`tried_at` is when it was handed to its channel last, `due_at` when it is tried next, if not at once; `error`
    says why it is where it is."""

    ticket_id: int
    episode: int
    purpose: str
    person: str
    channel: str
    subject: str
    body: str
    created_at: datetime
    id: int = 0
    state: MessageState = MessageState.WAITING
    tries: int = 0
    sent_at: datetime | None = None
    due_at: datetime | None = None
    tried_at: datetime | None = None
    error: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether no channel is to be tried any more."""
        return self.state in _FINISHED

    @property
    def is_in_list(self) -> bool:
        """Whether it waits for the list that tells of it; that one is due at `due_at`."""
        return self.state is MessageState.BUNDLED and self.sent_at is None


_FINISHED = frozenset(
    {MessageState.SENT, MessageState.FAILED, MessageState.BUNDLED, MessageState.OVERTAKEN, MessageState.BY_HAND}
)
