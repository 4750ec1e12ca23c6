"""What the policy of the model of calling promises, told anew by somebody who knows only its words and the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from responder.domain.escalation import Chain
from responder.domain.message import Message, MessageState
from responder.domain.report import Signal
from responder.domain.ticket import Event, EventKind, Status, Ticket

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TURNS_BEGAN_AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
TURNS = ("mei", "lars")
OTHERS = {2: "lars", 3: "rosa"}
WAITS = {1: 15 * MINUTE, 2: 5 * MINUTE, 3: 10 * MINUTE}
"""How long each tier is called after the one before it; in a chain that begins higher the first one begins a round."""
LATE = MINUTE
ASKED_AFTER, ANSWERED_WITHIN = 45 * MINUTE, 10 * MINUTE
AT_WORK = (Status.IN_PROGRESS, Status.APPROVED)


@dataclass
class Oracle:
    """Knows who stands for whom, and when somebody was there to do anything at all."""

    stands_in: list[tuple[datetime, datetime, str]] = field(default_factory=list)
    back_at: datetime = TURNS_BEGAN_AT

    def on_call(self, at: datetime) -> str:
        turn = TURNS[(at - TURNS_BEGAN_AT) // DAY % len(TURNS)]
        return next((who for start, until, who in self.stands_in if start <= at < until), turn)

    def wrong(
        self,
        ticket: Ticket,
        history: Sequence[Event],
        chains: Sequence[Chain],
        messages: Sequence[Message],
        now: datetime,
    ) -> Iterator[str]:
        """What is not as promised with one ticket, in sentences."""
        yield from _about_calls_in_vain(history)
        for chain in chains:
            if chain.plan == "until somebody has it":
                yield from self._about_chain(chain, history)
        if ticket.grade == "P1":
            yield from self._about_silence(ticket, history, now)
        is_nobodys = ticket.status is Status.HANDED_OVER and not ticket.acknowledged_by
        if is_nobodys and ticket.signal is Signal.FIRING:
            pages = [one for one in messages if one.purpose.startswith("hand_over") and one.episode == ticket.episode]
            yield from _about_next_channels(pages, now)
            yield from self._about_next_person(ticket, pages, history, now)

    # --- calls -------------------------------------------------------------------------------------------

    def _about_chain(self, chain: Chain, history: Sequence[Event]) -> Iterator[str]:
        made = [one for one in history if one.data.get("chain") == chain.number and "step" in one.data]
        snapshot = next(one for one in history if one.data.get("chain") == chain.number and "steps" in one.data)
        foreseen = len(list(snapshot.data["steps"]))  # type: ignore[call-overload]
        first = chain.calls[0].callees.tiers[0]
        if foreseen != 2 * (4 - first):
            yield f"a chain from tier {first} on has {foreseen} calls"
        early = {one.at for one in history if "skipped" in one.data}
        before: Event | None = None
        for call, event in zip(chain.calls[:foreseen], made, strict=False):
            (tier,) = call.callees.tiers
            yield from self._about_call(tier, event)
            if before is not None and before.data["told"] and event.at not in early:
                wait = 15 * MINUTE if tier == first else WAITS[tier]
                if event.at - before.at < wait - LATE:
                    yield f"tier {tier} was called {event.at - before.at} after the call before, not {wait}"
            before = event

    def _about_call(self, tier: int, event: Event) -> Iterator[str]:
        meant, told = OTHERS.get(tier) or self.on_call(event.at), event.data["told"]
        # In the instant in which somebody begins to stand in, a call may have been made before that.
        is_instant = any(start == event.at for start, _, _ in self.stands_in)
        before = OTHERS.get(tier) or self.on_call(event.at - timedelta(microseconds=1))
        if told != [meant] and not (is_instant and told == [before]):
            yield f"tier {tier} is {meant} at {event.at}, and {told} was called"

    # --- whoever has it ----------------------------------------------------------------------------------

    def _about_silence(self, ticket: Ticket, history: Sequence[Event], now: datetime) -> Iterator[str]:
        if not ticket.acknowledged_by or ticket.status not in AT_WORK:
            return
        sign_at = max(one.at for one in history if one.actor == ticket.acknowledged_by)
        grade_at = max((one.at for one in history if one.kind is EventKind.REGRADED), default=sign_at)
        last_at = max(max(sign_at, grade_at) + ASKED_AFTER, self.back_at) + ANSWERED_WITHIN + 3 * MINUTE
        if now > last_at:
            yield f"{ticket.acknowledged_by} gave no sign since {sign_at}, and still has it"

    # --- who is left -------------------------------------------------------------------------------------

    def _about_next_person(
        self, ticket: Ticket, pages: Sequence[Message], history: Sequence[Event], now: datetime
    ) -> Iterator[str]:
        def is_in_vain(one: Message) -> bool:
            is_slow = one.state is MessageState.FAILED_FOR_NOW and now - max(one.created_at, self.back_at) > 8 * MINUTE
            return one.state is MessageState.FAILED or is_slow

        marks = [str(one.data["passed_by"]) for one in history if "passed_by" in one.data]
        if pages and all(map(is_in_vain, pages)) and not any(one.startswith(f"{ticket.episode}:") for one in marks):
            yield "nobody who was called is reached, and nobody else was called"


def _about_calls_in_vain(history: Sequence[Event]) -> Iterator[str]:
    """A call is only made for a ticket that is with people and nobody's."""
    status = ""
    for one in history:
        if one.kind is EventKind.MOVED:
            status = str(one.data["status"])
        elif "step" in one.data and one.kind is EventKind.ESCALATION and status != "handed_over":
            yield f"call {one.data['step']} was made while it was {status}"


def _about_next_channels(pages: Sequence[Message], now: datetime) -> Iterator[str]:
    refused = {(one.purpose, one.person) for one in pages if one.state is MessageState.FAILED}
    for one in pages:
        waits = one.state is MessageState.WAITING and one.due_at is not None and one.due_at > now
        if waits and (one.purpose, one.person) in refused:
            yield f"a channel of {one.person} refused, and {one.channel} waits until {one.due_at}"
        if one.state is MessageState.OVERTAKEN and one.error == f"{one.person} was told by pager.":
            yield f"the page to {one.person} by {one.channel} was not sent, though nobody has the ticket"
