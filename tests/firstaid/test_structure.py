"""Blocks of a runbook: precheck, unbreakable, foreach, rollback, on_failure and always, on any number of hosts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from responder.domain.acts import CommandResult
from responder.domain.runbook import RunOutcome
from responder.domain.target import Target
from responder.errors import ConfigError, ConnectionCut, HostUnreachable
from responder.firstaid.engine import Engine
from responder.firstaid.loader import load_runbook
from responder.firstaid.plan import Plan, from_snapshot, snapshot
from responder.firstaid.ports import Ended, StepEnd, Stop, Suspended
from tests.fakes import NOW, Crash, CrashPlan, Disk, FakeClock, FakeHands, FakeHost, MemoryJournal

INVENTORY = [Target(name=name, address=name, groups=("web",)) for name in ("web-1", "web-2", "web-3")]
INVENTORY.append(Target(name="db-1", address="db-1", variables={"standby": "db-2", "lookouts": "web"}))
OK, BAD = CommandResult(exit_code=0), CommandResult(exit_code=1, stderr="no")


def once(name: str) -> str:
    return f"- {{name: {name}, ssh: {{run: [{name}], once: because}}}}"


def planned(folder: Path, text: str, target: str = "web-1") -> Plan:
    path = folder / "runbook.yml"
    path.write_text(f"runbook: tested\nsummary: A test\ntimeout: 1h\n{text}\n")
    here = next(one for one in INVENTORY if one.name == target)
    return from_snapshot(snapshot(load_runbook(path), {}, here, inventory=INVENTORY))


@dataclass
class Stage:
    """A plan on three hosts, with a disk that outlives the process."""

    plan: Plan
    hosts: dict[str, FakeHost] = field(default_factory=dict)
    disk: Disk = field(default_factory=Disk)
    clock: FakeClock = field(default_factory=FakeClock)
    order: list[str] = field(default_factory=list)
    stop: Stop | None = None
    stop_when: str = ""
    stop_before_everything: Stop | None = None
    plan_ok: CommandResult = OK

    def __post_init__(self) -> None:
        for target in INVENTORY:
            self.hosts.setdefault(target.name, FakeHost())

    def answer(self, host: str, word: str, *results: CommandResult | Exception) -> None:
        left = list(results)

        def given(_: FakeHost) -> CommandResult:
            self.order.append(f"{host} {word}")
            result = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(result, Exception):
                raise result
            return result

        self.hosts[host].answers[word,] = given

    def every_host(self, *words: str) -> None:
        for host in self.hosts:
            for word in words:
                self.answer(host, word, OK)

    async def once(self, crash: CrashPlan | None = None) -> Ended | Suspended:
        crash = crash or CrashPlan()
        journal = MemoryJournal(self.clock, self.disk, crash)
        journal.stop = self.stop_before_everything
        hands = FakeHands(self.hosts["web-1"], crash, self.hosts)
        if self.stop_when and any(one.endswith(self.stop_when) for one in self.order):
            journal.stop = self.stop
        original = hands.run

        async def run(host: str, command: object) -> CommandResult:
            result = await original(host, command)  # type: ignore[arg-type]
            if self.stop and self.order and self.order[-1].endswith(self.stop_when or "nothing"):
                journal.stop = self.stop
            return result

        hands.run = run  # type: ignore[method-assign]
        target = self.plan.hosts[0]
        engine = Engine(plan=self.plan, target=target, hands=hands, journal=journal, clock=self.clock, started_at=NOW)
        return await engine.run()

    async def to_the_end(self) -> Ended:
        for _ in range(100):
            result = await self.once()
            if isinstance(result, Ended):
                return result
            self.clock.advance_to(result.until)
        raise AssertionError("the run waits for ever")


FULL = "\n".join(
    [
        "steps:",
        once("drain").replace("}}", "}, rollback: [{ssh: {run: [undrain], once: because}}]}"),
        once("stop").replace("}}", "}, rollback: [{ssh: {run: [start], once: because}}]}"),
        once("change"),
        "on_failure:",
        once("explain"),
        "always:",
        once("tidy"),
    ]
)
WORDS = ("drain", "undrain", "stop", "start", "change", "explain", "tidy")


def a_stage(folder: Path, text: str = FULL, *, failing: str = "") -> Stage:
    stage = Stage(planned(folder, text))
    stage.every_host(*WORDS, "look", "work", "finish")
    if failing:
        stage.answer("web-1", failing, BAD)
    return stage


def ran(stage: Stage) -> list[str]:
    return [one.removeprefix("web-1 ") for one in stage.order]


# --- what follows ----------------------------------------------------------------------------------


async def test_after_a_success_only_what_is_always_done_follows(tmp_path: Path) -> None:
    stage = a_stage(tmp_path)
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.HELPED
    assert ran(stage) == ["drain", "stop", "change", "tidy"]
    assert ended.sentence.endswith("At the end: 1 step done.")


async def test_a_failure_is_rolled_back_newest_first_then_explained_then_tidied(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, failing="change")
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert ran(stage) == ["drain", "stop", "change", "start", "undrain", "explain", "tidy"]
    assert "Rollback: 2 steps done. After the failure: 1 step done. At the end: 1 step done." in ended.sentence


async def test_only_what_has_acted_is_rolled_back(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, failing="stop")
    await stage.to_the_end()
    assert ran(stage) == ["drain", "stop", "start", "undrain", "explain", "tidy"]

    nothing = a_stage(tmp_path)
    nothing.hosts["web-1"].answers["drain",] = HostUnreachable("web-1 is away.")
    ended = await nothing.to_the_end()
    assert (ended.outcome, ran(nothing)) == (RunOutcome.FAILED, ["undrain", "explain", "tidy"])


async def test_a_rollback_that_fails_is_told_and_the_rest_still_follows(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, failing="change")
    stage.answer("web-1", "start", BAD)
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert ran(stage)[-2:] == ["explain", "tidy"]
    assert "Rollback: tested on web-1, step 4 (ssh): the command ended with exit code 1" in ended.sentence


async def test_nothing_follows_what_nobody_knows(tmp_path: Path) -> None:
    stage = a_stage(tmp_path)
    stage.answer("web-1", "change", ConnectionCut("The line broke."))
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.UNKNOWN
    assert ran(stage) == ["drain", "stop", "change"]
    assert ended.sentence.endswith("Left undone: ssh, ssh, tidy.")


async def test_after_the_all_clear_what_is_always_done_still_follows_and_nothing_is_rolled_back(
    tmp_path: Path,
) -> None:
    stage = a_stage(tmp_path)
    stage.stop, stage.stop_when = Stop(why="The alert has cleared."), "drain"
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.CANCELLED
    assert ran(stage) == ["drain", "tidy"]


async def test_the_kill_switch_stops_even_what_is_always_done(tmp_path: Path) -> None:
    stage = a_stage(tmp_path)
    stage.stop, stage.stop_when = Stop(why="The kill switch is on.", end=StepEnd.STOPPED), "stop"
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.CANCELLED
    assert ran(stage) == ["drain", "stop"]
    assert "Left undone: ssh, ssh, tidy." in ended.sentence


async def test_a_run_out_of_time_still_has_time_to_undo(tmp_path: Path) -> None:
    text = FULL.replace(once("change"), "- wait: {for: 2h}")
    stage = a_stage(tmp_path, text)
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert "longer than its timeout of 1h" in ended.sentence
    assert ran(stage) == ["drain", "stop", "start", "undrain", "explain", "tidy"]


# --- precheck --------------------------------------------------------------------------------------

PRECHECK = "precheck:\n- {name: it is safe, ssh: {run: [never], check: [look]}}\nsteps:\n" + once("work")


async def test_a_precheck_that_objects_refuses_the_run_and_acts_never(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, PRECHECK)
    stage.answer("web-1", "look", BAD)
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.REFUSED
    assert "step 1 (it is safe): the precheck objects: it is not as wanted: as_wanted False" in ended.sentence
    assert ran(stage) == ["look"]


async def test_a_precheck_is_asked_once_and_not_again_after_a_wait(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, PRECHECK + "\n- wait: {for: 1m}\n" + once("finish"))
    stage.answer("web-1", "look", OK, BAD)
    assert (await stage.to_the_end()).outcome is RunOutcome.HELPED
    assert ran(stage) == ["look", "work", "finish"]


# --- unbreakable -----------------------------------------------------------------------------------

BLOCK = "steps:\n- unbreakable:\n  " + once("work") + "\n  " + once("change") + "\n" + once("finish")


async def test_the_all_clear_does_not_part_what_must_not_be_parted(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, BLOCK)
    stage.stop, stage.stop_when = Stop(why="The alert has cleared."), "work"
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.CANCELLED
    assert ran(stage) == ["work", "change"]


async def test_the_kill_switch_parts_even_that(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, BLOCK)
    stage.stop, stage.stop_when = Stop(why="The kill switch is on.", end=StepEnd.STOPPED), "work"
    await stage.to_the_end()
    assert ran(stage) == ["work"]


# --- foreach ---------------------------------------------------------------------------------------


def each(steps: str, **limits: int) -> str:
    said = "".join(f", {name}: {value}" for name, value in limits.items())
    return f"steps:\n- name: roll\n  foreach: {{group: web{said}, steps: [{steps}]}}\n"


WORK = "{ssh: {run: [work], once: because}}"


async def test_each_target_has_its_turn_one_at_a_time_and_the_runs_own_first(tmp_path: Path) -> None:
    stage = Stage(planned(tmp_path, each(WORK), target="web-2"))
    stage.every_host("work")
    assert (await stage.to_the_end()).outcome is RunOutcome.HELPED
    assert stage.order == ["web-2 work", "web-1 work", "web-3 work"]
    assert stage.plan.hosts == ("web-2", "web-1", "web-3")


async def test_after_so_many_failures_no_further_target_begins(tmp_path: Path) -> None:
    stage = Stage(planned(tmp_path, each(WORK)))
    stage.every_host("work")
    stage.answer("web-2", "work", BAD)
    ended = await stage.to_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert stage.order == ["web-1 work", "web-2 work"]
    assert "tested on web-2, step 2" in ended.sentence
    assert ended.sentence.endswith("Not begun: web-3.")


async def test_a_tolerated_failure_lets_the_others_go_on_and_is_still_told(tmp_path: Path) -> None:
    stage = Stage(planned(tmp_path, each(WORK, stop_after_failures=2)))
    stage.every_host("work")
    stage.answer("web-1", "work", BAD)
    ended = await stage.to_the_end()
    assert stage.order == ["web-1 work", "web-2 work", "web-3 work"]
    assert (ended.outcome, "tested on web-1, step 1" in ended.sentence) == (RunOutcome.FAILED, True)


async def test_two_wait_at_the_same_time_and_the_third_begins_when_one_is_done(tmp_path: Path) -> None:
    stage = Stage(planned(tmp_path, each(f"{WORK}, {{wait: {{for: 1m}}}}", max_parallel=2)))
    stage.every_host("work")
    assert isinstance(await stage.once(), Suspended)
    assert stage.order == ["web-1 work", "web-2 work"]
    assert (await stage.to_the_end()).outcome is RunOutcome.HELPED
    assert stage.order == ["web-1 work", "web-2 work", "web-3 work"]


async def test_an_act_in_doubt_on_one_target_stops_all_others(tmp_path: Path) -> None:
    stage = Stage(planned(tmp_path, each(WORK, stop_after_failures=3)))
    stage.every_host("work")
    stage.answer("web-1", "work", ConnectionCut("The line broke."))
    assert (await stage.to_the_end()).outcome is RunOutcome.UNKNOWN
    assert stage.order == ["web-1 work"]


def test_a_group_without_members_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no target of the inventory is in the group 'cache'"):
        planned(tmp_path, each(WORK).replace("group: web", "group: cache"))


# --- crashes ---------------------------------------------------------------------------------------

PLANS = {
    "all": (FULL, ""),
    "failing": (FULL, "change"),
    "block": (BLOCK, ""),
    "each": (each(f"{WORK}, {{wait: {{for: 1m}}}}, {{ssh: {{run: [finish], once: because}}}}", max_parallel=2), ""),
}


async def played(folder: Path, name: str, at: int | None) -> tuple[Stage, Ended | None, int]:
    """The plan with the process dying at the given place, and started again afterwards."""
    text, failing = PLANS[name]
    stage = a_stage(folder, text, failing=failing)
    crash = CrashPlan(at)
    try:
        for _ in range(100):
            result = await stage.once(crash)
            if isinstance(result, Ended):
                return stage, result, len(crash.places)
            stage.clock.advance_to(result.until)
    except Crash:
        return stage, await stage.to_the_end(), len(crash.places)
    raise AssertionError("the run waits for ever")


@pytest.mark.parametrize("name", PLANS)
async def test_wherever_the_process_dies_no_act_happens_twice_and_the_end_is_the_same_or_unknown(
    tmp_path: Path, name: str
) -> None:
    whole, expected, places = await played(tmp_path, name, None)
    assert expected
    assert places > 20
    unknown = 0
    for at in range(1, places + 1):
        stage, ended, _ = await played(tmp_path, name, at)
        assert ended
        assert len(stage.order) == len(set(stage.order)), (at, stage.order)
        if ended.outcome is RunOutcome.UNKNOWN:
            unknown += 1
            continue
        assert (ended.outcome, sorted(stage.order)) == (expected.outcome, sorted(whole.order)), at
    assert 0 < unknown < places / 4


def test_names_of_the_inventory_can_be_asked_for_in_templates(tmp_path: Path) -> None:
    plan = planned(tmp_path, 'steps:\n- ssh: {run: [promote, "{{ vars.standby }}"], once: because}', target="db-1")
    assert plan.steps[0].step.model_dump()["run"] == ("promote", "db-2")


# --- which hosts, and how they are called ------------------------------------------------------------


def of_a_group(group: str, step: str = WORK) -> str:
    return each(step).replace("group: web", f"group: '{group}'")


def test_the_inventory_may_say_which_group_a_foreach_goes_over(tmp_path: Path) -> None:
    look = '{check: {command: [ping, "{{ run.target_address }}", "{{ run.vars.standby }}", "{{ target }}"]}}'
    plan = planned(tmp_path, of_a_group("{{ vars.lookouts }}", look), target="db-1")
    seen = [(step.host, step.step.model_dump()["command"]) for step in plan.steps]
    assert seen == [(name, ("ping", "db-1", "db-2", name)) for name in ("web-1", "web-2", "web-3")]


def test_where_the_inventory_does_not_say_it_the_run_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lookouts"):
        planned(tmp_path, of_a_group("{{ vars.lookouts }}"), target="web-1")


@pytest.mark.parametrize("group", ["{{ service }}", "{{ target }}"])
def test_an_alert_never_says_which_group_a_foreach_goes_over(tmp_path: Path, group: str) -> None:
    text = "parameters: {service: {type: name, label: service}}\n" + of_a_group(group)
    with pytest.raises(ConfigError) as found:
        planned(tmp_path, text)
    assert "group: may only use {{ vars.NAME }} of the inventory" in str(found.value)
