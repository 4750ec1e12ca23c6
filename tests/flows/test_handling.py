"""What people do with tickets: every move under the rules, every refusal a sentence on the ticket."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from responder.domain.access import OF_TOKEN, Identity, Role, Via
from responder.domain.accounts import User
from responder.errors import BadForm, NotFound, Refused
from responder.flows.handle import do
from responder.store.database import Database
from tests.flows.people import HOUR, KINDS, MINUTE, Team, with_gates, with_needs
from tests.world import texts

PLAN: dict[str, Any] = {"kind": "patch", "steps": ["build it", "roll it out"], "owner": "mei"}


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


async def refused(world: Team, verb: str, who: str = "mei", key: str = "1", **content: object) -> str:
    with pytest.raises(Refused) as caught:
        await world.do(verb, who, key, **content)
    said = str(caught.value)
    assert said in texts(await world.ticket(key))
    return said


# --- who has it --------------------------------------------------------------------------------------


async def test_two_people_acting_on_one_version_one_is_refused(world: Team) -> None:
    await world.fires()
    version = (await world.ticket())["version"]
    both = await asyncio.gather(
        world.do("assign", "mei", to="mei", version=version),
        world.do("assign", "lars", to="lars", version=version),
        return_exceptions=True,
    )
    (no,) = [one for one in both if isinstance(one, BaseException)]
    assert isinstance(no, Refused)
    assert f"has changed since you looked (version {version}, now" in str(no)


async def test_giving_it_to_a_person_stops_the_respond_clock(world: Team) -> None:
    await world.fires()
    await world.do("assign", "lars", to="mei")
    ticket = await world.ticket()
    assert (ticket["status"], ticket["assignee"]) == ("in_progress", "mei")
    assert not (await world.runs("respond")).is_running
    await world.do("assign", "mei", to="lars")
    assert "mei has given it to lars (before: mei)." in texts(await world.ticket())


async def test_who_has_what_turns_out_to_be_another_team_s_keeps_it_and_is_told(world: Team) -> None:
    world.rule(kinds=KINDS)
    await world.fires()
    await world.do("acknowledge", "mei")
    world.sender.sent.clear()
    await world.do("classify", "lars", kind="hardware")
    ticket = await world.ticket()
    assert (ticket["team"], ticket["acknowledged_by"], ticket["status"]) == ("hardware", "mei", "in_progress")
    [(person, _, body)] = world.sender.sent
    assert person == "mei"
    assert "lars says it is hardware, so team hardware handles it. You still have it: give it back" in body


async def test_who_says_themselves_that_it_is_another_team_s_need_not_be_told(world: Team) -> None:
    world.rule(kinds=KINDS)
    await world.fires()
    await world.do("acknowledge", "mei")
    world.sender.sent.clear()
    await world.do("classify", "mei", kind="hardware")
    await world.do("classify", "lars", kind="hardware")
    assert world.sender.people() == []


@pytest.mark.parametrize("verb", ["acknowledge", "take-over", "assign"])
async def test_nobody_has_a_ticket_whom_nobody_knows(world: Team, verb: str) -> None:
    await world.fires()
    content = {"to": "Lras"} if verb == "assign" else {}
    with pytest.raises(Refused, match=r"nobody is called 'Lras' in the people file .*; there are lars, "):
        await world.do(verb, "mei" if verb == "assign" else "Lras", **content)
    assert (await world.ticket())["acknowledged_by"] == ""
    assert f"could not {verb.replace('-', ' ')}: nobody is called 'Lras'" in texts(await world.ticket())


async def test_who_has_an_account_may_have_a_ticket_until_it_is_disabled(world: Team) -> None:
    await world.fires()
    made = User(name="ines", role=Role.RESPONDER, created_at=world.clock.now())
    ines = await world.database.write(lambda tx: tx.accounts.add(made))
    assert (await world.do("acknowledge", "ines")).acknowledged_by == "ines"
    gone = replace(ines, disabled_at=world.clock.now())
    await world.database.write(lambda tx: tx.accounts.change(gone))
    assert "nobody is called 'ines'" in await refused(world, "assign", to="ines")


async def test_a_token_has_a_ticket_in_its_own_name_and_not_in_one_that_nobody_has(world: Team) -> None:
    await world.fires()
    bot = Identity(name="night-bot", via=Via.TOKEN, scopes=OF_TOKEN["admin"])
    with pytest.raises(Refused, match="nobody is called 'root'"):
        await do(world.desk, "acknowledge", "1", actor="root", content={}, who=bot)
    taken = await do(world.desk, "acknowledge", "1", actor="night-bot", content={}, who=bot)
    assert taken.acknowledged_by == "night-bot"


async def test_where_no_people_are_known_every_name_will_do(world: Team) -> None:
    await world.fires()
    world.desk.take_over(replace(world.desk.configuration, people={}))
    assert (await world.do("acknowledge", "whoever")).acknowledged_by == "whoever"


async def test_escalating_tells_the_next_tier_and_ends_with_the_highest(world: Team) -> None:
    await world.fires("warning")
    world.sender.sent.clear()
    await world.do("escalate", "mei", reason="I do not know this database")
    assert world.sender.people() == ["lars"]
    await world.do("acknowledge", "lars")
    await world.do("escalate", "lars", reason="it is a bug")
    assert (world.sender.people(), (await world.ticket())["tier"]) == (["lars", "rosa"], 3)
    assert "team ops has no tier above 3" in await refused(world, "escalate", reason="higher!")


async def test_giving_it_back_tells_the_team_again(world: Team) -> None:
    await world.fires("warning")
    await world.do("acknowledge", "mei")
    world.sender.sent.clear()
    await world.do("give-back", "mei", reason="my shift ends")
    assert world.sender.people() == ["mei"]
    assert "mei gives it back: my shift ends" in world.sender.sent[0][2]
    assert (await world.ticket())["assignee"] == ""


async def test_a_ticket_that_waits_for_the_vendor_pauses_the_clocks_that_the_policy_names(world: Team) -> None:
    clocks = tuple(_pausing(rule) if rule.name == "resolve" else rule for rule in world.desk.policy.clocks)
    world.rule(clocks=clocks)
    await world.fires()
    await world.do("acknowledge", "mei")
    due = (await world.runs("resolve")).due_at
    assert "for one of reporter, vendor, part" in await refused(world, "wait", **{"for": "rain", "reason": "?"})
    await world.do("wait", "mei", **{"for": "vendor", "reason": "case 4711"})
    await world.advance(3 * HOUR)
    assert (await world.runs("resolve")).is_paused
    await world.do("resume", "mei", reason="they have sent a patch")
    assert (await world.runs("resolve")).due_at == due + 3 * HOUR


def _pausing(rule: object) -> object:
    from dataclasses import replace

    return replace(rule, pause=frozenset({"waiting"}))  # type: ignore[type-var]


# --- what it is --------------------------------------------------------------------------------------


async def test_another_grade_needs_a_reason_and_moves_the_deadlines(world: Team) -> None:
    await world.fires("warning")
    began = (await world.runs("respond")).started_at
    with pytest.raises(BadForm, match="“reason” is missing"):
        await world.do("regrade", grade="P1")
    await world.do("regrade", "mei", grade="P1", reason="the shop is closed")
    assert (await world.runs("respond")).due_at == began + 15 * MINUTE
    ticket = await world.ticket()
    assert (ticket["grade"], ticket["grade_rule"]) == ("P1", "by hand")
    assert "mei changes P3 to P1: the shop is closed" in texts(ticket)
    assert sorted(set(world.sender.people())) == ["lars", "mei"]
    assert "there is no grade 'P9'; there are P1, P2, P3, P4" in await refused(
        world, "regrade", grade="P9", reason="worse"
    )


async def test_a_kind_with_a_team_of_its_own_sends_the_ticket_there(world: Team) -> None:
    world.rule(kinds=KINDS)
    await world.fires("warning")
    world.sender.sent.clear()
    await world.do("classify", "mei", kind="hardware")
    assert (await world.ticket())["team"] == "hardware"
    assert world.sender.people() == ["otto"]
    assert "there are hardware, software" in await refused(world, "classify", kind="magic")


async def test_a_diagnosis_names_a_cause_class_that_the_policy_knows(world: Team) -> None:
    await world.fires()
    said = await refused(world, "diagnose", text="broken", cause_class="ghosts")
    assert "there are user_operation, product_defect" in said
    await world.do("diagnose", "mei", text="the disk is full", cause_class="environment", cause="logs")
    dossier = (await world.ticket())["dossier"]
    assert (dossier["diagnosis"], dossier["cause_class"], dossier["diagnosed_by"]) == (
        "the disk is full", "environment", "mei",
    )  # fmt: skip


# --- plans and gates ---------------------------------------------------------------------------------


async def proposed(world: Team) -> None:
    with_gates(world)
    await world.fires()
    await world.do("acknowledge", "mei")
    world.sender.sent.clear()
    await world.do("propose", "mei", **PLAN)


async def test_two_roles_jointly_must_approve_and_one_person_never_stands_for_both(world: Team) -> None:
    await proposed(world)
    assert (await world.ticket())["status"] == "proposed"
    assert sorted(world.sender.people()) == ["lars", "otto", "rosa"]
    assert not any("What would run" in body for _, _, body in world.sender.sent)
    await world.do("approve", "otto")
    assert (await world.ticket())["status"] == "proposed"
    await world.do("approve", "rosa", reason="go")
    ticket = await world.ticket()
    assert ticket["status"] == "approved"
    assert "Plan 1 is approved: otto and rosa said yes: go." in texts(ticket)
    assert ticket["dossier"]["plan"]["approved_at"] is not None
    assert "hans" in world.sender.people()


async def test_who_may_not_approve_is_told_who_could(world: Team) -> None:
    await proposed(world)
    said = await refused(world, "approve", "mei")
    assert "mei has not the roles manager, director that this needs; lars, rosa, otto could answer." in said


async def test_a_no_needs_a_reason_and_puts_the_ticket_back_to_work(world: Team) -> None:
    await proposed(world)
    with pytest.raises(BadForm):
        await world.do("reject", "lars")
    await world.do("reject", "lars", reason="too risky by day")
    ticket = await world.ticket()
    assert (ticket["status"], ticket["dossier"]["plan"]["approved_at"]) == ("in_progress", None)
    assert "Plan 1 is rejected: lars said no: too risky by day." in texts(ticket)
    await world.do("propose", "mei", **PLAN)
    assert (await world.ticket())["dossier"]["plan"]["round"] == 2


async def test_silence_at_the_gate_goes_one_tier_up_and_asks_again(world: Team) -> None:
    await proposed(world)
    world.sender.sent.clear()
    await world.advance(4 * HOUR)
    assert (await world.ticket())["status"] == "proposed"
    assert len([subject for _, subject, _ in world.sender.sent if "May plan 1" in subject]) >= 3
    assert "Please see to it that somebody answers." in texts(await world.ticket())
    await world.do("approve", "lars")
    await world.do("approve", "rosa")
    assert (await world.ticket())["status"] == "approved"


async def test_an_answer_after_the_end_is_refused_with_the_reason(world: Team) -> None:
    await proposed(world)
    await world.do("reject", "lars", reason="no")
    assert "has nothing that waits for consent" in await refused_without_a_note(world, "approve", "rosa")


async def refused_without_a_note(world: Team, verb: str, who: str) -> str:
    with pytest.raises(Refused) as caught:
        await world.do(verb, who)
    return str(caught.value)


async def test_a_plan_without_a_gate_is_approved_at_once(world: Team) -> None:
    with_gates(world)
    await world.fires("warning")
    await world.do("acknowledge", "mei")
    await world.do("propose", "mei", **PLAN)
    assert (await world.ticket())["status"] == "approved"


async def test_a_gate_whose_roles_nobody_holds_says_so_and_moves_nothing(world: Team) -> None:
    with_gates(world)
    gone = {name: one for name, one in world.desk.configuration.people.items() if "director" not in one.roles}
    from dataclasses import replace

    world.desk.take_over(replace(world.desk.configuration, people=gone))
    await world.fires()
    await world.do("acknowledge", "mei")
    assert "nobody can be asked" in await refused(world, "propose", **PLAN)
    assert (await world.ticket())["status"] == "in_progress"


# --- requirements ------------------------------------------------------------------------------------


async def test_what_is_missing_before_closing_is_named_with_the_verb_that_brings_it(world: Team) -> None:
    with_needs("cause_class", "solution")(world)
    await world.fires()
    await world.clears()
    await world.advance(10 * MINUTE)
    said = await refused(world, "close", reason="done")
    assert "needs a cause class (verb: diagnose) and what solved it (verb: solve)" in said
    await world.do("diagnose", text="x", cause_class="environment")
    await world.do("solve", text="rotated the logs")
    await world.do("close", reason="done")
    assert (await world.ticket())["status"] == "closed"


async def test_the_machine_does_not_close_what_a_person_may_not_and_reminds_each_day(world: Team) -> None:
    with_needs("cause_class")(world)
    await world.fires()
    await world.do("acknowledge", "mei")
    await world.clears()
    await world.advance(10 * MINUTE)
    world.sender.sent.clear()
    await world.advance(72 * HOUR)
    assert (await world.ticket())["status"] == "resolved"
    await world.advance(24 * HOUR)
    assert world.sender.people() == ["mei", "mei"]
    await world.do("diagnose", text="x", cause_class="environment")
    await world.advance(24 * HOUR)
    assert (await world.ticket())["status"] == "closed"


# --- ways to the end ---------------------------------------------------------------------------------


async def test_a_pseudo_fault_needs_its_guide_and_counts_in_no_service_level(world: Team) -> None:
    await world.fires()
    assert "say which one was sent" in await refused(world, "dismiss", **{"as": "pseudo_fault", "reason": "misuse"})
    await world.do("dismiss", **{"as": "pseudo_fault", "reason": "misuse", "guide": "how to read the lamp"})
    assert (await world.ticket())["status"] == "closed"
    assert not await world.sums("sla_clocks_met_total")
    excluded = await world.sums("sla_clocks_excluded_total")
    assert sum(excluded.values()) == 4
    assert {dict(labels)["reason"] for labels in excluded} == {"pseudo_fault"}


async def test_a_false_alarm_that_fires_on_stays_dismissed_until_it_fires_anew(world: Team) -> None:
    await world.fires()
    await world.do("dismiss", **{"as": "false_alarm", "reason": "the sensor is broken"})
    await world.advance(5 * HOUR)
    await world.fires()
    assert (await world.ticket())["status"] == "closed"
    await world.clears()
    await world.advance(5 * HOUR)
    await world.fires()
    assert (await world.ticket(2))["status"] == "handed_over"


async def test_a_merged_ticket_gives_its_alerts_to_the_other_one(world: Team) -> None:
    await world.fires()
    await world.fires("warning", instance="web-2:9100")
    await world.do("merge", key="2", into="1", reason="one switch")
    assert ((await world.ticket(2))["status"], (await world.ticket(2))["disposition"]) == ("closed", "duplicate")
    await world.clears()
    assert (await world.ticket())["status"] == "handed_over"
    await world.clears(severity="warning", instance="web-2:9100")
    assert (await world.ticket())["status"] == "restored"
    await world.fires("warning", instance="web-2:9100")
    assert (await world.ticket())["status"] == "handed_over"
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 2


async def test_a_split_gives_the_member_its_own_life_again(world: Team) -> None:
    await world.fires()
    await world.fires("warning", instance="web-2:9100")
    await world.do("merge", key="2", into="1")
    await world.do("split", off="2", reason="another cause after all")
    assert (await world.ticket(2))["status"] == "handed_over"
    await world.clears(severity="warning", instance="web-2:9100")
    assert ((await world.ticket(2))["status"], (await world.ticket())["status"]) == ("restored", "handed_over")


async def three_with_a_chain_of_merges(world: Team) -> None:
    await world.fires()
    await world.fires("warning", instance="web-2:9100")
    await world.fires("warning", instance="web-3:9100")
    await world.do("merge", key="3", into="2")
    await world.do("merge", key="2", into="1")


async def test_a_split_finds_its_alerts_at_the_end_of_a_chain_of_merges(world: Team) -> None:
    await three_with_a_chain_of_merges(world)
    await world.do("split", key="2", off="3", reason="another cause after all")
    await world.clears(severity="warning", instance="web-3:9100")
    assert [(await world.ticket(n))["status"] for n in (3, 1)] == ["restored", "handed_over"]


async def test_a_split_takes_along_what_fired_only_after_the_merge(world: Team) -> None:
    await world.fires()
    await world.fires("warning", instance="web-2:9100")
    await world.clears(severity="warning", instance="web-2:9100")
    await world.do("merge", key="2", into="1")
    await world.fires("warning", instance="web-2:9100")
    await world.do("split", off="2", reason="another cause after all")
    await world.clears(severity="warning", instance="web-2:9100")
    assert [(await world.ticket(n))["status"] for n in (2, 1)] == ["restored", "handed_over"]


async def test_a_ticket_whose_last_alert_goes_with_a_split_gets_its_all_clear(world: Team) -> None:
    await world.fires()
    await world.fires("warning", instance="web-2:9100")
    await world.do("merge", key="2", into="1")
    await world.clears()
    assert (await world.ticket())["status"] == "handed_over"
    await world.do("split", off="2", reason="another cause after all")
    ticket = await world.ticket()
    assert ticket["status"] == "restored"
    assert "All-clear: only alerts of" in texts(ticket)


async def test_an_alert_of_a_merged_ticket_that_opened_a_new_one_is_followed_to_that(world: Team) -> None:
    await world.fires()
    await world.fires("warning", instance="web-2:9100")
    await world.do("merge", key="2", into="1")
    await world.clears()
    await world.clears(severity="warning", instance="web-2:9100")
    await world.advance(48 * HOUR)
    await world.do("close", reason="done")
    await world.advance(48 * HOUR)
    for _ in range(2):
        await world.fires("warning", instance="web-2:9100")
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 3
    await world.clears(severity="warning", instance="web-2:9100")
    assert (await world.ticket(3))["status"] == "restored"


async def test_a_ticket_cannot_be_merged_into_itself_or_into_what_is_closed(world: Team) -> None:
    await world.fires()
    assert "cannot be merged into itself" in await refused(world, "merge", into="1")
    await world.fires("warning", instance="web-2:9100")
    await world.do("dismiss", key="2", **{"as": "false_alarm", "reason": "x"})
    assert "is closed; merge into an open ticket" in await refused(world, "merge", into="2")


async def test_a_verification_that_fails_sends_it_back_to_diagnosis(world: Team) -> None:
    await world.fires()
    await world.do("acknowledge", "mei")
    await world.clears()
    await world.do("verify", by="test", good=False, text="case 7 still fails")
    ticket = await world.ticket()
    assert (ticket["status"], ticket["episode"]) == ("handed_over", 2)
    assert "It is not gone, says the test: case 7 still fails" in texts(ticket)


async def test_what_still_fires_cannot_be_resolved_by_hand(world: Team) -> None:
    await world.fires()
    await world.do("restore", reason="I restarted it")
    assert "still fires" in await refused(world, "resolve", reason="surely")


async def test_a_closed_ticket_can_be_reopened_by_hand(world: Team) -> None:
    await world.fires()
    await world.clears()
    await world.advance(10 * MINUTE)
    await world.do("close", reason="done")
    await world.do("reopen", reason="the customer calls again")
    assert ((await world.ticket())["status"], (await world.ticket())["episode"]) == ("handed_over", 2)


async def test_an_unknown_verb_is_answered_with_the_ones_there_are(world: Team) -> None:
    await world.fires()
    with pytest.raises(NotFound, match="There is no verb 'frobnicate'; there are acknowledge, assign"):
        await world.do("frobnicate")
