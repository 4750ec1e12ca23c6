"""What the tests of reports by people share: a world that takes them, and what their reporters were told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from responder.domain.facts import Fact
from responder.domain.message import Message
from responder.domain.policy import DEFAULT_CLOCKS
from responder.domain.report_form import form_of
from responder.domain.reporter import Reporter
from responder.domain.requirements import Need
from responder.domain.sla import ClockRule
from responder.domain.ticket import Action, Ticket
from responder.flows.handle import do
from responder.flows.report_by_person import open_report
from responder.flows.reporter_letters import told
from responder.flows.texts import letter_itself
from responder.store.database import Database
from tests.world import MAIN, World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WITH_A_WAY = MAIN + "reporters: {url_file: reporters-url}\n"
URL = "json://gateway.test/send/{contact}"
CONTACT = "li.wei@example.org"
CONFIRMED = Need(move=Action.RESOLVE, needs=("reporter_confirmation",), if_there_is_a_reporter=True)
CLOCKS = (
    *DEFAULT_CLOCKS,
    ClockRule(name="first_answer", start=frozenset({Fact.OPENED}), stop=frozenset({Fact.ANSWERED})),
    ClockRule(
        name="update",
        start=frozenset({Fact.OPENED}),
        again=frozenset({Fact.UPDATED}),
        stop=frozenset({Fact.RESTORED, Fact.RESOLVED}),
    ),
)


class Reports(World):
    """A world with clocks for reporters, a policy that waits for their confirmation, and a way to write to them."""

    def __init__(self, folder: Path, database: Database, *, main: str = WITH_A_WAY, url: str = URL) -> None:
        (folder / "reporters-url").write_text(f"{url}\n")
        super().__init__(folder, database, main=main)
        self.rule(clocks=CLOCKS, needs=(CONFIRMED,))
        targets = {"first_answer": HOUR, "update": 6 * HOUR}
        grades = self.desk.policy.grades
        self.rule(
            grades={name: replace(one, targets={**one.targets, **targets}) for name, one in grades.items()},
            default_grade="P3",
        )

    def rule(self, **changes: Any) -> None:
        """Changes the policy in use."""
        configuration = self.desk.configuration
        self.desk.take_over(replace(configuration, policy=replace(configuration.policy, **changes)))

    def treat(self, **changes: Any) -> None:
        """Changes how reporters are treated."""
        self.rule(reporter=replace(self.desk.policy.reporter, **changes))

    async def opens(self, **changes: Any) -> Ticket:
        """Li Wei reports something."""
        reporter = {"name": "Li Wei", "contact": CONTACT, **changes.pop("reporter", {})}
        content = {"title": "Printer is dead", "channel": "hotline", "reporter": reporter, **changes}
        ticket = await open_report(self.desk, form_of(content))
        await self.work()
        return ticket

    async def do(self, verb: str, who: str = "mei", key: str = "1", **content: Any) -> None:
        """A person does something, and what follows from it is done too."""
        await do(self.desk, verb, key, actor=who, content=content)
        await self.work()

    async def restored(self, key: str = "1") -> None:
        await self.do("acknowledge", key=key)
        await self.do("restore", key=key, reason="replaced the fuse")

    async def tells(self, key: str = "1") -> None:
        """Somebody tells by hand what waits for it."""
        await told(self.desk, key, "mei")

    async def reporter(self, ticket_id: int = 1) -> Reporter:
        found: Reporter = await self.read(lambda tx: tx.reporters.one(ticket_id))
        return found

    async def letters(self, ticket_id: int = 1) -> list[Message]:
        found: list[Message] = await self.read(lambda tx: tx.reporters.letters(ticket_id))
        return found

    async def purposes(self, ticket_id: int = 1) -> list[str]:
        return [one.purpose.removeprefix("reporter-") for one in await self.letters(ticket_id)]

    async def last_letter(self, ticket_id: int = 1) -> str:
        return letter_itself((await self.letters(ticket_id))[-1].body)

    async def messages_to(self, person: str, ticket_id: int = 1) -> list[str]:
        """The texts that a colleague was sent about a ticket."""
        found: list[Message] = await self.read(lambda tx: tx.messages.of_ticket(ticket_id))
        return [one.body for one in found if one.person == person]

    async def clock_of(self, name: str, key: str = "1") -> Any:
        return (await self.read(lambda tx: tx.tickets.find(key))).clocks[name]
