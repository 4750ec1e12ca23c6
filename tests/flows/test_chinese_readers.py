"""Stories whose people read Chinese: whatever reaches them is Chinese, but for names, labels, commands and outputs."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.autonomy import Autonomy
from responder.domain.escalation import Callees, EscalationPlan, Step
from responder.domain.gates import OnTimeout
from responder.domain.requirements import Need
from responder.domain.sla import Alarm
from responder.domain.storm import StormRule
from responder.domain.ticket import Action
from responder.errors import Refused, SendRefused
from responder.flows.consent import answer
from responder.flows.storm import watch_storm
from responder.flows.switches import turn_off_automation
from responder.flows.watch import look_at_clocks
from responder.flows.watch_rotas import watch_rotas
from responder.store.database import Database
from tests.flows.people import ALERTS_ONLY, BOTH, HOUR, KINDS, MINUTE, TEAM, TELL_NEXT, Team
from tests.world import POLICY, RUNBOOK, World, alert, resolved

NAMES = (
    "plan of a P1",
    "restart it",
    "deploy tonight",
    "looks right",
    "we are in a freeze",
    "too big for me",
    "move the data",
    "config is broken",
    "short of space",
)
UNSAID = re.compile(
    r"https?://\S+"  # links
    r"|(?:ServiceDown|DiskFull) on [\w.-]+:\d+"  # titles
    r"|^ {4}\$ .*$|^ {6}\| .*$"  # commands and what they printed
    r"|(?<=^故障现象\n)(?:^  .*\n)+"  # labels
    r"|(?<=）)：.*(?=$)"  # the settings of a step
    r"|responder [a-z]+ .*$",  # what to type
    re.MULTILINE,
)
ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,]+[A-Za-z]{2,})+")
PLAN = EscalationPlan(
    name="night",
    grades=("P1",),
    steps=(Step(callees=Callees(tiers=(1,))), Step(after=5 * MINUTE, callees=Callees(tiers=(2,), roles=("head",)))),
    still_on_it=45 * MINUTE,
    answer_within=10 * MINUTE,
)
Story = Callable[["Readers"], Awaitable[None]]


class Readers(Team):
    """A team whose people all read Chinese."""

    def __init__(self, folder: Path, database: Database, **changed: str) -> None:
        people = re.sub("(name: [a-z]+, )(?=roles|channels)", r"\1language: zh, ", changed.pop("people", TEAM))
        World.__init__(self, folder, database, people=people, **{"policy": ALERTS_ONLY, **changed})
        self.rule(escalation=(PLAN,))

    async def later(self, duration: timedelta) -> None:
        """Time passes; the watch looks at clocks."""
        self.clock.advance(duration)
        while await look_at_clocks(self.desk):
            pass
        await self.work()

    def first_aid(self, autonomy: Autonomy) -> None:
        rules = self.desk.policy.first_aid
        level = replace(rules[0].autonomy, default=autonomy)
        self.rule(first_aid=(replace(rules[0], autonomy=level),))


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Texts are the same on every kind of database."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


def english_in(text: str) -> list[str]:
    """What of a message is English, though it is no name, label, command or output."""
    for name in NAMES:
        text = text.replace(name, "·")
    return ENGLISH.findall(UNSAID.sub("", text))


# --- stories -----------------------------------------------------------------------------------------------


async def first_aid_that_fails(world: Readers) -> None:
    world.fleet.broken.add("web-1")
    await world.fires()
    for _ in range(5):
        await world.advance(10 * MINUTE)


async def first_aid_that_is_stopped(world: Readers) -> None:
    await turn_off_automation(world.desk, "deploy tonight", "lars")
    await world.fires()


async def first_aid_again_too_soon(world: Readers) -> None:
    await world.fires()
    await world.clears()
    await world.fires(app="another")


async def a_host_that_nobody_knows(world: Readers) -> None:
    await world.fires(instance="db-7:9100")


async def no_rule(world: Readers) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    for _ in range(5):
        await world.advance(10 * MINUTE)


async def a_yes_before_the_run(world: Readers) -> None:
    world.first_aid(Autonomy.APPROVE)
    await world.fires()
    await answer(world.desk, 1, "mei", yes=True, reason="looks right")
    await world.work()


async def a_no_before_the_run(world: Readers) -> None:
    world.first_aid(Autonomy.APPROVE)
    await world.fires()
    await answer(world.desk, 1, "mei", yes=False, reason="we are in a freeze")
    await world.work()


async def silence_before_the_run(world: Readers) -> None:
    world.first_aid(Autonomy.APPROVE)
    await world.fires()
    for _ in range(5):
        await world.advance(10 * MINUTE)


async def a_suggestion(world: Readers) -> None:
    world.first_aid(Autonomy.SUGGEST)
    await world.fires()


async def clocks(world: Readers) -> None:
    rules = [
        replace(one, warn=(50,), on_warn=TELL_NEXT, on_breach=Alarm(tell=("team",), escalate=True))
        for one in world.desk.policy.clocks
    ]
    world.rule(clocks=tuple(rules))
    await world.fires("warning")
    for _ in range(20):
        await world.later(HOUR)


async def nobody_is_on_it(world: Readers) -> None:
    await world.fires()
    await world.do("acknowledge", "mei")
    for _ in range(13):
        await world.advance(5 * MINUTE)


async def people_hand_it_on(world: Readers) -> None:
    await world.fires()
    await world.do("acknowledge", "mei")
    await world.do("escalate", "mei", reason="too big for me")
    await world.do("acknowledge", "lars")
    await world.do("give-back", "lars", reason="too big for me")
    await world.do("regrade", "lars", grade="P2", reason="too big for me")
    await world.do("regrade", "lars", grade="P1", reason="too big for me")
    world.rule(kinds=KINDS)
    await world.do("take-over", "mei")
    await world.do("classify", "lars", kind="hardware")
    await world.do("take-over", "lars")
    await world.do("assign", "rosa", to="mei")
    await world.do("take-over", "lars", reason="too big for me")


async def a_gate_that_is_silent(world: Readers) -> None:
    world.rule(gates=(BOTH,))
    await world.fires()
    await world.do("acknowledge", "mei")
    plan: dict[str, Any] = {"kind": "patch", "steps": ["move the data"], "owner": "mei", "due": "2030-01-01T12:00:00Z"}
    await world.do("propose", "mei", **plan)
    await world.advance(4 * HOUR)


async def a_gate_before_closing(world: Readers) -> None:
    world.rule(gates=(replace(BOTH, move=Action.DISMISS, on_timeout=OnTimeout.REJECT),))
    await world.fires()
    with pytest.raises(Refused):
        await world.do("dismiss", **{"as": "false_alarm", "reason": "too big for me"})
    await answer(world.desk, 1, "lars", yes=False, reason="we are in a freeze")
    await world.work()


async def something_is_missing(world: Readers) -> None:
    world.rule(needs=(Need(move=Action.CLOSE, needs=("cause_class", "solution", "field:asset", "review")),))
    await world.fires()
    await world.do("acknowledge", "mei")
    await world.clears()
    for _ in range(12):
        await world.advance(24 * HOUR)


async def it_was_there_before(world: Readers) -> None:
    await world.fires()
    await world.do("acknowledge", "mei")
    await world.do("solve", "mei", text="move the data")
    await world.clears()
    for _ in range(10):
        await world.advance(24 * HOUR)
    await world.fires()


async def a_storm(world: Readers) -> None:
    world.rule(storm=StormRule(tickets=5, within=5 * MINUTE, over=10 * MINUTE))
    await world.post(*(alert("DiskFull", severity="error", instance=f"host-{one}:1") for one in range(6)))
    await world.work()
    await watch_storm(world.desk)
    await world.work()
    await world.post(*(resolved("DiskFull", severity="error", instance=f"host-{one}:1") for one in range(3)))
    for _ in range(30):
        await world.advance(MINUTE)
        await watch_storm(world.desk)
        await world.work()


async def no_page_gets_out(world: Readers) -> None:
    world.sender.failures.extend(SendRefused("refused.") for _ in range(4))
    await world.fires()
    await world.advance(30 * MINUTE)


async def nobody_on_call(world: Readers) -> None:
    await watch_rotas(world.desk)
    await world.work()


ROTA = TEAM.replace("tiers: {1: [mei]", "tiers: {1: {rota: first}") + (
    "rotas:\n  - {name: first, zone: UTC, layers: [{people: [mei], start: 2099-01-01}]}\n"
)
AID = POLICY
STORIES: dict[str, tuple[Story, dict[str, str], tuple[str, ...]]] = {
    "first aid that fails": (first_aid_that_fails, {"policy": AID}, ("命令以退出码 1 结束", "仍无人认领。已呼叫：")),
    "first aid that is stopped": (first_aid_that_is_stopped, {"policy": AID}, ("自动化已由总开关停用：",)),
    "first aid again too soon": (first_aid_again_too_soon, {"policy": AID}, ("冷却时间 15 分钟",)),
    "a host that nobody knows": (a_host_that_nobody_knows, {"policy": AID}, ("不在主机清单中",)),
    "no rule": (no_rule, {}, ("没有适用的应急处置规则",)),
    "a yes": (a_yes_before_the_run, {"policy": AID}, ("是否允许在 web-1 上执行 restart-app？", "已见效")),
    "a no": (a_no_before_the_run, {"policy": AID}, ("未获批准：mei 不同意：",)),
    "silence": (silence_before_the_run, {"policy": AID}, ("内无人答复。",)),
    "a suggestion": (a_suggestion, {"policy": AID}, ("此处只建议", "建议: restart-app，目标 web-1（仅建议：")),
    "clocks": (clocks, {}, ("“响应”时限已用 50%，还剩 ", "时限已超期。")),
    "still on it": (nobody_is_on_it, {}, ("您还在处理吗？", "至今未答复")),
    "handed on": (
        people_hand_it_on,
        {},
        (
            "mei 升级到 2 线：",
            "退回工单：",
            "将级别由 P2 改为 P1：",
            "从 mei 处接手。",
            "从 mei 处接手：too big for me",
            "工单仍在您手中",
            "将工单交给 mei",
        ),
    ),
    "a silent gate": (a_gate_that_is_silent, {}, ("是否批准执行", "各一人同意", "请督促相关人员答复。")),
    "a gate before closing": (a_gate_before_closing, {}, ("是否允许驳回",)),
    "missing": (something_is_missing, {}, ("工单可以关闭，但：", "原因分类（操作：diagnose）", "字段 asset（")),
    "there before": (it_was_there_before, {}, ("复发：与 ", "有效的办法：")),
    "a storm": (a_storm, {}, ("告警风暴：自 ",)),
    "no page": (no_page_gets_out, {}, ("无法通知任何人",)),
    "nobody on call": (nobody_on_call, {"people": ROTA}, ("值班表 first 无人值班",)),
}


@pytest.mark.parametrize("name", STORIES)
async def test_what_reaches_a_chinese_reader_is_chinese(tmp_path: Path, database: Database, name: str) -> None:
    story, changed, expected = STORIES[name]
    world = Readers(tmp_path, database, **{"runbook": RUNBOOK, **changed})
    await story(world)
    texts = [f"{subject}\n{body}" for _, subject, body in world.sender.sent]
    assert texts
    for words in expected:
        assert any(words in text for text in texts), (words, texts)
    for text in texts:
        assert english_in(text) == [], text


def test_english_is_found_where_it_is_no_name() -> None:
    assert english_in("待处理\n  No rule fits here.\n") == ["No rule fits here"]
    assert english_in("故障现象\n  a: b c d\n\n级别\n") == []
    assert english_in("    $ svc restart app\n      | it went wrong\n") == []
