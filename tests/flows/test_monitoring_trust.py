"""Mails of a monitoring: anybody may begin an alert, but only the same sender, as well proven, ends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from responder.config.mail_rules import shipped_mail_rules
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.mail_rule import MailRule
from responder.domain.mail_trust import TrustedPath
from responder.flows.mail_notices import MOST_NOTICES_PER_HOUR
from responder.store.database import Database
from tests.flows.test_chinese_readers import english_in
from tests.flows.test_mail_commands import Commanded
from tests.intake.monitoring_mails import PAIRS
from tests.world import alert, texts

NAGIOS = PAIRS[0]


class Monitored(Commanded):
    """A desk that takes the mails of a Nagios. Its mail server proves some senders and refutes others."""

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder, database)
        self.mails = replace(self.mails, rules=shipped_mail_rules())

    async def problem(self, who: str = "nagios", dmarc: str = "") -> MailRecord:
        return await self.monitor(NAGIOS.problem, who, dmarc)

    async def recovery(self, who: str = "nagios", dmarc: str = "") -> MailRecord:
        return await self.monitor(NAGIOS.recovery, who, dmarc)

    async def monitor(self, told: tuple[str, str], who: str, dmarc: str) -> MailRecord:
        subject, text = told
        return await self.comes(self.mail(text, who, dmarc=dmarc, Subject=subject))

    async def signal(self) -> str:
        return str((await self.ticket())["signal"])

    def wants_proof(self) -> None:
        rules: tuple[MailRule, ...] = tuple(replace(one, authentic=True) for one in self.mails.rules)
        self.mails = replace(self.mails, rules=rules)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Monitored:
    return Monitored(tmp_path, database)


@pytest.mark.parametrize(("began", "ended"), [("", ""), ("pass", "pass"), ("", "pass")])
async def test_who_began_an_alert_ends_it(world: Monitored, began: str, ended: str) -> None:
    assert (await world.problem(dmarc=began)).taken is Taken.ALERT
    assert await world.signal() == "firing"
    assert (await world.recovery(dmarc=ended)).taken is Taken.ALERT
    assert await world.signal() == "cleared"


@pytest.mark.parametrize("dmarc", ["", "pass"])
async def test_another_sender_clears_nothing_and_whoever_has_it_is_told(world: Monitored, dmarc: str) -> None:
    await world.problem()
    await world.do("acknowledge")
    taken = await world.recovery(who="mallory", dmarc=dmarc)
    assert (taken.taken, await world.signal()) == (Taken.ALERT, "firing")
    sentence = "It clears nothing: It comes from another sender than what began it."
    assert sentence in taken.why
    assert sentence in texts(await world.ticket())
    (told,) = await world.told("mei", "mail-recovery")
    assert sentence in told
    await world.recovery()
    assert await world.signal() == "cleared"


async def test_what_a_proven_mail_began_no_unproven_one_ends(world: Monitored) -> None:
    await world.problem(dmarc="pass")
    taken = await world.recovery()
    assert await world.signal() == "firing"
    assert "nothing proves this one" in taken.why
    await world.recovery(dmarc="pass")
    assert await world.signal() == "cleared"


async def test_a_refuted_recovery_clears_nothing(world: Monitored) -> None:
    await world.problem()
    taken = await world.recovery(dmarc="fail")
    assert (taken.taken, taken.ticket_id, await world.signal()) == (Taken.NOTE, 1, "firing")
    assert "dmarc failed" in texts(await world.ticket())


async def test_a_refuted_recovery_of_nothing_is_left(world: Monitored) -> None:
    taken = await world.recovery(dmarc="fail")
    assert (taken.taken, taken.ticket_id) == (Taken.LEFT, None)
    assert "dmarc failed" in taken.why


async def test_a_refuted_problem_is_no_alert_and_still_a_ticket(world: Monitored) -> None:
    taken = await world.problem(dmarc="fail")
    assert taken.taken is Taken.QUARANTINED
    ticket = await world.ticket()
    assert ticket["labels"]["alertname"] == "ResponderMailNotBelieved"
    assert "host" not in ticket["labels"]
    assert "dmarc failed" in ticket["title"]
    await world.problem(dmarc="fail")
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1
    assert (await world.problem()).taken is Taken.ALERT


async def test_where_no_mail_server_is_trusted_nothing_refutes_a_sender(world: Monitored) -> None:
    world.mails = replace(world.mails, trusted=TrustedPath())
    assert (await world.problem(dmarc="fail")).taken is Taken.ALERT
    await world.recovery(dmarc="fail")
    assert await world.signal() == "cleared"


async def test_a_rule_may_take_proven_mails_only(world: Monitored) -> None:
    world.wants_proof()
    assert (await world.problem()).taken is Taken.QUARANTINED
    assert (await world.problem(dmarc="pass")).taken is Taken.ALERT
    assert await world.recovery() is not None
    assert (await world.ticket(2))["signal"] == "firing"
    await world.recovery(dmarc="pass")
    assert (await world.ticket(2))["signal"] == "cleared"


@pytest.mark.parametrize("listed", ["@ops.test", "NAGIOS-2@ops.test"])
async def test_senders_that_are_named_speak_for_each_other(world: Monitored, listed: str) -> None:
    world.mails = replace(world.mails, monitors=("nagios@ops.test", listed))
    await world.problem()
    await world.recovery(who="nagios-2")
    assert await world.signal() == "cleared"


async def test_who_is_not_named_does_not_speak_for_those_who_are(world: Monitored) -> None:
    world.mails = replace(world.mails, monitors=("nagios@ops.test", "nagios-2@ops.test"))
    await world.problem()
    await world.recovery(who="mallory")
    assert await world.signal() == "firing"


async def test_a_forged_problem_beside_the_true_one_takes_nothing_from_it(world: Monitored) -> None:
    await world.problem()
    await world.problem(who="mallory")
    await world.recovery(who="mallory")
    assert await world.signal() == "firing"
    await world.recovery()
    assert await world.signal() == "cleared"


async def test_a_mail_does_not_clear_what_another_source_reported(world: Monitored) -> None:
    posted = alert(**NAGIOS.labels, severity=NAGIOS.severity)
    del posted["labels"]["instance"]
    await world.post(posted)
    await world.work()
    await world.recovery()
    assert await world.signal() == "firing"
    assert "It clears nothing" in texts(await world.ticket())


async def test_a_recovery_of_nothing_writes_on_no_ticket(world: Monitored) -> None:
    await world.problem()
    await world.recovery()
    await world.recovery(who="mallory")
    assert "It clears nothing" not in texts(await world.ticket())


async def test_a_flood_of_forged_recoveries_is_told_a_few_times(world: Monitored) -> None:
    await world.problem()
    for _ in range(MOST_NOTICES_PER_HOUR + 2):
        await world.recovery(who="mallory")
    assert len(await world.told("mei", "mail-recovery")) == MOST_NOTICES_PER_HOUR
    assert "Nobody is told" in texts(await world.ticket())


async def test_a_chinese_reader_is_told_in_chinese(world: Monitored) -> None:
    people = {name: replace(one, language="zh") for name, one in world.desk.configuration.people.items()}
    world.desk.take_over(replace(world.desk.configuration, people=people))
    await world.problem(dmarc="pass")
    for who, dmarc in (("mallory", ""), ("nagios", ""), ("nagios", "fail")):
        await world.recovery(who=who, dmarc=dmarc)
    told = [one.replace(NAGIOS.problem[0], "").replace("Disk /var on db-3: DISK WARNING", "") for one in
            await world.told("mei", "mail-recovery")]  # fmt: skip
    assert [english_in(one) for one in told] == [[], [], []]
    assert "不予恢复" in told[0]
