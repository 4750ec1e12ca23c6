"""Commands by mail: what a proven person of the service asks for is done as in any other way, or they hear why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from responder.adapters.mail_names import MailNames
from responder.domain.approval import Approval
from responder.domain.gates import GateRule
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.mail_thread import OwnAddress
from responder.domain.mail_trust import TrustedPath
from responder.domain.message import Message
from responder.domain.requirements import Need
from responder.domain.ticket import Action
from responder.flows.consent import answer
from responder.flows.mail_desk import Delivered, MailDesk
from responder.flows.mail_in import take_mail
from responder.flows.mail_notices import MOST_NOTICES_PER_HOUR
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from tests.flows.asking import ASKING
from tests.flows.people import ALERTS_ONLY, BOTH, HOUR, TEAM, Team
from tests.flows.test_chinese_readers import english_in
from tests.world import POLICY, World, texts

DESK, MINUTE = "help@desk.test", timedelta(minutes=1)
PEOPLE = ("mei", "lars", "rosa", "otto", "hans")
CLOSING = GateRule(name="closing", move=Action.CLOSE, roles=("manager",))
_names = count(1)


class Commanded(Team):
    """People who write to the desk; their mail server proves it unless a mail says otherwise."""

    def __init__(self, folder: Path, database: Database, **changed: str) -> None:
        World.__init__(self, folder, database, **{"people": TEAM, "policy": ALERTS_ONLY, **changed})
        self.mails = MailDesk(
            own=OwnAddress(address=DESK, id_domain="desk.test"),
            names=MailNames(self.desk.configuration.secret),
            trusted=TrustedPath(servers=("mx.desk.test",)),
            people={f"{name}@ops.test": name for name in PEOPLE},
        )

    async def comes(self, content: bytes) -> MailRecord:
        taken = await take_mail(self.desk, self.mails, Delivered(content=content, way="imap"))
        await self.work()
        return taken

    async def says(self, said: str, who: str = "mei", key: int = 1, **headers: Any) -> MailRecord:
        """Somebody answers to the message about a ticket."""
        number = (await self.ticket(key))["number"]
        return await self.comes(self.mail(said, who, **{"Subject": f"Re: [P1] {number} ServiceDown", **headers}))

    def mail(
        self, said: str, who: str = "mei", *, at: datetime | None = None, dmarc: str = "pass", **headers: str
    ) -> bytes:
        made = EmailMessage()
        plain = {
            "Authentication-Results": f"mx.desk.test; dmarc={dmarc} header.from=ops.test" if dmarc else "",
            "From": f"{who}@ops.test",
            "To": DESK,
            "Date": format_datetime(at or self.clock.now()),
            "Message-ID": f"<{next(_names)}@ops.test>",
        }
        for name, value in {**plain, **{key.replace("_", "-"): value for key, value in headers.items()}}.items():
            if value:
                made[name] = value
        made.set_content(said)
        return made.as_bytes()

    def tag(self, ticket_id: int = 1) -> str:
        return f"help+{self.mails.names.tag(ticket_id)}@desk.test"

    async def status(self, key: int = 1) -> str:
        return str((await self.ticket(key))["status"])

    async def told(self, person: str, stem: str, key: int = 1) -> list[str]:
        found: list[Message] = await self.read(lambda tx: tx.messages.of_ticket(key))
        return [one.body for one in found if one.person == person and one.purpose.startswith(f"{stem}-")]

    async def refused(self, person: str = "mei", key: int = 1) -> str:
        """What somebody was told of a command that was not carried out; it is in the history, too."""
        (said,) = await self.told(person, "mail-refused", key)
        history = (await self.ticket(key))["events"]
        assert [one["actor"] for one in history if one["kind"] == "refused"] == [person]
        return said

    async def resolved(self) -> None:
        await self.fires()
        await self.do("acknowledge")
        await self.clears()
        await self.do("resolve", reason="it is quiet")


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Commanded:
    return Commanded(tmp_path, database)


# --- acknowledge and close ------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["ack", "认领", "Ack.\n\n> [P1] it is down\n> close"])
async def test_who_answers_ack_to_a_message_has_the_ticket(world: Commanded, said: str) -> None:
    await world.fires()
    taken = await world.says(said)
    ticket = await world.ticket()
    assert (taken.taken, taken.ticket_id) == (Taken.COMMAND, 1)
    assert (ticket["status"], ticket["acknowledged_by"]) == ("in_progress", "mei")
    (move,) = [one for one in ticket["events"] if one["data"].get("action") == "acknowledge"]
    assert (move["actor"], move["text"]) == ("mei", "mei has taken it, by mail.")
    assert "Command by mail, as mei: acknowledge." in texts(ticket)
    assert await world.told("mei", "mail") == []


async def test_ack_to_the_address_of_a_ticket_counts_too(world: Commanded) -> None:
    await world.fires()
    assert (await world.says("ack", Subject="", To=world.tag())).taken is Taken.COMMAND


async def test_the_same_mail_twice_is_one_command(world: Commanded) -> None:
    await world.fires()
    content = world.mail("ack", To=world.tag())
    assert await world.comes(content) == await world.comes(content)
    assert texts(await world.ticket()).count("by mail, as mei") == 1


async def test_ack_again_says_that_one_is_still_on_it(world: Commanded) -> None:
    await world.fires()
    await world.says("ack")
    assert (await world.says("ack")).taken is Taken.COMMAND
    assert "mei is still on it." in texts(await world.ticket())


async def test_who_comes_too_late_is_told_who_has_it(world: Commanded) -> None:
    await world.fires()
    await world.says("ack", who="lars")
    taken = await world.says("ack")
    assert taken.taken is Taken.NOTE
    assert "already acknowledged by lars" in taken.why
    assert "already acknowledged by lars" in await world.refused()
    assert (await world.ticket())["acknowledged_by"] == "lars"


async def test_close_closes_with_the_reason_that_stands_below_it(world: Commanded) -> None:
    await world.resolved()
    await world.says("close\nThe fuse was replaced.")
    assert await world.status() == "closed"
    assert "The fuse was replaced. (by mail)" in texts(await world.ticket())


async def test_what_has_to_be_there_before_closing_has_to_be_there_by_mail(world: Commanded) -> None:
    world.rule(needs=(Need(move=Action.CLOSE, needs=("solution",)),))
    await world.resolved()
    await world.says("close")
    assert await world.status() == "resolved"
    assert "needs what solved it" in await world.refused()


async def test_a_gate_before_closing_is_asked_by_mail_as_well(world: Commanded) -> None:
    world.rule(gates=(CLOSING,))
    await world.resolved()
    await world.says("close")
    assert "once there is the yes of 1 of role manager" in await world.refused()
    await world.says("approve", who="lars")
    assert await world.status() == "closed"


async def test_what_is_not_over_cannot_be_closed(world: Commanded) -> None:
    await world.fires()
    await world.says("close")
    assert "it cannot close" in await world.refused()


# --- who is obeyed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dmarc", ["", "fail", "none"])
async def test_an_address_that_nothing_proves_is_not_obeyed(world: Commanded, dmarc: str) -> None:
    await world.fires()
    taken = await world.comes(world.mail("ack", dmarc=dmarc, To=world.tag()))
    assert (taken.taken, await world.status()) == (Taken.NOTE, "handed_over")
    assert await world.told("mei", "mail-refused") == []


async def test_a_stranger_is_not_obeyed_however_proven(world: Commanded) -> None:
    await world.fires()
    assert (await world.comes(world.mail("ack", who="eve", To=world.tag()))).taken is Taken.NOTE
    assert await world.status() == "handed_over"


@pytest.mark.parametrize(
    "headers",
    [{"Auto-Submitted": "auto-replied"}, {"Auto-Submitted": "auto-generated"}, {"List-Id": "<ops.desk.test>"}],
    ids=["out of office", "machine", "list"],
)
async def test_no_machine_and_no_list_is_obeyed(world: Commanded, headers: dict[str, Any]) -> None:
    await world.fires()
    taken = await world.says("ack", **headers)
    assert (taken.taken, await world.status()) == (Taken.NOTE, "handed_over")


@pytest.mark.parametrize("said", ["Who can ack?", "I do not ack", "Hello\nack", "> ack", "Fine.\n\n> ack"])
async def test_words_that_are_no_command_are_a_note(world: Commanded, said: str) -> None:
    await world.fires()
    assert (await world.says(said)).taken is Taken.NOTE
    assert await world.status() == "handed_over"


@pytest.mark.parametrize("said", ["solved", "not solved", "score 5"])
async def test_a_colleague_is_told_that_only_the_reporter_says_so(world: Commanded, said: str) -> None:
    await world.resolved()
    taken = await world.says(said)
    assert (taken.taken, await world.status()) == (Taken.NOTE, "resolved")
    assert "Only the reporter" in await world.refused()


async def test_who_reported_it_and_belongs_to_the_service_may_say_both(world: Commanded) -> None:
    await world.comes(world.mail("It prints nothing.", Subject="The printer is dead"))
    assert (await world.says("ack", To=world.tag())).taken is Taken.COMMAND
    assert (await world.ticket())["acknowledged_by"] == "mei"
    await world.do("restore", reason="a new fuse")
    assert (await world.says("not solved", To=world.tag())).taken is Taken.ANSWER
    assert await world.status() == "handed_over"


# --- which ticket, and when -----------------------------------------------------------------------------------


async def test_a_command_about_two_tickets_is_about_none(world: Commanded) -> None:
    await world.fires()
    await world.fires(instance="web-2:9100")
    one, two = [(await world.ticket(key))["number"] for key in (1, 2)]
    await world.comes(world.mail("ack", Subject=f"Re: {one} and {two}"))
    assert f"leads to {one} and {two}" in await world.refused()
    assert {await world.status(key) for key in (1, 2)} == {"handed_over"}
    await world.comes(world.mail("ack", Subject=f"Re: {one} and {two}", To=world.tag(2)))
    assert [await world.status(key) for key in (1, 2)] == ["handed_over", "in_progress"]


async def test_a_command_about_a_merged_ticket_does_not_move_the_other(world: Commanded) -> None:
    await world.fires()
    await world.fires(instance="web-2:9100")
    into = (await world.ticket(2))["number"]
    await world.do("merge", into=into, reason="the same switch")
    await world.says("ack")
    assert f"was merged into {into}; write about that one." in await world.refused()
    assert await world.status(2) == "handed_over"


@pytest.mark.parametrize(("said", "why"), [("ack", "already acknowledged by mei"), ("close", "it cannot close")])
async def test_an_answer_to_an_old_letter_does_not_move_a_closed_ticket(world: Commanded, said: str, why: str) -> None:
    await world.resolved()
    await world.do("close", reason="done")
    await world.says(said, who="lars")
    assert await world.status() == "closed"
    assert why in await world.refused("lars")


async def test_what_was_written_before_the_ticket_came_back_does_not_count(world: Commanded) -> None:
    await world.resolved()
    written_at = world.clock.now()
    await world.advance(MINUTE)
    await world.fires()
    assert await world.status() == "handed_over"
    await world.says("ack", at=written_at)
    assert await world.status() == "handed_over"
    assert "has come back since" in await world.refused()


async def test_a_command_that_was_long_on_its_way_does_not_count(world: Commanded) -> None:
    await world.fires()
    await world.says("ack", at=world.clock.now() - timedelta(hours=25))
    assert "more than a day" in await world.refused()
    assert await world.status() == "handed_over"


async def test_a_command_without_a_date_does_not_count(world: Commanded) -> None:
    await world.fires()
    await world.says("ack", Date="")
    assert "does not say when it was written" in await world.refused()


# --- approvals ------------------------------------------------------------------------------------------------


async def proposed(world: Commanded) -> None:
    world.rule(gates=(BOTH,))
    await world.fires()
    await world.do("acknowledge")
    await world.do("propose", kind="patch", steps=["move the data"])


async def test_each_role_says_yes_by_mail(world: Commanded) -> None:
    await proposed(world)
    assert (await world.says("approve\nlooks right", who="lars")).taken is Taken.COMMAND
    assert await world.status() == "proposed"
    await world.says("同意", who="rosa")
    assert await world.status() == "approved"
    (asked,) = await world.read(lambda tx: tx.approvals.of_ticket(1))
    assert [(one.person, one.reason) for one in asked.answers] == [("lars", "looks right"), ("rosa", "")]


async def test_a_no_by_mail_ends_it_with_its_reason(world: Commanded) -> None:
    await proposed(world)
    await world.says("reject: we are in a freeze", who="lars")
    assert await world.status() == "in_progress"
    assert "we are in a freeze" in texts(await world.ticket())


async def test_who_has_not_the_role_is_told_who_could_answer(world: Commanded) -> None:
    await proposed(world)
    await world.says("approve")
    assert "has not the roles manager, director" in await world.refused()
    assert await world.status() == "proposed"


async def test_one_person_is_not_two_by_writing_twice(world: Commanded) -> None:
    await proposed(world)
    for _ in range(2):
        await world.says("approve", who="otto")
    assert await world.status() == "proposed"


async def test_with_several_questions_nobody_guesses_which_one_is_meant(world: Commanded) -> None:
    await proposed(world)
    (asked,) = await world.read(lambda tx: tx.approvals.of_ticket(1))
    await world.desk.store.write(lambda tx: tx.approvals.ask(_another(asked)))
    taken = await world.says("approve", who="lars")
    said = await world.refused("lars")
    assert taken.taken is Taken.NOTE
    assert "2 questions wait" in said
    assert "May plan 1" in said
    assert "May the cable be cut?" in said
    found = await world.read(lambda tx: tx.approvals.of_ticket(1))
    assert [one.answers for one in found] == [(), ()]


def _another(asked: Approval) -> Approval:
    return replace(asked, id=0, question="May the cable be cut?", gate="cable")


async def test_a_yes_to_an_earlier_plan_is_no_yes_to_the_next(world: Commanded) -> None:
    await proposed(world)
    written_at = world.clock.now()
    await world.advance(MINUTE)
    (asked,) = await world.read(lambda tx: tx.approvals.of_ticket(1))
    await answer(world.desk, asked.id, "rosa", yes=False, reason="too big for me")
    await world.do("propose", kind="patch", steps=["move everything"])
    await world.says("approve", who="lars", at=written_at)
    assert "was written before this was asked" in await world.refused("lars")
    found = await world.read(lambda tx: tx.approvals.of_ticket(1))
    assert found[-1].answers == ()


async def test_a_yes_by_mail_lets_a_run_go_on(tmp_path: Path, database: Database) -> None:
    world = Commanded(tmp_path, database, policy=POLICY, runbook=ASKING.replace("roles: [dba]", "roles: [engineer]"))
    await world.fires()
    assert world.fleet.restarts() == []
    assert (await world.says("approve", who="lars")).taken is Taken.NOTE
    assert world.fleet.restarts() == []
    assert (await world.says("approve")).taken is Taken.COMMAND
    assert world.fleet.restarts() == ["web-1"]


async def test_where_nothing_waits_a_yes_says_so(world: Commanded) -> None:
    await world.fires()
    await world.says("approve", who="lars")
    assert "has nothing that waits for consent" in await world.refused("lars")


# --- notes ----------------------------------------------------------------------------------------------------


async def test_a_note_reaches_whoever_has_the_ticket(world: Commanded) -> None:
    await world.fires()
    await world.do("acknowledge")
    await world.says("The switch was replaced an hour ago.", who="lars")
    (told,) = await world.told("mei", "mail-note")
    assert "lars writes by mail about" in told
    assert "The switch was replaced an hour ago." in told
    await world.comes(world.mail("It is dark here, too.", who="eve", To=world.tag()))
    assert "Somebody writes by mail about" in (await world.told("mei", "mail-note"))[-1]
    assert "eve@ops.test" not in "".join(await world.told("mei", "mail-note"))


async def test_what_nobody_has_reaches_those_who_are_called(world: Commanded) -> None:
    await world.fires()
    await world.says("The switch was replaced.", who="lars")
    assert len(await world.told("mei", "mail-note")) == 1
    assert await world.told("lars", "mail-note") == []


async def test_nobody_is_told_what_they_wrote_themselves(world: Commanded) -> None:
    await world.fires()
    await world.do("acknowledge")
    assert (await world.says("I look at the switch now.")).taken is Taken.NOTE
    assert await world.told("mei", "mail-note") == []


@pytest.mark.parametrize("headers", [{"Auto-Submitted": "auto-replied"}, {"List-Id": "<ops.desk.test>"}])
async def test_nobody_is_told_of_automatic_answers_and_of_lists(world: Commanded, headers: dict[str, Any]) -> None:
    await world.fires()
    await world.says("I am away.", who="lars", **headers)
    assert await world.told("mei", "mail-note") == []


async def test_a_flood_of_notes_is_told_a_few_times_and_written_down_whole(world: Commanded) -> None:
    await world.fires()
    most = MOST_NOTICES_PER_HOUR
    taken = [await world.says(f"Look at {number}.", who="lars") for number in range(most + 2)]
    assert len(await world.told("mei", "mail-note")) == most
    assert "Nobody is told" in taken[-1].why
    assert f"Look at {most + 1}." in texts(await world.ticket())
    await world.advance(HOUR)
    await world.says("And now?", who="lars")
    assert len(await world.told("mei", "mail-note")) == most + 1


async def test_a_flood_of_refused_commands_is_told_a_few_times(world: Commanded) -> None:
    await world.fires()
    for _ in range(MOST_NOTICES_PER_HOUR + 2):
        await world.says("approve", who="lars")
    assert len(await world.told("lars", "mail-refused")) == MOST_NOTICES_PER_HOUR
    await world.says("approve")
    assert len(await world.told("mei", "mail-refused")) == 1


async def test_a_note_on_a_merged_ticket_reaches_who_has_the_other(world: Commanded) -> None:
    await world.fires()
    await world.fires(instance="web-2:9100")
    await world.do("acknowledge", key="2")
    one, into = [(await world.ticket(key))["number"] for key in (1, 2)]
    await world.do("merge", into=into, reason="the same switch")
    await world.says("The switch was replaced.", who="lars")
    (told,) = await world.told("mei", "mail-note", key=2)
    assert f"lars writes by mail about {one}" in told
    assert "The switch was replaced." in texts(await world.ticket(2))


# --- Chinese readers ------------------------------------------------------------------------------------------


async def test_a_chinese_reader_gets_chinese_sentences(world: Commanded) -> None:
    people = {name: replace(one, language="zh") for name, one in world.desk.configuration.people.items()}
    world.desk.take_over(replace(world.desk.configuration, people=people))
    await world.fires()
    await world.says("7 号机房断电", who="lars")
    await world.comes(world.mail("机房断电", who="eve", To=world.tag()))
    first, second = await world.told("mei", "mail-note")
    assert "lars 来信，关于 INC-" in first
    assert "有人来信，关于 INC-" in second
    for said in ("approve", "close", "solved"):
        await world.says(said)
    await world.says("ack", at=world.clock.now() - timedelta(days=2))
    refused = await world.told("mei", "mail-refused")
    assert [english_in(one) for one in (first, second, *refused)] == [[]] * 6
    for words in ("mei 无法批准：", "没有待审批事项", "mei 无法关闭：", "只有 INC-", "邮件在途超过一天"):
        assert words in "".join(refused), words


async def test_a_report_that_was_proven_is_not_answered_by_an_unproven_mail_with_its_tag(world: Commanded) -> None:
    """Tags are quoted in mails that go on to others."""
    first = await world.comes(world.mail("The printer is dead.", "wei", Subject="Printer"))
    assert first.taken is Taken.REPORT
    forged = await world.comes(world.mail("not solved", "wei", dmarc="none", To=world.tag()))
    assert (forged.taken, "this one is not" in forged.why) == (Taken.NOTE, True)
    proven = await world.comes(world.mail("The lamp is red.", "wei", To=world.tag()))
    assert proven.taken is Taken.ANSWER


async def test_a_colleague_whom_nothing_proves_makes_a_note_and_no_report_of_a_customer(world: Commanded) -> None:
    await world.fires()
    taken = await world.says("ack", dmarc="")
    assert (taken.taken, taken.ticket_id, await world.status()) == (Taken.NOTE, 1, "handed_over")
    assert "nothing proves" in taken.why
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_whoever_did_not_write_gets_no_answer(world: Commanded) -> None:
    """A forged sender is somebody else, to whom an answer would be one more unwanted mail."""
    forged = await world.comes(world.mail("The printer is dead.", "wei", dmarc="fail", Subject="Printer"))
    assert (forged.taken, forged.answered) == (Taken.REPORT, False)
    assert "dmarc failed" in forged.why
    honest = await world.comes(world.mail("The printer is dead.", "wei", Subject="Printer"))
    assert honest.answered


async def test_what_was_done_or_refused_by_mail_is_in_the_audit_log(world: Commanded) -> None:
    await world.fires()
    await world.says("ack")
    await world.says("close", who="lars")

    found = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), 9))
    number = (await world.ticket())["number"]
    assert [(one.actor, one.via, one.action, one.object, one.outcome) for one in found] == [
        ("lars", "mail", "mail close", number, "refused"),
        ("mei", "mail", "mail ack", number, "done"),
    ]
    assert found[0].text
