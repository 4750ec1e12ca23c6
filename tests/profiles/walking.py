"""A ticket is walked through a shipped profile, from intake to archive, by people with names and roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from responder.adapters.yaml_file import load
from responder.config.policy import read_policy
from responder.domain.report_form import form_of
from responder.domain.reporter_answers import Answer, AnswerKind, Heard
from responder.domain.review import ReviewForm
from responder.domain.sla import Clock
from responder.domain.ticket import Ticket
from responder.errors import Refused
from responder.flows.handle import do
from responder.flows.knowledge import draft, publish
from responder.flows.report_by_person import open_report
from responder.flows.reporter import erase_contacts, tell_progress
from responder.flows.reporter_answers import reporter_says
from responder.flows.reporter_letters import told
from responder.flows.review import write_review
from responder.flows.watch import look_at_clocks
from responder.store.database import Database
from responder.store.jobs import LocalJobs
from responder.store.transaction import Transaction
from tests.fakes import FakeClock
from tests.world import MAIN, World, alert, resolved, texts

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""Monday, 9 o'clock in Shanghai: a working day between holidays."""
_STEP = timedelta(minutes=5)


class Walk(World):
    """A world in which a profile is in force. `people` maps names to (roles, {team: tier})."""

    def __init__(
        self, folder: Path, database: Database, profile: str, people: Mapping[str, tuple[list[str], dict[str, int]]],
        *, more: str = "", start: datetime = MONDAY,
    ) -> None:  # fmt: skip
        (folder / "reporters-url").write_text("json://gateway.test/send/{contact}\n")
        main = MAIN + "reporters: {url_file: reporters-url}\n"
        super().__init__(folder, database, main=main, policy=f"extends: {profile}\n{more}", people=_people(people))
        if not database.is_cluster:
            # PostgreSQL's worker asks the server's own clock, which nobody can set.
            self.clock = FakeClock(start)
            self.desk = self.another_desk()

    # --- what happens ------------------------------------------------------------------------------

    async def report(self, title: str = "The pump stops", **content: Any) -> Ticket:
        """A person reports something by some channel."""
        given: dict[str, Any] = {
            "title": title,
            "channel": "hotline",
            "reporter": {"name": "Li Wei", "contact": "li.wei@example.org"},
            **content,
        }
        ticket = await open_report(self.desk, form_of(given))
        await self.work()
        return ticket

    async def fires(self, severity: str = "critical", **labels: str) -> None:
        await self.post(alert(severity=severity, **labels))
        await self.work()

    async def clears(self, severity: str = "critical", **labels: str) -> None:
        await self.post(resolved(severity=severity, **labels))
        await self.work()

    async def do(self, verb: str, who: str, key: str | int = 1, **content: Any) -> Ticket:
        ticket = await do(self.desk, verb, str(key), actor=who, content=content)
        await self.work()
        return ticket

    async def refused(self, verb: str, who: str, key: str | int = 1, **content: Any) -> str:
        """The sentence with which this is refused; fails if it is not."""
        try:
            await self.do(verb, who, key, **content)
        except Refused as refused:
            return str(refused)
        raise AssertionError(f"{who} may {verb}, but should not")

    async def says(self, kind: AnswerKind, text: str = "", score: int | None = None, key: str | int = 1) -> Heard:
        """The reporter answers."""
        heard = await reporter_says(self.desk, str(key), "reporter", Answer(kind=kind, text=text, score=score))
        await self.work()
        return heard

    async def progress(self, who: str, words: str = "", key: str | int = 1) -> None:
        await tell_progress(self.desk, str(key), who, words)
        await self.work()

    async def told_by_hand(self, who: str, key: str | int = 1) -> None:
        await told(self.desk, str(key), who)
        await self.work()

    async def passes(self, duration: timedelta) -> None:
        """Time goes by in small steps, as it does: clocks are looked at, jobs are done."""
        end = self.clock.now() + duration
        while self.clock.now() < end:
            self.clock.advance(min(_STEP, end - self.clock.now()))
            while await look_at_clocks(self.desk):
                pass
            await self.work()

    async def leaps(self, duration: timedelta) -> None:
        """As `passes`, but from one due instant to the next: exact, and fast over weeks. On SQLite only."""
        end = self.clock.now() + duration
        while (now := self.clock.now()) < end:
            self.clock.advance_to(await self.read(partial(_coming, now=now, end=end)))
            while await look_at_clocks(self.desk):
                pass
            await self.work()

    async def leaps_to(self, instant: datetime) -> None:
        """As `leaps`, to an instant."""
        await self.leaps(instant - self.clock.now())

    async def goes_by(self, duration: timedelta, step: timedelta = timedelta(hours=1)) -> None:
        """Time goes by in steps as large as the story allows."""
        end = self.clock.now() + duration
        while self.clock.now() < end:
            self.clock.advance(min(step, end - self.clock.now()))
            while await look_at_clocks(self.desk):
                pass
            await self.work()

    async def reviews(self, who: str, key: str | int = 1, **content: Any) -> Ticket:
        """Writes a review; what `content` does not say is filled in."""
        given: dict[str, Any] = {
            "root_cause": "The seal is too thin.",
            "cause_class": "product_defect",
            "whys": ("It leaked.", "The seal broke."),
            **content,
        }
        ticket = await write_review(self.desk, str(key), who, ReviewForm(**given))
        await self.work()
        return ticket

    async def writes_article(self, who: str, key: str | int = 1) -> None:
        """Drafts an article from what was found out, and publishes it."""
        article = await draft(self.desk, str(key), who)
        await publish(self.desk, article.id, who)

    async def forgets(self) -> None:
        """The hourly round that erases contacts."""
        while await erase_contacts(self.desk):
            pass

    # --- what is seen ------------------------------------------------------------------------------

    async def runs(self, name: str, key: str | int = 1) -> Clock:
        clock: Clock = (await self.read(lambda tx: tx.tickets.find(str(key)))).clocks[name]
        return clock

    async def target(self, name: str, key: str | int = 1) -> timedelta:
        """From the start of a clock to the instant at which it is due."""
        clock = await self.runs(name, key)
        assert clock.due_at is not None
        return clock.due_at - clock.started_at

    def letters(self) -> list[str]:
        """What has been sent to the reporter, oldest first."""
        return [body for to, _, body in self.sender.sent if "li.wei" in to]

    async def sentences(self, key: str | int = 1) -> str:
        """All that stands in the ticket's history."""
        return texts(await self.ticket(key))

    async def status(self, key: str | int = 1) -> str:
        return str((await self.ticket(key))["status"])

    def told_since(self, count: int) -> list[tuple[str, str]]:
        """Who of our people has got which text since there were `count` messages, in order."""
        return [(to, f"{subject}\n{body}") for to, subject, body in self.sender.sent[count:] if "li.wei" not in to]

    def told(self) -> list[str]:
        """Who of our people has got messages, in order."""
        return [to for to, _, _ in self.sender.sent if "li.wei" not in to]

    async def history(self, kind: str, key: str | int = 1) -> list[str]:
        """The sentences of all events of this kind."""
        return [event["text"] for event in (await self.ticket(key))["events"] if event["kind"] == kind]

    def in_the_years_around(self, day: date) -> None:
        """Reads the holidays of the policy as on this day, whatever day it is today."""
        _, written = read_policy(load(self.path.parent / "policy.yml"))
        configuration = self.desk.configuration
        self.desk.take_over(replace(configuration, policy=written.as_policy(day)))

    def rule(self, **changes: Any) -> None:
        """Changes the policy in use."""
        configuration = self.desk.configuration
        self.desk.take_over(replace(configuration, policy=replace(configuration.policy, **changes)))


def _coming(tx: Transaction, now: datetime, end: datetime) -> datetime:
    """When something is due next: a job, or a clock that warns or runs out."""
    clocks = [tx.tickets.one(ticket_id).clocks[name].next_at for ticket_id, name in tx.tickets.clocks_to_look_at(end)]
    found = [end, LocalJobs(tx.connection).next_due_at(now), *clocks]
    return min(at for at in found if at is not None and at > now)


def _people(people: Mapping[str, tuple[list[str], dict[str, int]]]) -> str:
    lines = ["people:"]
    teams: dict[str, dict[int, list[str]]] = {}
    for name, (roles, places) in people.items():
        channel = f'{{name: phone, url: "json://127.0.0.1:9/{name}"}}'
        lines.append(f"  - {{name: {name}, roles: [{', '.join(roles)}], channels: [{channel}]}}")
        for team, tier in places.items():
            teams.setdefault(team, {}).setdefault(tier, []).append(name)
    lines.append("teams:")
    for team, tiers in teams.items():
        listed = ", ".join(f"{tier}: [{', '.join(names)}]" for tier, names in sorted(tiers.items()))
        lines.append(f"  - {{name: {team}, tiers: {{{listed}}}}}")
    return "\n".join(lines) + "\n"
