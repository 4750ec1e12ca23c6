"""The audit of pages notices what was deleted, doubled, skipped or set back, and is silent while all is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from responder.domain.acts import Page
from responder.domain.maintenance import MaintenanceWindow, Once
from responder.domain.matching import parse_matcher
from responder.domain.ticket import Ticket
from responder.domain.unreached import reach_of
from responder.errors import QueryFailed, SendFailed, SendRefused
from responder.flows import dead_man
from responder.flows.audit_pages import EVERY, accept, audit_pages, compare, last_round
from responder.flows.handle import do
from responder.store.database import Database
from responder.store.jobs import Job
from responder.store.overview import Overview
from tests.flows.people import KINDS, Team
from tests.world import MAIN, alert, texts

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
URL = "https://dead.man.test/beat/4711"
POLICY = """
extends: p1-p4
moves: []
escalation:
  - name: everybody
    teams: [ops]
    steps:
      - {tell: tier 1}
      - {after: 5m, tell: tier 2}
      - {after: 10m, tell: tier 3}
"""


class Audited(Team):
    """A team whose pages are audited, with a dead man's switch."""

    def __init__(self, folder: Path, database: Database) -> None:
        (folder / "dead-man-url").write_text(f"{URL}\n")
        super().__init__(folder, database)
        (folder / "responder.yml").write_text(MAIN + "dead_man: {url_file: dead-man-url}\n")
        (folder / "policy.yml").write_text(POLICY)
        self.desk = self.another_desk()
        self.web.pages[URL] = Page(status=200)

    async def round(self, after: timedelta = EVERY, *, works: bool = True) -> int:
        """Lets time pass, does what is due, and makes a round of the audit: what it found."""
        self.clock.advance(after)
        if works:
            await self.work()
        found = await audit_pages(self.desk)
        assert found is not None
        return found

    async def beats(self) -> int:
        """Lets the watch and the worker send a beat; how many were sent until now."""
        await dead_man.promise_beat(self.desk)
        await self.work()
        return len(self.web.sent)

    async def sql(self, statement: str) -> None:
        await self.database.write(lambda tx: tx.connection.execute(text(statement.replace(":", "\\:"))))

    async def forget_jobs(self) -> None:
        jobs = "procrastinate_jobs" if self.database.is_cluster else "jobs"
        if self.database.is_cluster:
            await self.sql("DELETE FROM procrastinate_events")
        await self.sql(f"DELETE FROM {jobs}")

    async def differences(self) -> list[str]:
        return [one["text"] for one in (await compare(self.desk))["differences"]]

    async def notices(self, what: str) -> None:
        """The next round finds it, the beats stop, and there is a ticket about it."""
        before = await self.beats()
        assert await self.round() > 0
        assert what in "\n".join(await self.differences())
        self.clock.advance(EVERY)
        assert await self.beats() == before
        (about,) = [one for one in await self.tickets() if one.labels.get("alertname") == "ResponderPagesDiffer"]
        assert (about.grade, about.signal) == ("P1", "firing")

    async def tickets(self) -> list[Ticket]:
        found: list[Ticket] = await self.read(lambda tx: tx.tickets.listed(limit=500))
        return found


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Audited:
    return Audited(tmp_path, database)


async def begun(world: Audited) -> None:
    """A ticket with people, whose first two calls were made, all well until now."""
    assert await world.round() == 0
    await world.fires(alertname="DiskFull")
    for _ in range(6):
        assert await world.round() == 0, await world.differences()
    assert world.sender.people() == ["mei", "lars"]
    assert await world.beats() == 1


# --- mutations -------------------------------------------------------------------------------------

