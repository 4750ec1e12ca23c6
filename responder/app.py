"""The composition root: files become settings, settings a desk, and around the desk a worker and a web server."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from errno import EADDRINUSE
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from responder.adapters.http_client import HttpClient
from responder.adapters.notifier import Notifier
from responder.adapters.ssh import SshHosts
from responder.clock import Clock, SystemClock
from responder.config.configuration import Configuration, read
from responder.domain.vitals import Process
from responder.errors import ConfigError, ListenFailed, ResponderError, StoreUnavailable
from responder.flows import (
    actions,
    audit_pages,
    consent,
    cron_jobs,
    dead_man,
    deliver,
    drill,
    escalate,
    first_aid,
    hand_over,
    health_check,
    parts,
    reporter,
    set_aside,
    settle,
    still_on_it,
    storm,
    tell_duty,
    watch,
    watch_holds,
    watch_rotas,
    wrong_passwords,
)
from responder.flows.batcher import Batcher
from responder.flows.desk import Desk
from responder.flows.replan import follow_policy, take_over
from responder.metrics import (
    REGISTRY,
    config_last_reload_success_timestamp_seconds,
    config_last_reload_successful,
    watch_failures_total,
)
from responder.store import schema
from responder.store.database import Database
from responder.web.context import Context
from responder.web.server import build
from responder.worker.handlers import Lane, Work, Worker
from responder.worker.local import LocalWorker

if TYPE_CHECKING:
    from responder.adapters.mail_listener import MailListener
    from responder.adapters.mailbox import Mailbox

log = structlog.get_logger()

LANES = (
    Lane(kinds=("first_aid", "run"), at_once=32),
    Lane(kinds=("deliver_first",), at_once=32),
    Lane(kinds=("deliver",), at_once=64),
    # The beat goes with the calls: when those hang, it stops.
    Lane(kinds=("hand_over", "escalate", "still_on_it", "dead_man"), at_once=8),
    Lane(kinds=("settle", "prove", "close", "consent", "parts", "tell_reporter", "reporter_silent"), at_once=8),
    Lane(kinds=("drill", "tell_duty"), at_once=4),
    Lane(kinds=("health_check",), at_once=2),
)
_WATCH_EVERY = timedelta(seconds=1)
_FORGET_EVERY = timedelta(hours=1)


def make_desk(configuration: Configuration, database: Database, clock: Clock) -> Desk:
    """A desk with real ways out."""
    settings = configuration.settings
    return Desk(
        store=database,
        clock=clock,
        configuration=configuration,
        hosts=SshHosts(
            connect_timeout=settings.ssh.connect_timeout, idle=settings.ssh.idle, max_output=settings.ssh.max_output
        ),
        web=HttpClient(settings.prometheus.url if settings.prometheus else ""),
        notifier=Notifier(),
    )


def work_for(desk: Desk) -> Work:
    """Which flow does which kind of job."""
    return Work(
        handlers={
            "first_aid": partial(first_aid.first_aid, desk),
            "run": partial(first_aid.continue_run, desk),
            "hand_over": partial(hand_over.hand_over, desk),
            "escalate": partial(escalate.escalate, desk),
            "dead_man": partial(dead_man.beat, desk),
            "still_on_it": partial(still_on_it.still_on_it, desk),
            "deliver": partial(deliver.deliver, desk),
            "deliver_first": partial(deliver.deliver, desk),
            "drill": partial(drill.ask_in_drill, desk),
            "tell_duty": partial(tell_duty.tell_duty, desk),
            "settle": partial(settle.settle, desk),
            "prove": partial(settle.prove, desk),
            "close": partial(settle.close, desk),
            "consent": partial(consent.look_after, desk),
            "tell_reporter": partial(reporter.tell_reporter, desk),
            "reporter_silent": partial(reporter.remind_or_close, desk),
            "parts": partial(parts.report_part, desk),
            "health_check": partial(health_check.health_check, desk),
        },
        lanes=LANES,
        set_aside=partial(set_aside.set_aside, desk),
    )


class Service:
    """The whole service: started in order, stopped in the opposite order."""

    def __init__(
        self, path: Path, *, clock: Clock | None = None, with_web: bool = True, with_worker: bool = True
    ) -> None:
        self.configuration = read(path)
        self.database = Database(self.configuration.database_url)
        self.desk = make_desk(self.configuration, self.database, clock or SystemClock())
        work = work_for(self.desk)
        self.worker = self._make_worker(work)
        self._with_web = with_web
        self._with_worker = with_worker
        self._runner: web.AppRunner | None = None
        self._loops: list[asyncio.Task[None]] = []
        self._mailbox: Mailbox | None = None
        self._listener: MailListener | None = None
        self.port = self.configuration.settings.port
        self._started_at = self.desk.clock.now()
        self._refused_at: datetime | None = None
        self._problems = ""

    def _make_worker(self, work: Work) -> Worker:
        if not self.database.is_cluster:
            return LocalWorker(self.database, work, self.desk.clock)
        # Here, because a quarter of a start on SQLite would go into what only PostgreSQL needs.
        from responder.worker.cluster import ClusterWorker

        return ClusterWorker(self.database, work)

    async def start(self) -> None:
        """Raises Refused when another server holds the database, StoreUnavailable when it is away."""
        # The writer's thread computes while the event loop must answer: let them take turns ten times as often.
        sys.setswitchinterval(0.0005)
        self.database.lock_file()
        schema.upgrade(self.database)
        _took_over(self.desk)
        await watch.listen_anew(self.desk)
        # Before anything is done: where somebody else listens, nothing must have begun.
        if self._with_web:
            self._loops += [task async for task in self._listen_for_mails()]
            await self._listen()
        if self._with_worker:
            await self.worker.start()
            self._loops += [
                asyncio.create_task(self._repeat(_WATCHES, _WATCH_EVERY), name="watch"),
                asyncio.create_task(self._repeat(_HOURLY, _FORGET_EVERY), name="forget"),
                *self._follow_mailbox(),
            ]
        # What start-up made stays for good: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()

    def _follow_mailbox(self) -> Iterator[asyncio.Task[None]]:
        """The task that takes mails in, where there is a mailbox; a reload does not change which one that is."""
        account = self.configuration.mail.mailbox if self.configuration.mail else None
        if account is None:
            return
        # Here, because few have a mailbox and its library takes its time.
        from responder.adapters.mailbox import Mailbox
        from responder.flows.mailbox import follow_mailbox

        self._mailbox = Mailbox(account)
        yield asyncio.create_task(follow_mailbox(self.desk, self._mailbox, _sleep), name="mailbox")

    async def _listen_for_mails(self) -> AsyncIterator[asyncio.Task[None]]:
        """The task behind the listener for mail servers, where there is one. Raises ListenFailed."""
        setup = self.configuration.mail
        door = setup.settings.as_door() if setup else None
        if door is None:
            return
        # Here, because its library is there only where it is wanted.
        from responder.adapters.mail_listener import MailListener
        from responder.flows.mail_listener import HandedIn, follow_listener

        self._listener = MailListener(door, HandedIn(self.desk, door))
        await self._listener.open()
        following = follow_listener(self.desk, self._listener, door.address, _sleep)
        yield asyncio.create_task(following, name="mail listener")

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        for loop in self._loops:
            loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loop
        if self._listener is not None:
            await self._listener.close()
        if self._mailbox is not None:
            await self._mailbox.close()
        if self._with_worker:
            await self.worker.stop()
        await self.desk.web.close()
        await self.desk.hosts.close()
        self.desk.notifier.close()
        self.database.close()

    async def reload(self) -> None:
        """Takes over all files as they are now. Raises ConfigError, and then nothing has changed."""
        try:
            configuration = await asyncio.to_thread(read, self.configuration.path)
        except ConfigError as error:
            config_last_reload_successful.set(0)
            self._refused_at, self._problems = self.desk.clock.now(), str(error)
            log.error("reload refused, the last good configuration stays", problems=str(error))
            raise
        moved = await self._take_over(configuration)
        self._refused_at, self._problems = None, ""
        _took_over(self.desk)
        if moved:
            log.info("deadlines moved with the policy", tickets=moved)
        self.database.changes.tell(frozenset({"config"}))
        log.info("configuration reloaded")

    async def _take_over(self, configuration: Configuration) -> int:
        try:
            return await take_over(self.desk, configuration)
        except StoreUnavailable as error:
            # The watch tries it again.
            log.warning("deadlines do not follow the policy yet", error=str(error))
            return 0

    async def is_ready(self) -> str:
        """Why the service is not ready; empty if it is."""
        try:
            await self.desk.store.read(lambda tx: tx.switchboard.switches(self.desk.clock.now()))
        except StoreUnavailable as error:
            return str(error)
        ended = [task.get_name() for task in self._loops if task.done()]
        if ended:
            return f"The loop {ended[0]} has ended; the log says why."
        return self.worker.problem() if self._with_worker else ""

    def process(self) -> Process:
        """What this process knows of itself."""
        reloaded = REGISTRY.get_sample_value("responder_config_last_reload_success_timestamp_seconds")
        samples = [one for family in watch_failures_total.collect() for one in family.samples]
        return Process(
            started_at=self._started_at,
            loops={task.get_name(): not task.done() for task in self._loops},
            reloaded_at=datetime.fromtimestamp(reloaded, UTC) if reloaded else None,
            refused_at=self._refused_at,
            reload_problems=self._problems,
            watch_failures={one.labels["watch"]: one.value for one in samples if one.name.endswith("_total")},
        )

    async def serve_until_told_to_stop(self) -> None:
        """Runs until SIGTERM or SIGINT; SIGHUP reloads."""
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, done.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: asyncio.ensure_future(self._reload_by_signal()))
        await self.start()
        log.info("ready", url=f"http://{self.configuration.settings.host}:{self.port}/")
        await done.wait()
        log.info("stopping")
        await self.stop()

    async def _reload_by_signal(self) -> None:
        with contextlib.suppress(ConfigError):
            await self.reload()

    async def _listen(self) -> None:
        settings = self.configuration.settings
        context = Context(
            desk=self.desk,
            batcher=Batcher(self.desk, settings.intake.max_waiting),
            reload=self.reload,
            is_ready=self.is_ready,
            changes=self.database.changes,
            process=self.process,
        )
        self.database.hear_replicas()
        self._runner = web.AppRunner(build(context), access_log=None, shutdown_timeout=5)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.host, settings.port, reuse_address=True).start()
        except OSError as error:
            raise ListenFailed(_deaf(error, settings.listen, self.configuration.path)) from error
        self.port = self._runner.addresses[0][1]

    async def _repeat(self, watches: Iterable[Watch], every: timedelta) -> None:
        while True:
            for one in watches:
                await watched(one, self.desk)
            await asyncio.sleep(every.total_seconds())


Watch = Callable[[Desk], Awaitable[object]]


async def watched(one: Watch, desk: Desk) -> None:
    """Does one watch. What is wrong with it ends neither the others nor itself: it is tried again in the next round."""
    doing = asyncio.ensure_future(one(desk))
    try:
        # As a value, whatever it is: a mistake in one of them must not end the calls of all.
        await asyncio.wait([doing])
    finally:
        doing.cancel()
    if doing.cancelled() or (error := doing.exception()) is None:
        return
    name = one.__name__.strip("_")
    watch_failures_total.labels(name).inc()
    if isinstance(error, ResponderError):
        log.warning("a round of the watch failed", watch=name, error=str(error))
    else:
        log.error("a watch failed", watch=name, exc_info=error)


def _deaf(error: OSError, address: str, file: Path) -> str:
    why = "something else listens there, perhaps another responder" if error.errno == EADDRINUSE else error.strerror
    return f"Cannot listen on {address}: {why}. Stop what is in the way, or change listen: in {file}."


async def _sleep(duration: timedelta) -> None:
    await asyncio.sleep(duration.total_seconds())


async def _look_at_clocks(desk: Desk) -> None:
    while await watch.look_at_clocks(desk):
        pass


async def _forget(desk: Desk) -> None:
    while await watch.forget(desk):
        pass


async def _erase_contacts(desk: Desk) -> None:
    while await reporter.erase_contacts(desk):
        pass


# Deadlines follow first: with thousands of open tickets that takes a minute, in which reports and jobs go on.
_WATCHES: tuple[Watch, ...] = (
    follow_policy,
    _look_at_clocks,
    watch.watch_heartbeats,
    storm.watch_storm,
    watch_holds.look_at_held,
    watch_rotas.watch_rotas,
    cron_jobs.watch_cron_jobs,
    audit_pages.audit_pages,
    dead_man.promise_beat,
    actions.escalate_overdue,
    health_check.plan_health_checks,
    drill.watch_drills,
)
_HOURLY: tuple[Watch, ...] = (watch_rotas.warn_of_gaps, _forget, _erase_contacts, wrong_passwords.tell_of_the_rest)


def _took_over(desk: Desk) -> None:
    config_last_reload_successful.set(1)
    config_last_reload_success_timestamp_seconds.set(desk.clock.now().timestamp())
