"""The mailbox: its mails are taken one after another, oldest first, and put away only once they are stored.

A mail that cannot be taken or put away keeps no other from its turn: it is tried again later, and is a ticket when that
does not help. While the database is away the mails stay where they are. Several replicas may follow one mailbox: each
mail is stored once, and put away by the one that has stored it, or by another a minute later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from responder.adapters.mailbox import Mailbox, NotGiven, backoff
from responder.domain.report import Signal
from responder.domain.stuck_mails import (
    MailPlace,
    Stuck,
    about_stuck,
    in_turn,
    next_try,
    stored,
    stored_elsewhere,
    stuck_again,
)
from responder.errors import MailboxFailed, MailboxRefused, StoreUnavailable
from responder.flows.desk import Desk
from responder.flows.mail_desk import Delivered, MailDesk, mail_desk
from responder.flows.mail_in import take_mail
from responder.flows.receive import file_reports, internal_report, receipt
from responder.metrics import mailbox_last_look_timestamp_seconds
from responder.worker.handlers import described

log = structlog.get_logger()
TOLD_AFTER = 5
"""Failures in a row until it is a ticket: half a minute, which a restart of the mail server does not take."""
_REFUSED_TWICE = 2
# A server that refuses a password blocks whoever offers it five times in ten minutes: a minute between the first two.
_LONGER_IF_REFUSED = 6
AT_ONCE = 500
"""So many mails until the mailbox is looked into again."""
_TOGETHER = 50
"""So many are moved in one command: to some servers one move is as much work as a look at all mails of the folder."""
_AGAIN_AFTER = timedelta(hours=1)
_NOT_OURS = _AFTER_A_MISTAKE = timedelta(minutes=1)
_LOOK_AT_SETTINGS = timedelta(seconds=1)

Pause = Callable[[timedelta], Awaitable[None]]


async def follow_mailbox(desk: Desk, mailbox: Mailbox, pause: Pause) -> None:
    """Goes on until it is cancelled. A mailbox that cannot be reached is a ticket, which clears when it is back."""
    follower = _Follower(desk, mailbox)
    mailbox_last_look_timestamp_seconds.set(desk.clock.now().timestamp())
    while True:
        stepping = asyncio.ensure_future(follower.step())
        try:
            # As a value, whatever it is: a mistake in one look must not be the last look.
            await asyncio.wait([stepping])
        finally:
            stepping.cancel()
        if error := stepping.exception():
            log.error("a look into the mailbox failed", exc_info=error)
        wait = _AFTER_A_MISTAKE if error else stepping.result()
        if wait:
            await follower.pause_or_reload(wait, pause)


class _Alarm:
    """A ticket about the mailbox: fires, says anew what has changed (at most hourly), and clears."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk = desk
        self._labels = {"alertname": name, "severity": "error"}
        # After a restart nobody knows whether there is such a ticket.
        self._said: str | None = None
        self._at: datetime | None = None

    async def fire(self, summary: str) -> None:
        """Raises StoreUnavailable; then it is to be said again."""
        now = self._desk.clock.now()
        if summary == self._said or (self._said and self._at and now - self._at < _AGAIN_AFTER):
            return
        await self._file(Signal.FIRING, summary, now)
        self._said, self._at = summary, now

    async def clear(self, summary: str) -> None:
        """Raises StoreUnavailable; then it is to be said again."""
        if self._said == "":
            return
        await self._file(Signal.CLEARED, summary, self._desk.clock.now())
        self._said = ""

    async def _file(self, signal: Signal, summary: str, now: datetime) -> None:
        desk, report = self._desk, internal_report(self._labels, summary, now, signal=signal)
        await desk.store.write(lambda tx: file_reports(tx, [report], desk.policy, now))