MUTATIONS = {
    "a message deleted": ("DELETE FROM messages WHERE person = 'lars'", "lars was told"),
    "all messages deleted": ("DELETE FROM messages", "mei was told"),
    "a message of another episode": ("UPDATE messages SET episode = 7 WHERE person = 'mei'", "mei was told"),
    "a message set back": (
        "UPDATE messages SET created_at = created_at - 60000000 WHERE person = 'lars'",
        "lars was told",
    ),
    "a message doubled": (
        "INSERT INTO messages"
        " (ticket_id, episode, purpose, person, channel, subject, body, state, tries, created_at, error)"
        " SELECT"
        " ticket_id, episode, 'hand_over-x', person, channel, subject, body, state, tries, created_at + 60000000, error"
        " FROM messages WHERE person = 'mei'",
        "nothing in its history accounts for message",
    ),
    "the second call deleted": (
        "DELETE FROM events WHERE kind = 'escalation' AND data LIKE '%\"step\":1%'",
        "counts 2 calls as made, its history 1",
    ),
    "the first call deleted": (
        "DELETE FROM events WHERE kind = 'escalation' AND data LIKE '%\"step\":0%'",
        "call 1 of chain 1 was skipped",
    ),
    "a call doubled": (
        "INSERT INTO events (ticket_id, at, kind, actor, text, data) SELECT ticket_id, at, kind, actor, text, data"
        " FROM events WHERE kind = 'escalation' AND data LIKE '%\"step\":1%'",
        "call 2 of chain 1 was made 2 times",
    ),
    "the plan of the chain deleted": (
        "DELETE FROM events WHERE kind = 'escalation' AND data LIKE '%\"steps\"%'",
        "does not say what chain 1 was to be",
    ),
    "the chain set back": ("UPDATE chains SET position = 1", "counts 1 call as made, its history 2"),
    "the chain set forward": ("UPDATE chains SET position = 3", "counts 3 calls as made, its history 2"),
    "the chain deleted": ("DELETE FROM chains", "chain 1 is gone"),
    "the times of the chain put off": (
        "UPDATE chains SET calls = replace(calls, '\"at\":', '\"at\":1')",
        "are not those that its history foresaw",
    ),
    "the hand-over deleted": (
        "DELETE FROM events WHERE kind = 'moved' AND data LIKE '%\"hand_over\"%'",
        "its row says status handed_over, its history new",
    ),
    "the hand-over doubled": (
        "INSERT INTO events (ticket_id, at, kind, actor, text, data) SELECT ticket_id, at, kind, actor, text, data"
        " FROM events WHERE kind = 'moved'",
        "a move from new to handed_over follows on handed_over",
    ),
    "the opening deleted": ("DELETE FROM events WHERE kind = 'opened'", "does not begin with its opening"),
    "the status set back": ("UPDATE tickets SET status = 'new'", "its row says status new, its history handed_over"),
    "the ticket closed past its history": ("UPDATE tickets SET status = 'closed'", "its row says status closed"),
    "acknowledged past its history": (
        "UPDATE tickets SET acknowledged_by = 'nobody'",
        "its row says acknowledged True, its history False",
    ),
    "the episode set back": ("UPDATE tickets SET episode = 0", "its row says episode 0, its history 1"),
    "an event whose data is a list": ("UPDATE events SET data = '[]' WHERE kind = 'moved'", "cannot be read"),
    "an event that is no JSON": ("UPDATE events SET data = '{{' WHERE kind = 'escalation'", "cannot be read"),
    "an event that the audit does not ask for": (
        "UPDATE events SET data = '7' WHERE kind = 'signal' OR kind = 'clock' OR kind = 'step' OR kind = 'note'"
        " OR id = (SELECT min(id) FROM events)",
        "of its history cannot be read",
    ),
    "a chain that nobody can read": ("UPDATE chains SET calls = '5'", "are not those that its history foresaw"),
    "a message of the year 300000": (
        "UPDATE messages SET created_at = 9000000000000000000, state = 'waiting' WHERE person = 'mei'",
        "cannot be read",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
async def test_what_was_changed_in_the_rows_is_noticed_in_the_next_round_and_the_beats_stop(
    world: Audited, name: str
) -> None:
    statement, what = MUTATIONS[name]
    await begun(world)
    await world.sql(statement)
    await world.notices(what)


# --- what was lost on its way ----------------------------------------------------------------------


async def test_a_call_whose_job_was_lost_is_made_after_all_and_said_on_the_ticket(world: Audited) -> None:
    await begun(world)
    await world.forget_jobs()
    for _ in range(11):
        assert await world.round() == 0
    assert await world.round() == 1
    assert await world.differences() == [(await world.ticket())["number"] + ": call 3 of chain 1 (rosa) was due at "
                                         f"{await due_at(world)} UTC and was not made."]  # fmt: skip
    await world.work()
    assert world.sender.people().count("rosa") == 1
    assert "Self-audit: " in texts(await world.ticket())
    assert await world.round() == 0
    assert (await world.ticket(2))["signal"] == "cleared"
    assert await world.beats() == 2


async def due_at(world: Audited) -> str:
    snapshot = next(one for one in (await world.ticket())["events"] if "steps" in one["data"])
    at = snapshot["data"]["steps"][2]["at"] // 1_000_000
    return f"{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}"


async def test_a_new_ticket_whose_job_was_lost_reaches_people_after_all(world: Audited) -> None:
    assert await world.round() == 0
    await world.post(alert("DiskFull"))
    await world.forget_jobs()
    assert await world.round() == 0
    assert await world.round() == 0
    assert await world.round() == 1
    assert "and its job is lost. It is promised once more (hand over)." in texts(await world.ticket())
    await world.work()
    assert world.sender.people()[0] == "mei"
    assert await world.round() == 0


async def test_a_ticket_whose_job_fails_and_is_put_off_again_and_again_is_noticed(world: Audited) -> None:
    assert await world.round() == 0
    await world.post(alert("DiskFull"))

    async def fails(job: Any) -> None:
        raise SendFailed("a mistake of ours.")

    found = []
    for _ in range(7):
        world.clock.advance(EVERY)
        await world.work(hand_over=fails)
        found.append(await audit_pages(world.desk))
    assert (found[:3], max(one or 0 for one in found) > 0) == ([0, 0, 0], True)
    assert "Self-audit: " in texts(await world.ticket())


async def held(world: Audited) -> None:
    """A new ticket that waits for the end of a maintenance window."""
    assert await world.round() == 0
    now = world.clock.now()
    once = Once(start=now - HOUR, end=now + 2 * HOUR)
    window = MaintenanceWindow(name="upgrade", when=(parse_matcher("alertname=DiskFull"),), times=(once,))
    world.rule(maintenance=(window,))
    await world.fires(alertname="DiskFull")
    for _ in range(10):
        assert await world.round() == 0, await world.differences()
    assert world.sender.sent == []


async def test_a_ticket_that_is_held_is_no_difference_and_after_the_hold_it_pages(world: Audited) -> None:
    await held(world)
    for _ in range(120):
        assert await world.round() == 0, await world.differences()
    assert world.sender.people()[:1] == ["mei"]


async def test_a_ticket_that_is_held_and_whose_job_is_lost_or_put_off_is_noticed(world: Audited) -> None:
    await held(world)
    jobs, due = ("procrastinate_jobs", "scheduled_at") if world.database.is_cluster else ("jobs", "due_at")
    later = "scheduled_at + interval '3 days'" if world.database.is_cluster else "due_at + 259200000000"
    await world.sql(f"UPDATE {jobs} SET {due} = {later}")
    assert await world.round() == 1
    assert await world.differences() == [
        f"{(await world.ticket())['number']}: its job was put off for more than an hour."
    ]
    await world.forget_jobs()
    assert await world.round() == 1
    assert "and its job is lost" in texts(await world.ticket())
    await world.work()
    assert await world.round() == 0, await world.differences()


async def test_a_hand_over_after_a_relapse_whose_job_was_lost_is_noticed(world: Audited) -> None:
    await begun(world)
    await world.clears(alertname="DiskFull")
    await world.post(alert("DiskFull"))
    await world.forget_jobs()
    assert await world.round() == 0
    assert await world.round() == 0
    assert await world.round() == 1
    assert "and nobody was told" in (await world.differences())[0]
    before = len(world.sender.sent)
    await world.work()
    assert len(world.sender.sent) > before
    assert await world.round() == 0


async def test_a_proof_whose_job_was_lost_is_noticed_and_asked_for_after_all(world: Audited) -> None:
    await begun(world)
    await world.do("acknowledge")
    await world.do("restore", reason="I have made room")
    await world.forget_jobs()
    for _ in range(2):
        assert await world.round() == 0, await world.differences()
    before = await world.beats()
    assert await world.round() == 1
    assert "though its alert fires, and the job of its proof is lost. It is promised once more" in texts(
        await world.ticket()
    )
    assert await world.beats() == before
    for _ in range(5):
        await world.round()
    ticket = await world.ticket()
    assert (ticket["status"], "the alert still fires." in texts(ticket)) == ("handed_over", True)
    assert await world.round() == 0, await world.differences()


async def test_a_ticket_that_waits_for_its_proof_is_no_difference(world: Audited) -> None:
    await begun(world)
    await world.do("acknowledge")
    await world.do("restore", reason="I have made room")
    for _ in range(8):
        assert await world.round() == 0, await world.differences()


async def test_a_message_that_nobody_tries_is_stuck_after_ten_minutes_and_tried_once_more(world: Audited) -> None:
    assert await world.round() == 0
    await world.post(alert("DiskFull"))

    async def lost(job: Any) -> None: ...

    await world.work(deliver=lost, deliver_first=lost)
    await world.forget_jobs()
    stuck = []
    for _ in range(12):
        await world.round(works=False)
        stuck.append(texts(await world.ticket()).count("to mei by pager is waiting and was not tried for 11m."))
    assert (world.sender.sent, stuck) == ([], [0] * 10 + [1, 1])
    await world.work()
    assert "mei" in world.sender.people()


async def test_a_page_whose_list_was_lost_is_noticed_after_ten_minutes_and_sent_by_itself(world: Audited) -> None:
    assert await world.round() == 0
    await world.post(*(alert("DiskFull", severity="warning", instance=f"n{n}") for n in range(6)))
    await world.work()
    await world.sql("UPDATE messages SET state = 'overtaken' WHERE purpose LIKE 'bundle-%' AND person = 'mei'")
    found = [await world.round() for _ in range(11)]
    assert found == [0] * 10 + [1], await world.differences()
    (late,) = [one for one in [await world.ticket(n) for n in range(1, 7)] if "nobody will send" in texts(one)]
    assert "It is promised once more (deliver)." in texts(late)
    await world.work()
    pages = [subject for person, subject, _ in world.sender.sent if person == "mei" and subject.startswith("[P3]")]
    assert [late["number"] in subject for subject in pages] == [False] * 5 + [True]
    assert await world.round() == 0, await world.differences()


async def test_what_was_due_while_nobody_was_there_is_no_difference_when_we_come_back(world: Audited) -> None:
    assert await world.round() == 0
    await world.post(alert("DiskFull"))
    assert await world.round(5 * HOUR, works=False) == 0
    await world.work()
    assert await world.round() == 0
    assert len(await world.tickets()) == 1


async def test_calls_that_an_outage_has_put_off_are_no_difference_and_come_one_by_one(world: Audited) -> None:
    assert await world.round() == 0
    await world.fires(alertname="DiskFull")
    assert await world.round(5 * HOUR) == 0
    assert world.sender.people() == ["mei", "lars"]
    for _ in range(9):
        assert await world.round() == 0, await world.differences()
    assert world.sender.people() == ["mei", "lars"]
    assert await world.round() == 0
    assert world.sender.people() == ["mei", "lars", "rosa"]


async def test_lost_calls_are_mended_one_by_one_and_not_all_at_once(world: Audited) -> None:
    def told() -> list[str]:
        return [person for person, subject, _ in world.sender.sent if "-001 " in subject]

    assert await world.round() == 0
    await world.fires(alertname="DiskFull")
    await world.forget_jobs()
    for _ in range(18):
        await world.round(works=False)
    assert sum("was not made" in one for one in await world.differences()) == 1
    await world.work()
    assert told() == ["mei", "lars"]
    for _ in range(9):
        assert await world.round() == 0, await world.differences()
    assert told() == ["mei", "lars"]
    assert await world.round() == 0
    assert told() == ["mei", "lars", "rosa"]


async def test_times_of_a_chain_that_were_put_off_without_a_late_call_are_noticed(world: Audited) -> None:
    await begun(world)
    chain = await world.read(lambda tx: tx.chains.one(1, 1))
    later = replace(chain, calls=tuple(replace(call, at=call.at + HOUR) for call in chain.calls))
    await world.database.write(lambda tx: tx.chains.keep(later))
    await world.notices("are not those that its history foresaw")


async def test_a_difference_is_said_and_mended_once_and_not_in_every_round(world: Audited) -> None:
    await begun(world)
    await world.sql("UPDATE messages SET id = 999 WHERE person = 'mei'")
    for _ in range(3):
        assert await world.round() == 1
    assert texts(await world.ticket()).count("Self-audit: ") == 1
    assert texts(await world.ticket(2)).count("Who should have been told differs") <= 1


async def test_somebody_who_has_looked_lets_the_beats_go_on(world: Audited) -> None:
    await begun(world)
    await world.sql("UPDATE messages SET id = 999 WHERE person = 'mei'")
    assert await world.round() == 1
    (found,) = (await compare(world.desk))["differences"]
    await accept(world.desk, found["key"], "restored a backup", "mei")
    assert await world.round() == 0
    assert (await compare(world.desk))["agrees"] is True
    assert (await world.ticket(2))["signal"] == "cleared"
    assert await world.beats() == 2


async def test_one_of_two_replicas_makes_the_round(world: Audited) -> None:
    world.clock.advance(EVERY)
    assert await audit_pages(world.desk) == 0
    assert await audit_pages(world.another_desk()) is None


# --- the dead man's switch -------------------------------------------------------------------------


async def test_without_a_round_of_the_audit_there_is_no_beat(world: Audited) -> None:
    assert await world.beats() == 0
    assert await world.round() == 0
    assert await world.beats() == 1
    world.clock.advance(4 * MINUTE)
    assert await world.beats() == 1
    assert "has made no round since" in await world.read(lambda tx: dead_man.spoken_state(world.desk, tx))


async def test_a_dead_worker_sends_no_beat_and_sends_none_afterwards_for_what_it_missed(world: Audited) -> None:
    for _ in range(3):
        await world.round(works=False)
        assert await dead_man.promise_beat(world.desk) is True
    assert world.web.sent == []
    await world.work()
    assert len(world.web.sent) == 1


async def test_one_beat_is_sent_in_each_period_and_by_one_replica(world: Audited) -> None:
    await world.round()
    assert await world.beats() == 1
    assert await world.beats() == 1
    assert await dead_man.promise_beat(world.another_desk()) is False
    await world.round()
    assert await world.beats() == 2
    assert (world.web.sent[0].url, world.web.sent[0].method) == (URL, "POST")


async def test_a_beat_that_does_not_get_through_is_counted_and_said_without_its_address(world: Audited) -> None:
    class Broken(type(world.web)):  # type: ignore[misc]
        async def send(self, request: Any) -> Page:
            raise QueryFailed(f"{request.url} gave no answer within 10 s.")

    world.web = Broken()
    world.desk = world.another_desk()
    await world.round()
    assert await world.beats() == 0
    assert (await world.sums("dead_man_beats_total")) == {(("outcome", "failed"),): 1}
    said = await world.read(lambda tx: dead_man.spoken_state(world.desk, tx))
    assert said == "dead man's switch: never sent; now failed: *** gave no answer within 10 s."


async def nothing(job: Job) -> None:
    """A job that is lost."""


async def half_an_hour(world: Team) -> None:
    for _ in range(30):
        world.clock.advance(MINUTE)
        await audit_pages(world.desk)
        await world.work()


async def test_a_raise_whose_job_is_lost_is_noticed_and_calls_after_all(world: Team) -> None:
    await audit_pages(world.desk)
    await world.fires("info")
    await world.advance(10 * MINUTE)
    await do(world.desk, "regrade", "1", actor="otto", content={"grade": "P1", "reason": "down"})
    await world.work(hand_over=nothing)
    await half_an_hour(world)
    assert "mei" in world.sender.people()


async def test_a_move_to_another_team_whose_job_is_lost_is_noticed_and_calls_after_all(world: Team) -> None:
    world.rule(kinds=KINDS)
    await audit_pages(world.desk)
    await world.fires()
    await world.advance(10 * MINUTE)
    await do(world.desk, "classify", "1", actor="otto", content={"kind": "hardware"})
    await world.work(hand_over=nothing)
    await half_an_hour(world)
    assert "otto" in world.sender.people()


async def test_a_ticket_that_is_lowered_keeps_the_audit_in_agreement(world: Team) -> None:
    await audit_pages(world.desk)
    await world.fires()
    for grade in ("P2", "P3", "P4"):
        await world.do("regrade", "otto", grade=grade, reason="it gets better")
    await half_an_hour(world)
    assert not (await compare(world.desk))["differences"]


# --- called, and not reached ------------------------------------------------------------------------


async def unreached(world: Audited) -> list[str]:
    """What the audit says of those whom no message reaches; what it looked at last says the same."""
    found: list[str] = (await compare(world.desk))["unreached"]
    assert (await world.read(last_round))["unreached"] == found
    return found


async def test_that_every_message_fails_is_no_difference_and_yet_is_said(world: Audited) -> None:
    assert await world.round() == 0
    world.sender.failures.extend(SendFailed("no answer.") for _ in range(60))
    await world.fires(alertname="DiskFull")
    assert await world.round() == 0
    number = (await world.ticket())["number"]
    assert await unreached(world) == [f"{number}: no message has reached anybody (mei by pager)."]
    world.sender.failures.clear()
    for _ in range(6):
        assert await world.round() == 0
    assert await unreached(world) == []


async def test_while_no_message_reaches_anybody_the_beats_stop_so_that_somebody_outside_calls(world: Audited) -> None:
    await world.round()
    assert await world.beats() == 1
    world.sender.failures.extend(SendFailed("no answer.") for _ in range(60))
    await world.fires(alertname="DiskFull")
    await world.round()
    assert await world.beats() == 1
    assert "There is a ticket of which no message has reached anybody." in await world.read(
        lambda tx: dead_man.spoken_state(world.desk, tx)
    )
    await world.do("acknowledge", "mei")
    await world.round()
    assert await world.beats() == 2


async def test_a_page_refused_for_good_is_nothing_once_the_next_person_is_told(world: Audited) -> None:
    assert await world.round() == 0
    world.sender.failures.append(SendRefused("gone."))
    await world.fires(alertname="DiskFull")
    assert await world.round() == 0
    assert world.sender.people() == ["lars"]
    assert await unreached(world) == []


async def test_whoever_was_called_in_by_hand_and_told_counts_as_reached(world: Audited) -> None:
    assert await world.round() == 0
    world.sender.failures.extend(SendRefused("gone.") for _ in range(3))
    await world.fires(alertname="DiskFull")
    for _ in range(20):
        await world.round()
    assert len(await unreached(world)) == 1
    assert await world.beats() == 0
    await world.do("pull-in", "nia", whom="otto", text="please look")
    await world.round()
    assert "otto" in world.sender.people()
    assert await unreached(world) == []
    pages = await world.read(lambda tx: Overview(tx.connection).pages([1])[1])
    assert reach_of(pages, world.clock.now(), MINUTE).reached == {"otto"}
    assert await world.beats() == 1


async def test_nobody_is_missed_for_what_somebody_has_or_what_has_cleared(world: Audited) -> None:
    assert await world.round() == 0
    world.sender.failures.extend(SendFailed("gone.") for _ in range(60))
    await world.fires(alertname="DiskFull")
    await world.fires(alertname="NodeDown")
    await world.round()
    assert len(await unreached(world)) == 2
    await world.clears(alertname="DiskFull")
    await world.do("acknowledge", "mei", key="2")
    await world.round()
    assert await unreached(world) == []


async def test_that_nobody_is_there_who_can_be_called_is_said_too(world: Audited) -> None:
    configuration = world.desk.configuration
    people = {name: replace(one, channels=()) for name, one in configuration.people.items()}
    world.desk.take_over(replace(configuration, people=people))
    await world.fires(alertname="DiskFull")
    await world.round()
    number = (await world.ticket())["number"]
    assert f"{number}: nobody is there who can be called." in await unreached(world)
