"""What a run does when it is stopped, loses a host, or comes back after a crash in an awkward moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.domain.runbook import RunOutcome
from responder.errors import ConfigError, ConnectionCut, HostUnreachable
from responder.firstaid.ports import Ended, StepEnd, Stop
from tests.fakes import Crash, CrashPlan
from tests.firstaid.test_structure import BAD, BLOCK, FULL, WORK, Stage, a_stage, each, once, planned, ran


async def crashed_at(folder: Path, place: str, text: str = FULL) -> Stage:
    """A stage whose process died the first time that it came to this place."""
    probe = a_stage(folder, text)
    places = CrashPlan()
    await probe.once(places)
    stage = a_stage(folder, text)
    with pytest.raises(Crash):
        await stage.once(CrashPlan(places.places.index(place) + 1))
    return stage


async def test_an_act_in_doubt_on_a_host_that_is_gone_stays_in_doubt_and_nothing_is_undone(tmp_path: Path) -> None:
    stage = await crashed_at(tmp_path, "after a command ended on the host")

    def gone(*_: object) -> None:
        raise HostUnreachable("web-1 is away.")

    stage.hosts["web-1"]._told = gone  # type: ignore[assignment, method-assign]
    ended = await stage.once()
    assert isinstance(ended, Ended)
    assert ended.outcome is RunOutcome.UNKNOWN
    assert "nobody can be asked about it: web-1 is away." in ended.sentence
    assert ran(stage) == ["drain"]


async def test_a_lost_act_is_found_out_about_before_the_kill_switch_ends_the_run(tmp_path: Path) -> None:
    stage = await crashed_at(tmp_path, "after begin_act")
    stage.stop_before_everything = Stop(why="The kill switch is on.", end=StepEnd.STOPPED)
    ended = await stage.once()
    assert isinstance(ended, Ended)
    assert (ended.outcome, ran(stage)) == (RunOutcome.CANCELLED, [])
    # Whoever was frozen with this act in hand can start it no more.
    assert len(stage.hosts["web-1"].voided) == 1


async def test_a_block_that_waits_after_it_has_acted_is_not_parted(tmp_path: Path) -> None:
    slow = "{name: work, ssh: {run: [work], check: [look], grace: 1m}}"
    stage = a_stage(tmp_path, f"steps:\n- unbreakable:\n  - {slow}\n  " + once("finish"))
    stage.answer("web-1", "look", BAD, BAD, BAD, BAD, stage.plan_ok)
    stage.stop, stage.stop_when = Stop(why="The alert has cleared."), "work"
    await stage.to_the_end()
    assert [word for word in ran(stage) if word != "look"] == ["work", "finish"]


async def test_diagnostics_alone_bind_nothing(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, BLOCK.replace("ssh: {run: [work], once: because}", "collect: {commands: [[work]]}"))
    stage.stop, stage.stop_when = Stop(why="The alert has cleared."), "work"
    await stage.to_the_end()
    assert ran(stage) == ["work"]


async def test_an_act_in_doubt_on_one_host_stops_the_others_before_their_next_step(tmp_path: Path) -> None:
    finish = "{ssh: {run: [finish], once: because}}"
    stage = Stage(planned(tmp_path, each(f"{WORK}, {{wait: {{for: 1m}}}}, {finish}", max_parallel=2)))
    stage.every_host("work", "finish")
    stage.answer("web-1", "work", ConnectionCut("The line broke."))
    assert (await stage.to_the_end()).outcome is RunOutcome.UNKNOWN
    assert "web-2 finish" not in stage.order


async def test_what_is_older_is_undone_even_if_the_newest_cannot_be(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, failing="change")
    stage.answer("web-1", "start", BAD)
    await stage.to_the_end()
    assert ran(stage) == ["drain", "stop", "change", "start", "undrain", "explain", "tidy"]


async def test_the_kill_switch_in_the_middle_of_the_rollback_names_what_is_left(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, failing="change")
    stage.stop, stage.stop_when = Stop(why="The kill switch is on.", end=StepEnd.STOPPED), "start"
    ended = await stage.to_the_end()
    assert ran(stage)[-1] == "start"
    assert ended.sentence.endswith("Left undone: ssh, tidy.")


async def test_a_run_that_had_done_nothing_leaves_nothing_undone(tmp_path: Path) -> None:
    stage = a_stage(tmp_path)
    stage.stop_before_everything = Stop(why="The kill switch is on.", end=StepEnd.STOPPED)
    assert (await stage.to_the_end()).sentence == "The kill switch is on."


def test_a_rollback_that_could_never_run_is_a_mistake(tmp_path: Path) -> None:
    text = "steps:\n" + once("work") + "\nalways:\n" + once("tidy").replace("}}", "}, rollback: [{wait: {for: 1s}}]}")
    with pytest.raises(ConfigError, match="this one is never rolled back"):
        planned(tmp_path, text)