class _Follower:
    """One mailbox as one process sees it: what has failed in it, and what was said about that."""

    def __init__(self, desk: Desk, mailbox: Mailbox) -> None:
        self._desk = desk
        self._mailbox = mailbox
        self._setup = desk.configuration.mail
        self._failures = self._losses = 0
        self._stuck: dict[MailPlace, Stuck] = {}
        self._away = _Alarm(desk, "ResponderMailboxUnreachable")
        self._lying = _Alarm(desk, "ResponderMailsStuck")

    async def step(self) -> timedelta:
        """A look into the mailbox, and the wait for news. Gives how long to pause before the next one."""
        try:
            return await self._look()
        except MailboxFailed as error:
            self._failures += 1
            return await self._failed(error)
        except StoreUnavailable as error:
            self._losses += 1
            log.warning("mails stay in the mailbox for now", error=str(error))
            return backoff(self._losses)

    async def pause_or_reload(self, wait: timedelta, pause: Pause) -> None:
        """Pauses, but no longer than until the settings change: whoever has mended the password waits for nothing."""
        pausing = asyncio.ensure_future(pause(wait))
        try:
            while not pausing.done() and self._desk.configuration.mail is self._setup:
                await asyncio.wait([pausing], timeout=_LOOK_AT_SETTINGS.total_seconds())
        finally:
            pausing.cancel()

    async def _look(self) -> timedelta:
        await self._take_over_settings()
        mails = mail_desk(self._desk)
        if mails is None:
            log.warning("the configuration says nothing of mail any more; the mailbox is left alone until it does")
            return _NOT_OURS
        is_more = await self._round(mails)
        await self._away.clear("The mailbox can be reached.")
        if self._failures:
            log.info("the mailbox is connected again", failures=self._failures)
        self._failures = self._losses = 0
        next_at = next_try(self._stuck, self._desk.clock.now())
        if not is_more and next_at != timedelta():
            await self._mailbox.news(next_at)
        return timedelta()

    async def _take_over_settings(self) -> None:
        """After a reload: a new password must not need a restart."""
        before, now = self._setup, self._desk.configuration.mail
        if before is now:
            return
        self._setup = now
        if now and now.mailbox and (before is None or before.mailbox != now.mailbox):
            await self._mailbox.use(now.mailbox)

    async def _failed(self, error: MailboxFailed) -> timedelta:
        failures, is_refused = self._failures, isinstance(error, MailboxRefused)
        log.warning("the mailbox cannot be used", error=str(error), failures=failures)
        if failures >= (_REFUSED_TWICE if is_refused else TOLD_AFTER):
            try:
                await self._away.fire(f"Mails are not taken in: {error}")
            except StoreUnavailable as away:
                log.warning("what is wrong with the mailbox could not be written down", error=str(away))
        return backoff(failures + (_LONGER_IF_REFUSED if is_refused else 0))

    async def _round(self, mails: MailDesk) -> bool:
        """Takes what waits; whether more is left than one look takes."""
        listed = await self._mailbox.waiting()
        self._looked()
        there = set(listed)
        self._stuck = {place: one for place, one in self._stuck.items() if place in there}
        turn = in_turn(listed, self._stuck, self._desk.clock.now())
        for few in _in_parts(turn[:AT_ONCE], _TOGETHER):
            await self._some(mails, few)
        if said := about_stuck(self._stuck):
            await self._lying.fire(f"Mails stay in the mailbox. {said}")
        elif not self._stuck:
            await self._lying.clear("No mail is stuck in the mailbox.")
        return len(turn) > AT_ONCE

    async def _some(self, mails: MailDesk, places: Sequence[MailPlace]) -> None:
        """Stores them one by one, and puts away together those that were stored now."""
        for place in places:
            with self._blamed(place):
                await self._one(mails, place)
        fresh = [place for place in places if place in self._stuck and self._stuck[place].times == 0]
        with self._blamed(*fresh):
            if not fresh or not await self._mailbox.put_away(*fresh):
                self._forget(fresh)
                return
        # Which of them is the one that the server will not have?
        for place in fresh:
            with self._blamed(place):
                await self._put_away(place)

    async def _one(self, mails: MailDesk, place: MailPlace) -> None:
        before = self._stuck.get(place)
        if before and before.is_safe:
            # What has not failed yet goes with the others.
            if before.times:
                await self._put_away(place)
            return
        why, is_ours = await self._taken(mails, place)
        now = self._desk.clock.now()
        if why:
            self._stick(place, why)
        else:
            self._stuck[place] = stored(now) if is_ours else stored_elsewhere(now)

    async def _put_away(self, place: MailPlace) -> None:
        if why := await self._mailbox.put_away(place):
            self._stick(place, why)
        else:
            self._forget([place])

    @contextmanager
    def _blamed(self, *places: MailPlace) -> Iterator[None]:
        """Perhaps it was one of these mails that broke the line: then it must not do so for ever."""
        try:
            yield
        except MailboxFailed as error:
            for place in places:
                self._stick(place, str(error))
            raise

    def _forget(self, places: Sequence[MailPlace]) -> None:
        for place in places:
            del self._stuck[place]

    def _stick(self, place: MailPlace, why: str) -> None:
        before = self._stuck.get(place)
        is_safe = before is not None and before.is_safe
        made = stuck_again(before, why, self._desk.clock.now(), is_safe=is_safe)
        self._stuck[place] = made
        # The first time another replica, or a person, may just have been quicker.
        say = log.info if made.times == 1 else log.warning
        say("a mail stays in the mailbox", uid=place.uid, is_stored=is_safe, why=why, times=made.times)

    async def _taken(self, mails: MailDesk, place: MailPlace) -> tuple[str, bool]:
        """Why the mail could not be stored, empty if it is; and False if it was stored before.

        Raises MailboxFailed, StoreUnavailable.
        """
        fetched = await self._mailbox.fetch(place)
        self._looked()
        if isinstance(fetched, NotGiven):
            return fetched.why, True
        name = receipt(self._desk.clock.now())
        delivered = Delivered(content=fetched.raw, way="imap", is_cut=fetched.is_cut, receipt=name)
        taking = asyncio.ensure_future(take_mail(self._desk, mails, delivered))
        try:
            # As a value: whatever is wrong with one mail must not end the following of all.
            await asyncio.wait([taking])
        finally:
            taking.cancel()
        error = taking.exception()
        if error is None:
            return "", taking.result().receipt == name
        if isinstance(error, StoreUnavailable) or not isinstance(error, Exception):
            raise error
        log.error("a mail could not be stored", uid=place.uid, exc_info=error)
        return f"It could not be stored: {described(error)}.", True

    def _looked(self) -> None:
        mailbox_last_look_timestamp_seconds.set(self._desk.clock.now().timestamp())


def _in_parts(places: Sequence[MailPlace], size: int) -> list[Sequence[MailPlace]]:
    return [places[start : start + size] for start in range(0, len(places), size)]
